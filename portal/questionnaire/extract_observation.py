"""Extraction by observations: an Observation for each answer of an item marked with observationExtract."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from . import extensions as ext
from .answers import Entry, typed
from .converting import default_unit
from .extensions import Json
from .extraction import UNNAMED, Extractor
from .identities import SYSTEM
from .items import Item
from .origins import own_words
from .speaking import absent_reason
from .subjects import subject_of

KEYS = {
    "valueBoolean": "valueBoolean",
    "valueInteger": "valueInteger",
    "valueString": "valueString",
    "valueQuantity": "valueQuantity",
    "valueDateTime": "valueDateTime",
    "valueTime": "valueTime",
    "valueDate": "valueDateTime",
    "valueUri": "valueString",
}
UNTELLABLE = frozenset({"valueAttachment", "valueReference"})
POINTS_TO = {
    "performer": frozenset(
        ["Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient", "RelatedPerson"]
    ),
    "partOf": frozenset(
        [
            "MedicationAdministration",
            "MedicationDispense",
            "MedicationStatement",
            "Procedure",
            "Immunization",
            "ImagingStudy",
        ]
    ),
    "basedOn": frozenset(
        [
            "CarePlan",
            "DeviceRequest",
            "ImmunizationRecommendation",
            "MedicationRequest",
            "NutritionOrder",
            "ServiceRequest",
        ]
    ),
}
"""What a response says of itself and an Observation cannot (a device that wrote it, an observation that it is part of) is
left with the response."""
RELATIONS = frozenset({"component", "member", "derived", "independent"})


def observations(work: Extractor) -> Iterator[Json]:
    """Bundle entries; parts of an observation become its components, members or what it is derived from."""
    yield from _below(work, work.top, None)


def _below(work: Extractor, parent: Entry, holder: Json | None) -> Iterator[Json]:
    for child in parent.item.children:
        for entry in parent.existing(child):
            if entry.answered and work.evaluation.enabled(entry):
                yield from _entry(work, entry, holder)


def _entry(work: Extractor, entry: Entry, holder: Json | None) -> Iterator[Json]:
    relation = wanted(entry.item)
    if not relation or not codes_of(entry.item):
        yield from _below(work, entry, holder)
        return
    if relation == "component" and holder is not None:
        for answer in _tellable(work, entry):
            holder["resource"].setdefault("component", []).append(_component(entry.item, answer))
        yield from _below(work, entry, holder)
        return
    if relation == "component":
        work.trouble(entry.item.link_id, "observationExtract", "it is a component, and nothing around it is extracted")
        yield from _below(work, entry, None)
        return
    if subject_of(entry, work.response) is None:
        work.trouble(entry.item.link_id, "observationExtract", UNNAMED)
        return
    yield from _observed(work, entry, relation, holder)


def _observed(work: Extractor, entry: Entry, relation: str, holder: Json | None) -> Iterator[Json]:
    answers: list[Json | None] = [*_tellable(work, entry)] or [None]
    for number, answer in zip(work.turns(entry) if len(answers) > 1 else (0,), answers, strict=False):
        made = _bundle_entry(work, entry, number, answer)
        inner = list(_below(work, entry, made)) if number == 0 else []
        if answer is None and not made["resource"].keys() & {"component", "hasMember"}:
            yield from (_unlinked(one, made["fullUrl"]) for one in inner)
            continue
        if holder is not None and relation == "member":
            holder["resource"].setdefault("hasMember", []).append({"reference": made["fullUrl"]})
        if holder is not None and relation == "derived":
            made["resource"].setdefault("derivedFrom", []).append({"reference": holder["fullUrl"]})
        yield made
        yield from inner


def _tellable(work: Extractor, entry: Entry) -> list[Json]:
    """The answers that an Observation of R4 can hold."""
    told = [answer for answer in entry.answers if typed(answer)[0] not in UNTELLABLE]
    if len(told) < len(entry.answers):
        work.trouble(entry.item.link_id, "observationExtract", f"an Observation holds no {entry.item.type}")
    return told


def _unlinked(entry: Json, name: str) -> Json:
    """An entry that is not derived from what was not made."""
    kept = [one for one in entry["resource"].get("derivedFrom", ()) if one != {"reference": name}]
    rest = {key: held for key, held in entry["resource"].items() if key != "derivedFrom"}
    return {**entry, "resource": {**rest, **({"derivedFrom": kept} if kept else {})}}


def codes_of(item: Item) -> list[Json]:
    """The codes an item is extracted by: those that are marked so, else all but those marked not to be."""
    codes = [code for code in item.raw.get("code") or () if isinstance(code, dict)]
    chosen = [code for code in codes if _said_of(code) not in (None, False)]
    return [_bare(code) for code in chosen or codes if _said_of(code) is not False]


def _said_of(code: Json) -> Any:
    return ext.value(ext.of(code), "observationExtract")


def _bare(code: Json) -> Json:
    """A code without what it says to us."""
    kept = [e for e in ext.inner(code) if ext.short_name(str(e.get("url"))) != "observationExtract"]
    rest = {key: value for key, value in code.items() if key != "extension"}
    return {**rest, "extension": kept} if kept else rest


def wanted(item: Item) -> str:
    """How the item is to be extracted: "" not at all, else independent, component, member or derived.

    The nearest item that says anything decides for those under it, a code of the item for itself alone; a code says how,
    true means independent.
    """
    said_of_codes = [_said_of(code) for code in item.raw.get("code") or () if isinstance(code, dict)]
    if how := next((said for said in said_of_codes if said not in (None, False)), None):
        return str(how) if how in RELATIONS else _relation(item) or "independent"
    for owner in item.ancestors():
        said = ext.value(owner.extensions, "observationExtract")
        if said is False:
            return ""
        if said is True:
            return _relation(item) or "independent"
        if isinstance(said, str):
            return said if said in RELATIONS and owner is item else "independent"
    return ""


def _relation(item: Item) -> str:
    said = ext.value(item.extensions, "observationExtractEntry")
    return said if isinstance(said, str) and said in RELATIONS else ""


def _bundle_entry(work: Extractor, entry: Entry, number: int, answer: Json | None) -> Json:
    """An update by identifier, so that the amended answer replaces what the first one made; the item's
    observationExtractEntry says what else the entry is to be (SDC 4)."""
    name = f"urn:uuid:{work.identities.uuid(entry, f'observation {number}')}"
    said = {"extension": [{"url": "fullUrl", "valueString": f"'{name}'"}]}
    extension = next((one for one in entry.item.extensions.get("observationExtractEntry", ()) if ext.inner(one)), {})
    said["extension"][:0] = ext.inner(extension)
    made = work.entry(_observation(work, entry, name, answer), entry, f"observation {number}", said)
    if made["request"]["method"] == "POST" and "ifNoneExist" not in made["request"]:
        made["request"] |= {"method": "PUT", "url": f"Observation?identifier={SYSTEM}|{name}"}
    return made


def _observation(work: Extractor, entry: Entry, name: str, answer: Json | None) -> Json:
    response, item = work.response, entry.item
    made: Json = {
        "resourceType": "Observation",
        "identifier": [{"system": SYSTEM, "value": name}],
        "status": "final",
        "code": {"coding": codes_of(item), **({"text": item.raw["text"]} if item.raw.get("text") else {})},
    }
    categories = _categories(item)
    if categories:
        made["category"] = categories
    if subject := subject_of(entry, response):
        made["subject"] = subject
    for key, source in (
        ("encounter", "encounter"),
        ("effectiveDateTime", "authored"),
        ("issued", "authored"),
    ):
        if response.get(source):
            made[key] = response[source]
    for key, source in (("basedOn", "basedOn"), ("partOf", "partOf"), ("performer", "author")):
        held = response.get(source)
        if kept := [one for one in (held if isinstance(held, list) else [held]) if one and _may_be(key, one)]:
            made[key] = kept
    if response.get("id"):
        made["derivedFrom"] = [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    return made | (_value(item, answer) if answer else {})


def _may_be(key: str, reference: Any) -> bool:
    """Whether R4 lets this element of an Observation point to such a thing; of what kind it is may not be known."""
    said = reference if isinstance(reference, dict) else {}
    kind = str(said.get("type") or "") or str(said.get("reference") or "").rpartition("/")[0].rpartition("/")[2]
    return not kind.isalpha() or kind in POINTS_TO[key]


def _categories(item: Item) -> list[Json]:
    for owner in item.ancestors():
        for name in ("observation-extract-category", "observationExtractCategory"):
            found = [value for value in ext.values(owner.extensions, name) if isinstance(value, dict)]
            if found:
                return [value if "coding" in value or "text" in value else {"coding": [value]} for value in found]
    return []


def _component(item: Item, answer: Json) -> Json:
    return {"code": {"coding": codes_of(item)}, **_value(item, answer)}


def _value(item: Item, answer: Json) -> Json:
    """Observation.value[x] of an answer; a reason for no value as dataAbsentReason."""
    kind, value = typed(own_words(answer))
    if kind == "valueCoding":
        return {"valueCodeableConcept": {"coding": [value]}}
    if kind == "valueDecimal":
        return {"valueQuantity": {"value": value, **default_unit(item)}}
    if kind == "valueInteger" and default_unit(item):
        return {"valueQuantity": {"value": Decimal(value), **default_unit(item)}}
    if kind in KEYS:
        return {KEYS[kind]: value}
    return _absent(answer)


def _absent(answer: Json) -> Json:
    code = absent_reason(answer)
    system = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
    return {"dataAbsentReason": {"coding": [{"system": system, "code": code or "unknown"}]}}
