"""Equal (`=`) and equivalent (`~`), of values and of whole elements; None where the answer is empty."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from portal.fhirpath import quantity as quantities
from portal.fhirpath import temporal, ucum
from portal.fhirpath.env import Env, Items, system
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, Temporal
from portal.fhirpath.values import Long, decimals, exact, significant_decimals

LONG_TEXT = 8_000
"""Characters of text that are compared in a microsecond at the most."""
WHITE = re.compile(r"\s")


def is_number(value: Any) -> bool:
    kind = type(value)
    return kind is int or kind is Decimal or kind is Long


def as_quantity(value: Any) -> Any:
    """A number where a Quantity is due is a Quantity of unit '1'."""
    return Quantity(Decimal(value)) if is_number(value) else value


def equal_items(env: Env, left: Any, right: Any) -> bool | None:
    """Two items by `=`."""
    if left is right and type(left) is not Node:
        return True
    mine, yours = system(left), system(right)
    if type(mine) is Node or type(yours) is Node:
        return type(mine) is type(yours) and same_tree(env, mine.value, yours.value)
    if type(left) is Node and type(right) is Node and (left.twin or right.twin):
        if not same_tree(env, said(left), said(right)):
            return False
        if mine is None and yours is None:
            return True
    if mine is None or yours is None:
        return False
    return equal_values(env, mine, yours)


def said(node: Node) -> dict[str, Any]:
    """What a primitive says besides its value; beside a value an id says nothing."""
    return {key: value for key, value in (node.twin or {}).items() if key != "id" or node.value is None}


def equal_values(env: Env, mine: Any, yours: Any) -> bool | None:
    kind = type(mine)
    if kind is type(yours) and (kind is str or kind is int or kind is bool):
        if kind is str and len(mine) > LONG_TEXT:
            env.spend(len(mine) // LONG_TEXT)
        return bool(mine == yours)
    if is_number(mine) and is_number(yours):
        return bool(mine == yours)
    if isinstance(mine, Quantity) or isinstance(yours, Quantity):
        price(env, mine, yours)
        return equal_quantities(as_quantity(mine), as_quantity(yours))
    if isinstance(mine, Temporal) and isinstance(yours, Temporal):
        if not temporal.same_kind(mine, yours):
            return False
        order = temporal.compare(mine, yours, env.zone())
        return None if order is None else order == 0
    return type(mine) is type(yours) and bool(mine == yours)


def equal_quantities(mine: Any, yours: Any) -> bool | None:
    if not (isinstance(mine, Quantity) and isinstance(yours, Quantity)):
        return False
    order = quantities.compare(mine, yours)
    return None if order is None else order == 0


def price(env: Env, *values: Any) -> None:
    """Pays for the units that are about to be compared: reading a new code costs hundreds of times a known one."""
    for value in values:
        if isinstance(value, Quantity):
            env.spend(10 if value.calendar or ucum.is_known(value.unit) else 900 + 100 * len(value.unit))


def equal(env: Env, left: Items, right: Items) -> bool | None:
    """`=` of two collections: in order, item by item; None when either is empty or a pair cannot be told."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equal_items(env, left[0], right[0])
    env.spend(len(left))
    unknown = False
    for mine, yours in zip(left, right, strict=True):
        same = equal_items(env, mine, yours)
        if same is False:
            return False
        unknown = unknown or same is None
    return None if unknown else True


def same_tree(env: Env, mine: Any, yours: Any) -> bool:
    """Deep equality of JSON; numbers by value, keys in any order."""
    waiting = [(mine, yours)]
    while waiting:
        left, right = waiting.pop()
        env.spend(2)
        if left is right:
            continue
        if isinstance(left, dict):
            if not isinstance(right, dict) or left.keys() != right.keys():
                return False
            waiting.extend((value, right[key]) for key, value in left.items())
        elif isinstance(left, list):
            if not isinstance(right, list) or len(left) != len(right):
                return False
            waiting.extend(zip(left, right, strict=True))
        elif isinstance(left, bool) or isinstance(right, bool) or comparable_number(left) != comparable_number(right):
            return False
    return True


def comparable_number(value: Any) -> Any:
    if isinstance(value, float):
        value = exact(value)
    return str(value) if isinstance(value, Decimal) and not value.is_finite() else value


# -- equivalence


def equivalent(env: Env, left: Items, right: Items) -> bool:
    """`~` of two collections: in any order, never empty."""
    if len(left) != len(right):
        return False
    env.spend(len(left))
    waiting = list(right)
    for mine in left:
        env.spend(len(waiting))
        for index, yours in enumerate(waiting):
            if equivalent_items(env, mine, yours):
                del waiting[index]
                break
        else:
            return False
    return True


def equivalent_items(env: Env, left: Any, right: Any) -> bool:
    mine, yours = system(left), system(right)
    if type(mine) is Node or type(yours) is Node:
        return type(mine) is type(yours) and equivalent_trees(env, mine, yours)
    if isinstance(mine, Quantity) or isinstance(yours, Quantity):
        price(env, mine, yours)
        return equivalent_quantities(as_quantity(mine), as_quantity(yours))
    if is_number(mine) and is_number(yours):
        return equivalent_numbers(Decimal(mine), Decimal(yours))
    if isinstance(mine, str) and isinstance(yours, str):
        env.spend((len(mine) + len(yours)) // 32)
        return folded(mine) == folded(yours)
    if isinstance(mine, Temporal) and isinstance(yours, Temporal):
        dates = isinstance(mine, FhirDate | FhirDateTime) and isinstance(yours, FhirDate | FhirDateTime)
        return (dates or type(mine) is type(yours)) and temporal.compare(mine, yours, env.zone()) == 0
    return type(mine) is type(yours) and bool(mine == yours)


def folded(text: str) -> str:
    """Case does not count, and every kind of white space is a space."""
    return WHITE.sub(" ", text).casefold()


def equivalent_numbers(mine: Decimal, yours: Decimal) -> bool:
    """Rounded to the fewer digits of the two."""
    digits = min(significant_decimals(mine), significant_decimals(yours))
    return rounded(mine, digits) == rounded(yours, digits)


def rounded(value: Decimal, digits: int) -> Decimal:
    return value if decimals(value) <= digits else round(value, digits)


def equivalent_quantities(mine: Any, yours: Any) -> bool:
    if not (isinstance(mine, Quantity) and isinstance(yours, Quantity)):
        return False
    if mine.calendar != yours.calendar:
        mine, yours = _as_ucum(mine), _as_ucum(yours)
    both = quantities.pair(mine, yours)
    return both is not None and equivalent_numbers(both.left, both.right)


def _as_ucum(value: Quantity) -> Quantity:
    """For `~`, and for it alone, a calendar year is 'a' and a month 'mo'."""
    return Quantity(value.value, quantities.CODES[value.unit]) if value.calendar else value


def equivalent_trees(env: Env, mine: Node, yours: Node) -> bool:
    """Elements are equivalent when their children are, whatever the order; ids do not count."""
    left = _children_by_key(mine)
    right = _children_by_key(yours)
    env.spend(4 + 3 * sum(map(len, (*left.values(), *right.values()))))
    return left.keys() == right.keys() and all(equivalent(env, left[key], right[key]) for key in left)


def _children_by_key(node: Node) -> dict[str, Items]:
    found: dict[str, Items] = {}
    for child in node.children():
        if child.key != "id":
            found.setdefault(child.key, []).append(child)
    return found
