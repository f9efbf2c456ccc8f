"""5.8 Tree navigation: children, descendants."""

from __future__ import annotations

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
