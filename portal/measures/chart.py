"""Columns over several periods, in SVG units, with the words that say the same. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 632, 28, 168


@dataclass(frozen=True)
class Column:
    """`number` is None for one that is not shown: it is drawn as a mark of fixed height, the same for every such number."""

    label: str
    number: int | None
    words: str
    x: float
    y: float
    width: float
    height: float

    @property
    def short(self) -> str:
        """What stands over the column."""
        return "?" if self.number is None else self.words

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Chart:
    title: str
    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = HEIGHT
    bottom: int = _BOTTOM

    @property
    def words(self) -> str:
        """What a person hears who does not see it."""
        return f"{self.title}. " + "; ".join(f"{each.label}: {each.words}" for each in self.columns) + "."


def columns(title: str, values: Sequence[tuple[str, int | None, str]]) -> Chart:
    """(label, number, the number in words) for each period, the oldest first."""
    most = max((number for _label, number, _words in values if number), default=1)
    room = (_RIGHT - _LEFT) / max(len(values), 4)
    width = round(min(56.0, room * 0.7), 1)
    drawn = []
    for place, (label, number, words) in enumerate(values):
        height = 10.0 if number is None else round((_BOTTOM - _TOP) * number / most, 1)
        x = round(_LEFT + place * room + (room - width) / 2, 1)
        drawn.append(Column(label, number, words, x, round(_BOTTOM - height, 1), width, height))
    return Chart(title, tuple(drawn))
