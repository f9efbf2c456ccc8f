"""Unicode's normal forms in time that grows with the text: a long row of accents on one letter costs its square otherwise. Pure."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

SHORT = 200
"""Characters that cannot cost anything, whatever they are."""
MOST_ON_ONE = 30
"""Marks that one letter carries in any language; then U+034F parts them (Stream-Safe Text, UAX #15 section 13)."""
PARTING = "\u034f"
_PLAIN = re.compile(r"[\u0000-\u02ff]*")


def normal(form: Literal["NFC", "NFKC", "NFD", "NFKD"], text: str) -> str:
    """`text` in this normal form."""
    if len(text) > SHORT and not _PLAIN.fullmatch(text):
        text = _parted(text)
    return unicodedata.normalize(form, text)


def _parted(text: str) -> str:
    """The same, with a mark that changes nothing after each thirty marks in a row."""
    made, row = list[str](), 0
    for letter in text:
        before, after = _marks(letter)
        if before and row + before > MOST_ON_ONE:
            made.append(PARTING)
            row = 0
        row = after if after < before or not before else row + before
        made.append(letter)
    return "".join(made)


@lru_cache(maxsize=2048)
def _marks(letter: str) -> tuple[int, int]:
    """How many marks a letter, taken apart, begins and ends with: a mark both, a plain letter neither, é (0, 1)."""
    classes = [bool(unicodedata.combining(part)) for part in unicodedata.normalize("NFKD", letter)]
    if all(classes):
        return len(classes), len(classes)
    return classes.index(False), classes[::-1].index(False)
