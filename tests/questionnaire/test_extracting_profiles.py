"""Extraction by definitions as a profile has it: which type a value takes, what its extensions are called, what joins."""

from __future__ import annotations

from typing import Any

import pytest

from portal.fhirpath.model import r4
from tests.questionnaire.extracting import CORE, a, at, bundle, definition, g, text
from tests.questionnaire.make import SDC, group, option, q, raw_form

PROFILE, OUTER, INNER = (f"https://example.org/StructureDefinition/{name}" for name in ("ours", "outer", "inner"))
YES = {"valueCoding": option("yes")["valueCoding"]}
CONCEPT = {"coding": [YES["valueCoding"]]}


def element(path: str, *types: str, profile: str = "", **said: Any) -> dict[str, Any]:
    named = [{"code": code, **({"profile": [profile]} if profile else {})} for code in types]
    return {"id": path, "path": path, **({"type": named} if named else {}), **said}


def known(*elements: dict[str, Any], url: str = PROFILE, kind: str = "Observation") -> dict[str, dict[str, Any]]:
    return {
        url: {"resourceType": "StructureDefinition", "url": url, "type": kind, "differential": {"element": [*elements]}}
    }


NESTED = "Observation.extension:outer.extension:inner"
REFERRED = {
    **known(element("Observation.extension:outer", "Extension", profile=OUTER)),
    **known(element("Extension.extension:inner", "Extension", profile=INNER), url=OUTER, kind="Extension"),
    **known(element("Extension.value[x]", "CodeableConcept"), url=INNER, kind="Extension"),
}


def observed(path: str, answer: dict[str, Any], kind: str, registry: dict[str, Any]) -> tuple[Any, list[str]]:
    asked = q("x", kind, definition=f"{PROFILE}#Observation.{path}", answerOption=[option("yes")])
    status = q("s", definition=at("Observation.status"))
    made = raw_form(asked, status, extension=[definition(PROFILE)])
    [entry], troubles = bundle(made, a("x", answer), a("s", text("final")), registry=registry)
    return {k: v for k, v in entry["resource"].items() if k not in ("resourceType", "status", "meta")}, troubles


@pytest.mark.parametrize(
    ("path", "elements", "expected"),
    [
        ("extension:e.value[x]", [element("extension:e.value[x]", "CodeableConcept")], "valueCodeableConcept"),
        ("extension:e.value[x]", [element("extension:e.value[x]", "code")], "valueCode"),
        ("extension:e.value[x]", [element("extension:e.value[x]", "Coding", "CodeableConcept")], "valueCoding"),
        ("extension:e.value", [element("extension:e.value[x]", "CodeableConcept")], "valueCodeableConcept"),
        ("extension:e", [element("extension:e.value[x]", "CodeableConcept")], "valueCodeableConcept"),
        ("extension:e", [], "valueCoding"),
    ],
)
def test_a_value_takes_the_type_its_profile_leaves(path: str, elements: list[dict[str, Any]], expected: str) -> None:
    for one in elements:
        one["id"] = f"Observation.{one['id']}"
    url = element("Observation.extension:e.url", fixedUri="urn:e")
    made, troubles = observed(path, YES, "choice", known(url, *(dict(one) for one in elements)))
    held = {"valueCodeableConcept": CONCEPT, "valueCode": "yes", "valueCoding": YES["valueCoding"]}[expected]
    assert (made, troubles) == ({"extension": [{"url": "urn:e", expected: held}]}, [])


def test_a_slice_of_a_choice_is_the_type_that_the_profile_gives_it() -> None:
    registry = known(element("Observation.value[x]:amount", "Quantity"))
    made, troubles = observed("value[x]:amount", {"valueQuantity": {"value": 5}}, "quantity", registry)
    assert (made, troubles) == ({"valueQuantity": {"value": 5}}, [])


@pytest.mark.parametrize("path", ["value[x]", "valueQuantity"])
def test_what_the_element_cannot_become_is_told(path: str) -> None:
    made, [said] = observed(path, YES, "choice", known(element("Observation.value[x]", "Quantity")))
    assert (made, said[:2]) == ({}, "x:")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_nested_slices_are_called_as_the_profiles_they_name_say(depth: int) -> None:
    asked, answered = q("x", "choice", definition=f"{PROFILE}#{NESTED}.value[x]"), a("x", YES)
    for name in [NESTED, "Observation.extension:outer"][:depth]:
        asked, answered = group(name, asked, definition=f"{PROFILE}#{name}"), g(name, answered)
    made = raw_form(asked, extension=[definition(PROFILE)])
    [entry], troubles = bundle(made, answered, registry=REFERRED)
    inner = {"url": INNER, "valueCodeableConcept": CONCEPT}
    assert (entry["resource"]["extension"], troubles) == ([{"url": OUTER, "extension": [inner]}], [])


def test_what_is_fixed_joins_the_part_of_it_that_was_answered() -> None:
    fixed = element("Observation.component:p.code", patternCodeableConcept={"coding": [{"code": "p"}]})
    made, _ = observed("component:p.code.text", text("Words"), "string", known(fixed))
    assert made == {"component": [{"code": {"text": "Words", "coding": [{"code": "p"}]}}]}


