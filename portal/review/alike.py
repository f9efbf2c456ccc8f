"""When two texts mean the same name: case, accents, punctuation and spacing do not count. Pure."""

import re
import unicodedata

from portal.fhir.letters import normal

_NOT_WORD = re.compile(r"[^\w]+")


def plain(text: str) -> str:
    """Letters and digits in lower case, without accents, words separated by one space."""
    parts = normal("NFKD", text.replace("ß", "ss")).casefold()
    bare = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(_NOT_WORD.sub(" ", bare).replace("_", " ").split())
