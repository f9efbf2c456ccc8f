"""7 Aggregates: aggregate, sum, min, max, avg."""

from __future__ import annotations

from typing import Any

from portal.fhirpath.env import Env, Items, system
from portal.fhirpath.functions.registry import Body, function
from portal.fhirpath.operators import OPERATORS, ordered


@function("aggregate", "each", "items?")
def aggregate(env: Env, items: Items, body: Body, start: Items | None = None) -> Items:
    this, index, total = env.this, env.index, env.total
    env.total = start or []
    try:
        for number, item in enumerate(items):
            env.spend(3)
            env.this, env.index = [item], number
            env.total = body(env)
        return env.total
    finally:
        env.this, env.index, env.total = this, index, total


@function("sum")
def sum_(env: Env, items: Items) -> Items:
    if not items:
        return []
    plus, total = OPERATORS["+"], items[:1]
    for item in items[1:]:
        env.spend(1)
        total = plus(env, total, [item])
    return [value for item in total if (value := system(item)) is not None]


@function("avg")
def average(env: Env, items: Items) -> Items:
    if not items:
        return []
    total = sum_(env, items)
    return OPERATORS["/"](env, total, [len(items)]) if total else []


def extreme(env: Env, items: Items, sign: int, name: str) -> Items:
    best: Any = None
    for item in items:
        env.spend(1)
        value = system(item)
        if value is None:
            return []
        order = 0 if best is None else ordered(env, value, best, name)
        if order is None:
            return []
        if best is None or order == sign:
            best = value
    return [] if best is None else [best]


@function("min")
def least(env: Env, items: Items) -> Items:
    return extreme(env, items, -1, "min()")


@function("max")
def greatest(env: Env, items: Items) -> Items:
    return extreme(env, items, 1, "max()")
