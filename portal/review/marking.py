"""What differs between two texts, word by word, for two columns that are read beside each other. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_WORDS = 400
ALIKE = 0.3
_WORD = re.compile(r"\s+|[^\s,;()]+|[,;()]")


@dataclass(frozen=True)
class Part:
    """A run of words; `differs` when the other text has something else in its place, or nothing."""

    text: str
    differs: bool = False


def marked(one: str, other: str) -> tuple[list[Part], list[Part]]:
    """Both texts in parts. Texts with hardly a word in common differ as wholes; so do very long ones."""
    words = _WORD.findall(one), _WORD.findall(other)
    if max(map(len, words)) > MOST_WORDS or one == other:
        return _whole(one, other)
    found = SequenceMatcher(None, *words, autojunk=False)
    shared = sum(
        len(word) for block in found.get_matching_blocks() for word in words[0][block.a : block.a + block.size]
    )
    if shared < ALIKE * max(len(one), len(other)):
        return _whole(one, other)
    sides: tuple[list[Part], list[Part]] = [], []
    for tag, a, b, c, d in found.get_opcodes():
        for side, text in zip(sides, ("".join(words[0][a:b]), "".join(words[1][c:d])), strict=True):
            if text:
                side.append(Part(text, tag != "equal"))
    return _joined(sides[0]), _joined(sides[1])


def _whole(one: str, other: str) -> tuple[list[Part], list[Part]]:
    sides = [[Part(text, one != other)] if text else [] for text in (one, other)]
    return sides[0], sides[1]


def _joined(parts: list[Part]) -> list[Part]:
    """Without spaces alone between two differences: "a [b] [c]" reads as one."""
    made: list[Part] = []
    for place, part in enumerate(parts):
        between = not part.text.strip() and 0 < place < len(parts) - 1
        differs = part.differs or (between and made[-1].differs and parts[place + 1].differs)
        if made and made[-1].differs == differs:
            made[-1] = Part(made[-1].text + part.text, differs)
        else:
            made.append(Part(part.text, differs))
    return made
