"""Extraction by templates (SDC 4), and by a map, which is not done."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import load
from portal.questionnaire.extract_template import PATCH
from tests.questionnaire.extracting import NAMES, SDC, a, bundle, g, text
from tests.questionnaire.make import fhirpath, group, q, raw_form


def test_a_template_at_a_question_that_repeats_is_filled_for_each_answer_with_ids_of_its_own() -> None:
    value = {"extension": [{"url": SDC + "templateExtractValue", "valueString": "answer.value * 100"}]}
    note = {"extension": [{"url": SDC + "templateExtractValue", "valueString": "%context.answer.value"}]}
    template = {
        "resourceType": "Observation",
        "id": "t",
        "status": "final",
        "valueQuantity": {"_value": value, "unit": "cm"},
        "focus": [{"_reference": {"extension": [{"url": SDC + "templateExtractValue", "valueString": "%new"}]}}],
        "note": [{"_text": note}],
    }
    heights = q(
        "heights",
        "decimal",
        repeats=True,
        ext=[
            {"url": SDC + "templateExtract", "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]},
            {"url": SDC + "extractAllocateId", "valueString": "new"},
        ],
    )
    entries, troubles = bundle(
        raw_form(heights, contained=[template]), a("heights", {"valueDecimal": 1}, {"valueDecimal": 2})
    )
    assert troubles == []
    assert [entry["resource"]["valueQuantity"]["value"] for entry in entries] == [100, 200]
    assert [entry["resource"]["note"][0]["text"] for entry in entries] == ["1", "2"]
    references = [entry["resource"]["focus"][0]["reference"] for entry in entries]
    assert len(set(references)) == 2
    assert all(reference.startswith("urn:uuid:") for reference in references)


def test_a_template_takes_contexts_lists_and_leaves_out_what_has_no_answer() -> None:
    def from_(expression: str, name: str = "templateExtractValue") -> dict[str, Any]:
        return {"url": SDC + name, "valueString": expression}

    template = {
        "resourceType": "Patient",
        "id": "t",
        "name": [
            {
                "extension": [from_("item.where(linkId = 'names')", "templateExtractContext")],
                "_family": {"extension": [from_("item.where(linkId = 'family').answer.value.first()")]},
                "given": ["dummy"],
                "_given": [{"extension": [from_("item.where(linkId = 'given').answer.value")]}],
                "use": "official",
            }
        ],
        "telecom": [
            {
                "extension": [
                    from_("item.where(linkId = 'phone').answer.value", "templateExtractContext"),
                    {"url": "https://example.org/kept", "valueBoolean": True},
                ],
                "system": "phone",
                "_value": {"extension": [from_("$this")]},
            }
        ],
        "gender": "unknown",
        "_gender": {"extension": [from_("item.where(linkId = 'gender').answer.value.code")]},
    }
    begun = {"url": SDC + "templateExtract", "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]}
    form = raw_form(NAMES, q("phone"), q("gender", "choice"), contained=[template], extension=[begun])
    entries, troubles = bundle(
        form,
        g("names", a("family", text("King")), a("given", text("Ada"), text("Augusta"))),
        g("names", a("given", text("A"))),
        a("phone", text("0123")),
    )
    assert troubles == []
    assert entries[0]["resource"] == {
        "resourceType": "Patient",
        "name": [
            {"family": "King", "given": ["Ada", "Augusta"], "use": "official"},
            {"given": ["A"], "use": "official"},
        ],
        "telecom": [
            {
                "extension": [{"url": "https://example.org/kept", "valueBoolean": True}],
                "system": "phone",
                "value": "0123",
            }
        ],
    }


def test_a_map_for_extraction_is_named_and_not_passed_over() -> None:
    mapped = {"url": SDC + "targetStructureMap", "valueCanonical": "https://example.org/map"}
    _, troubles = bundle(raw_form(q("a"), extension=[mapped]), a("a", text("x")))
    assert troubles == [": extraction by a StructureMap is not done here"]
    reasons = {one.feature: one.reason for one in load(raw_form(q("a"), extension=[mapped])).features.not_honoured}
    assert reasons == {"targetStructureMap": "extraction by a StructureMap is not done here"}


def test_several_values_for_an_element_that_holds_one_are_told() -> None:
    """In a plain element, in one with parts, and in one whose context finds several."""
    said = {"extension": [{"url": f"{SDC}templateExtractValue", "valueString": "item.answer.value"}]}
    each = {"url": f"{SDC}templateExtractContext", "valueString": "item.answer"}
    for field in (
        {"_valueString": said},
        {"valueQuantity": said},
        {"valueRange": {"extension": [each], "low": {"value": 1}}},
    ):
        template = {"resourceType": "Observation", "id": "t", "status": "final", **field}
        extension = {
            "url": f"{SDC}templateExtract",
            "extension": [{"url": "template", "valueReference": {"reference": "#t"}}],
        }
        made = raw_form(group("g", q("x", repeats=True), ext=[extension]), contained=[template])
        for several in (("1",), ("1", "1"), ("1", "2")):
            entries, troubles = bundle(made, g("g", a("x", *map(text, several))))
            assert len(entries) == 1
            assert bool(troubles) is (len(set(several)) > 1 and "valueRange" not in field)


def instruction(name: str, expression: str, called: str = "") -> dict[str, Any]:
    """An instruction of a template: as text, or as an Expression with a name."""
    said = {"valueExpression": {**fhirpath(expression), "name": called}} if called else {"valueString": expression}
    return {"extension": [{"url": f"{SDC}templateExtract{name}", **said}]}


@pytest.mark.parametrize(
    ("outside", "inside", "said"),
    [
        ([], instruction("Context", "item.where(linkId = 'part')", "part"), "%part.item.answer.value"),
        ([], instruction("Context", "item.where(linkId = 'part')", "part"), "item.answer.value"),
        (instruction("Context", "item", "part")["extension"], {}, "%part.item.answer.value"),
        (instruction("Context", "item.item", "part")["extension"], {}, "answer.value"),
        ([], instruction("Context", "item.item.answer", "part"), "value"),
    ],
)
def test_a_context_may_have_a_name_and_stand_on_the_form(outside: list[Any], inside: dict[str, Any], said: str) -> None:
    for value in (instruction("Value", said), instruction("Value", said, "unused")):
        template = {"resourceType": "Patient", "id": "t", "name": [{**inside, "_family": value}]}
        begins = {
            "url": SDC + "templateExtract",
            "extension": [{"url": "template", "valueReference": {"reference": "#t"}}],
        }
        made = raw_form(group("part", q("name")), contained=[template], extension=[*outside, begins])
        [entry], troubles = bundle(made, g("part", a("name", text("Ann"))))
        assert (entry["resource"].get("name"), troubles) == ([{"family": "Ann"}], [])


@pytest.mark.parametrize(
    "address",
    [
        [{"url": PATCH, "valueString": "'Condition/' + item.where(linkId = 'id').answer.value"}],
        [
            {"url": "resourceId", "valueString": "item.where(linkId = 'id').answer.value"},
            {"url": "type", "valueCode": "Condition"},
        ],
    ],
    ids=["address", "type"],
)
def test_parameters_may_patch_what_is_in_the_record(address: list[dict[str, Any]]) -> None:
    def operation(kind: str, link_id: str) -> dict[str, Any]:
        value = {
            "name": "value",
            "_valueString": instruction("Value", f"item.where(linkId = '{link_id}').answer.value"),
        }
        return {"name": "operation", "part": [{"name": "type", "valueCode": kind}, value]}

    template = {
        "resourceType": "Parameters",
        "id": "t",
        "parameter": [operation("replace", "a"), operation("add", "b")],
    }
    template_of = {"url": "template", "valueReference": {"reference": "#t"}}
    begins = {"url": SDC + "templateExtract", "extension": [template_of, *address]}
    asked = group("c", *(q(name) for name in ("id", "a", "b")), repeats=True, ext=[begins])
    made = raw_form(asked, contained=[template])
    full, one = [a("id", text("1")), a("a", text("x")), a("b", text("y"))], [a("id", text("2")), a("b", text("z"))]
    entries, troubles = bundle(
        made, *(g("c", *given) for given in (full, one, [a("id", text("3"))], [a("a", text("x"))]))
    )
    requests = [(entry["request"]["method"], entry["request"]["url"]) for entry in entries]
    assert requests == [("PATCH", "Condition/1"), ("PATCH", "Condition/2")]
    assert [len(entry["resource"]["parameter"]) for entry in entries] == [2, 1]
    assert all("id" not in entry["resource"] for entry in entries)
    assert troubles == ["c: nothing says what is to be changed"]
