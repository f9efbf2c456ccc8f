"""What a module is called where it stands: its linkIds and contained resources with the prefix in reach, its texts filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import extensions as ext
from .extensions import Json

PREFIX = "linkIdPrefix"
_HOLE = re.compile(r"\{\{%([A-Za-z_][A-Za-z0-9_]*)\}\}")


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Every {{%name}} in a text replaced by the value of that name."""
    if isinstance(value, str):
        return _HOLE.sub(lambda hole: names.get(hole[1], hole[0]), value) if "{{" in value else value
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, names) for key, one in value.items()}
    return value


def renamed(module: Json, prefix: str | None) -> Json:
    """A prefix in reach is put before every linkId, where conditions name them too, and before the ids of contained
    resources; not before what says itself where the prefix goes."""
    if not prefix:
        return module
    stack, links = list(module.get("item") or []), _links(module)
    _relocate(module, prefix, links)
    while stack:
        item = stack.pop()
        _relocate(item, prefix, links)
        if isinstance(item.get("linkId"), str):
            item["linkId"] = _prefixed(item["linkId"], prefix)
        for condition in item.get("enableWhen") or []:
            condition["question"] = _prefixed(condition.get("question"), prefix)
        stack.extend(item.get("item") or [])
    contained = [
        one for one in contained_in(module) if isinstance(one.get("id"), str) and one["id"] not in queries(module)
    ]
    repoint(module, {one["id"]: f"{prefix}{one['id']}" for one in contained})
    for one in contained:
        one["id"] = f"{prefix}{one['id']}"
    return module


def _relocate(element: Json, prefix: str, links: frozenset[Any]) -> None:
    """Where a rule says what it is about, by linkId."""
    for rule in ext.of(element).get("targetConstraint", ()):
        for part in ext.inner(rule):
            if part.get("url") == "location" and part.get("valueString") in links:
                part["valueString"] = _prefixed(part["valueString"], prefix)


def _links(element: Json) -> frozenset[Any]:
    """The linkIds of everything in it."""
    listed = element.get("item") or []
    return frozenset(one.get("linkId") for one in listed).union(*map(_links, listed))


def _prefixed(text: Any, prefix: str) -> str:
    placed = PREFIX in _HOLE.findall(str(text))
    return str(text) if placed else f"{prefix}{text}"


def repoint(value: Any, ids: Mapping[str, str]) -> None:
    """Every reference to a contained resource (`#id`) to its new id."""
    stack = [value]
    while stack and ids:
        current = stack.pop()
        pairs = list(current.items() if isinstance(current, dict) else enumerate(current))
        for key, part in pairs:
            if isinstance(part, (dict, list)):
                stack.append(part)
            elif isinstance(part, str) and part.startswith("#") and part[1:] in ids:
                current[key] = f"#{ids[part[1:]]}"


def contained_in(element: Json) -> list[Json]:
    """The contained resources as they stand; what is none, a null in the list for example, is left out."""
    listed = element.get("contained")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def queries(module: Json) -> frozenset[str]:
    """The contained batches that expressions know by their id (sourceQueries)."""
    named = (one.get("reference") for one in ext.values(ext.of(module), "sourceQueries") if isinstance(one, dict))
    return frozenset(str(one).lstrip("#") for one in named)
