"""5.2 Filtering and projection: where, select, repeat, ofType, coalesce is in combining."""

from __future__ import annotations

from portal.fhirpath.env import Env, Items, truth
from portal.fhirpath.functions.registry import Body, each, function
from portal.fhirpath.node import Node
from portal.fhirpath.sets import Seen
from portal.fhirpath.types import TypeName


@function("where", "each")
def where(env: Env, items: Items, criteria: Body) -> Items:
    return [item for item, found in each(env, items, criteria) if truth(found, "where()") is True]


@function("select", "each")
def select(env: Env, items: Items, projection: Body) -> Items:
    out: Items = []
    for _, found in each(env, items, projection):
        env.spend(len(found))
        out.extend(found)
    return out


@function("repeat", "each")
def repeat(env: Env, items: Items, projection: Body) -> Items:
    """Level by level until nothing new comes; equal items count once."""
    seen = Seen(env)
    out: Items = []
    level = items
    while level:
        fresh: Items = []
        for _, found in each(env, level, projection):
            fresh.extend(item for item in found if seen.add(item))
        out.extend(fresh)
        level = fresh
    return out


def repeat_member(env: Env, items: Items, name: str) -> Items:
    """`repeat(name)`, without a closure per item."""
    seen = Seen(env)
    out: Items = []
    level = items
    while level:
        found: Items = []
        for item in level:
            if type(item) is Node:
                item.collect(name, found)
        level = [item for item in found if seen.add(item)]
        env.spend(len(found))
        out.extend(level)
    return out


@function("repeatAll", "each")
def repeat_all(env: Env, items: Items, projection: Body) -> Items:
    """repeat() that keeps equal items."""
    out: Items = []
    level = items
    while level:
        level = select(env, level, projection)
        out.extend(level)
    return out


@function("ofType", "type")
def of_type(env: Env, items: Items, name: TypeName) -> Items:
    out: Items = []
    for item in items:
        if name.fits(item):
            out.append(item)
        elif (value := name.converted(item)) is not None:
            out.append(value)
    return out
