"""lowBoundary, highBoundary and precision: the least and greatest value that a rounded one may stand for."""

from __future__ import annotations

from calendar import monthrange
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.equality import is_number
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.functions.subsetting import whole_number
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime, Parts, Temporal
from portal.fhirpath.values import EXACT, decimals

MAX_DIGITS = 28
# digits of a precision: how many parts of the value they are
DATE_DIGITS = {4: 1, 6: 2, 8: 3}
DATE_TIME_DIGITS = {**DATE_DIGITS, 10: 4, 12: 5, 14: 6, 17: 6}
TIME_DIGITS = {2: 1, 4: 2, 6: 3, 9: 3}
LOW, HIGH = -1, 1


def decimal_boundary(value: Decimal, digits: int | None, side: int) -> Decimal | None:
    places = 8 if digits is None else digits
    if not 0 <= places <= MAX_DIGITS:
        return None
    exponent = value.as_tuple().exponent
    half = Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)
    edge = EXACT.add(value, half * side)
    return edge.quantize(Decimal(1).scaleb(-places), ROUND_FLOOR if side == LOW else ROUND_CEILING, EXACT)


def date_fill(parts: Parts, side: int) -> Parts:
    """A date completed to the day."""
    year = int(parts[0])
    month = int(parts[1]) if len(parts) > 1 else (1 if side == LOW else 12)
    day = int(parts[2]) if len(parts) > 2 else (1 if side == LOW else monthrange(year, month)[1])
    return (year, month, day)


def clock_fill(parts: Parts, side: int) -> Parts:
    """A time completed to the millisecond."""
    hour = parts[0] if parts else (0 if side == LOW else 23)
    minute = parts[1] if len(parts) > 1 else (0 if side == LOW else 59)
    if len(parts) < 3:
        return (hour, minute, Decimal("0.000") if side == LOW else Decimal("59.999"))
    second = Decimal(parts[2])
    if decimals(second) >= 3:
        return (hour, minute, second)
    step = Decimal(1).scaleb(-decimals(second))
    return (hour, minute, second + (Decimal("0.000") if side == LOW else step - Decimal("0.001")))


def temporal_boundary(value: Temporal, digits: int | None, side: int) -> Temporal | None:
    if isinstance(value, FhirTime):
        count = TIME_DIGITS.get(9 if digits is None else digits)
        return None if count is None else FhirTime(cut(clock_fill(value.parts, side), count, 3, digits))
    table = DATE_DIGITS if isinstance(value, FhirDate) else DATE_TIME_DIGITS
    count = table.get(digits if digits is not None else (8 if isinstance(value, FhirDate) else 17))
    if count is None:
        return None
    days = date_fill(value.parts, side)
    if isinstance(value, FhirDate):
        return FhirDate(days[:count])
    full = (*days, *clock_fill(value.parts[3:], side))
    offset = value.offset if value.offset is not None else (14 * 60 if side == LOW else -12 * 60)
    return FhirDateTime(cut(full, count, 6, digits), offset if count > 3 else None)


def cut(parts: Parts, count: int, most: int, digits: int | None) -> Parts:
    """As many parts as asked for; whole seconds when the digits say so."""
    found = parts[:count]
    if count == most and digits in (6, 14):
        return (*found[:-1], Decimal(int(found[-1])))
    return found


def boundary(items: Items, precision: Any, side: int, name: str) -> Items:
    value = one(items, f"{name}()")
    digits = None if precision is None else whole_number(precision, name)
    found: Any = None
    if value is None:
        return []
    if is_number(value):
        found = decimal_boundary(Decimal(value), digits, side)
    elif isinstance(value, Quantity):
        number = decimal_boundary(value.value, digits, side)
        found = None if number is None else Quantity(number, value.unit, value.calendar)
    elif isinstance(value, Temporal):
        found = temporal_boundary(value, digits, side)
    else:
        raise FhirPathEvaluationError(f"{name}() takes a number, a quantity, a date or a time")
    return [] if found is None else [found]


@function("lowBoundary", "value?")
def low_boundary(env: Env, items: Items, precision: Any = None) -> Items:
    return boundary(items, precision, LOW, "lowBoundary")


@function("highBoundary", "value?")
def high_boundary(env: Env, items: Items, precision: Any = None) -> Items:
    return boundary(items, precision, HIGH, "highBoundary")


@function("precision")
def precision(env: Env, items: Items) -> Items:
    """Decimals: digits after the point; dates and times: digits that are given."""
    value = one(items, "precision()")
    if value is None:
        return []
    if isinstance(value, Temporal):
        return [temporal_precision(value)]
    if is_number(value):
        return [decimals(Decimal(value))]
    raise FhirPathEvaluationError("precision() takes a number, a date or a time")


def temporal_precision(value: Temporal) -> int:
    clock = value.parts if isinstance(value, FhirTime) else value.parts[3:]
    days = 0 if isinstance(value, FhirTime) else (4, 6, 8)[min(len(value.parts), 3) - 1]
    fraction = decimals(Decimal(clock[2])) if len(clock) == 3 else 0
    return days + 2 * len(clock) + fraction
