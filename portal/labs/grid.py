"""Several analytes of one report side by side over time: columns are days, newest first. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.labs.results import Report, Result
from portal.labs.times import When
from portal.labs.trend import Series

MOST_COLUMNS = 8


@dataclass(frozen=True)
class Grid:
    """Each row: an analyte, its unit, and one cell per column with all its results of that day (none: not measured)."""

    columns: tuple[When, ...]
    rows: tuple[tuple[Result, str, tuple[tuple[Result, ...], ...]], ...]
    older: int = 0


def grid(report: Report, known: Mapping[str, Series]) -> Grid | None:
    """Two or more analytes of a report beside their earlier results; None when there is nothing to put side by side."""
    shown = [row for row in report.rows if not row.bare and not row.withdrawn and row.code in known]
    days: dict[str, When] = {}
    for row in shown:
        for result in known[row.code].results:
            if result.when and result.when.at:
                days.setdefault(_day(result), result.when)
    every = sorted(days.values(), key=lambda when: when.order, reverse=True)
    columns = every[:MOST_COLUMNS]
    if len(columns) < 2 or len(shown) < 2:
        return None
    names = [when.text[:10] for when in columns]
    rows = tuple((row, known[row.code].unit, _cells(known[row.code], names)) for row in shown)
    return Grid(tuple(columns), rows, len(every) - len(columns))


def _cells(series: Series, days: list[str]) -> tuple[tuple[Result, ...], ...]:
    return tuple(tuple(result for result in series.results if _day(result) == day) for day in days)


def _day(result: Result) -> str:
    return result.when.text[:10] if result.when else ""
