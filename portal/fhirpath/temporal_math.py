"""Adding a duration to a date, date-time or time (FHIRPath 6.7), at the precision that the value has."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from portal.fhirpath.quantity import UCUM_OF_CALENDAR, Quantity
from portal.fhirpath.temporal import FhirTime, Parts, Temporal

PRECISIONS = ("year", "month", "day", "hour", "minute", "second")
SECONDS = {
    "year": 31_536_000, "month": 2_592_000, "week": 604_800, "day": 86_400,
    "hour": 3600, "minute": 60, "second": 1,
}  # fmt: skip
CALENDAR_OF_UCUM = {code: word for word, code in UCUM_OF_CALENDAR.items()}
TIME_UNITS = frozenset({"hour", "minute", "second", "millisecond"})
FHIR_CALENDAR = {"a": "year", "mo": "month", **CALENDAR_OF_UCUM}


def calendar_unit(quantity: Quantity) -> str | None:
    """The calendar word of a duration; None for what dates cannot take ('a' and 'mo' of UCUM are no calendar units)."""
    if quantity.calendar:
        return quantity.unit
    return (FHIR_CALENDAR if quantity.fhir else CALENDAR_OF_UCUM).get(quantity.unit)


def add(value: Temporal, quantity: Quantity, unit: str, sign: int) -> Temporal | None:
    """The value later (sign 1) or earlier (sign -1) by the quantity; None past the years 1 to 9999."""
    amount = quantity.value * sign
    if unit == "millisecond":
        amount, unit = amount / 1000, "second"
    if isinstance(value, FhirTime):
        return FhirTime(clock_plus(value.parts, amount, unit), value.offset)
    precision = PRECISIONS[len(value.parts) - 1]
    amount, unit = coarsened(amount, unit, precision)
    try:
        if unit in ("year", "month"):
            moved = months_plus(value.parts, int(amount) * (12 if unit == "year" else 1))
        else:
            moved = seconds_plus(value.parts, amount * SECONDS[unit])
    except (OverflowError, ValueError):
        return None
    return type(value)(moved, value.offset)


def coarsened(amount: Decimal, unit: str, precision: str) -> tuple[Decimal, str]:
    """A duration no finer than the precision: 400 days are 1 year for `@2016`; whole numbers above seconds."""
    if SECONDS[unit] < SECONDS[precision]:
        if unit == "month":
            return Decimal(int(amount / 12)), precision
        return Decimal(int(amount * SECONDS[unit] / SECONDS[precision])), precision
    return (amount if unit == "second" else Decimal(int(amount))), unit


def months_plus(parts: Parts, months: int) -> Parts:
    """Years and months move the calendar; a day that the month does not have becomes its last."""
    year, month, *rest = (*parts, 1)[: max(2, len(parts))]
    count = int(year) * 12 + int(month) - 1 + months
    new_year, new_month = count // 12, count % 12 + 1
    if not 1 <= new_year <= 9999:
        raise OverflowError
    if rest:
        rest[0] = min(int(rest[0]), monthrange(new_year, new_month)[1])
    return (new_year, new_month, *rest)[: len(parts)]


def seconds_plus(parts: Parts, seconds: Decimal) -> Parts:
    year, month, day, hour, minute = (int(part) for part in (*parts, *(0, 1, 1, 0, 0)[len(parts) :])[:5])
    total = (no_leap(parts[5]) if len(parts) > 5 else Decimal(0)) + seconds
    whole = int(total // 1) if total >= 0 or total == int(total) else int(total) - 1
    moved = datetime(year, month, day, hour, minute, tzinfo=UTC) + timedelta(seconds=whole)
    found: Parts = (moved.year, moved.month, moved.day, moved.hour, moved.minute, moved.second + (total - whole))
    return found[: len(parts)]


def no_leap(second: int | Decimal) -> Decimal:
    """A leap second is moved as the one before it."""
    return Decimal(second) if second < 60 else Decimal(second) - 1


def clock_plus(parts: Parts, amount: Decimal, unit: str) -> Parts:
    """A time of day turns round at midnight."""
    precision = PRECISIONS[len(parts) + 2]
    amount, unit = coarsened(amount, unit, precision)
    hour, minute, second = (*parts, 0, 0)[:3]
    total = (Decimal(hour) * 3600 + Decimal(minute) * 60 + no_leap(second) + amount * SECONDS[unit]) % 86_400
    if total < 0:
        total += 86_400
    whole = int(total)
    found: Parts = (whole // 3600, whole // 60 % 60, whole % 60 + (total - whole))
    return found[: len(parts)]
