"""5.3 Subsetting: single, first, last, tail, skip, take, intersect, exclude."""

from __future__ import annotations

from typing import Any

from portal.fhirpath.env import Env, Items
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.sets import Seen


@function("single")
def single(env: Env, items: Items) -> Items:
    if len(items) > 1:
        raise FhirPathEvaluationError(f"single() found {len(items)} items")
    return items


@function("first")
def first(env: Env, items: Items) -> Items:
    return items[:1]


@function("last")
def last(env: Env, items: Items) -> Items:
    return items[-1:]


@function("tail")
def tail(env: Env, items: Items) -> Items:
    return items[1:]


def whole_number(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FhirPathEvaluationError(f"{name}() takes a whole number")
    return value


@function("skip", "value")
def skip(env: Env, items: Items, count: Any) -> Items:
    return [] if count is None else items[max(0, whole_number(count, "skip")) :]


@function("take", "value")
def take(env: Env, items: Items, count: Any) -> Items:
    return [] if count is None else items[: max(0, whole_number(count, "take"))]


@function("intersect", "items")
def intersect(env: Env, items: Items, other: Items) -> Items:
    known, out = Seen(env, other), Seen(env)
    return [item for item in items if item in known and out.add(item)]


@function("exclude", "items")
def exclude(env: Env, items: Items, other: Items) -> Items:
    known = Seen(env, other)
    return [item for item in items if item not in known]
