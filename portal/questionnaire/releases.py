"""Forms written for FHIR STU3 and R5, told in the elements of R4: other names for the same questions, nothing left out."""

from __future__ import annotations

import re
from typing import Any

from .extensions import Json

STU3, R5 = "FHIR STU3", "FHIR R5"
DEEPEST = 24
"""Deeper than any form that is taken; what lies deeper is left as it is, and refused for its depth."""
CONSTRAINT = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Questionnaire.item.answerConstraint"
CONSTRAINTS = ("optionsOnly", "optionsOrType", "optionsOrString")
WORDED = ("string", "text")
TYPES = "Boolean|Decimal|Integer|Date|DateTime|Time|String|Uri|Url|Coding|Quantity|Reference|Attachment"
INITIAL = re.compile(rf"(_?)initial({TYPES})\Z")
LATER = ("answerOption", "answerValueSet", "enableBehavior")
"""Elements that STU3 did not have: beside them a condition without an operator is a mistake."""


def in_r4(raw: Json) -> tuple[Json, tuple[str, ...]]:
    """The form in R4 and the releases it was written for; the very same form and () where nothing is to be changed.

    What is not as its release has it is left as it stands, for the door to refuse.
    """
    items = _items(raw)
    bare = any(_without_operator(one) for item in items for one in _conditions(item))
    old = any(map(_old, items)) or (bare and not any(map(_later, items)))
    new = any(map(_new, items))
    if not (old or new):
        return raw, ()
    return {**raw, "item": _listed(raw["item"], old, 0)}, (*((STU3,) if old else ()), *((R5,) if new else ()))


def response_in_r4(response: Json) -> Json:
    """A response of STU3 points to its form by a Reference; the rest of it is as in R4."""
    named = response.get("questionnaire")
    if not isinstance(named, dict) or not isinstance(named.get("reference"), str):
        return response
    return {**response, "questionnaire": named["reference"]}


def _items(raw: Json) -> list[Json]:
    """Every item, in any order."""
    made, stack = list[Json](), [raw]
    while stack:
        listed = stack.pop().get("item")
        inner = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        made += inner
        stack += inner
    return made


def _old(item: Json) -> bool:
    """Whether an element stands in it that only STU3 has."""
    answered = any("hasAnswer" in one and _stu3_condition(one) for one in _conditions(item))
    return _options(item) or answered or any(map(INITIAL.match, item))


def _new(item: Json) -> bool:
    return item.get("type") == "coding" or item.get("answerConstraint") in CONSTRAINTS


def _later(item: Json) -> bool:
    return any(name in item for name in LATER) or any("operator" in one for one in _conditions(item))


def _options(item: Json) -> bool:
    listed, reference = item.get("option"), item.get("options")
    named = isinstance(reference, dict) and isinstance(reference.get("reference"), str)
    return (isinstance(listed, list) and all(isinstance(one, dict) for one in listed)) or named


def _conditions(item: Json) -> list[Json]:
    listed = item.get("enableWhen")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _stu3_condition(condition: Json) -> bool:
    return "operator" not in condition and (
        isinstance(condition.get("hasAnswer"), bool) or _without_operator(condition)
    )


def _without_operator(condition: Json) -> bool:
    return "operator" not in condition and any(key.startswith("answer") for key in condition)


def _listed(items: Any, old: bool, depth: int) -> Any:
    if not isinstance(items, list) or depth > DEEPEST:
        return items
    return [_item(one, old, depth) if isinstance(one, dict) else one for one in items]


def _item(raw: Json, old: bool, depth: int) -> Json:
    made = dict(raw)
    if old:
        _from_stu3(made)
    _from_r5(made)
    if "item" in made:
        made["item"] = _listed(made["item"], old, depth + 1)
    return made


def _from_stu3(item: Json) -> None:
    if _options(item):
        listed, reference = item.pop("option", None), item.pop("options", None)
        if listed and "answerOption" not in item:
            item["answerOption"] = listed
        if isinstance(reference, dict) and "answerValueSet" not in item:
            item["answerValueSet"] = reference.get("reference")
    if initial := {found: name for name in item if (found := INITIAL.match(name))}:
        values = {f"{found[1]}value{_r4_type(found[2])}": item.pop(name) for found, name in initial.items()}
        item.setdefault("initial", [values])
    if conditions := _conditions(item):
        item["enableWhen"] = [_condition(one) for one in conditions]
        if len(conditions) > 1 and any(map(_stu3_condition, conditions)):
            item.setdefault("enableBehavior", "any")  # STU3: one that holds is enough


def _r4_type(name: str) -> str:
    return "Uri" if name == "Url" else name


def _condition(raw: Json) -> Json:
    if not _stu3_condition(raw):
        return raw
    made = {key: value for key, value in raw.items() if key != "hasAnswer"}
    if isinstance(raw.get("hasAnswer"), bool):
        return {**made, "operator": "exists", "answerBoolean": raw["hasAnswer"]}
    return {**made, "operator": "="}


def _from_r5(item: Json) -> None:
    constraint = item.get("answerConstraint")
    if item.get("type") == "coding":
        item["type"] = "choice"
    if constraint not in CONSTRAINTS:
        return
    del item["answerConstraint"]
    if constraint == "optionsOrString" and item.get("type") not in WORDED:
        item["type"] = "open-choice"
    elif constraint != "optionsOnly":
        extension = {"url": CONSTRAINT, "valueCode": constraint}
        listed = item.get("extension")
        item["extension"] = [*(listed if isinstance(listed, list) else []), extension]
