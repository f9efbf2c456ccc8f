"""The concepts of a code system and the filters by which a value set picks among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .extensions import Json
from .patterns import matches, problem, unchecked

Placed = tuple[Json, frozenset[str]]
"""A concept and the codes of everything above it."""
PARENTS = frozenset({"parent", "subsumedBy"})


def placed(system: Json) -> Iterator[Placed]:
    """Every concept, in the order of the code system: above it stands what it is nested in, and what it names as parent."""
    concepts = list(_flat(system.get("concept"), ()))
    parents = {str(concept.get("code")): {*above, *_named(concept)} for concept, above in concepts}
    for concept, _ in concepts:
        yield concept, _above(str(concept.get("code")), parents)


def _flat(concepts: Any, above: tuple[str, ...]) -> Iterator[tuple[Json, tuple[str, ...]]]:
    for concept in concepts or ():
        if isinstance(concept, dict):
            yield concept, above[-1:]
            yield from _flat(concept.get("concept"), (*above, str(concept.get("code"))))


def _named(concept: Json) -> Iterator[str]:
    return (value for name in PARENTS for value in _values(concept, name))


def _above(code: str, parents: dict[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(parents.get(code, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(parents.get(one, ()))
    return frozenset(found)


def _values(concept: Json, name: str) -> list[str]:
    """What a concept says under the name of a property, as texts; its code and display go by these names."""
    if name in ("code", "concept"):
        return [str(concept.get("code"))]
    if name == "display":
        return [str(concept["display"])] if "display" in concept else []
    listed = (each for each in concept.get("property") or () if isinstance(each, dict) and each.get("code") == name)
    return [_text(value) for each in listed for key, value in each.items() if key.startswith("value")]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("code") or value.get("display") or "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def filtered(concepts: list[Placed], rule: Json) -> list[Placed] | None:
    """The concepts that pass one filter; None for a filter that this engine does not know."""
    operator, name, value = str(rule.get("op")), str(rule.get("property")), str(rule.get("value"))
    chosen = _chosen(concepts, operator, name, value)
    return None if chosen is None else [one for one in concepts if chosen(one)]


def _chosen(concepts: list[Placed], operator: str, name: str, value: str) -> Callable[[Placed], bool] | None:
    wanted = {part.strip() for part in value.split(",")}
    if operator == "regex":
        return None if problem(value) or unchecked(value) else lambda one: _any(one, name, lambda v: matches(value, v))
    if operator == "generalizes":
        over = next((above | {value} for concept, above in concepts if concept.get("code") == value), frozenset())
        return lambda one: one[0].get("code") in over
    if operator == "descendent-leaf":
        inner = {code for _, above in concepts for code in above}
        return lambda one: value in one[1] and one[0].get("code") not in inner
    if operator == "exists" and name == "child":
        over = frozenset(code for _, above in concepts for code in above)
        return lambda one: (one[0].get("code") in over) is (value == "true")
    if operator == "exists" and name in PARENTS:
        return lambda one: bool(one[1]) is (value == "true")
    if operator == "=" and name in PARENTS:
        return lambda one: value in one[1] and _near(one, concepts, value)
    return {
        "is-a": lambda one: value in (one[0].get("code"), *one[1]),
        "descendent-of": lambda one: value in one[1],
        "child-of": lambda one: value in one[1] and _near(one, concepts, value),
        "is-not-a": lambda one: value not in (one[0].get("code"), *one[1]),
        "=": lambda one: _any(one, name, value.__eq__),
        "in": lambda one: _any(one, name, wanted.__contains__),
        "not-in": lambda one: not _any(one, name, wanted.__contains__),
        "exists": lambda one: _any(one, name, lambda _: True) is (value == "true"),
    }.get(operator)


def _any(one: Placed, name: str, fits: Callable[[str], bool]) -> bool:
    return any(fits(value) for value in _values(one[0], name))


def _near(one: Placed, concepts: list[Placed], value: str) -> bool:
    """Whether nothing stands between a concept and one above it."""
    between = {str(concept.get("code")) for concept, above in concepts if value in above}
    return not between & one[1]
