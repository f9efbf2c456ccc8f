"""Population: what is known before the patient says anything, and where each answer comes from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Filling, extract, populate, populated
from tests.questionnaire.make import SDC, context, every, filling, form, group, hl7, option, q, sdc, values

PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "birthDate": "1980-02-03",
    "name": [{"family": "Lovelace", "given": ["Ada"]}, {"family": "King"}],
}
UCUM = "http://unitsofmeasure.org"
ONE_YEAR = {"url": SDC + "observationLinkPeriod", "valueDuration": {"value": 1, "code": "a"}}
HEIGHT = {"system": "http://loinc.org", "code": "8302-2"}


def observation(value: int, when: str, status: str = "final") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{value}",
        "status": status,
        "code": {"coding": [HEIGHT]},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"},
    }


def test_fixed_values_selected_options_and_expressions() -> None:
    made = form(
        q("fixed", initial=[{"valueString": "x"}]),
        q("wrong", "integer", initial=[{"valueString": "x"}]),
        q("chosen", "choice", answerOption=[option("a"), option("b", initialSelected=True)]),
        q("born", "date", ext=[sdc("initialExpression", "%patient.birthDate")]),
        q("again", ext=[sdc("initialExpression", "%resource.item.where(linkId='fixed').answer.value")]),
        group(
            "names",
            q("family", ext=[sdc("initialExpression", "family")]),
            repeats=True,
            ext=[sdc("itemPopulationContext", "%patient.name", "name")],
        ),
    )
    draft = populate(made, context(launch={"patient": PATIENT}))
    found = values(draft)
    assert (found["fixed"], found["born"], found["again"]) == (["x"], ["1980-02-03"], ["x"])
    assert "wrong" not in found
    assert found["chosen"][0]["code"] == "b"
    assert [item["item"][0]["answer"][0]["valueString"] for item in draft["item"][4:]] == ["Lovelace", "King"]
    assert draft["subject"] == {"reference": "Patient/1"}


def test_a_prefilled_answer_says_where_it_comes_from_until_it_is_confirmed() -> None:
    made = form(q("born", "date", ext=[sdc("initialExpression", "%patient.birthDate")]))
    asked = context(launch={"patient": PATIENT})
    filled = Filling(made, populate(made, asked), asked)
    node = every(filled)["born"]
    assert node.origin is not None
    assert (node.origin.how, node.origin.source, node.origin.read) == (
        "expression",
        "%patient.birthDate",
        "2026-11-21T10:00:00+00:00",
    )
    assert filled.summary()[0].rows[0].state == "prefilled"
    assert filled.response("completed")["item"][0]["answer"] == [{"valueDate": "1980-02-03"}]
    confirmed = filled.answer({node.name: node.answers})
    assert every(confirmed)["born"].origin is None
    assert confirmed.summary()[0].rows[0].state == "answered"


def test_the_latest_final_observation_within_its_period_fills_in() -> None:
    period = {
        "url": SDC + "observationLinkPeriod",
        "valueDuration": {"value": 1, "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"},
    }
    made = form(
        q("height", "quantity", code=[HEIGHT], ext=[period]), q("number", "decimal", code=[HEIGHT], ext=[period])
    )
    known = [
        observation(160, "2026-01-01"),
        observation(161, "2026-06-01"),
        observation(162, "2024-01-01"),
        observation(163, "2026-07-01", "entered-in-error"),
    ]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in known]}
    draft = populate(made, context(variables={"history": bundle}))
    assert values(draft)["height"][0]["value"] == 161
    assert values(draft)["number"] == [161]
    asked: list[str] = []

    def fetch(query: str) -> dict[str, Any]:
        asked.append(query)
        return bundle

    assert values(populate(made, context(launch={"patient": PATIENT}, fetch=fetch)))["number"] == [161]
    assert asked[0] == "Observation?code=http://loinc.org|8302-2&patient=1&_sort=-date&_count=10"


def test_what_cannot_be_worked_out_is_told_to_staff_and_the_rest_is_filled_in() -> None:
    made = form(q("a", ext=[sdc("initialExpression", "%nobody.name")]), q("b", initial=[{"valueString": "x"}]))
    draft, troubles = populated(made, context())
    assert values(draft) == {"b": ["x"]}
    assert [(trouble.link_id, trouble.what) for trouble in troubles] == [("a", "initialExpression")]


def test_an_answer_becomes_an_observation_that_an_amended_one_updates() -> None:
    extracted = {"url": SDC + "observationExtract", "valueBoolean": True}
    unit = hl7("questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": "cm", "display": "cm"})
    made = form(q("height", "decimal", code=[HEIGHT], ext=[extracted, unit]), q("other", "integer", code=[HEIGHT]))
    filled = filling(made).answer({"q1": [{"valueDecimal": Decimal("161.50")}], "q2": [{"valueInteger": 3}]})
    response = filled.response("completed", authored="2026-11-21T10:00:00Z", subject={"reference": "Patient/1"})
    (entry,) = extract(made, response, context(), identity="7").bundle["entry"]
    assert entry["request"] == {"method": "PUT", "url": f"Observation?identifier=urn:ietf:rfc:3986|{entry['fullUrl']}"}
    assert entry["resource"]["valueQuantity"] == {
        "value": Decimal("161.50"),
        "unit": "cm",
        "system": "http://unitsofmeasure.org",
        "code": "cm",
    }
    assert (entry["resource"]["subject"], entry["resource"]["effectiveDateTime"]) == (
        {"reference": "Patient/1"},
        "2026-11-21T10:00:00Z",
    )
    amended = filled.answer({"q1": [{"valueDecimal": Decimal("162.00")}]}).response("amended")
    assert extract(made, amended, context(), identity="7").bundle["entry"][0]["fullUrl"] == entry["fullUrl"]


def test_parts_of_an_observation_become_its_components_and_members() -> None:
    def marked(code: str) -> dict[str, Any]:
        return {"url": SDC + "observationExtract", "valueCode": code}

    def coded(code: str) -> list[dict[str, str]]:
        return [{"system": "http://loinc.org", "code": code}]

    made = form(
        group(
            "bp",
            q("systolic", "integer", code=coded("8480-6"), ext=[marked("component")]),
            q("pulse", "integer", code=coded("8867-4"), ext=[marked("member")]),
            code=coded("85354-9"),
            ext=[{"url": SDC + "observationExtract", "valueBoolean": True}],
        )
    )
    response = filling(made).answer({"q2": [{"valueInteger": 120}], "q3": [{"valueInteger": 60}]}).response("completed")
    panel, pulse = extract(made, response, context(), identity="7").bundle["entry"]
    assert panel["resource"]["component"] == [{"code": {"coding": coded("8480-6")}, "valueInteger": 120}]
    assert panel["resource"]["hasMember"] == [{"reference": pulse["fullUrl"]}]


def test_a_search_that_was_not_answered_is_told_and_never_taken_for_nothing() -> None:
    found = {"language": "application/x-fhir-query", "expression": "Condition?patient={{%patient.id}}", "name": "found"}
    search = {"url": "http://hl7.org/fhir/StructureDefinition/variable", "valueExpression": found}
    made = form(
        q("a", "integer", ext=[sdc("initialExpression", "%found.entry.count()")]),
        q("b", "decimal", code=[HEIGHT], ext=[ONE_YEAR]),
        extension=[search],
    )
    told = {
        "nobody to ask": populated(made, context(launch={"patient": PATIENT}))[1],
        "no patient": populated(made, context(fetch=lambda query: None))[1],
        "no answer": populated(made, context(launch={"patient": PATIENT}, fetch=lambda query: None))[1],
    }
    assert {case: [(trouble.link_id, trouble.what) for trouble in troubles] for case, troubles in told.items()} == {
        "nobody to ask": [("", "variable found"), ("a", "initialExpression")],
        "no patient": [
            ("", "variable found"),  # there is no patient to search for
            ("", "variable found"),
            ("a", "initialExpression"),
            ("b", "observationLinkPeriod"),
        ],
        "no answer": [("", "variable found"), ("a", "initialExpression"), ("b", "observationLinkPeriod")],
    }
    nothing: dict[str, Any] = {"resourceType": "Bundle"}
    assert populated(made, context(launch={"patient": PATIENT}, fetch=lambda query: nothing))[1] == []


def test_an_observation_of_somebody_else_or_of_another_code_fills_nothing_in() -> None:
    made = form(q("height", "decimal", code=[HEIGHT], ext=[ONE_YEAR]))
    others = {**observation(160, "2026-05-01"), "subject": {"reference": "Patient/2"}}
    weight = {**observation(70, "2026-06-01"), "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}}
    mine = {**observation(170, "2026-04-01"), "subject": {"reference": "Patient/1"}}

    def fetch(query: str) -> dict[str, Any]:
        return {"resourceType": "Bundle", "entry": [{"resource": others}, {"resource": mine}]}

    draft = populate(made, context(launch={"patient": PATIENT, "labs": weight}, fetch=fetch))
    assert values(draft)["height"] == [170]


def loinc(code: str) -> dict[str, str]:
    return {"system": "http://loinc.org", "code": code}


def unit(code: str) -> dict[str, Any]:
    return hl7("questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": code, "display": code})


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}


CONVERTED: list[tuple[str, str, dict[str, Any], int | str | None]] = [
    ("the same", "cm", {"value": 170, "code": "cm"}, 170),
    ("longer", "cm", {"value": Decimal("67"), "code": "[in_i]", "unit": "inches"}, "170.2"),
    ("whole", "[in_i] integer", {"value": 170, "code": "cm"}, 67),
    ("digits kept", "kg", {"value": Decimal("180.25"), "code": "[lb_av]", "system": UCUM}, "81.760"),
    ("a scale of its own", "Cel", {"value": Decimal("98.6"), "code": "[degF]"}, 37),
    ("large", "g", {"value": Decimal("81.5"), "code": "kg"}, 81500),
    ("a unit in words", "kg", {"value": 500, "unit": "g"}, "0.5"),
    ("another dimension", "cm", {"value": 70, "code": "kg"}, None),
    ("another substance scale", "mmol/L", {"value": 90, "code": "mg/dL"}, None),
    ("no unit", "cm", {"value": 170}, None),
    ("another system of units", "cm", {"value": 2, "code": "m", "system": "https://example.org/units"}, None),
    ("no number", "cm", {"value": None, "code": "m"}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "measured", "expected"), [case[1:] for case in CONVERTED], ids=[case[0] for case in CONVERTED]
)
def test_a_number_in_another_unit_is_converted_or_not_taken(
    wanted: str, measured: dict[str, Any], expected: Any
) -> None:
    code, _, kind = wanted.partition(" ")
    made = form(q("n", kind or "decimal", code=[HEIGHT], ext=[ONE_YEAR, unit(code)]))
    known = searchset({**observation(1, "2026-09-01"), "valueQuantity": measured})
    found = values(populate(made, context(variables={"known": known})))
    assert found == ({} if expected is None else {"n": [Decimal(expected)]})


def test_a_quantity_is_brought_into_a_unit_that_may_be_chosen() -> None:
    options = [hl7("questionnaire-unitOption", valueCoding={"system": UCUM, "code": code}) for code in ("cm", "m")]
    made = form(q("h", "quantity", code=[HEIGHT], ext=[ONE_YEAR, *options]))
    inches = {**observation(1, "2026-09-01"), "valueQuantity": {"value": 67, "code": "[in_i]"}}
    [found] = values(populate(made, context(variables={"known": searchset(inches)})))["h"]
    assert found == {"value": Decimal("170.2"), "unit": "cm", "system": UCUM, "code": "cm"}


def test_the_newest_observation_that_has_a_value_of_the_right_kind_counts() -> None:
    made = form(q("height", "decimal", code=[HEIGHT], ext=[ONE_YEAR]))
    absent = {k: v for k, v in observation(1, "2026-08-01").items() if k != "valueQuantity"}
    worded = {**absent, "effectiveDateTime": "2026-07-01", "valueString": "tall"}
    unborn = {**observation(20, "2026-09-01"), "focus": [{"reference": "Patient/unborn"}]}
    known = searchset(absent, worded, unborn, observation(170, "2026-05-01"))
    assert values(populate(made, context(launch={"patient": PATIENT}, variables={"known": known})))["height"] == [170]


def test_parts_of_a_panel_are_filled_from_that_one_panel() -> None:
    made = form(
        group(
            "bp",
            q("systolic", "quantity", code=[loinc("8480-6")], ext=[ONE_YEAR]),
            q("pulse", "decimal", code=[loinc("8867-4")], ext=[ONE_YEAR]),
            q("other", "decimal", code=[loinc("9")], ext=[ONE_YEAR]),
            code=[loinc("85354-9")],
            ext=[ONE_YEAR],
        )
    )
    pulse = {**observation(61, "2026-05-01"), "code": {"coding": [loinc("8867-4")]}}
    later = {**observation(99, "2026-06-01"), "code": {"coding": [loinc("8867-4")]}}
    apart = {**observation(5, "2026-06-01"), "code": {"coding": [loinc("9")]}}
    panel = {
        "resourceType": "Observation",
        "id": "bp",
        "status": "final",
        "code": {"coding": [loinc("85354-9")]},
        "effectiveDateTime": "2026-05-01",
        "component": [{"code": {"coding": [loinc("8480-6")]}, "valueQuantity": {"value": 120, "unit": "mmHg"}}],
        "hasMember": [{"reference": "Observation/o61"}],
    }
    known = searchset(panel, pulse, later, apart)
    found = values(populate(made, context(variables={"known": known})))
    assert found == {"systolic": [{"value": 120, "unit": "mmHg"}], "pulse": [61]}


def test_a_search_fills_in_references_and_documents() -> None:
    def searched(text: str) -> dict[str, Any]:
        language = {"language": "application/x-fhir-query", "expression": text}
        return {"url": SDC + "initialExpression", "valueExpression": language}

    made = form(
        q("doctors", "reference", repeats=True, ext=[searched("Practitioner?active=true")]),
        q("letter", "attachment", ext=[searched("DocumentReference?patient={{%patient.id}}")]),
        q("scan", "attachment", ext=[searched("Binary/7")]),
    )
    file = {"contentType": "text/plain", "url": "https://example.org/letter"}
    answers = {
        "Practitioner?active=true": searchset(*({"resourceType": "Practitioner", "id": one} for one in "ab")),
        "DocumentReference?patient=1": searchset(
            {"resourceType": "DocumentReference", "id": "d", "content": [{"attachment": file}]}
        ),
        "Binary/7": {"resourceType": "Binary", "id": "7", "contentType": "image/png", "data": "AA=="},
    }
    draft, troubles = populated(made, context(launch={"patient": PATIENT}, fetch=answers.get))
    assert troubles == []
    assert values(draft) == {
        "doctors": [{"reference": "Practitioner/a"}, {"reference": "Practitioner/b"}],
        "letter": [file],
        "scan": [{"contentType": "image/png", "data": "AA=="}],
    }


def test_what_has_no_place_on_a_group_is_named() -> None:
    made = form(group("g", q("a"), ext=[sdc("initialExpression", "1"), sdc("candidateExpression", "1")]))
    assert [one.feature for one in made.features.not_honoured] == ["initialExpression", "candidateExpression"]
    twice = form(q("a", ext=[sdc("initialExpression", "'x'")], initial=[{"valueString": "y"}]))
    assert [(one.link_id, one.code) for one in twice.features.defects] == [("a", "initial")]


def test_a_part_whose_context_finds_nothing_is_empty_and_no_trouble() -> None:
    kin = sdc("itemPopulationContext", "%patient.contact", "kin")
    made = form(
        group("kin", q("name", ext=[sdc("initialExpression", "%kin.name.text")]), q("own", initial=[{"valueString": "x"}]),
              repeats=True, ext=[kin]),
    )  # fmt: skip
    draft, troubles = populated(made, context(launch={"patient": PATIENT}))
    assert (values(draft), troubles) == ({"own": ["x"]}, [])


def test_a_question_may_be_filled_in_from_one_further_down() -> None:
    """The order in which a form asks says nothing about which answer is known first."""
    asked = [
        q("a", ext=[sdc("initialExpression", "%resource.item.where(linkId = 'b').answer.value + '!'")]),
        q("b", ext=[sdc("initialExpression", "%resource.item.where(linkId = 'c').answer.value + '!'")]),
        q("c", initial=[{"valueString": "x"}]),
        q("nobody", ext=[sdc("initialExpression", "%resource.item.where(linkId = 'none').answer.value")]),
    ]
    for items in (asked, asked[::-1]):
        draft, troubles = populated(form(*items), context())
        assert (values(draft), troubles) == ({"a": ["x!!"], "b": ["x!"], "c": ["x"]}, [])
