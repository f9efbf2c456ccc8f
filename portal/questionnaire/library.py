"""Items that take what they do not say themselves from a library: a question of another form, or an element's definition."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .extensions import Json

TYPES = {
    "BackboneElement": "group", "boolean": "boolean", "code": "choice", "CodeableConcept": "choice", "Coding": "choice",
    "date": "date", "dateTime": "dateTime", "decimal": "decimal", "integer": "integer", "markdown": "text",
    "positiveInt": "integer", "Quantity": "quantity", "Reference": "reference", "string": "string", "time": "time",
    "unsignedInt": "integer", "uri": "url", "url": "url", "Attachment": "attachment", "instant": "dateTime",
}  # fmt: skip
"""The type of a question for the type of an element (FHIR R4, Questionnaire.item.definition)."""


def completed(item: Json, registry: Mapping[str, Json]) -> Json:
    """The item with what its `definition` gives and it does not say itself; as it is where the library is not at hand."""
    definition = item.get("definition")
    url, mark, name = definition.partition("#") if isinstance(definition, str) else ("", "", "")
    library = (registry.get(url) or registry.get(url.split("|", maxsplit=1)[0])) if mark else None
    if library is None:
        return item
    given = _question(library, name) if library.get("resourceType") == "Questionnaire" else _element(library, name)
    own = {key for key in item if key != "extension"}
    made = {**{key: value for key, value in given.items() if key not in own}, **item}
    listed = [*(item.get("extension") or []), *_others(given, item)]
    return {**made, "extension": listed} if listed else made


def _others(given: Json, item: Json) -> list[Json]:
    """Extensions that the item does not have itself; of expressions, by the name they give."""
    own = {_key(one) for one in item.get("extension") or []}
    return [one for one in given.get("extension") or [] if _key(one) not in own]


def _key(extension: Json) -> tuple[Any, Any]:
    value = extension.get("valueExpression")
    return extension.get("url"), value.get("name") if isinstance(value, dict) else None


def _listed(value: Any, name: str) -> list[Json]:
    """The objects of a list that may not be one."""
    listed = value.get(name) if isinstance(value, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _question(library: Json, link_id: str) -> Json:
    stack = list(library.get("item") or [])
    while stack:
        item = stack.pop()
        if item.get("linkId") == link_id:
            return {key: copy.deepcopy(value) for key, value in item.items() if key != "linkId"}
        stack.extend(item.get("item") or [])
    return {}


def _element(profile: Json, name: str) -> Json:
    """What an ElementDefinition says of a question: words, type, how often, how long, which answers."""
    listed = [e for view in ("snapshot", "differential") for e in _listed(profile.get(view), "element")]
    element: Json = next((e for e in listed if name in (e.get("id"), e.get("path"))), {})
    types = [str(one.get("code")) for one in _listed(element, "type")]
    binding = element["binding"] if isinstance(element.get("binding"), dict) else {}
    found: Json = {
        "text": element.get("label") or element.get("short"),
        "type": next((TYPES[one] for one in types if one in TYPES), None),
        "required": True if element.get("min") else None,
        "repeats": True if element.get("max") not in (None, "0", "1") else None,
        "maxLength": element.get("maxLength"),
        "answerValueSet": binding.get("valueSet"),
        "code": element.get("code"),
    }
    return {key: value for key, value in found.items() if value is not None}
