"""Lines into counts, days into longer times, and the middle of what was timed. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Line = tuple[str, str, str, str]
Counts = dict[str, dict[str, dict[str, list[int]]]]
"""{what: {of which thing: {value: [how many, from how many people]}}}"""
TIMED = frozenset({"page", "form", "decided", "delivered", "arrived", "waiting"})
"""Whose values are seconds. Each also counts under ALL; what could not be timed counts under UNTIMED only."""
UNTIMED, ALL = "untimed", "all"
SPARED, AGAIN = "spared", "again"
"""Questions that somebody did not have to answer: a fact that is still right, a prefilled answer that was let stand, a block of
facts (one question each) that was not asked AGAIN, as it had been confirmed a short while ago."""


def counted(lines: Iterable[Line]) -> Counts:
    """How often each value came, and from how many different people (who each line's last word tells apart)."""
    many: dict[tuple[str, str, str], int] = {}
    whose: dict[tuple[str, str, str], set[str]] = {}
    for line in lines:
        for cell in _cells(*line[:3]):
            many[cell] = many.get(cell, 0) + 1
            whose.setdefault(cell, set()).add(line[3])
    made: Counts = {}
    for (what, thing, value), number in sorted(many.items()):
        made.setdefault(what, {}).setdefault(thing, {})[value] = [number, len(whose[what, thing, value])]
    return made


def _cells(what: str, thing: str, value: str) -> Iterator[tuple[str, str, str]]:
    """Where a line counts: its own cell, and every sum that is shown of it."""
    if what in TIMED and value != UNTIMED:
        yield what, thing, rounded(int(value))
        yield what, thing, ALL
        return
    yield what, thing, value
    if what == "facts":
        yield from [(what, thing, ALL), (what, "", value), (what, "", ALL)]
    if what == "given":
        yield from [(what, thing.partition("/")[0], value), (what, "", value)]
    if what in ("visits", "decisions", "taken"):
        yield what, thing, ALL
    if what == AGAIN:
        yield what, "", value
    if (what, value) in (("facts", "same"), ("given", "kept"), (AGAIN, "")):
        yield SPARED, "", ALL


def rounded(seconds: int) -> str:
    """To two figures, as a person would say it: no time tells one visit from another."""
    figures = 10 ** max(0, len(str(seconds)) - 2)
    return str((seconds + figures // 2) // figures * figures)


def together(days: Iterable[Counts]) -> Counts:
    """The sum of several days. Nobody counts twice: each line belongs to one day."""
    made: Counts = {}
    for day in days:
        for what, things in day.items():
            for thing, values in things.items():
                kept = made.setdefault(what, {}).setdefault(thing, {})
                for value, (number, people) in values.items():
                    before = kept.get(value, (0, 0))
                    kept[value] = [before[0] + number, before[1] + people]
    return made


@dataclass(frozen=True)
class Middle:
    """Half of all times lie between `low` and `high`; `middle` is the median. In seconds."""

    low: int
    middle: int
    high: int


def middle(values: Mapping[str, list[int]]) -> Middle | None:
    """Median and quartiles of what was timed (the value at that rank, never one in between); None when nothing was."""
    times = sorted((int(value), many) for value, (many, _people) in values.items() if value not in (ALL, UNTIMED))
    total = sum(many for _value, many in times)
    if not total:
        return None
    return Middle(*(_at(times, -(-total * part // 4)) for part in (1, 2, 3)))


def _at(times: Iterable[tuple[int, int]], rank: int) -> int:
    passed = 0
    for value, many in times:
        passed += many
        if passed >= rank:
            return value
    raise AssertionError("the rank is at most the total")
