"""5.8 Tree navigation: children, descendants; where an item stands: pathname."""

from __future__ import annotations

from typing import Any

from portal.fhirpath.env import Env, Items
from portal.fhirpath.functions.registry import function
from portal.fhirpath.node import Node


@function("children")
def children(env: Env, items: Items) -> Items:
    out: Items = []
    for item in items:
        if type(item) is Node:
            out.extend(item.children())
    env.spend(3 * len(out))
    return out


@function("descendants")
def descendants(env: Env, items: Items) -> Items:
    """Level by level."""
    out: Items = []
    level = items
    while level:
        level = children(env, level)
        out.extend(level)
    return out


@function("pathname", "value?")
def pathname(env: Env, items: Items, short: Any = None) -> Items:
    """The path of each item from the resource that was given (FHIRPath 3.0, §5.9.2); what was computed has none.

    short: without the index where the element cannot be a list.
    """
    given = (*env.context, *(item for name in ("resource", "rootResource") for item in env.variable(name)))
    top = {id(item.root()) for item in given if type(item) is Node}
    out: Items = []
    for item in items:
        if type(item) is Node and id(item.root()) in top:
            out.append(env.text(place_of(env, item, short is True)))
    return out


def place_of(env: Env, node: Node, short: bool) -> str:
    steps: list[str] = []
    while node.parent is not None:
        above = node.parent
        env.spend(3)
        if node.value is above.twin is not None:  # what holds the extensions of a primitive is no element
            node = above
            continue
        held = above.value if type(above.value) is dict else above.twin
        raw = held.get(node.key) if type(held) is dict else None
        listed = raw if type(raw) is list else (held or {}).get(f"_{node.key}")
        known = above.type.elements.get(node.key) if above.type is not None else None
        name = node.key if known is None else known.name
        if type(listed) is list:
            env.spend(len(listed))
            own = node.value if type(raw) is list and node.value is not None else node.twin
            index = next((number for number, one in enumerate(listed) if one is own), 0)
            steps.append(f"{name}[{index}]")
        else:
            steps.append(name if short else f"{name}[0]")
        node = above
    kind = node.value.get("resourceType") if type(node.value) is dict else None
    return ".".join([str(kind or (node.type.name if node.type else "")), *reversed(steps)])
