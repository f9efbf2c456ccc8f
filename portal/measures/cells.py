"""The numbers of a clinic over a quarter and all that lies in it: which there are, what sums tie them, which stay unsaid. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from portal.measures.periods import Period, tree
from portal.measures.secrecy import Number, Sum, kept_back
from portal.measures.tally import AGAIN, ALL, SPARED, TIMED, UNTIMED, Counts, Middle, middle, together

UNREAD, WAITING = "unread", "waiting"
ANSWERS = ("same", "changed", "stopped", "unsure")
ENDS = ("sent", "left", "not-begun")
VERDICTS = ("accept", "edit", "reject", "ask")
Cell = tuple[str, str, str]


class At(NamedTuple):
    """A cell in one period."""

    period: Period
    cell: Cell


@dataclass(frozen=True)
class Figures:
    """What may be said of one period. `of` gives None for a number that is kept back; a cell that never came is 0."""

    period: Period
    counts: Counts = field(repr=False)
    hidden: frozenset[Cell] = frozenset()
    waiting: Mapping[str, list[int]] = field(default_factory=dict)
    """how long what waited for staff at the end had waited, in seconds"""

    def of(self, what: str, thing: str = "", value: str = "") -> int | None:
        return None if (what, thing, value) in self.hidden else self.true(what, thing, value).many

    def true(self, what: str, thing: str, value: str) -> Number:
        return Number(*self.counts.get(what, {}).get(thing, {}).get(value, (0, 0)))

    def middle(self, what: str, thing: str = "") -> Middle | None:
        """None when nothing was timed, or too few to say."""
        if self.of(what, thing, ALL) is None or self.true(what, thing, ALL).small:
            return None
        return middle(self.counts.get(what, {}).get(thing, {}))

    @property
    def queue(self) -> tuple[int | None, Middle | None]:
        """How many waited at the end (None: too few to say), and for how long."""
        many = Number(*self.waiting.get(ALL, (0, 0)))
        return (None, None) if many.small else (many.many, middle(self.waiting))

    def things(self, what: str) -> list[str]:
        """Of what there are numbers, the whole left out."""
        return sorted(thing for thing in self.counts.get(what, {}) if thing)


def quarter(whole: Period, days: Mapping[date, Counts], first: date, until: date) -> dict[Period, Figures]:
    """Each period in a quarter that was over by `until`, with what stays unsaid there; every day from `first` to it is counted."""
    over = sorted((each for each in tree(whole) if first < each.end <= until), key=lambda each: (each.end, each.start))
    sums = {each: together(days[day] for day in _days(each) if day in days) for each in over}
    wide = together(sums.values())
    cells = list(_cells(wide))
    numbers: dict[At, Number] = {
        At(period, cell): Number(*found.get(cell[0], {}).get(cell[1], {}).get(cell[2], (0, 0)))
        for period, found in sums.items()
        for cell in cells
    }
    tied = [
        Sum(At(period, each.total), tuple(At(period, part) for part in each.parts))
        for period in over
        for each in ties(wide)
    ]
    tied += [
        Sum(At(period, cell), tuple(At(part, cell) for part in parts))
        for period in over
        if (parts := [part for part in period.parts() if part in sums])
        for cell in cells
    ]
    ends = sorted({period.end for period in over})
    hidden = kept_back(numbers, tied, [[at for at in numbers if at.period.end == end] for end in ends])
    return {
        period: Figures(
            period,
            found,
            frozenset(cell for cell in cells if At(period, cell) in hidden),
            days.get(period.last, {}).get(WAITING, {}).get("", {}),
        )
        for period, found in sums.items()
    }


def _days(period: Period) -> Iterator[date]:
    return (date.fromordinal(each) for each in range(period.start.toordinal(), period.end.toordinal()))


def _cells(wide: Counts) -> Iterator[Cell]:
    """Everything that is shown as a number, sums included."""
    named = {cell for each in ties(wide) for cell in (each.total, *each.parts)}
    found = {
        (what, thing, value)
        for what, things in wide.items()
        for thing, values in things.items()
        for value in values
        if what not in (UNREAD, WAITING) and value != UNTIMED and (what not in TIMED or value == ALL)
    }
    yield from sorted(named | found)


def ties(wide: Counts) -> list[Sum[Cell]]:
    """The sums within one period: a reader could take any part from its total."""
    kinds = sorted(thing for thing in wide.get("facts", {}) if thing)
    given = sorted(thing for thing in wide.get("given", {}) if thing)
    tasks = [thing for thing in given if "/" not in thing]
    found = [_sum(("facts", kind, ALL), [("facts", kind, answer) for answer in ANSWERS]) for kind in kinds]
    if kinds:
        found += [_sum(("facts", "", each), [("facts", kind, each) for kind in kinds]) for each in (*ANSWERS, ALL)]
    for value in ("kept", "changed"):
        for task in tasks:
            fields = [thing for thing in given if thing.startswith(f"{task}/")]
            found.append(_sum(("given", task, value), [("given", each, value) for each in fields]))
        found.append(_sum(("given", "", value), [("given", task, value) for task in tasks]))
    again = sorted(thing for thing in wide.get(AGAIN, {}) if thing)
    found.append(_sum((AGAIN, "", ""), [(AGAIN, kind, "") for kind in again]))
    found.append(_sum((SPARED, "", ALL), [("facts", "", "same"), ("given", "", "kept"), (AGAIN, "", "")]))
    found.append(_sum(("visits", "", ALL), [("visits", "", each) for each in ENDS]))
    left = [("left", place, "") for place in sorted(wide.get("left", {}))]
    found.append(_sum(("visits", "", "left"), left))
    found.append(_sum(("decisions", "", ALL), [("decisions", "", each) for each in VERDICTS]))
    found.append(_sum(("taken", "", ALL), [("taken", "", each) for each in ("untouched", "edited")]))
    return [each for each in found if each.parts]


def _sum(total: Cell, parts: list[Cell]) -> Sum[Cell]:
    return Sum(total, tuple(parts))
