"""Collections without duplicates: distinct, and a set of items by `=`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.fhirpath.env import Env, Items
from portal.fhirpath.equality import comparable_number, equal_items
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import Temporal


def distinct(env: Env, items: Items) -> Items:
    """Without duplicates, in order."""
    seen = Seen(env)
    return [item for item in items if seen.add(item)]


class Seen:
    """A set of items by `=`. Primitives have a key that equal ones share; elements share a key when they look alike at
    the top, and are compared in full only then; quantities and dates are compared one by one."""

    def __init__(self, env: Env, items: Items | None = None) -> None:
        self.env = env
        self.keys: set[object] = set()
        self.alike: dict[object, Items] = {}
        for item in items or ():
            self.add(item)

    def add(self, item: Any) -> bool:
        """Whether the item was new."""
        self.env.spend(2)
        key = key_of(item)
        if key is not None:
            if key in self.keys:
                return False
            self.keys.add(key)
            return True
        others = self.alike.setdefault(look_of(item), [])
        if self._among(item, others):
            return False
        others.append(item)
        return True

    def __contains__(self, item: Any) -> bool:
        self.env.spend(2)
        key = key_of(item)
        return key in self.keys if key is not None else self._among(item, self.alike.get(look_of(item), []))

    def _among(self, item: Any, others: Items) -> bool:
        self.env.spend(4 * len(others))
        return any(equal_items(self.env, item, other) is True for other in others)


def key_of(item: Any) -> object:
    """Something hashable that equal primitives share, None where only comparing will do."""
    if type(item) is Node:
        if item.twin is not None or type(item.value) is dict:
            return None
        item = item.system()
    if type(item) is str:
        return ("s", item)
    if isinstance(item, bool):
        return ("b", item)
    return ("n", item) if isinstance(item, int | Decimal) else None


def look_of(item: Any) -> object:
    """What equal items without a key share at the least."""
    if type(item) is not Node:
        return Temporal if isinstance(item, Temporal) else type(item)
    value = item.value
    if type(value) is not dict:
        return Temporal if item.twin is None else Node
    if item.type is not None and item.type.quantity:
        return Quantity
    name = value.get("linkId")
    if type(name) is str:
        return name, len(value)
    return frozenset(
        (key, len(inner) if isinstance(inner, dict | list) else comparable_number(inner))
        for key, inner in value.items()
    )
