"""Field names: q12 is item 12, q12-0-3 is item 12 in repetition 3 of a part in repetition 0 (never the linkId)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .answers import Entry
from .items import Item

_NAME = re.compile(r"q([1-9][0-9]{0,4})((?:-[0-9]{1,4})*)\Z", re.ASCII)


def name_of(entry: Entry) -> str:
    """The field name of an entry: its item's ordinal and the index in each repeating ancestor (itself included)."""
    if not entry.item.instanced_path:
        return f"q{entry.item.ordinal}"
    indices: list[str] = []
    current: Entry | None = entry
    while current is not None and current.parent is not None:
        if current.item.instanced:
            indices.append(str(index_of(current)))
        current = current.parent
    return "-".join([f"q{entry.item.ordinal}", *reversed(indices)])


def index_of(entry: Entry) -> int:
    """Which repetition of its item this is, from 0."""
    siblings = entry.parent.children.get(entry.item.ordinal, []) if entry.parent else []
    return next((index for index, sibling in enumerate(siblings) if sibling is entry), 0)


def parse(name: str, items: Sequence[Item]) -> tuple[Item, list[int]] | None:
    """The item and the indices a name holds; None for what is not a name of this form. `items` in document order."""
    match = _NAME.match(name)
    if match is None or int(match[1]) > len(items):
        return None
    return items[int(match[1]) - 1], [int(index) for index in match[2].split("-")[1:]]


def find(root: Entry, item: Item, indices: Sequence[int]) -> Entry | None:
    """The entry at these indices, or None when that repetition does not exist."""
    steps = [step for step in item.ancestors() if step.ordinal][::-1]
    current, left = root, list(indices)
    for step in steps:
        at = left.pop(0) if step.instanced and left else 0
        listed = current.all(step)
        if at >= len(listed):
            return None
        current = listed[at]
    return current
