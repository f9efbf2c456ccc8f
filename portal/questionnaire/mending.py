"""Yes and no written as texts ("true"), as converters from XML leave them: read as what they say, and told to the author."""

from __future__ import annotations

import re
from typing import Any

from .extensions import Json

FLAGS = frozenset({"required", "repeats", "readOnly"})
_BOOLEAN = re.compile(r"(?:value|answer)Boolean\Z")
_SAYS = {"true": True, "false": False}


def mended(raw: Json) -> tuple[Json, tuple[tuple[str, str], ...]]:
    """The form with such texts read, and (linkId, element) of each; the very same form and () where there are none."""
    if not _any(raw):
        return raw, ()
    found: list[tuple[str, str]] = []
    return _object(raw, "", found), tuple(found)


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
