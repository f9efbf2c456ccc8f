"""The response as expressions see it: only what is enabled, as plain FHIR JSON, with the place of each entry."""

from __future__ import annotations

from collections.abc import Callable

from .answers import Entry
from .extensions import Json

Enabled = Callable[[Entry], bool]


class Document:
    """`root` is the QuestionnaireResponse; `node(entry)` is the JSON item of an entry, or None when it has none."""

    def __init__(self, top: Entry, base: Json, enabled: Enabled) -> None:
        self._nodes: dict[int, Json] = {}
        self.root: Json = dict(base)
        items = self._items(top, enabled)
        if items:
            self.root["item"] = items
        self._nodes[id(top)] = self.root

    def node(self, entry: Entry) -> Json | None:
        return self._nodes.get(id(entry))

    def _items(self, parent: Entry, enabled: Enabled) -> list[Json]:
        written: list[Json] = []
        for child in parent.item.children:
            entries = [entry for entry in parent.children.get(child.ordinal, ()) if entry.answered and enabled(entry)]
            if not entries:
                continue
            if child.is_group:
                written.extend(self._group(entry, enabled) for entry in entries)
            else:
                written.append(self._question(entries, enabled))
        return written

    def _group(self, entry: Entry, enabled: Enabled) -> Json:
        node: Json = {"linkId": entry.item.link_id}
        self._nodes[id(entry)] = node
        if items := self._items(entry, enabled):
            node["item"] = items
        return node

    def _question(self, entries: list[Entry], enabled: Enabled) -> Json:
        node: Json = {"linkId": entries[0].item.link_id, "answer": (written := [])}
        for entry in entries:
            self._nodes[id(entry)] = node
            answers = [dict(answer) for answer in entry.answers]
            if items := self._items(entry, enabled):
                answers = answers or [{}]
                answers[0]["item"] = items
            written.extend(answers)
        return node
