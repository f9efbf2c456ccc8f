"""The operators: arithmetic, comparison, membership, logic. Each takes the environment and two collections."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from portal.fhirpath import quantity as quantities
from portal.fhirpath import temporal, temporal_math
from portal.fhirpath.env import Env, Items, one, system
from portal.fhirpath.equality import as_quantity, equal, equal_items, equivalent, is_number, price
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import Temporal
from portal.fhirpath.types import name_of
from portal.fhirpath.ucum import is_linear
from portal.fhirpath.values import EXACT, Long, whole

Operator = Callable[[Env, Items, Items], Items]
Number = int | Decimal
TRUE: Items = [True]
FALSE: Items = [False]


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


# -- arithmetic


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


def moved(env: Env, value: Temporal, by: Quantity, sign: str) -> Temporal | None:
    env.spend(8)
    unit = temporal_math.calendar_unit(by)
    allowed = temporal_math.TIME_UNITS if isinstance(value, temporal.FhirTime) else quantities.CALENDAR_WORDS
    if unit is None or unit not in allowed:
        raise FhirPathEvaluationError("a date or time cannot be moved by this unit")
    return temporal_math.add(value, by, unit, 1 if sign == "+" else -1)


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
    """`&`: nothing counts as empty text."""
    parts = []
    for items in (left, right):
        value = one(items, "“&”")
        if value is not None and not isinstance(value, str):
            raise FhirPathEvaluationError(f"“&” does not take {name_of(value)}")
        parts.append(value or "")
    return [env.text(parts[0] + parts[1])]


# -- comparison


def ordered(env: Env, mine: Any, yours: Any, sign: str) -> int | None:
    """-1, 0, 1, or None when it cannot be told."""
    if (is_number(mine) and is_number(yours)) or (isinstance(mine, str) and isinstance(yours, str)):
        return int(mine > yours) - int(mine < yours)
    if isinstance(mine, Temporal) and isinstance(yours, Temporal) and temporal.same_kind(mine, yours):
        return temporal.compare(mine, yours, env.zone())
    if isinstance(mine, Quantity) or isinstance(yours, Quantity):
        left, right = as_quantity(mine), as_quantity(yours)
        if isinstance(left, Quantity) and isinstance(right, Quantity):
            price(env, left, right)
            return quantities.compare(left, right)
    raise misfit(sign, mine, yours)


def comparing(sign: str, holds: Callable[[int], bool]) -> Operator:
    def operate(env: Env, left: Items, right: Items) -> Items:
        both = two(sign, left, right)
        if both is None:
            return []
        order = ordered(env, *both, sign)
        return [] if order is None else (TRUE if holds(order) else FALSE)

    return operate


def is_equal(env: Env, left: Items, right: Items) -> Items:
    return answer(equal(env, left, right))


def is_unequal(env: Env, left: Items, right: Items) -> Items:
    same = equal(env, left, right)
    return [] if same is None else [not same]


def is_equivalent(env: Env, left: Items, right: Items) -> Items:
    return [equivalent(env, left, right)]


def is_unlike(env: Env, left: Items, right: Items) -> Items:
    return [not equivalent(env, left, right)]


# -- membership


def member(env: Env, left: Items, right: Items) -> Items:
    """`left in right`."""
    if not left:
        return []
    if len(left) > 1:
        raise FhirPathEvaluationError("“in” takes one value on its left")
    env.spend(3 * len(right))
    return [any(equal_items(env, left[0], other) is True for other in right)]


def holds(env: Env, left: Items, right: Items) -> Items:
    """`left contains right`."""
    return member(env, right, left)


OPERATORS: dict[str, Operator] = {
    "+": plus,
    "-": minus,
    "*": scaling("*", product),
    "/": scaling("/", quotient),
    "div": dividing("div"),
    "mod": dividing("mod"),
    "&": joined,
    "=": is_equal,
    "!=": is_unequal,
    "~": is_equivalent,
    "!~": is_unlike,
    "<": comparing("<", lambda order: order < 0),
    ">": comparing(">", lambda order: order > 0),
    "<=": comparing("<=", lambda order: order <= 0),
    ">=": comparing(">=", lambda order: order >= 0),
    "in": member,
    "contains": holds,
}


# -- logic, in three values


def both_true(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either_true(left: bool | None, right: bool | None) -> bool | None:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def one_true(left: bool | None, right: bool | None) -> bool | None:
    return None if left is None or right is None else left != right


def follows(left: bool | None, right: bool | None) -> bool | None:
    """`implies`."""
    if left is False or right is True:
        return True
    return None if left is None or right is None else right


# operator: the function, and the left value that settles it without the right
LOGIC: dict[str, tuple[Callable[[bool | None, bool | None], bool | None], bool | None]] = {
    "and": (both_true, False),
    "or": (either_true, True),
    "implies": (follows, False),
    "xor": (one_true, None),
}
