"""The operators by name: comparison, membership and logic here, arithmetic from its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.fhirpath import quantity as quantities
from portal.fhirpath import temporal
from portal.fhirpath.arithmetic import (
    Operator,
    answer,
    dividing,
    joined,
    minus,
    misfit,
    plus,
    product,
    quotient,
    scaling,
    two,
)
from portal.fhirpath.env import Env, Items
from portal.fhirpath.equality import LONG_TEXT, as_quantity, equal, equal_items, equivalent, is_number, price
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import Temporal

TRUE: Items = [True]
FALSE: Items = [False]

# -- comparison


def ordered(env: Env, mine: Any, yours: Any, sign: str) -> int | None:
    """-1, 0, 1, or None when it cannot be told."""
    if is_number(mine) and is_number(yours):
        return int(mine > yours) - int(mine < yours)
    if isinstance(mine, str) and isinstance(yours, str):
        env.spend(len(mine) // LONG_TEXT)
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
