"""Answers of a QuestionnaireResponse by linkId, read once, so that a look-up replaces a walk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.fhirpath.host import Host
from portal.fhirpath.node import Node

Json = dict[str, Any]


class Place:
    """An element that may hold a linkId, or lead to one: raw as yet, a Node when it is asked for."""

    __slots__ = ("inside", "key", "made", "nodes", "raw")

    def __init__(self, raw: Json, key: str, inside: Place | None, made: Node | None = None) -> None:
        self.raw = raw
        self.key = key
        self.inside = inside
        self.made = made
        self.nodes: dict[str, dict[int, Node]] | None = None

    def node(self) -> Node:
        """Elements are made by the one that they stand in, which knows their types."""
        if self.made is None:
            assert self.inside is not None
            self.made = self.inside.child(self.key, self.raw)
        return self.made

    def child(self, key: str, raw: Json) -> Node:
        """One of the elements of that key; they are made together, once."""
        if self.nodes is None:
            self.nodes = {}
        if key not in self.nodes:
            found: list[Any] = []
            self.node().collect(key, found)
            self.nodes[key] = {id(one.value): one for one in found}
        return self.nodes[key].get(id(raw)) or Node(raw, None, self.node().model, None, self.node(), key)


Table = dict[str, list[Place]]


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
            known = (node.value, table(node, how))  # the value is kept, so that its id stays its own
            self._tables[key] = known
        return [place.node() for place in known[1].get(link_id, ())]


def table(node: Node, how: str) -> Table:
    """What stands below the node, by linkId, level by level."""
    found: Table = {}
    level = [Place(node.value, node.key, None, node)] if type(node.value) is dict else []
    while level:
        level = [inner for place in level for inner in (_inside(place) if how == "descendants" else _items(place))]
        for place in level:
            _file(found, place, distinct=how == "repeat")
        if how == "item":
            break
    return found


def _file(found: Table, place: Place, distinct: bool) -> None:
    link_id = place.raw.get("linkId")
    if isinstance(link_id, str):
        same = found.setdefault(link_id, [])
        if not (distinct and same and any(other.raw == place.raw for other in same)):
            same.append(place)


def _items(place: Place) -> list[Place]:
    raw = place.raw.get("item")
    if type(raw) is list:
        return [Place(one, "item", place) for one in raw if type(one) is dict]
    return [Place(raw, "item", place)] if type(raw) is dict else []


def _inside(place: Place) -> list[Place]:
    """The children that have a linkId or children of their own: most answers have neither."""
    found: list[Place] = []
    for key, inner in place.raw.items():
        if type(inner) is list:
            for one in inner:
                if type(one) is dict and _leads_on(one):
                    found.append(Place(one, key, place))
        elif type(inner) is dict and _leads_on(inner):
            found.append(Place(inner, key, place))
    return found


def _leads_on(raw: Json) -> bool:
    return "linkId" in raw or any(type(value) is list or type(value) is dict for value in raw.values())
