"""Modular forms: where what the head of a module says goes (SDC, modular forms, step 5)."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import FormRefused
from tests.questionnaire.extracting import CORE, definition, value_at
from tests.questionnaire.make import HL7, SDC, group, hl7, q, raw_form, sdc, variable
from tests.questionnaire.test_assembling import include, launch, module, put_together

LIBRARY = HL7 + "cqf-library"


def names(element: dict[str, Any]) -> list[str]:
    listed = (str(e["url"]).rpartition("/")[2].removeprefix("sdc-questionnaire-") for e in element.get("extension", []))
    return [name for name in listed if name not in ("assembledFrom", "subQuestionnaire")]


def template(name: str) -> dict[str, Any]:
    return {"url": SDC + name, "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]}


@pytest.mark.parametrize(
    "extension",
    [
        variable("v", "1"),
        sdc("itemPopulationContext", "%patient.name"),
        hl7("targetConstraint", extension=[{"url": "key", "valueId": "k"}]),
        {"url": SDC + "itemExtractionContext", "valueCode": "Patient"},
        definition(CORE + "Patient"),
        value_at("Patient.active", valueBoolean=True),
        template("templateExtract"),
        {"url": SDC + "templateExtractBundle", "valueReference": {"reference": "#t"}},
        {"url": SDC + "templateExtractContext", "valueString": "item"},
        {"url": SDC + "extractAllocateId", "valueString": "new"},
    ],
    ids=lambda one: one["url"].rpartition("/")[2],
)
def test_what_is_about_a_modules_questions_goes_where_they_go(extension: dict[str, Any]) -> None:
    part = module("m", q("b"), extension=[extension])
    inside = put_together(raw_form(group("g", include("m"))), part)
    assert (inside["item"][0]["extension"], names(inside)) == ([extension], [])
    assert extension in put_together(raw_form(include("m")), part)["extension"]


@pytest.mark.parametrize(
    ("extension", "stays"),
    [
        ({"url": SDC + "observationExtract", "valueBoolean": True}, True),
        ({"url": SDC + "observationLinkPeriod", "valueDuration": {"value": 1, "code": "a"}}, True),
        ({"url": SDC + "sourceQueries", "valueReference": {"reference": "#q"}}, True),
        ({"url": LIBRARY, "valueCanonical": "urn:library"}, True),
        ({"url": SDC + "targetStructureMap", "valueCanonical": "urn:map"}, True),
        (launch("patient"), True),
        ({"url": "https://vendor.example/mapper", "valueString": "m"}, True),
        ({"url": SDC + "entryMode", "valueCode": "random"}, False),
        ({"url": SDC + "endpoint", "valueUri": "https://example.org"}, False),
        (hl7("designNote", valueMarkdown="of the module"), False),
        ({"url": SDC + "assemble-expectation", "valueCode": "assemble-child"}, False),
    ],
    ids=lambda one: one["url"].rpartition("/")[2] if isinstance(one, dict) else "",
)
def test_what_is_about_the_whole_form_goes_to_its_head_and_the_rest_stays_behind(
    extension: dict[str, Any], stays: bool
) -> None:
    made = put_together(raw_form(group("g", include("m"))), module("m", q("b"), extension=[extension]))
    assert (extension in made["extension"], names(made["item"][0])) == (stays, [])
    assert len(names(made)) == int(stays)


def test_a_library_counts_once_whatever_version_is_named() -> None:
    def library(canonical: str) -> list[dict[str, Any]]:
        return [{"url": LIBRARY, "valueCanonical": canonical}]

    whole = raw_form(include("m"), include("n"), extension=library("urn:a|1"))
    made = put_together(whole, module("m", q("b"), extension=library("urn:a")), module("n", extension=library("urn:b")))
    assert [e["valueCanonical"] for e in made["extension"] if e["url"] == LIBRARY] == ["urn:a|1", "urn:b"]


@pytest.mark.parametrize("parts", [0, 1])
def test_an_assembled_form_is_modular_no_more(parts: int) -> None:
    items = [include("m")] if parts else [q("a")]
    made = put_together(
        raw_form(*items, extension=[{"url": SDC + "is-modular", "valueBoolean": True}]), module("m", q("b"))
    )
    assert names(made) == ([] if parts else ["is-modular"])


@pytest.mark.parametrize(("form", "part", "made"), [("", "en", False), ("en", "", True), ("en", "en", True)])
def test_a_module_that_says_its_language_is_in_that_of_the_form(form: str, part: str, made: bool) -> None:
    whole, inner = raw_form(include("m"), language=form), module("m", q("b"), language=part)
    if made:
        assert put_together(whole, inner)["item"][0]["linkId"] == "b"
    else:
        with pytest.raises(FormRefused):
            put_together(whole, inner)


def test_a_contained_resource_without_an_id_is_not_taken_along() -> None:
    part = module("m", q("b"), contained=[{"resourceType": "ValueSet"}, {"resourceType": "ValueSet", "id": "v"}])
    assert put_together(raw_form(include("m")), part)["contained"] == [{"resourceType": "ValueSet", "id": "v"}]
