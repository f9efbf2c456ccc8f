"""Answers of a QuestionnaireResponse by linkId, read once, so that a look-up replaces a walk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.fhirpath.host import Host
from portal.fhirpath.node import Node

Table = dict[str, list[Node]]


class ResponseIndex(Host):
    """A Host that indexes each node it is asked about on the first question.

    Give one instance to every evaluation over the same unchanged response; make a new one when the response changes.
    """

    def __init__(self) -> None:
        self._tables: dict[tuple[int, str], tuple[Any, Table]] = {}

    def items_by_link_id(self, node: Node, how: str, link_id: str) -> Sequence[Any] | None:
        key = (id(node.value), how)
        known = self._tables.get(key)
        if known is None:
            known = (node.value, BUILDERS[how](node))  # the value is kept, so that its id stays its own
            self._tables[key] = known
        return known[1].get(link_id, ())


def _filed(nodes: list[Node], distinct: bool) -> Table:
    table: Table = {}
    for node in nodes:
        link_id = node.value.get("linkId") if type(node.value) is dict else None
        if isinstance(link_id, str):
            same = table.setdefault(link_id, [])
            if not (distinct and any(other.value == node.value for other in same)):
                same.append(node)
    return table


def _items(node: Node) -> list[Any]:
    found: list[Any] = []
    node.collect("item", found)
    return found


def _top(node: Node) -> Table:
    return _filed(_items(node), distinct=False)


def _repeated(node: Node) -> Table:
    level, found = _items(node), list[Node]()
    while level:
        found.extend(level)
        level = [child for parent in level for child in _items(parent)]
    return _filed(found, distinct=True)


def _descended(node: Node) -> Table:
    level, found = _elements(node), list[Node]()
    while level:
        found.extend(level)
        level = [child for parent in level for child in _elements(parent)]
    return _filed(found, distinct=False)


def _elements(node: Node) -> list[Any]:
    """The children that can have a linkId: primitives are left out."""
    found: list[Any] = []
    value = node.value
    if type(value) is dict:
        for key, inner in value.items():
            if type(inner) is dict or (type(inner) is list and inner and type(inner[0]) is dict):
                node.collect(key, found)
    return found


BUILDERS = {"item": _top, "repeat": _repeated, "descendants": _descended}
