"""5.7 Mathematics, in exact decimals; what is not defined or does not fit is empty."""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any

from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.equality import is_number
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.functions.subsetting import whole_number
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.values import EXACT, Long, whole

UNDEFINED = (InvalidOperation, DivisionByZero, Overflow)
MAX_DECIMALS = 28


def number_of(items: Items, name: str) -> Any:
    value = one(items, f"{name}()")
    if value is None or is_number(value) or isinstance(value, Quantity):
        return value
    raise FhirPathEvaluationError(f"{name}() takes a number")


def plain_number(items: Items, name: str) -> Any:
    value = number_of(items, name)
    if isinstance(value, Quantity):
        raise FhirPathEvaluationError(f"{name}() takes a number without a unit")
    return value


def applied(value: Any, change: Callable[[Any], Any]) -> Items:
    """The change of a number, or of a Quantity's number."""
    try:
        if value is None:
            return []
        if isinstance(value, Quantity):
            made = change(value.value)
            return [] if made is None else [Quantity(Decimal(made), value.unit, value.calendar, value.fhir)]
        made = change(value)
    except UNDEFINED:
        return []
    endless = isinstance(made, Decimal) and not made.is_finite()  # the logarithm of nought
    return [] if made is None or endless else [made]


@function("abs")
def absolute(env: Env, items: Items) -> Items:
    return applied(
        number_of(items, "abs"),
        lambda value: EXACT.abs(value) if isinstance(value, Decimal) else whole(abs(value), isinstance(value, Long)),
    )


def towards(name: str, rounding: str) -> None:
    def change(value: Any) -> int | None:
        if not isinstance(value, Decimal):
            return int(value)
        return whole(int(value.to_integral_value(rounding)), long=False)

    def run(env: Env, items: Items) -> Items:
        return applied(number_of(items, name), change)

    function(name)(run)


towards("ceiling", ROUND_CEILING)
towards("floor", ROUND_FLOOR)
towards("truncate", ROUND_DOWN)


@function("round", "value?")
def round_(env: Env, items: Items, precision: Any = None) -> Items:
    """Halves go away from nought."""
    digits = 0 if precision is None else whole_number(precision, "round")
    if digits < 0:
        raise FhirPathEvaluationError("round() takes a number of digits from 0")
    step = Decimal(1).scaleb(-min(digits, MAX_DECIMALS))

    def change(value: Any) -> Any:
        if not isinstance(value, Decimal):
            return value
        return value if digits > MAX_DECIMALS else value.quantize(step, ROUND_HALF_UP, EXACT)

    return applied(number_of(items, "round"), change)


def through(name: str, change: Callable[[Decimal], Decimal]) -> None:
    def run(env: Env, items: Items) -> Items:
        env.spend(120)
        value = plain_number(items, name)
        return applied(value, lambda number: shortened(change(Decimal(number))))

    function(name)(run)


def shortened(value: Decimal) -> Decimal:
    """A whole result without noughts behind the point."""
    return (
        value.quantize(Decimal(1), context=EXACT)
        if value == value.to_integral_value() and abs(value) < 10**18
        else value
    )


through("exp", EXACT.exp)
through("ln", EXACT.ln)
through("sqrt", EXACT.sqrt)


@function("log", "value")
def log(env: Env, items: Items, base: Any) -> Items:
    env.spend(250)
    value = plain_number(items, "log")
    if value is None or base is None:
        return []
    if not is_number(base):
        raise FhirPathEvaluationError("log() takes a number as its base")
    if base <= 0:
        return []
    return applied(value, lambda number: logarithm(Decimal(number), Decimal(base)))


def logarithm(value: Decimal, base: Decimal) -> Decimal:
    found = EXACT.divide(EXACT.ln(value), EXACT.ln(base))
    near = found.quantize(Decimal(1).scaleb(-25), context=EXACT)
    return shortened(near)


@function("power", "value")
def power(env: Env, items: Items, exponent: Any) -> Items:
    env.spend(200)
    value = plain_number(items, "power")
    if value is None or exponent is None:
        return []
    if not is_number(exponent):
        raise FhirPathEvaluationError("power() takes a number as its exponent")
    return applied(value, lambda number: raised(number, exponent))


def raised(value: int | Decimal, exponent: int | Decimal) -> Any:
    found = EXACT.power(Decimal(value), Decimal(exponent))
    if isinstance(value, Decimal) or isinstance(exponent, Decimal) or exponent < 0:
        return found
    return whole(int(found), isinstance(value, Long))
