"""What a form says in spite of a slip, read as it is meant and told to its author: yes and no written as texts ("true"), as
converters from XML leave them; texts to read (display) without a linkId of their own, which nothing asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from .extensions import Json
from .issues import Refusal

FLAGS = frozenset({"required", "repeats", "readOnly"})
_BOOLEAN = re.compile(r"(?:value|answer)Boolean\Z")
_SAYS = {"true": True, "false": False}


def mended(raw: Json) -> tuple[Json, list[Refusal]]:
    """The form with such slips mended, and what to tell of them; the very same form and [] where there are none."""
    told: list[Refusal] = []
    if _any(raw):
        found: list[tuple[str, str]] = []
        raw = _object(raw, "", found)
        why = "is written as a text; it is true or false without the marks"
        told += [Refusal(link_id, "text-for-boolean", f"{name} {why}", "warning") for link_id, name in found]
    known, double = _names(raw)
    if known is None:
        return raw, told
    return _with_names(raw, "", _Naming(known, double, told)), told


def _names(raw: Json) -> tuple[set[str] | None, set[str]]:
    """Every linkId, and those of questions and groups; None for the first where no text to read lacks one of its own."""
    known, taken, wanting = set[str](), set[str](), False
    for item in _items(raw):
        name, shown = item.get("linkId"), item.get("type") == "display"
        if isinstance(name, str) and name.strip():
            wanting |= name in known
            known.add(name)
            taken |= set() if shown else {name}
        else:
            wanting |= shown and name is None
    return (known if wanting else None), taken


def _items(raw: Json) -> Iterator[Json]:
    stack: list[Any] = [raw]
    while stack:
        listed = stack.pop().get("item")
        inner = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        yield from inner
        stack.extend(inner)


@dataclass(slots=True)
class _Naming:
    """`known`: every linkId there is; `taken`: those that a text to read may not have (any more)."""

    known: set[str]
    taken: set[str]
    told: list[Refusal]

    def name(self, owner: str, item: Json) -> str:
        """The linkId of a text to read: its own, or where it has none or shares it, one that nobody has."""
        own = item.get("linkId")
        if isinstance(own, str) and own not in self.taken:
            self.taken.add(own)
            return own
        numbers = (f"{own or owner or 'form'}-text-{number}" for number in count(1))
        made = next(name for name in numbers if name not in self.known)
        self.known.add(made)
        if own is None:
            self.told.append(
                Refusal(owner, "no-link-id", f"a text has no linkId ({_words(item)}): {made!r} here", "warning")
            )
        else:
            why = f"the linkId is used by more than one item (que-2); the text {_words(item)} is {made!r} here"
            self.told.append(Refusal(own, "duplicate-link-id", why, "warning"))
        return made


def _words(item: Json) -> str:
    return repr(str(item.get("text") or "")[:60])


def _with_names(owner: Json, link_id: str, naming: _Naming) -> Json:
    listed = owner.get("item")
    if not isinstance(listed, list):
        return owner
    return {**owner, "item": [_named(each, link_id, naming) if isinstance(each, dict) else each for each in listed]}


def _named(item: Json, owner: str, naming: _Naming) -> Json:
    own = item.get("linkId")
    if item.get("type") == "display" and (own is None or (isinstance(own, str) and own.strip())):
        own = naming.name(owner, item)
        item = {**item, "linkId": own}
    return _with_names(item, own if isinstance(own, str) else owner, naming)


def _meant(name: str, part: Any, owner: Json) -> bool:
    """Whether an element says yes or no, and says it as a text."""
    return (
        isinstance(part, str)
        and part in _SAYS
        and (bool(_BOOLEAN.match(name)) or (name in FLAGS and "linkId" in owner))
    )


def _any(raw: Json) -> bool:
    stack: list[Any] = [raw]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(current)
        elif isinstance(current, dict):
            if any(_meant(name, part, current) for name, part in current.items()):
                return True
            stack.extend(
                part for name, part in current.items() if name != "contained" and isinstance(part, (dict, list))
            )
    return False


def _object(owner: Json, link_id: str, found: list[tuple[str, str]]) -> Json:
    own = owner.get("linkId")
    named, made = own if isinstance(own, str) else link_id, {}
    for name, part in owner.items():
        if _meant(name, part, owner):
            found.append((named, name))
            made[name] = _SAYS[part]
        else:
            made[name] = part if name == "contained" else _inside(part, named, found)
    return made


def _inside(part: Any, link_id: str, found: list[tuple[str, str]]) -> Any:
    if isinstance(part, list):
        return [_inside(one, link_id, found) for one in part]
    return _object(part, link_id, found) if isinstance(part, dict) else part
