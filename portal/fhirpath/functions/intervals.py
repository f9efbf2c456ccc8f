"""Between two dates or times: duration() in whole periods, difference() in boundaries crossed (FHIRPath 3.0, §5.10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.quantity import CALENDAR_WORDS
from portal.fhirpath.temporal import FhirDate, FhirTime, Parts, Temporal, shifted

Measure = Callable[[Parts, Parts, str], int]
FIRST_DAY: Parts = (1, 1, 1)
# How many parts of a date-time a precision needs, and the seconds of those that are of one length.
NEEDED = {"year": 1, "month": 2, "week": 3, "day": 3, "hour": 4, "minute": 5, "second": 6, "millisecond": 6}
DATES = frozenset({"year", "month", "week", "day"})
SECONDS = {
    "week": Decimal(604_800), "day": Decimal(86_400), "hour": Decimal(3600), "minute": Decimal(60),
    "second": Decimal(1), "millisecond": Decimal("0.001"),
}  # fmt: skip


def unit_of(name: str, precision: Any, mine: Temporal, yours: Temporal) -> str:
    """The precision as a word that both values can take."""
    if isinstance(mine, FhirTime) != isinstance(yours, FhirTime):
        raise FhirPathEvaluationError(f"{name}() takes two dates or two times")
    unit = CALENDAR_WORDS.get(precision) if isinstance(precision, str) else None
    dates, times = isinstance(mine, FhirDate) and isinstance(yours, FhirDate), isinstance(mine, FhirTime)
    if unit is None or (dates and unit not in DATES) or (times and unit in DATES):
        raise FhirPathEvaluationError(f"{name}() takes a precision that its values can have")
    return unit


def known_parts(env: Env, value: Temporal, unit: str, in_utc: bool) -> Parts | None:
    """Year to second, of a time of day those of one day; None where the value is less precise than the unit."""
    parts = FIRST_DAY + value.parts if isinstance(value, FhirTime) else value.parts
    if len(parts) < NEEDED[unit]:
        return None
    if not in_utc:
        return parts
    offset = env.zone() if value.offset is None else value.offset
    return None if offset is None else shifted(parts, -offset)


def seconds(parts: Parts) -> Decimal:
    full = parts + (*FIRST_DAY, 0, 0, Decimal(0))[len(parts) :]
    year, month, day, hour, minute, second = full
    days = date(int(year), int(month), int(day)).toordinal()
    return Decimal(days * 86_400 + int(hour) * 3600 + int(minute) * 60) + second


def whole_periods(first: Parts, last: Parts, unit: str) -> int:
    """As many as fit between two moments, the earlier first."""
    if unit in SECONDS:
        return int((seconds(last) - seconds(first)) // SECONDS[unit])
    months = (int(last[0]) - int(first[0])) * 12
    if unit == "year":
        return months // 12 - (last[1:] < first[1 : len(last)])
    months += int(last[1]) - int(first[1])
    return months - (last[2:] < first[2 : len(last)])


def boundaries(first: Parts, last: Parts, unit: str) -> int:
    """New Years, firsts of months, Sundays, midnights … that were passed."""
    if unit == "year":
        return int(last[0]) - int(first[0])
    if unit == "month":
        return (int(last[0]) - int(first[0])) * 12 + int(last[1]) - int(first[1])
    return int(seconds(last) // SECONDS[unit]) - int(seconds(first) // SECONDS[unit])


def between(name: str, measure: Measure) -> None:
    def run(env: Env, items: Items, other: Any, precision: Any) -> Items:
        value = one(items, f"{name}()")
        if value is None or other is None or precision is None:
            return []
        if not (isinstance(value, Temporal) and isinstance(other, Temporal)):
            raise FhirPathEvaluationError(f"{name}() takes two dates or two times")
        unit = unit_of(name, precision, value, other)
        in_utc = unit not in DATES and value.offset != other.offset
        mine, yours = known_parts(env, value, unit, in_utc), known_parts(env, other, unit, in_utc)
        if mine is None or yours is None:
            return []
        env.spend(10)
        earlier = seconds(mine) <= seconds(yours)
        found = measure(mine, yours, unit) if earlier else -measure(yours, mine, unit)
        return [found]

    function(name, "value", "value")(run)


between("duration", whole_periods)
between("difference", boundaries)
