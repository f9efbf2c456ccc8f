"""5.1 Existence: empty, exists, all, allTrue …, subsetOf, count, distinct."""

from __future__ import annotations

from portal.fhirpath.env import Env, Items, system, truth
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import Body, each, function
from portal.fhirpath.node import Node
from portal.fhirpath.sets import Seen, distinct


@function("empty")
def empty(env: Env, items: Items) -> Items:
    return [not items]


@function("not")
def negated(env: Env, items: Items) -> Items:
    value = truth(items, "not()")
    return [] if value is None else [not value]


@function("exists", "each?")
def exists(env: Env, items: Items, criteria: Body | None = None) -> Items:
    if criteria is None:
        return [bool(items)]
    return [any(truth(found, "exists()") is True for _, found in each(env, items, criteria))]


@function("all", "each")
def all_(env: Env, items: Items, criteria: Body) -> Items:
    return [all(truth(found, "all()") is True for _, found in each(env, items, criteria))]


def booleans(items: Items, name: str) -> list[bool]:
    found = [system(item) for item in items]
    if any(value is not True and value is not False for value in found):
        raise FhirPathEvaluationError(f"{name}() takes Booleans only")
    return found


@function("allTrue")
def all_true(env: Env, items: Items) -> Items:
    return [all(booleans(items, "allTrue"))]


@function("anyTrue")
def any_true(env: Env, items: Items) -> Items:
    return [any(booleans(items, "anyTrue"))]


@function("allFalse")
def all_false(env: Env, items: Items) -> Items:
    return [not any(booleans(items, "allFalse"))]


@function("anyFalse")
def any_false(env: Env, items: Items) -> Items:
    return [not all(booleans(items, "anyFalse"))]


@function("subsetOf", "items")
def subset_of(env: Env, items: Items, other: Items) -> Items:
    known = Seen(env, other)
    return [all(item in known for item in items)]


@function("supersetOf", "items")
def superset_of(env: Env, items: Items, other: Items) -> Items:
    known = Seen(env, items)
    return [all(item in known for item in other)]


@function("count")
def count(env: Env, items: Items) -> Items:
    return [len(items)]


@function("distinct")
def distinct_(env: Env, items: Items) -> Items:
    return distinct(env, items)


@function("isDistinct")
def is_distinct(env: Env, items: Items) -> Items:
    return [len(distinct(env, items)) == len(items)]


def single_value(items: Items) -> Items:
    """The value of one primitive that has a value (not only extensions)."""
    if len(items) != 1:
        return []
    item = items[0]
    if type(item) is Node:
        markup = item.type is not None and item.type.name == "xhtml"
        return [] if item.value is None or type(item.value) is dict or markup else [system(item)]
    return [item] if isinstance(item, bool | int | str) or not hasattr(item, "unit") else []


@function("hasValue")
def has_value(env: Env, items: Items) -> Items:
    return [bool(single_value(items))]


@function("getValue")
def get_value(env: Env, items: Items) -> Items:
    return single_value(items)