def test_an_extension_that_says_nothing_is_left_out() -> None:
    away = q("x", definition=f"{PROFILE}#Observation.status")
    made = raw_form(group("e", away, definition=f"{PROFILE}#Observation.extension:e"), extension=[definition(PROFILE)])
    registry = known(element("Observation.extension:e.url", fixedUri="urn:e"))
    [entry], _ = bundle(made, g("e", a("x", text("final"))), registry=registry)
    assert "extension" not in entry["resource"]


@pytest.mark.parametrize("of", ["Resource", "DomainResource", "Patient"])
def test_the_id_of_every_resource_is_the_id_of_this_one(of: str) -> None:
    items = [q("x", definition=f"{CORE}{of}#{of}.id"), q("y", definition=at("Patient.gender"))]
    made = raw_form(*items, extension=[definition(f"{CORE}Patient")])
    [entry], _ = bundle(made, a("x", text("7")), a("y", text("male")))
    assert entry["request"] == {"method": "PUT", "url": "Patient/7"}


def test_an_extraction_context_may_be_a_canonical() -> None:
    asked = q("x", definition=at("Patient.gender"))
    made = raw_form(asked, extension=[{"url": f"{SDC}itemExtractionContext", "valueCanonical": f"{CORE}Patient"}])
    [entry], troubles = bundle(made, a("x", text("male")))
    assert (entry["resource"], troubles) == ({"resourceType": "Patient", "gender": "male"}, [])


def test_every_element_may_have_an_id_and_extensions() -> None:
    for kind in ("Extension", "HumanName", "Patient.contact", "Age", "Observation.component"):
        found = r4().type(kind)
        assert found is not None
        assert found.elements.keys() >= {"id", "extension"}, kind


@pytest.mark.parametrize(("answer", "held"), [({"valueInteger": 2}, "PositiveInt"), ({"valueString": "two"}, "String")])
def test_a_number_of_times_is_a_positive_number_or_a_text(answer: dict[str, Any], held: str) -> None:
    [(kind, value)] = answer.items()
    asked = q("x", kind.removeprefix("value").lower(), definition=at("Immunization.protocolApplied.doseNumber[x]"))
    [entry], troubles = bundle(raw_form(asked, extension=[definition(f"{CORE}Immunization")]), a("x", answer))
    assert (entry["resource"]["protocolApplied"], troubles) == ([{f"doseNumber{held}": value}], [])


@pytest.mark.parametrize("choice", ["value[x]", "value[x]:valueQuantity", "valueQuantity"])
def test_what_is_fixed_inside_a_choice_of_types_joins_the_answer(choice: str) -> None:
    fixed = element(f"Observation.{choice}.code", fixedCode="mm[Hg]")
    made, _ = observed("value[x]", {"valueQuantity": {"value": 120}}, "quantity", known(fixed))
    assert made == {"valueQuantity": {"value": 120, "code": "mm[Hg]"}}
    for answer, kind, held in ((text("high"), "string", "valueString"), (YES, "choice", "valueCodeableConcept")):
        made, _ = observed("value[x]", answer, kind, known(fixed))
        assert made == {held: CONCEPT if kind == "choice" else "high"}


VITAL = {"coding": [{"system": "urn:kinds", "code": "vital"}]}
CODING = [element("category:kind.coding", min=1), element("category:kind.coding.system", fixedUri="urn:kinds", min=1)]


def of_observation(*elements: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return known(*({**one, **{key: f"Observation.{one[key]}" for key in ("id", "path")}} for one in elements))


@pytest.mark.parametrize(
    ("elements", "made"),
    [
        ([element("code.coding", min=1), element("code.coding.code", fixedCode="c"), element("code", min=1)], "code"),
        ([element("code.coding", min=1), element("code.coding.code", fixedCode="c"), element("code", min=0)], ""),
        ([element("code.coding.code", fixedCode="c"), element("code", min=1)], ""),
        ([element("category:kind", min=1, patternCodeableConcept=VITAL)], "category"),
        ([element("category:kind", min=0, patternCodeableConcept=VITAL)], ""),
        (
            [element("category:kind", min=1), *CODING, element("category:kind.coding.code", fixedCode="vital")],
            "category",
        ),
        ([element("value[x]", min=1), element("value[x].code", fixedCode="mg")], ""),
    ],
)
def test_what_is_fixed_in_a_part_that_the_profile_wants_is_there_unasked(
    elements: list[dict[str, Any]], made: str
) -> None:
    found, troubles = observed("method", YES, "choice", of_observation(*elements))
    expected = {"code": {"coding": [{"code": "c"}]}, "category": [VITAL]}
    assert (found, troubles) == ({"method": CONCEPT, **({made: expected[made]} if made else {})}, [])


def test_a_part_that_was_said_otherwise_is_not_said_again() -> None:
    wanted = of_observation(
        element("category:kind", min=1), *CODING, element("category:kind.coding.code", fixedCode="x")
    )
    found, _ = observed("category:kind.coding.code", text("mine"), "string", wanted)
    assert found == {"category": [{"coding": [{"code": "mine", "system": "urn:kinds"}]}]}
