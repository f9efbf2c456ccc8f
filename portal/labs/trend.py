"""One analyte over time: its numbers in one unit, each with its own range; what cannot be drawn honestly is listed instead. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from portal.labs.ranges import Range, yours
from portal.labs.results import Report, Result
from portal.labs.times import When
from portal.labs.values import Value

Convert = Callable[[Decimal, str, str], Decimal | None]
"""A number from one UCUM unit to another; None when UCUM does not allow it."""


@dataclass(frozen=True)
class Band:
    """A range in the unit of the series; a side that is None is open."""

    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class Point:
    """A result on the line. `number`, `usual` and `goal` are in the unit of the series; `result` has everything as sent.

    `usual` is the range that is surely this person's at that time, `goal` what treatment aims at.
    """

    result: Result
    when: When
    number: Decimal
    usual: Band | None = None
    goal: Band | None = None
    converted: bool = False

    @property
    def text(self) -> str:
        """The number as it stands in the picture, with its comparator."""
        return self.result.value.comparator + format(self.number, "f")

    @property
    def comparator(self) -> str:
        return self.result.value.comparator[:1]


@dataclass(frozen=True)
class Series:
    """`points` oldest first; `gaps` are dates at which there was no number; `aside` are results that do not fit the line."""

    code: str
    name: str
    long_name: str
    unit: str
    points: tuple[Point, ...]
    gaps: tuple[When, ...]
    aside: tuple[Result, ...]
    results: tuple[Result, ...]

    @property
    def latest(self) -> Result:
        return self.results[0]

    @property
    def drawable(self) -> bool:
        return len(self.points) > 1

    @property
    def ranges_change(self) -> bool:
        return len({point.usual for point in self.points}) > 1

    @property
    def converted(self) -> bool:
        return any(point.converted for point in self.points)

    def drawn(self, result: Result) -> Point | None:
        """Where a result stands in the picture; None when it does not."""
        return next((point for point in self.points if point.result is result), None)


def no_conversion(_number: Decimal, _given: str, _wanted: str) -> Decimal | None:
    return None


def series(reports: Iterable[Report], convert: Convert = no_conversion) -> dict[str, Series]:
    """What was measured more than once or could be: code to its Series, each result counted once."""
    by_code: dict[str, dict[str, Result]] = {}
    for report in reports:
        for row in report.rows:
            if not row.bare and not row.withdrawn:
                by_code.setdefault(row.code, {}).setdefault(row.key, row)
    return {code: _series(code, list(found.values()), convert) for code, found in by_code.items()}


def _series(code: str, found: list[Result], convert: Convert) -> Series:
    newest = sorted(found, key=lambda result: result.when.order if result.when else _NEVER.order, reverse=True)
    numbers = [result for result in newest if result.value.number is not None and result.when and result.when.at]
    wanted = numbers[0].value if numbers else Value("absent", "")
    fitted = [(result, _fit(result, wanted, convert)) for result in newest]
    points = tuple(point for _result, point in reversed(fitted) if point)
    gaps = tuple(result.when for result, point in fitted if not point and not result.value.present and result.when)
    aside = tuple(result for result, point in fitted if not point and result.value.present)
    return Series(code, newest[0].name, newest[0].long_name, wanted.unit, points, gaps, aside, tuple(newest))


_NEVER = When("", "text")


def _fit(result: Result, wanted: Value, convert: Convert) -> Point | None:
    """The result as a point of the line, converted where that is allowed; None when it has no place on it."""
    value = result.value
    if value.number is None or result.when is None or result.when.at is None:
        return None
    number = _moved(value.number, value, wanted, convert)
    if number is None:
        return None
    goals = [each for each in result.ranges if each.goal and each.numeric and each.mine]
    return Point(
        result,
        result.when,
        number,
        _band(yours(result.ranges), value, wanted, convert),
        _band(goals[0] if len(goals) == 1 else None, value, wanted, convert),
        converted=not _same_unit(value, wanted),
    )


def _band(held: Range | None, value: Value, wanted: Value, convert: Convert) -> Band | None:
    """The range in the unit of the series. A side without a unit has the value's; one that cannot be converted ends it."""
    if held is None:
        return None
    found: list[Decimal | None] = []
    for side in (held.low, held.high):
        if side is None or side.number is None:
            found.append(None)
            continue
        moved = _moved(side.number, side if side.unit_code else value, wanted, convert)
        if moved is None:
            return None
        found.append(moved)
    return Band(*found) if any(side is not None for side in found) else None


def _moved(number: Decimal, given: Value, wanted: Value, convert: Convert) -> Decimal | None:
    return number if _same_unit(given, wanted) else convert(number, given.unit_code, wanted.unit_code)


def _same_unit(value: Value, wanted: Value) -> bool:
    return value.unit_code == wanted.unit_code or (value.unit != "" and value.unit == wanted.unit)
