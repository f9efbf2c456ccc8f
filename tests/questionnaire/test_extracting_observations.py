"""Extraction by observations: what becomes one, of which codes, and how parts join."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.extracting import SDC, a, bundle, g, text
from tests.questionnaire.make import group, q, raw_form


def loinc(code: str, *extensions: dict[str, Any]) -> dict[str, Any]:
    return {"system": "http://loinc.org", "code": code, **({"extension": list(extensions)} if extensions else {})}


def extracted(value: bool | str = True) -> dict[str, Any]:
    key = "valueBoolean" if isinstance(value, bool) else "valueCode"
    return {"url": SDC + "observationExtract", key: value}


def codes(entries: list[dict[str, Any]]) -> list[list[str]]:
    return [[coding["code"] for coding in entry["resource"]["code"]["coding"]] for entry in entries]


def test_the_nearest_word_decides_what_becomes_an_observation_and_a_code_speaks_for_itself() -> None:
    form = raw_form(
        group(
            "off",
            q("silent", code=[loinc("1")]),
            q("on", code=[loinc("2"), loinc("3")], ext=[extracted()]),
            q("by-code", code=[loinc("4"), loinc("5", extracted()), loinc("6", extracted(False))]),
            ext=[extracted(False)],
        ),
        q("root", code=[loinc("7"), loinc("8", extracted(False))]),
        q("codeless"),
        extension=[extracted()],
    )
    answers = [a(link_id, text("x")) for link_id in ("silent", "on", "by-code")]
    entries, troubles = bundle(form, g("off", *answers), a("root", text("x")), a("codeless", text("x")))
    assert (codes(entries), troubles) == ([["2", "3"], ["5"], ["7"]], [])
    assert "extension" not in entries[1]["resource"]["code"]["coding"][0]


def test_an_observation_carries_what_the_response_says_of_itself() -> None:
    category = {"coding": [{"system": "urn:c", "code": "survey"}]}
    form = raw_form(
        group("part", q("a", code=[loinc("1")], ext=[extracted()]), ext=[
            {"url": SDC + "observation-extract-category", "valueCodeableConcept": category}]),
    )  # fmt: skip
    head = {
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/1"},
        "author": {"reference": "RelatedPerson/1"},
        "authored": "2026-11-21T10:00:00Z",
        "basedOn": [{"reference": "ServiceRequest/1"}],
        "partOf": [{"reference": "Procedure/1"}],
    }
    ((entry,), _) = bundle(form, g("part", a("a", text("x"))), **head)
    made = entry["resource"]
    assert {key: made[key] for key in ("subject", "encounter", "basedOn", "partOf")} == {
        key: head[key] for key in ("subject", "encounter", "basedOn", "partOf")
    }
    assert (made["performer"], made["effectiveDateTime"], made["issued"]) == (
        [head["author"]],
        head["authored"],
        head["authored"],
    )
    assert (made["status"], made["category"], made["derivedFrom"]) == (
        "final",
        [category],
        [{"reference": "QuestionnaireResponse/r"}],
    )


def test_each_answer_of_a_question_is_an_observation_and_its_parts_join_as_they_say() -> None:
    panel = q(
        "panel",
        "choice",
        q("part", "decimal", code=[loinc("2")], ext=[extracted("component")]),
        q("member", "decimal", code=[loinc("3")], ext=[extracted("member")]),
        q("derived", "decimal", code=[loinc("4")], ext=[extracted("derived")]),
        q("apart", "decimal", code=[loinc("5")], ext=[extracted("independent")]),
        code=[loinc("1")],
        ext=[extracted()],
    )
    several = q("several", "integer", code=[loinc("9")], repeats=True, ext=[extracted()])
    inner = [a(link_id, {"valueDecimal": 1}) for link_id in ("part", "member", "derived", "apart")]
    entries, _ = bundle(
        raw_form(panel, several),
        a("panel", {"valueCoding": {"system": "urn:x", "code": "x"}, "item": inner}),
        a("several", {"valueInteger": 1}, {"valueInteger": 2}),
    )
    assert codes(entries) == [["1"], ["3"], ["4"], ["5"], ["9"], ["9"]]
    top, member, derived = (entry["resource"] for entry in entries[:3])
    assert [part["code"]["coding"][0]["code"] for part in top["component"]] == ["2"]
    assert top["hasMember"] == [{"reference": entries[1]["fullUrl"]}]
    assert {"reference": entries[0]["fullUrl"]} in derived["derivedFrom"]
    assert {"reference": entries[0]["fullUrl"]} not in member["derivedFrom"]


def test_what_is_derived_from_a_part_that_says_nothing_itself_names_no_observation_that_is_not_there() -> None:
    derived = q("derived", "decimal", code=[loinc("4")], ext=[extracted("derived")])
    made = raw_form(group("panel", derived, code=[loinc("1")], ext=[extracted()]))
    [entry], troubles = bundle(made, g("panel", a("derived", {"valueDecimal": 1})), id="r")
    assert entry["resource"]["derivedFrom"] == [{"reference": "QuestionnaireResponse/r"}]
    assert troubles == []


@pytest.mark.parametrize("relation", ["", "component"])
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("reference", {"valueReference": {"reference": "Patient/1"}}),
        ("attachment", {"valueAttachment": {"url": "x:y"}}),
    ],
)
def test_what_an_observation_cannot_hold_is_told_and_not_written_as_text(
    kind: str, answer: dict[str, Any], relation: str
) -> None:
    inner = q("x", kind, code=[loinc("2")], ext=[extracted(relation) if relation else extracted()])
    sure = q("sure", "boolean", code=[loinc("3")], ext=[extracted("component")])
    made = raw_form(group("panel", inner, sure, code=[loinc("1")], ext=[extracted()]))
    [entry], troubles = bundle(made, g("panel", a("x", answer), a("sure", {"valueBoolean": False})))
    assert [part["code"]["coding"][0]["code"] for part in entry["resource"]["component"]] == ["3"]
    assert troubles == [f"x: an Observation holds no {kind}"]


@pytest.mark.parametrize(
    ("element", "said", "becomes"),
    [
        ("author", {"reference": "Device/1"}, {}),
        ("author", {"type": "Device", "identifier": {"value": "1"}}, {}),
        ("author", {"reference": "https://example.org/fhir/Practitioner/1"}, "performer"),
        ("author", {"reference": "urn:uuid:0a"}, "performer"),
        ("author", {"reference": "#author"}, "performer"),
        ("author", {"reference": "PractitionerRole/1/_history/2", "type": "PractitionerRole"}, "performer"),
        ("partOf", [{"reference": "Observation/1"}], {}),
        ("partOf", [{"reference": "Procedure/1"}], "partOf"),
        ("basedOn", [{"reference": "CarePlan/1"}, {"reference": "ServiceRequest/1"}], "basedOn"),
    ],
)
def test_an_observation_points_only_to_what_it_may(element: str, said: Any, becomes: Any) -> None:
    made = raw_form(q("w", "integer", code=[{"code": "w"}], ext=[extracted()]))
    [entry], troubles = bundle(made, a("w", {"valueInteger": 1}), **{element: said})
    found = {key: entry["resource"][key] for key in ("performer", "partOf", "basedOn") if key in entry["resource"]}
    assert found == ({becomes: said if isinstance(said, list) else [said]} if becomes else {})
    assert troubles == []
