"""Facts: what holds now, in a person's words; what is over, refuted or in error is left out."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.ehr.facts import MAKERS, facts
from portal.ehr.reading import Kind

OURS = {"subject": {"reference": "Patient/p1"}}


def _concept(text: str) -> dict[str, Any]:
    return {"text": text}


def _status(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def _request(**more: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order", **OURS} | more


def _said(kind: Kind, *resources: dict[str, Any], beside: Any = ()) -> list[tuple[str, str, str]]:
    return [(fact.label, fact.detail, fact.since) for fact in facts(kind, resources, beside)]


def test_a_medicine_says_its_name_its_dose_and_since_when() -> None:
    medicine = _request(
        medicationCodeableConcept=_concept("Metformin 500 mg"),
        dosageInstruction=[{"text": "1 tablet twice a day"}],
        authoredOn="2020-05",
        meta={"versionId": "4"},
    )
    (fact,) = facts(Kind.MEDICATIONS, [medicine])
    assert (fact.label, fact.detail, fact.since) == ("Metformin 500 mg", "1 tablet twice a day", "2020-05")
    assert (fact.key, fact.source.reference, fact.source.version_id) == (
        "MedicationRequest/r",
        "MedicationRequest/r",
        "4",
    )
    assert fact.resource is medicine
    assert "Metformin" not in repr(fact)


def test_a_medicine_is_named_wherever_its_name_stands() -> None:
    named = {"resourceType": "Medication", "id": "m", "code": _concept("Warfarin 5 mg")}
    contained = _request(medicationReference={"reference": "#m"}, contained=[named])
    beside = _request(medicationReference={"reference": "Medication/m"})
    display = _request(medicationReference={"reference": "Medication/x", "display": "Warfarin"})
    assert _said(Kind.MEDICATIONS, contained)[0][0] == "Warfarin 5 mg"
    assert _said(Kind.MEDICATIONS, beside, beside=[named])[0][0] == "Warfarin 5 mg"
    assert _said(Kind.MEDICATIONS, display)[0][0] == "Warfarin"
    assert _said(Kind.MEDICATIONS, _request())[0][0] == "A medicine without a name"


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({"status": "active"}, True),
        ({"status": "on-hold"}, True),
        ({"status": "completed"}, False),
        ({"status": "stopped"}, False),
        ({"status": "cancelled"}, False),
        ({"status": "draft"}, False),
        ({"status": "entered-in-error"}, False),
        ({"intent": "proposal"}, False),
        ({"intent": "option"}, False),
        ({"doNotPerform": True}, False),
    ],
)
def test_only_what_is_meant_to_be_taken_now_is_a_medicine(more: dict[str, Any], counts: bool) -> None:
    assert bool(_said(Kind.MEDICATIONS, _request(**more))) is counts


def test_a_statement_drawn_from_a_request_is_not_a_second_medicine() -> None:
    statement = {"resourceType": "MedicationStatement", "id": "s", "status": "active", **OURS}
    twice = facts(Kind.MEDICATIONS, [_request(), statement | {"basedOn": [{"reference": "MedicationRequest/r"}]}])
    assert [fact.key for fact in twice] == ["MedicationRequest/r"]
    assert len(facts(Kind.MEDICATIONS, [_request(), statement])) == 2


def test_an_allergy_says_its_reactions_and_how_bad_they_are() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "clinicalStatus": _status("active"),
        "code": _concept("Penicillin"),
        "criticality": "high",
        "reaction": [{"manifestation": [_concept("Hives"), _concept("Swelling")], "severity": "moderate"}],
        "recordedDate": "2009-04-02",
    }
    assert _said(Kind.ALLERGIES, allergy) == [
        ("Penicillin", "Hives, Swelling (moderate); can be dangerous", "2009-04-02")
    ]


@pytest.mark.parametrize(
    ("clinical", "verified", "counts"),
    [
        ("active", "confirmed", True),
        ("active", "unconfirmed", True),
        ("", "", True),
        ("resolved", "confirmed", False),
        ("inactive", "confirmed", False),
        ("active", "refuted", False),
        ("active", "entered-in-error", False),
        ("", "entered-in-error", False),
    ],
)
@pytest.mark.parametrize("kind", [(Kind.ALLERGIES, "AllergyIntolerance"), (Kind.CONDITIONS, "Condition")])
def test_what_is_over_or_withdrawn_is_no_fact(
    kind: tuple[Kind, str], clinical: str, verified: str, counts: bool
) -> None:
    resource = {"resourceType": kind[1], "id": "x", "code": _concept("It")}
    if clinical:
        resource["clinicalStatus"] = _status(clinical)
    if verified:
        resource["verificationStatus"] = _status(verified)
    assert bool(facts(kind[0], [resource])) is counts


def test_no_known_allergy_is_a_fact_about_an_absence_and_not_an_allergy() -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}]}
    (fact,) = facts(Kind.ALLERGIES, [{"resourceType": "AllergyIntolerance", "id": "n", "code": code}])
    assert (fact.label, fact.absence) == ("No known allergy", True)
    elsewhere = {"coding": [{"system": "urn:local", "code": "716186003", "display": "Cat hair"}]}
    assert not facts(Kind.ALLERGIES, [{"resourceType": "AllergyIntolerance", "id": "n", "code": elsewhere}])[0].absence


def test_contact_facts_are_one_for_each_way_to_reach_a_person() -> None:
    person = {
        "resourceType": "Patient",
        "id": "p1",
        "telecom": [
            {"system": "phone", "use": "mobile", "value": "+44 7700 900123"},
            {"system": "phone", "use": "old", "value": "1"},
            {"system": "email", "value": "jo@example.org"},
            {"system": "phone"},
        ],
        "address": [{"use": "home", "line": ["5 Long Lane"], "city": "Leeds"}, {"use": "old", "city": "York"}],
    }
    assert _said(Kind.PATIENT, person) == [
        ("Mobile phone", "+44 7700 900123", ""),
        ("E-mail", "jo@example.org", ""),
        ("Address", "5 Long Lane, Leeds", ""),
    ]


def test_an_answer_to_one_phone_number_never_counts_for_another() -> None:
    def keys(*numbers: str) -> list[str]:
        telecom = [{"system": "phone", "value": number} for number in numbers]
        return [fact.key for fact in facts(Kind.PATIENT, [{"resourceType": "Patient", "id": "p1", "telecom": telecom}])]

    first, second = keys("1", "2")
    assert keys("2") == [second]
    assert keys("3", "1")[1] == first
    assert "#telecom-" in first


def test_a_resource_of_another_type_or_without_an_id_makes_no_fact() -> None:
    assert facts(Kind.CONDITIONS, [_request(), {"resourceType": "Condition", "code": _concept("x")}]) == []


KEYS = sorted({"status", "intent", "code", "text", "coding", "display", "reaction", "manifestation", "severity", "telecom", "value",
               "system", "address", "line", "payor", "class", "name", "relationship", "onsetDateTime", "start", "basedOn",
               "reference", "medicationReference", "dosageInstruction", "contained", "clinicalStatus", "bodySite"})  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), ODD, max_size=8), st.sampled_from(sorted(MAKERS)))
def test_no_resource_however_odd_brings_a_page_down(odd: dict[str, Any], of: tuple[Kind, str]) -> None:
    kind, name = of
    for fact in facts(kind, [{**odd, "resourceType": name, "id": "x"}], [odd]):
        assert isinstance(fact.label, str)
        assert fact.label
        assert isinstance(fact.detail, str)
