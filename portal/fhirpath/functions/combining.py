"""5.4 Combining: union, combine, coalesce."""

from __future__ import annotations

from portal.fhirpath.env import Env, Items
from portal.fhirpath.functions.registry import Body, function
from portal.fhirpath.sets import distinct


@function("union", "items")
def union(env: Env, items: Items, other: Items) -> Items:
    return distinct(env, items + other)


@function("combine", "items", "value?")
def combine(env: Env, items: Items, other: Items, preserve_order: bool | None = None) -> Items:
    env.spend(len(items) + len(other))
    return items + other


@function("coalesce", "each*")
def coalesce(env: Env, items: Items, *choices: Body) -> Items:
    """The first argument that is not empty; the others are not evaluated."""
    for choice in choices:
        found = choice(env)
        if found:
            return found
    return []
