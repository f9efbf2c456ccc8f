"""5.9.3 Parts of dates and times: yearOf … timezoneOffsetOf, dateOf, timeOf."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.functions.registry import function
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime, Temporal

PLACES = {"yearOf": 0, "monthOf": 1, "dayOf": 2, "hourOf": 3, "minuteOf": 4, "secondOf": 5}


def moment_of(items: Items, name: str) -> Temporal | None:
    value = one(items, f"{name}()")
    if isinstance(value, str):
        return FhirDateTime.parse(value)
    return value if isinstance(value, Temporal) else None


def part(value: Temporal | None, place: int) -> Any:
    at = place - 3 if isinstance(value, FhirTime) else place
    return value.parts[at] if value is not None and 0 <= at < len(value.parts) else None


def extracting(name: str, place: int) -> None:
    def run(env: Env, items: Items) -> Items:
        found = part(moment_of(items, name), place)
        return [] if found is None else [int(found)]

    function(name)(run)


for _name, _place in PLACES.items():
    extracting(_name, _place)


@function("millisecondOf")
def millisecond_of(env: Env, items: Items) -> Items:
    second = part(moment_of(items, "millisecondOf"), 5)
    if second is None or Decimal(second).as_tuple().exponent == 0:
        return []
    return [int(second % 1 * 1000)]


@function("timezoneOffsetOf")
def timezone_offset_of(env: Env, items: Items) -> Items:
    value = moment_of(items, "timezoneOffsetOf")
    return [] if value is None or value.offset is None else [Decimal(value.offset) / 60]


@function("dateOf")
def date_of(env: Env, items: Items) -> Items:
    value = moment_of(items, "dateOf")
    return [] if value is None or isinstance(value, FhirTime) else [FhirDate(value.parts[:3])]


@function("timeOf")
def time_of(env: Env, items: Items) -> Items:
    value = moment_of(items, "timeOf")
    return [FhirTime(value.parts[3:])] if isinstance(value, FhirDateTime) and len(value.parts) > 3 else []
