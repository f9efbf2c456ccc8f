"""SDC's weight() and ordinal(): the score of a coded answer."""

from __future__ import annotations

from typing import Any

from portal.fhirpath.env import Env, Items, wrap
from portal.fhirpath.functions.registry import function
from portal.fhirpath.node import Node

SCORES = (
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/codesystem-ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/coding-ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/valueset-ordinalValue",
)
MAX_DEPTH = 50


@function("weight")
def weight(env: Env, items: Items) -> Items:
    """Of answers, Codings or plain values of answers, in their order; what has no score is left out."""
    out: Items = []
    for item in items:
        env.spend(1)
        if type(item) is Node:
            out.extend(_score(env, item) if type(item.value) is dict else _plain(env, item))
    return out


function("ordinal")(weight)


def _score(env: Env, node: Node) -> Items:
    own = _own(node.value)
    if own is not None:
        return wrap(own, env.model)
    coding = node
    if "code" not in node.value:
        values: Items = []
        node.collect("value", values)
        if len(values) != 1 or type(values[0]) is not Node:
            return []
        coding = values[0]
        if type(coding.value) is not dict:
            return _plain(env, coding)
        own = _own(coding.value)
    if own is None:
        own = _from_form(env, coding)
    if own is None and env.host is not None:
        own = env.host.score(coding.value, _link_id(coding))
    return wrap(own, env.model)


def _plain(env: Env, node: Node) -> Items:
    """Of a number, text or date that is an option."""
    link_id = _link_id(node)
    return wrap(env.host.score(node.value, link_id), env.model) if env.host is not None and link_id else []


def _own(value: dict[str, Any]) -> Any:
    """The score that a Coding, an answerOption or a concept carries itself."""
    for extension in value.get("extension") or ():
        if isinstance(extension, dict) and extension.get("url") in SCORES:
            return extension.get("valueDecimal", extension.get("valueInteger"))
    return None


def _from_form(env: Env, coding: Node) -> Any:
    """The score that %questionnaire gives to this option of this question, or to the code in its value set."""
    link_id = _link_id(coding)
    if link_id is None or not env.has_variable("questionnaire"):
        return None
    for form in env.variable("questionnaire"):
        item = _item(env, form.value, link_id) if type(form) is Node else None
        if item is not None:
            found = _from_options(env, item, coding.value)
            return found if found is not None else _from_value_set(env, form.value, item, coding.value)
    return None


def _link_id(node: Node | None) -> str | None:
    while node is not None:
        if type(node.value) is dict and isinstance(node.value.get("linkId"), str):
            return str(node.value["linkId"])
        node = node.parent
    return None


def _item(env: Env, form: dict[str, Any], link_id: str) -> dict[str, Any] | None:
    waiting = list(form.get("item") or ())
    while waiting:
        env.spend(1)
        item = waiting.pop()
        if isinstance(item, dict):
            if item.get("linkId") == link_id:
                return item
            waiting.extend(item.get("item") or ())
    return None


def _same(coding: dict[str, Any], other: Any, system: Any) -> bool:
    if not isinstance(other, dict) or other.get("code") != coding.get("code"):
        return False
    return coding.get("system") is None or system is None or system == coding.get("system")


def _from_options(env: Env, item: dict[str, Any], coding: dict[str, Any]) -> Any:
    for option in item.get("answerOption") or ():
        env.spend(1)
        value = option.get("valueCoding") if isinstance(option, dict) else None
        if isinstance(value, dict) and _same(coding, value, value.get("system")):
            own = _own(option)
            return own if own is not None else _own(value)
    return None


def _from_value_set(env: Env, form: dict[str, Any], item: dict[str, Any], coding: dict[str, Any]) -> Any:
    url = str(item.get("answerValueSet") or "")
    contained = [one for one in form.get("contained") or () if isinstance(one, dict)]
    for one in contained:
        if one.get("resourceType") == "ValueSet" and url in (f"#{one.get('id')}", one.get("url")):
            found = _from_concepts(env, (one.get("expansion") or {}).get("contains") or (), None, coding)
            for part in (one.get("compose") or {}).get("include") or ():
                found = (
                    found
                    if found is not None
                    else _from_concepts(env, part.get("concept") or (), part.get("system"), coding)
                )
            if found is not None:
                return found
    for one in contained:
        if one.get("resourceType") == "CodeSystem" and one.get("url") == coding.get("system"):
            return _from_concepts(env, one.get("concept") or (), one.get("url"), coding)
    return None


def _from_concepts(env: Env, concepts: Any, system: Any, coding: dict[str, Any]) -> Any:
    waiting = list(concepts)
    while waiting:
        env.spend(1)
        concept = waiting.pop(0)
        if _same(coding, concept, concept.get("system", system)):
            return _own(concept)
        waiting.extend(concept.get("concept") or concept.get("contains") or ())
    return None
