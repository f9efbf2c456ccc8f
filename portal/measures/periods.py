"""The times that figures are given for: quarters of three months, months of four weeks, so that each lies whole in the next. Pure.

A week here is the days 1–7, 8–14, 15–21, or 22 to the end of a month. Weeks that began on a Monday would lie across two months, and
from figures of both kinds together one could work out what is hidden in either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

KINDS = ("week", "month", "quarter")
_STARTS = (1, 8, 15, 22)


@dataclass(frozen=True, order=True)
class Period:
    """From `start` up to the day before `end`."""

    start: date
    end: date
    kind: str

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def parts(self) -> list["Period"]:
        """The months of a quarter, the weeks of a month; a week has none."""
        return _months(self) if self.kind == "quarter" else _weeks(self) if self.kind == "month" else []

    def before(self) -> "Period":
        """The one of its kind that ended when this one began."""
        return holding(self.last - timedelta(days=self.days), self.kind)


def holding(day: date, kind: str) -> Period:
    """The period of a kind that holds a day."""
    first = day.replace(day=1)
    if kind == "quarter":
        first = first.replace(month=(day.month - 1) // 3 * 3 + 1)
        return Period(first, _later(first, 3), kind)
    month = Period(first, _later(first, 1), "month")
    return month if kind == "month" else next(week for week in _weeks(month) if week.start <= day < week.end)


def ended(first: date, until: date, kind: str) -> list[Period]:
    """Every period of a kind that was over at the beginning of `until` and in which, or before which, `first` lies."""
    found, at = [], holding(first, kind)
    while at.end <= until:
        found.append(at)
        at = holding(at.end, kind)
    return found


def tree(whole: Period) -> Iterator[Period]:
    """A period and everything in it."""
    yield whole
    for part in whole.parts():
        yield from tree(part)


def _later(first: date, months: int) -> date:
    place = first.month - 1 + months
    return date(first.year + place // 12, place % 12 + 1, 1)


def _months(whole: Period) -> list[Period]:
    firsts = [_later(whole.start, each) for each in range(3)]
    return [Period(first, _later(first, 1), "month") for first in firsts]


def _weeks(whole: Period) -> list[Period]:
    starts = [whole.start.replace(day=day) for day in _STARTS]
    return [Period(*each, "week") for each in zip(starts, [*starts[1:], whole.end], strict=True)]
