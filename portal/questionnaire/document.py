"""The response as expressions see it: only what applies, as plain FHIR JSON, each part made when it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .answers import Entry
from .extensions import Json

Enabled = Callable[[Entry], bool]


class Document:
    """One state of the answers. `root` is the whole QuestionnaireResponse, `node` the JSON item of one entry."""

    def __init__(self, top: Entry, base: Json, enabled: Enabled) -> None:
        self._top = top
        self._base = base
        self._enabled = enabled
        self._nodes: dict[int, Json] = {}
        self._root: Json | None = None

    @property
    def root(self) -> Json:
        if self._root is None:
            self._root = dict(self._base)
            if items := self._items(self._top):
                self._root["item"] = items
        return self._root

    def node(self, entry: Entry) -> Json | None:
        """The item of an entry that has an answer and applies; None when it has none."""
        found = self._nodes.get(id(entry))
        if found is not None or not (entry.answered and self._enabled(entry)):
            return found
        if entry.item.is_group:
            return self._group(entry)
        siblings = entry.parent.existing(entry.item) if entry.parent else [entry]
        return self._question([one for one in siblings if one.answered and self._enabled(one)])

    def alone(self, entry: Entry, number: int) -> Json:
        """The item of a question as if this were its only answer."""
        return {"linkId": entry.item.link_id, "answer": self._answers(entry)[number : number + 1]}

    def _items(self, parent: Entry) -> list[Json]:
        written: list[Json] = []
        children = parent.children
        for child in parent.item.children:
            listed = children.get(child.ordinal)
            entries = [entry for entry in listed if entry.answered and self._enabled(entry)] if listed else None
            if not entries:
                continue
            if child.is_group:
                written.extend(self._group(entry) for entry in entries)
            else:
                written.append(self._question(entries))
        return written

    def _group(self, entry: Entry) -> Json:
        node = self._nodes.get(id(entry))
        if node is None:
            node = self._nodes[id(entry)] = {"linkId": entry.item.link_id}
            if items := self._items(entry):
                node["item"] = items
        return node

    def _question(self, entries: list[Entry]) -> Json:
        node = self._nodes.get(id(entries[0]))
        if node is None:
            written: list[dict[str, Any]] = []
            node = {"linkId": entries[0].item.link_id, "answer": written}
            for entry in entries:
                self._nodes[id(entry)] = node
                written.extend(self._answers(entry))
        return node

    def _answers(self, entry: Entry) -> list[Json]:
        if not entry.item.children:
            return entry.answers
        items = self._items(entry)
        if not items:
            return entry.answers
        first, *others = entry.answers or [{}]
        return [{**first, "item": items}, *others]
