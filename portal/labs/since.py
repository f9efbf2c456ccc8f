"""What is new in the results since a day: what came, what it was before, what was corrected. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from portal.labs.results import Report, Result
from portal.labs.times import When
from portal.labs.trend import Series


@dataclass(frozen=True)
class Change:
    """One result that is new or was changed. `before` is the one measured before it, None when there is none."""

    result: Result
    before: Result | None
    corrected: bool


@dataclass(frozen=True)
class News:
    """Everything since `day`, what is outside the usual first."""

    day: date
    changes: tuple[Change, ...]

    @property
    def notable(self) -> int:
        return sum(bool(each.result.flag and each.result.flag.severity) for each in self.changes)


def news(reports: Iterable[Report], known: Mapping[str, Series], day: date) -> News:
    """Results measured or reported after that day (in UTC), each once."""
    found: dict[str, Change] = {}
    for report in reports:
        for row in report.rows:
            if row.bare or row.waiting or row.key in found or not _after(row, report, day):
                continue
            found[row.key] = Change(row, _before(row, known), row.changed and not _later(row.measured, day))
    order = sorted(found.values(), key=lambda each: -(each.result.flag.severity if each.result.flag else 0))
    return News(day, tuple(order))


def _after(row: Result, report: Report, day: date) -> bool:
    times = (row.measured, row.reported) if row.measured or row.reported else (report.measured, report.reported)
    return any(_later(at, day) for at in times)


def _later(at: When | None, day: date) -> bool:
    return at is not None and at.at is not None and at.at.date() > day


def _before(row: Result, known: Mapping[str, Series]) -> Result | None:
    line = known[row.code].results if row.code in known else ()
    place = next((number for number, each in enumerate(line) if each.key == row.key), len(line))
    return next(iter(line[place + 1 :]), None)
