"""Steps of a path as closures: members by name, type names at the head, indexes, quick filters.

A Stride takes the environment and the collection so far, and gives the next one.
"""

from __future__ import annotations

from collections.abc import Callable

from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.errors import FhirPathBudgetExceeded, FhirPathEvaluationError
from portal.fhirpath.functions.registry import Body
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import Quantity

Stride = Callable[[Env, Items], Items]


def members(names: list[str]) -> Stride:
    """`.item.answer.value`: elements by name."""

    def run(env: Env, items: Items) -> Items:
        for name in names:
            out: Items = []
            for item in items:
                if type(item) is Node:
                    item.collect(name, out)
                elif type(item) is Quantity:
                    out.extend(quantity_part(item, name))
            env.left -= 1 + len(items) + len(out)
            if env.left < 0:
                raise FhirPathBudgetExceeded("the expression takes too many steps")
            items = out
        return items

    return run


def quantity_part(quantity: Quantity, name: str) -> Items:
    if name == "value":
        return [quantity.value]
    return [quantity.unit] if name in ("unit", "code") else []


def typed(name: str) -> Stride:
    """`Patient` at the start of a path: the item itself when it is one, else an element of that name."""
    plain = members([name])

    def run(env: Env, items: Items) -> Items:
        kept = [item for item in items if is_named(item, name)]
        return kept or plain(env, items)

    return run


def is_named(item: object, name: str) -> bool:
    if type(item) is not Node:
        return False
    if item.type is not None and name in item.type.ancestors:
        return True
    return type(item.value) is dict and item.value.get("resourceType") == name


def indexed(index: Body) -> Stride:
    def run(env: Env, items: Items) -> Items:
        number = one(index(env), "an index")
        if number is None:
            return []
        if not isinstance(number, int) or isinstance(number, bool):
            raise FhirPathEvaluationError("an index is a whole number")
        return [items[number]] if 0 <= number < len(items) else []

    return run


def has_text(node: Node, name: str, wanted: str) -> bool:
    """Whether the only child of that name is that text; a date is no text."""
    element = node.type.elements.get(name) if node.type is not None else None
    if element is not None and element.type is not None and element.type.primitive and not element.type.kind:
        raw = node.value.get(element.key) if type(node.value) is dict else None
        if type(raw) is str or raw is None:
            return bool(raw == wanted)
    found: Items = []
    node.collect(name, found)
    return len(found) == 1 and bool(found[0].system() == wanted)


def filtered(name: str, wanted: str) -> Stride:
    """`where(linkId = 'x')` and its like, without a closure per item."""

    def run(env: Env, items: Items) -> Items:
        env.left -= 2 * len(items)
        if env.left < 0:
            raise FhirPathBudgetExceeded("the expression takes too many steps")
        kept: Items = []
        for item in items:
            if type(item) is Node and has_text(item, name, wanted):
                kept.append(item)
        return kept

    return run
