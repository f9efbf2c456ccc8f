"""How a patient reads the trail: equal entries in a row are one line, and what they did themselves is folded away."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from portal.audit.service import Entry


@dataclass(frozen=True)
class Line:
    """Entries that say the same, one after the other."""

    newest: Entry
    oldest: Entry
    count: int


@dataclass(frozen=True)
class Stretch:
    """Lines in a row that are all the reader's own acts, or all not."""

    own: bool
    lines: tuple[Line, ...]

    @property
    def count(self) -> int:
        return sum(line.count for line in self.lines)


def stretches(entries: Sequence[Entry]) -> list[Stretch]:
    """The entries, newest first, as they are read."""
    return [Stretch(own, tuple(_lines(list(held)))) for own, held in groupby(entries, key=lambda each: each.own)]


def _lines(entries: Sequence[Entry]) -> list[Line]:
    runs = [list(held) for _, held in groupby(entries, key=_said)]
    return [Line(run[0], run[-1], len(run)) for run in runs]


def _said(entry: Entry) -> tuple[str, str, bool, bool, str]:
    return entry.sentence, entry.who, entry.refused, entry.emergency, entry.reason
