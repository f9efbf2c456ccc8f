"""Is this JSON shaped as FHIR shapes it: lists where there are lists, texts where there are texts. Asked once, at the door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_LISTS = """
item answerOption enableWhen initial extension modifierExtension coding contains include exclude concept designation
filter contained
"""
_TEXTS = """
url linkId system display version expression language prefix definition answerValueSet title question operator
enableBehavior disabledDisplay reference contentType unit resourceType
"""
LISTS, TEXTS = frozenset(_LISTS.split()), frozenset(_TEXTS.split())
OBJECTS = frozenset({"compose", "expansion", "meta"})
VALUES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("String", "Code", "Uri", "Url", "Canonical", "Id", "Oid", "Uuid", "Markdown", "Base64Binary"), (str,)
    ),
    **dict.fromkeys(("Date", "DateTime", "Time", "Instant"), (str,)),
    **dict.fromkeys(
        ("Coding", "Quantity", "Reference", "Expression", "CodeableConcept", "Attachment", "Period"), (dict,)
    ),
    **dict.fromkeys(("Range", "Ratio", "Identifier", "Duration", "Annotation", "Meta", "Age"), (dict,)),
    **dict.fromkeys(("Integer", "PositiveInt", "UnsignedInt"), (int,)),
    "Boolean": (bool,),
    "Decimal": (int, float, Decimal),
}
_VALUE = re.compile(r"(?:value|answer|fixed)([A-Z]\w*)\Z")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def problem(value: Any) -> str:
    """The first thing that is not shaped as it should be, or ""."""
    return next(problems(value), "")


def problems(value: Any) -> Iterator[str]:
    """What is wrong in an element and everything in it but its nested items and contained resources."""
    stack: list[Any] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            for key, part in current.items():
                if part is not None and (wrong := _wrong(current, key, part)):
                    yield wrong
                elif isinstance(part, (dict, list)) and key not in ("item", "contained"):
                    stack.append(part)
                elif isinstance(part, str) and _UNSTORABLE.search(part):
                    yield f"{key} holds characters that cannot be stored"
        elif isinstance(current, list):
            stack.extend(current)


def _wrong(element: dict[str, Any], key: str, part: Any) -> str:
    if key in LISTS:
        return "" if _objects(part) else f"{key} is not a list of objects"
    if key in OBJECTS:
        return "" if isinstance(part, dict) else f"{key} is not an object"
    if key in TEXTS:
        return "" if isinstance(part, str) else f"{key} is not a text"
    if key.startswith("_"):
        return "" if isinstance(part, (dict, list)) else f"{key} is not an object"
    if key == "code" and ("display" in element or "system" in element):
        return "" if isinstance(part, str) else "code is not a text"
    if key in ("code", "text", "property", "name"):
        return "" if isinstance(part, (str, dict)) or _objects(part) else f"{key} is neither a text nor objects"
    return _wrong_value(key, part)


def _wrong_value(key: str, part: Any) -> str:
    found = _VALUE.match(key)
    if found is None or key in ("answerOption", "answerValueSet") or found[1] not in VALUES:
        return ""
    wanted = VALUES[found[1]]
    if key.startswith("value") and not isinstance(part, (dict, list)) and dict not in wanted:
        return ""  # a plain value of another kind harms nothing: whoever uses it looks at its type
    if not isinstance(part, wanted) or (isinstance(part, bool) and bool not in wanted):
        return f"{key} is not of its type"
    return _wrong_coding(key, part) if found[1] == "Coding" else ""


def _wrong_coding(key: str, coding: Any) -> str:
    names = ("system", "code", "display")
    bad = next((name for name in names if not isinstance(coding.get(name), (str, type(None)))), "")
    return f"{bad} of {key} is not a text" if bad else ""


def _objects(part: Any) -> bool:
    """A list of objects; a null in it is passed over."""
    return isinstance(part, list) and all(isinstance(one, (dict, type(None))) for one in part)
