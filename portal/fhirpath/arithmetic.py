"""Arithmetic: numbers, quantities, dates moved by durations, text joined. Each takes the environment and two collections."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from portal.fhirpath import quantity as quantities
from portal.fhirpath import temporal, temporal_math
from portal.fhirpath.env import Env, Items, one, system
from portal.fhirpath.equality import as_quantity, is_number, price
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import Temporal
from portal.fhirpath.types import name_of
from portal.fhirpath.ucum import is_linear
from portal.fhirpath.values import EXACT, Long, whole

Operator = Callable[[Env, Items, Items], Items]
Number = int | Decimal


def misfit(sign: str, left: Any, right: Any) -> FhirPathEvaluationError:
    return FhirPathEvaluationError(f"“{sign}” does not take {name_of(left)} and {name_of(right)}")


def two(sign: str, left: Items, right: Items) -> tuple[Any, Any] | None:
    """The two single values; None when either is missing, which makes the result empty."""
    if len(left) == 1 and len(right) == 1:
        mine, yours = system(left[0]), system(right[0])
    else:
        mine, yours = one(left, sign), one(right, sign)
    return None if mine is None or yours is None else (mine, yours)


def result(value: Any) -> Items:
    return [] if value is None else [value]


def answer(value: bool | None) -> Items:
    return [] if value is None else [value]


def numbers(sign: str, left: Number, right: Number) -> Number | None:
    """Exact arithmetic of Integer, Long and Decimal; None when the result does not fit or is not defined."""
    try:
        if type(left) is int and type(right) is int and sign in INTEGERS:
            return whole(INTEGERS[sign](left, right), long=False)
        if isinstance(left, Decimal) or isinstance(right, Decimal):
            return DECIMALS[sign](Decimal(left), Decimal(right))
        if sign == "/":
            return EXACT.divide(Decimal(left), Decimal(right))
        return whole(INTEGERS[sign](left, right), isinstance(left, Long) or isinstance(right, Long))
    except (ZeroDivisionError, DivisionByZero, InvalidOperation, Overflow):
        return None


def truncated(left: int, right: int) -> int:
    size = abs(left) // abs(right)
    return size if (left < 0) == (right < 0) else -size


INTEGERS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: int(a) + int(b),
    "-": lambda a, b: int(a) - int(b),
    "*": lambda a, b: int(a) * int(b),
    "div": truncated,
    "mod": lambda a, b: int(a) - int(b) * truncated(a, b),
}
DECIMALS: dict[str, Callable[[Decimal, Decimal], Number | None]] = {
    "+": EXACT.add,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
    "/": EXACT.divide,
    "div": lambda a, b: whole(int(EXACT.divide_int(a, b)), long=False),
    "mod": EXACT.remainder,
}


def plus(env: Env, left: Items, right: Items) -> Items:
    both = two("+", left, right)
    if both is None:
        return []
    mine, yours = both
    if is_number(mine) and is_number(yours):
        return result(numbers("+", mine, yours))
    if isinstance(mine, str) and isinstance(yours, str):
        return [env.text(mine + yours)]
    price(env, mine, yours)
    return result(added(env, "+", mine, yours))


def minus(env: Env, left: Items, right: Items) -> Items:
    both = two("-", left, right)
    if both is None:
        return []
    mine, yours = both
    if is_number(mine) and is_number(yours):
        return result(numbers("-", mine, yours))
    price(env, mine, yours)
    return result(added(env, "-", mine, yours))


def added(env: Env, sign: str, mine: Any, yours: Any) -> Any:
    if isinstance(mine, Temporal) and isinstance(yours, Quantity):
        return moved(env, mine, yours, sign)
    if sign == "+" and isinstance(mine, Quantity) and isinstance(yours, Temporal):
        return moved(env, yours, mine, sign)
    if isinstance(mine, Quantity) or isinstance(yours, Quantity):
        return added_quantities(sign, as_quantity(mine), as_quantity(yours))
    raise misfit(sign, mine, yours)


def moved(env: Env, value: Temporal, by: Quantity, sign: str) -> Temporal:
    env.spend(8)
    unit = temporal_math.calendar_unit(by)
    allowed = temporal_math.TIME_UNITS if isinstance(value, temporal.FhirTime) else quantities.CALENDAR_WORDS
    if unit is None or unit not in allowed:
        raise FhirPathEvaluationError("a date or time cannot be moved by this unit")
    found = temporal_math.add(value, by, unit, 1 if sign == "+" else -1)
    if found is None:
        raise FhirPathEvaluationError("a date or time cannot be moved past the years 1 to 9999")
    return found


def added_quantities(sign: str, mine: Any, yours: Any) -> Quantity | None:
    if not (isinstance(mine, Quantity) and isinstance(yours, Quantity)):
        raise misfit(sign, mine, yours)
    both = quantities.pair(mine, yours)
    if both is None or (not both.calendar and not is_linear(both.unit)):
        return None
    value = numbers(sign, both.left, both.right)
    return None if value is None else Quantity(Decimal(value), both.unit, both.calendar)


def scaling(sign: str, change: Callable[[Quantity, Quantity], Quantity | None]) -> Operator:
    """`*` and `/`, which make new units."""

    def operate(env: Env, left: Items, right: Items) -> Items:
        both = two(sign, left, right)
        if both is None:
            return []
        mine, yours = both
        if is_number(mine) and is_number(yours):
            return result(numbers(sign, mine, yours))
        mine, yours = as_quantity(mine), as_quantity(yours)
        if not (isinstance(mine, Quantity) and isinstance(yours, Quantity)):
            raise misfit(sign, mine, yours)
        price(env, mine, yours)
        try:
            return result(change(mine, yours))
        except (InvalidOperation, DivisionByZero, Overflow):
            return []

    return operate


def product(left: Quantity, right: Quantity) -> Quantity | None:
    special = (not left.calendar and not is_linear(left.unit)) or (not right.calendar and not is_linear(right.unit))
    return None if special else quantities.product(left, right)


def quotient(left: Quantity, right: Quantity) -> Quantity | None:
    special = (not left.calendar and not is_linear(left.unit)) or (not right.calendar and not is_linear(right.unit))
    return None if special else quantities.quotient(left, right)


def dividing(sign: str) -> Operator:
    """`div` and `mod`."""

    def operate(env: Env, left: Items, right: Items) -> Items:
        both = two(sign, left, right)
        if both is None:
            return []
        mine, yours = both
        if is_number(mine) and is_number(yours):
            return result(numbers(sign, mine, yours))
        if isinstance(mine, Quantity) or isinstance(yours, Quantity):
            price(env, mine, yours)
            return result(divided_quantities(sign, as_quantity(mine), as_quantity(yours)))
        raise misfit(sign, mine, yours)

    return operate


def divided_quantities(sign: str, mine: Any, yours: Any) -> Quantity | None:
    if not (isinstance(mine, Quantity) and isinstance(yours, Quantity)):
        raise misfit(sign, mine, yours)
    if yours.unit == quantities.ONE:
        unit, pair = mine, (mine.value, yours.value)
    else:
        both = quantities.pair(mine, yours)
        if both is None:
            return None
        unit, pair = Quantity(Decimal(0)), (both.left, both.right)
    value = numbers(sign, *pair)
    return None if value is None else Quantity(Decimal(value), unit.unit, unit.calendar)


def negative(env: Env, items: Items) -> Items:
    value = one(items, "“-”")
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [value.times(Decimal(-1))]
    if isinstance(value, Decimal):
        return [EXACT.minus(value)]
    if is_number(value):
        return result(whole(-int(value), isinstance(value, Long)))
    raise FhirPathEvaluationError(f"“-” does not take {name_of(value)}")


def positive(env: Env, items: Items) -> Items:
    value = one(items, "“+”")
    if value is not None and not is_number(value) and not isinstance(value, Quantity):
        raise FhirPathEvaluationError(f"“+” does not take {name_of(value)}")
    return result(value)


def joined(env: Env, left: Items, right: Items) -> Items:
    """`&`: nothing counts as empty text, and a FHIR date as the text it is written as."""
    return [env.text(joinable(left) + joinable(right))]


def joinable(items: Items) -> str:
    if len(items) == 1 and type(items[0]) is Node and isinstance(items[0].value, str):
        return items[0].value
    value = one(items, "“&”")
    if value is not None and not isinstance(value, str):
        raise FhirPathEvaluationError(f"“&” does not take {name_of(value)}")
    return value or ""
