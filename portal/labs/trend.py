"""One analyte over time: its numbers in one unit, each with its own range; what cannot be drawn honestly is listed instead. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from portal.labs.ranges import Range
from portal.labs.results import Report, Result
from portal.labs.times import When
from portal.labs.values import Value

Convert = Callable[[Decimal, str, str], Decimal | None]
"""A number from one UCUM unit to another; None when UCUM does not allow it."""


@dataclass(frozen=True)
class Point:
    """A result on the line. `number`, `low` and `high` are in the unit of the series; `result` has everything as sent."""

    result: Result
    when: When
    number: Decimal
    low: Decimal | None
    high: Decimal | None
    converted: bool = False

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
        return len({(point.low, point.high) for point in self.points}) > 1

    @property
    def converted(self) -> bool:
        return any(point.converted for point in self.points)


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
    usual = _usual(result.ranges)
    low, high = (usual.bound("low"), usual.bound("high")) if usual else (None, None)
    point = Point(result, result.when, value.number, low, high)
    if _same_unit(value, wanted):
        return point
    factors = [
        convert(number, value.unit_code, wanted.unit_code) for number in (value.number, low, high) if number is not None
    ]
    if not factors or any(number is None for number in factors):
        return None
    moved = iter(factors)
    number = next(moved)
    assert number is not None
    return replace(
        point,
        number=number,
        low=next(moved) if low is not None else None,
        high=next(moved) if high is not None else None,
        converted=True,
    )


def _same_unit(value: Value, wanted: Value) -> bool:
    return value.unit_code == wanted.unit_code or (value.unit != "" and value.unit == wanted.unit)


def _usual(ranges: tuple[Range, ...]) -> Range | None:
    """The one range that a band may be drawn from; with several (by age, by phase) there is none."""
    usual = [each for each in ranges if each.usual and each.numeric]
    return usual[0] if len(usual) == 1 else None
