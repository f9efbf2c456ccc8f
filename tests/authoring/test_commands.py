"""The commands as an author meets them: what is said, on which stream, with which exit code."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.authoring.forms import (
    COLOURS,
    FORM,
    LIST,
    PATIENT,
    SDC,
    URL,
    bundle,
    context,
    observation,
    parameters,
    response,
)
from tests.authoring.running import Desk, portal, questionnaire

NAME = {"valueString": "Ní Bhroin"}
RECORDS = bundle(
    observation("old", "p1", Decimal("70.50"), "2024-01-01"),
    observation("new", "p1", Decimal("71.10"), "2026-01-01T10:00:00Z"),
    observation("other", "p2", Decimal("99.9"), "2026-06-01"),
)


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in FORM.items() if k != key}


def test_check_says_of_each_form_whether_it_can_be_used(here: Desk) -> None:
    good, bad = (
        here.put("good.json", FORM),
        here.put("bad.json", {**FORM, "item": [{"linkId": "a", "type": "nonsense"}]}),
    )
    ran = questionnaire("check", good, here.put("colours.json", COLOURS), bad)
    assert ran.code == 1
    assert [(line["status"], line["file"], line["url"], line["version"], line["items"]) for line in ran.lines] == [
        ("ok", str(good), URL, "2", 5),
        ("refused", str(bad), URL, "2", 1),
    ]
    assert ran.lines[0]["pages"] == 1
    assert ran.lines[0]["not_honoured"] == []
    assert ran.lines[0]["features"]["calculatedExpression"] == 1
    assert ran.lines[1]["reasons"][0]["linkId"] == "a"


def test_a_value_set_that_was_not_given_is_named_as_not_honoured(here: Desk) -> None:
    ran = questionnaire("check", here.put("form.json", FORM))
    assert ran.code == 0
    assert [(missed["linkId"], LIST in missed["reason"]) for missed in ran.lines[0]["not_honoured"]] == [
        ("colour", True)
    ]


def test_a_folder_is_checked_and_what_cannot_be_read_in_it_is_said(here: Desk) -> None:
    here.put("a/form.json", FORM)
    here.put("a/b/colours.json", COLOURS)
    here.put("a/notes.json", "{not json")
    ran = questionnaire("check", here.folder)
    assert ran.code == 2
    assert [line["status"] for line in ran.lines] == ["ok", "refused"]
    assert (ran.lines[0]["not_honoured"], ran.lines[1]["reasons"][0]["code"]) == ([], "unreadable")
    assert "notes.json cannot be read" in ran.err


def test_what_is_no_form_is_refused(here: Desk) -> None:
    ran = questionnaire("check", here.put("patient.json", PATIENT))
    assert (ran.code, ran.lines[0]["reasons"][0]["code"]) == (1, "not-a-form")


def test_validate_finds_nothing_in_a_response_that_is_right(form: Path, here: Desk) -> None:
    answers = response(
        name=NAME,
        kg={"valueDecimal": Decimal("71.10")},
        mood={"valueCoding": {"system": "urn:x", "code": "low", "display": "Low"}},
        colour={"valueCoding": {"system": "urn:c", "code": "red"}},
    )
    ran = questionnaire("validate", form, here.put("response.json", answers))
    assert (ran.code, ran.errors) == (0, [])


@pytest.mark.parametrize(
    ("answers", "code", "kind", "place"),
    [
        ({}, "required", "required", None),
        ({"name": {"valueInteger": 5}}, "structure", "type", "QuestionnaireResponse.item[0].answer[0]"),
        (
            {"name": NAME, "colour": {"valueCoding": {"system": "urn:c", "code": "blue"}}},
            "code-invalid",
            "option",
            "QuestionnaireResponse.item[1].answer[0]",
        ),
        ({"name": NAME, "nobody": NAME}, "structure", "unknown-question", "QuestionnaireResponse.item[1]"),
        ({"kg": {"valueDecimal": 5}, "name": NAME}, "structure", "order", "QuestionnaireResponse.item[1]"),
    ],
)
def test_validate_names_the_place_and_the_kind_of_what_is_wrong(
    form: Path, here: Desk, answers: dict[str, Any], code: str, kind: str, place: str | None
) -> None:
    given = response(**answers)
    given = given if answers else {k: v for k, v in given.items() if k != "item"}
    ran = questionnaire("validate", form, here.put("response.json", given))
    found = [(i["code"], i["details"]["coding"][0]["code"], i.get("expression", [None])[0]) for i in ran.errors]
    assert ran.code == 1
    assert (code, kind) in [one[:2] for one in found]
    assert place is None or (code, kind, place) in found


def test_validate_knows_the_elements_of_fhir_too(form: Path, here: Desk) -> None:
    given = {**response(name=NAME), "colour": "green", "author": []}
    ran = questionnaire("validate", form, here.put("response.json", given))
    places = {issue["expression"][0] for issue in ran.errors}
    assert places == {"QuestionnaireResponse.colour", "QuestionnaireResponse.author"}


def test_a_form_that_is_refused_is_an_outcome_with_the_reason(here: Desk) -> None:
    twice = {**FORM, "item": [{"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string"}]}
    ran = questionnaire("validate", here.put("form.json", twice), here.put("response.json", response()))
    assert ran.code == 1
    assert "que-2" in ran.errors[0]["details"]["text"]


def test_populate_reads_parameters_and_answers_queries_from_the_records_given(form: Path, here: Desk) -> None:
    asked = here.put(
        "parameters.json", parameters(context("patient", PATIENT), {"name": "local", "valueBoolean": True})
    )
    ran = questionnaire("populate", form, asked, "--data", here.put("records.json", RECORDS))
    assert (ran.code, ran.err) == (0, "")
    assert {item["linkId"]: item["answer"][0] for item in ran.json["item"]} == {
        "name": NAME,
        "kg": {"valueDecimal": Decimal("71.10")},
        "double": {"valueDecimal": Decimal("142.20")},
    }
    assert ran.json["questionnaire"] == f"{URL}|2"
    assert ran.json["subject"] == {"reference": "Patient/p1"}
    assert "71.10" in ran.out, "decimals stay digit for digit"


def test_populate_answers_queries_from_the_data_that_come_with_the_parameters(form: Path, here: Desk) -> None:
    asked = here.put("p.json", parameters(context("patient", PATIENT), {"name": "data", "resource": RECORDS}))
    ran = questionnaire("populate", form, asked)
    assert (ran.code, [item["linkId"] for item in ran.json["item"]]) == (0, ["name", "kg", "double"])


def test_populate_says_what_it_could_not_look_up(form: Path, here: Desk) -> None:
    ran = questionnaire("populate", form, "--context", f"patient={here.put('patient.json', PATIENT)}")
    assert ran.code == 1
    assert [item["linkId"] for item in ran.json["item"]] == ["name"]
    assert "Observation?code=29463-7&patient=p1&_sort=-date: the records given do not answer this" in ran.err


def test_populate_notes_where_answers_come_from_when_asked(form: Path, here: Desk) -> None:
    patient = here.put("patient.json", PATIENT)
    ran = questionnaire("populate", form, "--context", patient, "--data", here.put("r.json", RECORDS), "--origins")
    assert "prefilled-from" in ran.out


def test_populate_follows_the_subject_to_the_records(form: Path, here: Desk) -> None:
    asked = here.put(
        "p.json", parameters({"name": "subject", "valueReference": {"reference": "Patient/p1", "display": "N"}})
    )
    ran = questionnaire(
        "populate",
        form,
        asked,
        "--data",
        here.put("r.json", bundle(PATIENT, *[e["resource"] for e in RECORDS["entry"]])),
    )
    assert ran.json["item"][0]["answer"] == [NAME]
    assert ran.json["subject"] == {"reference": "Patient/p1", "display": "N"}


def test_parameters_may_bring_the_form_itself(here: Desk) -> None:
    asked = here.put(
        "p.json", parameters({"name": "questionnaire", "resource": without("extension")}, context("patient", PATIENT))
    )
    assert questionnaire("populate", asked).json["item"][0]["answer"] == [NAME]


def test_extract_gives_the_same_identities_when_a_response_is_amended(form: Path, here: Desk) -> None:
    first, second = (
        questionnaire("extract", form, here.put("r.json", response(name=NAME, kg={"valueDecimal": Decimal(kg)})))
        for kg in ("71.10", "72.0")
    )
    (one,), (other,) = first.json["entry"], second.json["entry"]
    assert (first.code, first.json["type"]) == (0, "transaction")
    assert one["fullUrl"] == other["fullUrl"]
    assert one["request"] == other["request"]
    assert (one["resource"]["valueQuantity"]["value"], other["resource"]["valueQuantity"]["value"]) == (
        Decimal("71.10"), Decimal("72.0"),
    )  # fmt: skip
    named = questionnaire(
        "extract", form, here.put("r.json", response(kg={"valueDecimal": 1})), "--identity", "another"
    )
    assert named.json["entry"][0]["fullUrl"] != one["fullUrl"]


def of_a_child(record: list[dict[str, Any]]) -> dict[str, Any]:
    items = [{"linkId": "who", "answer": record}] if record else []
    return {
        **response(name=NAME),
        "item": [{"linkId": "child", "item": [*items, {"linkId": "kg", "answer": [{"valueDecimal": 9}]}]}],
    }


def test_what_is_said_of_another_person_is_never_extracted_as_the_patients(here: Desk) -> None:
    who = {"linkId": "who", "type": "reference", "extension": [{"url": f"{SDC}isSubject", "valueBoolean": True}]}
    kg = {key: value for key, value in FORM["item"][1].items() if key != "extension"}
    kg["extension"] = FORM["item"][1]["extension"][:1]
    form = here.put(
        "form.json", {**without("extension"), "item": [{"linkId": "child", "type": "group", "item": [who, kg]}]}
    )
    named = questionnaire(
        "extract", form, here.put("r.json", of_a_child([{"valueReference": {"reference": "Patient/c"}}]))
    )
    assert [entry["resource"]["subject"] for entry in named.json["entry"]] == [{"reference": "Patient/c"}]
    unnamed = questionnaire("extract", form, here.put("r.json", of_a_child([])))
    assert (unnamed.code, unnamed.json.get("entry")) == (1, None)
    assert "does not name" in unnamed.err


@pytest.mark.parametrize("how", ["definition", "template"])
def test_a_resource_made_of_what_is_said_of_another_never_names_the_patient(here: Desk, how: str) -> None:
    condition = "http://hl7.org/fhir/StructureDefinition/Condition"
    subject = {"url": f"{SDC}definitionExtractValue", "extension": [
        {"url": "definition", "valueUri": f"{condition}#Condition.subject"},
        {"url": "expression", "valueExpression": {"language": "text/fhirpath", "expression": "%resource.subject"}},
    ]}  # fmt: skip
    template = {"resourceType": "Condition", "id": "t", "subject": {"extension": [
        {"url": f"{SDC}templateExtractValue", "valueString": "%resource.subject"}]}}  # fmt: skip
    begun = {
        "definition": [{"url": f"{SDC}definitionExtract", "extension": [
            {"url": "definition", "valueCanonical": condition}]}, subject],
        "template": [{"url": f"{SDC}templateExtract", "extension": [
            {"url": "template", "valueReference": {"reference": "#t"}}]}],
    }[how]  # fmt: skip
    who = {"linkId": "who", "type": "reference", "extension": [{"url": f"{SDC}isSubject", "valueBoolean": True}]}
    said = {"linkId": "kg", "type": "decimal"}
    child = {"linkId": "child", "type": "group", "extension": begun, "item": [who, said]}
    form = here.put("form.json", {**without("extension"), "contained": [template], "item": [child]})
    named = questionnaire(
        "extract", form, here.put("r.json", of_a_child([{"valueReference": {"reference": "Patient/c"}}]))
    )
    assert [entry["resource"]["subject"] for entry in named.json["entry"]] == [{"reference": "Patient/c"}]
    unnamed = questionnaire("extract", form, here.put("r.json", of_a_child([])))
    assert (unnamed.code, unnamed.json.get("entry")) == (1, None)
    assert "does not name" in unnamed.err


def test_answers_without_a_place_in_the_form_are_told(form: Path, here: Desk) -> None:
    answers = here.put("r.json", response(name=NAME, nobody=NAME))
    for verb in ("extract", "score"):
        ran = questionnaire(verb, form, answers)
        assert (ran.code, "nobody" in ran.err) == (1, True)


def test_score_gives_weights_their_sum_and_what_is_calculated(form: Path, here: Desk) -> None:
    answers = response(kg={"valueDecimal": Decimal("71.10")}, mood={"valueCoding": {"system": "urn:x", "code": "low"}})
    ran = questionnaire("score", form, here.put("r.json", answers))
    assert (ran.code, ran.json["total"]) == (0, 3)
    assert ran.json["answers"] == [{"linkId": "mood", "text": "Mood", "value": 3}]
    assert ran.json["calculated"] == [
        {"linkId": "double", "text": "Twice", "answer": [{"valueDecimal": Decimal("142.20")}]}
    ]


def module(name: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "status": "active",
        "url": f"https://example.org/{name}",
        "item": list(items),
    }


def including(link_id: str, name: str) -> dict[str, Any]:
    extension = {"url": f"{SDC}subQuestionnaire", "valueCanonical": f"https://example.org/{name}"}
    return {"linkId": link_id, "type": "display", "text": name, "extension": [extension]}


def test_assemble_finds_the_whole_and_its_modules_in_a_folder(here: Desk) -> None:
    here.put("whole.json", module("whole", including("m", "part")))
    here.put("part.json", module("part", {"linkId": "a", "type": "string"}))
    ran = questionnaire("assemble", here.folder)
    assert ran.code == 0
    assert [item["linkId"] for item in ran.json["item"]] == ["a"]
    assert ran.json["url"] == "https://example.org/whole"


def test_assemble_names_the_module_that_lacks(here: Desk) -> None:
    ran = questionnaire("assemble", here.put("whole.json", module("whole", including("m", "part"))))
    assert (ran.code, "https://example.org/part" in ran.errors[0]["details"]["text"]) == (1, True)
    checked = questionnaire("check", here.folder / "whole.json")
    assert "subQuestionnaire" in [missed["feature"] for missed in checked.lines[0]["not_honoured"]]


def test_among_several_forms_the_one_the_response_names_is_taken(form: Path, here: Desk) -> None:
    other = here.put("other.json", {**module("other", {"linkId": "z", "type": "string"}), "id": "other"})
    answers = here.put("r.json", response(name=NAME))
    assert questionnaire("validate", form, other, answers).code == 0
    assert questionnaire("validate", form, other, answers, "--form", "other").code == 1
    unsure = questionnaire("populate", form, other, here.put("p.json", parameters()))
    assert (unsure.code, unsure.json["issue"][0]["severity"]) == (2, "fatal")
    assert "--form" in unsure.err


def test_a_response_may_carry_its_form_in_itself(here: Desk) -> None:
    inside = {**without("extension"), "id": "f"}
    given = {**response(name=NAME), "questionnaire": "#f", "contained": [inside]}
    assert questionnaire("validate", here.put("r.json", given)).errors == []


def test_fhirpath_writes_values_as_fhir_does(here: Desk) -> None:
    file = here.put("patient.json", {**PATIENT, "birthDate": "1974-12"})
    asked = "-1 | 1.10 | birthDate | @T14:30 | 4 days | 5 'kg' | %a.id | %b | today() | 'x' | (1 = 1)"
    other = here.put("a.json", {"id": "from a file"})
    ran = portal("fhirpath", asked, file, "--r4", "--env", f"a={other}", "--env", "b=2.50", "--now", "2026-03-27")
    kg = {"value": 5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    assert ran.code == 0
    assert ran.json == [
        -1, Decimal("1.10"), "1974-12", "14:30", {"value": 4, "unit": "day"}, kg, "from a file", Decimal("2.50"),
        "2026-03-27", "x", True,
    ]  # fmt: skip
    assert "1.10" in ran.out


def test_fhirpath_says_where_an_expression_is_wrong(here: Desk) -> None:
    ran = portal("fhirpath", "name..given", here.put("patient.json", PATIENT))
    assert (ran.code, ran.errors[0]["code"]) == (1, "invalid")
    assert "at character 6" in ran.errors[0]["details"]["text"]


def test_the_same_input_gives_the_same_output(form: Path, here: Desk) -> None:
    asked = here.put("p.json", parameters(context("patient", PATIENT)))
    words = ("populate", form, asked, "--data", here.put("r.json", RECORDS), "--now", "2026-03-27T14:30:00Z")
    assert json.loads(questionnaire(*words).out) == json.loads(questionnaire(*words).out)
