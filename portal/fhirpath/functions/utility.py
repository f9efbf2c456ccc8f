"""5.9 Utility: trace, now, today, timeOfDay, defineVariable, sort, comparable."""

from __future__ import annotations

from datetime import datetime
from functools import cmp_to_key
from typing import Any

from portal.fhirpath import quantity as quantities
from portal.fhirpath.env import CONSTANTS, Env, Items, one, plain, system
from portal.fhirpath.equality import as_quantity, price
from portal.fhirpath.errors import FhirPathError, FhirPathEvaluationError
from portal.fhirpath.functions.registry import Body, each, function
from portal.fhirpath.operators import ordered
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime

TAKEN = frozenset({"context", "resource", "rootResource", "this", "index", "total", *CONSTANTS})


@function("trace", "value", "each?")
def trace(env: Env, items: Items, name: Any, projection: Body | None = None) -> Items:
    if env.host is not None:
        seen = items if projection is None else [item for _, found in each(env, items, projection) for item in found]
        env.host.trace(str(name), plain(seen))
    return items


def moment(env: Env, name: str) -> datetime:
    if env.now is None:
        raise FhirPathError(f"{name}() needs to be told the time: pass now=…")
    return env.now


@function("now")
def now(env: Env, items: Items) -> Items:
    return [FhirDateTime.at(moment(env, "now"))]


@function("today")
def today(env: Env, items: Items) -> Items:
    return [FhirDate(FhirDateTime.at(moment(env, "today")).parts[:3])]


@function("timeOfDay")
def time_of_day(env: Env, items: Items) -> Items:
    return [FhirTime(FhirDateTime.at(moment(env, "timeOfDay")).parts[3:])]


@function("defineVariable", "value", "each?")
def define_variable(env: Env, items: Items, name: Any, body: Body | None = None) -> Items:
    """Adds %name for the steps that follow; the compiler takes it back at the end of the path."""
    if not isinstance(name, str):
        raise FhirPathEvaluationError("defineVariable() takes a name")
    if name in env.defined or name in TAKEN or name in env.given:
        raise FhirPathEvaluationError(f"%{name} is already there")
    value = items
    if body is not None:
        this = env.this
        env.this = items
        try:
            value = body(env)
        finally:
            env.this = this
    env.defined = {**env.defined, name: value}
    return items


@function("sort", "sort*")
def sort(env: Env, items: Items, *keys: tuple[Body, bool]) -> Items:
    """By each key in turn; nothing comes first. Without keys by the items themselves."""
    env.spend(len(items) * 20)
    if not keys:
        rows = [([system(item)], item) for item in items]
        directions = [False]
    else:
        columns = [[one(found, "sort()") for _, found in each(env, items, body)] for body, _ in keys]
        rows = [(list(values), item) for values, item in zip(zip(*columns, strict=True), items, strict=True)]
        directions = [descending for _, descending in keys]

    def order(left: tuple[list[Any], Any], right: tuple[list[Any], Any]) -> int:
        for mine, yours, descending in zip(left[0], right[0], directions, strict=True):
            found = placed(env, mine, yours)
            if found:
                return -found if descending else found
        return 0

    return [item for _, item in sorted(rows, key=cmp_to_key(order))]


def placed(env: Env, mine: Any, yours: Any) -> int:
    env.spend(1)
    if mine is None or yours is None:
        return (mine is not None) - (yours is not None)
    return ordered(env, mine, yours, "sort()") or 0


@function("comparable", "value")
def comparable(env: Env, items: Items, other: Any) -> Items:
    mine, yours = as_quantity(one(items, "comparable()")), as_quantity(other)
    price(env, mine, yours)
    if not items:
        raise FhirPathEvaluationError("comparable() has nothing to compare")
    if other is None:
        return []
    if not (isinstance(mine, Quantity) and isinstance(yours, Quantity)):
        return [False]
    return [quantities.pair(mine, yours) is not None]
