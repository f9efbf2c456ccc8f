"""Expressions beside a value (cqf-expression, cqf-calculatedValue) in places where none is run: what is written counts."""

from __future__ import annotations

from typing import Any

from .extensions import short_name
from .findings import Findings
from .items import Item

NAMES = frozenset({"cqf-expression", "cqf-calculatedValue"})
APART = frozenset({"item", "contained", "extension", "modifierExtension", "hidden"})
"""Looked at by themselves: other items, what the form brings along, its extensions one by one."""


def note(item: Item, honoured: frozenset[str], findings: Findings) -> None:
    """Names each such place of an item as not honoured. honoured: elements and extensions whose expressions are run."""
    elements = {name.lstrip("_"): value for name, value in item.raw.items()}
    for name, element in (*elements.items(), *item.extensions.items()):
        if name not in APART and name not in honoured and name not in NAMES and _has_expression(element):
            findings.miss(
                item.link_id, f"cqf-expression of {name}", "it is not worked out here: what is written counts"
            )


def _has_expression(element: Any) -> bool:
    waiting = [element]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(current)
        elif isinstance(current, dict):
            url = current.get("url")
            if isinstance(url, str) and short_name(url) in NAMES and "valueExpression" in current:
                return True
            waiting.extend(value for value in current.values() if isinstance(value, (dict, list)))
    return False
