"""Topics: what a person is asked about, from every place of the record where it stands; and who wrote it down, when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.ehr.facts import TOPICS, Fact, about
from portal.ehr.reading import Kind, Reading, State
from tests.ehr.test_facts import KEYS, ODD

Json = dict[str, Any]
TODAY = "2026-11-22"
OURS = {"reference": "Patient/p1"}
EMERGENCY = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "C", "display": "Emergency"}]
}
PHARMACY = "http://hl7.org/fhir/StructureDefinition/patient-preferredPharmacy"


def told(topic: str, *resources: Json) -> list[Fact]:
    readings = {kind: Reading(kind, State.KNOWN, _of(kind, resources)) for kind in TOPICS[topic].kinds}
    return about(topic, readings, TODAY)


def _of(kind: Kind, resources: tuple[Json, ...]) -> tuple[Json, ...]:
    """A patient stands only in the reading of the patient."""
    return tuple(each for each in resources if (each["resourceType"] == "Patient") == (kind is Kind.PATIENT))


def said(topic: str, *resources: Json) -> list[tuple[str, str, str]]:
    return [(fact.label, fact.detail, fact.since) for fact in told(topic, *resources)]


def patient(**more: Any) -> Json:
    return {"resourceType": "Patient", "id": "p1", **more}


def someone(name: str, number: str, relation: str, **more: Any) -> Json:
    telecom = [{"system": "phone", "value": number}]
    return {"name": {"text": name}, "relationship": [EMERGENCY, {"text": relation}], "telecom": telecom, **more}


def test_people_to_call_stand_in_two_places_and_are_named_once() -> None:
    related = {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "active": True,
        "name": [{"text": "Minh Tran"}],
        "relationship": [{"text": "Son"}],
        "telecom": [{"system": "phone", "value": "555 0115"}],
    }
    here = patient(contact=[someone("minh  tran", "555 0115", "Son"), someone("Diego Morales", "555 0116", "Husband")])
    assert said("person", related, here) == [
        ("Minh Tran", "Son, 555 0115", ""),
        ("Diego Morales", "Husband, 555 0116", ""),
    ]
    (first, second) = told("person", related, here)
    assert first.parts == {"name": "Minh Tran", "relation": "Son", "phone": "555 0115"}
    assert (first.key, second.key.partition("#")[0]) == ("RelatedPerson/r1", "Patient/p1")


@pytest.mark.parametrize(
    ("end", "shown"), [({}, True), ({"period": {"end": "2026-11-21"}}, False), ({"period": {"end": "2027"}}, True)]
)
def test_who_is_no_longer_to_be_called_is_no_fact(end: Json, shown: bool) -> None:
    assert bool(told("person", patient(contact=[someone("A B", "1", "Friend", **end)]))) is shown


def test_the_pharmacy_stands_in_the_extension_or_in_a_prescription() -> None:
    place = {"url": "pharmacy", "valueReference": {"reference": "Organization/w", "display": "Walnut Street Pharmacy"}}
    order = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "dispenseRequest": {"performer": {"display": "Main Pharmacy"}},
    }
    chosen = patient(extension=[{"url": PHARMACY, "extension": [place]}, {"url": "urn:else", "valueString": "x"}])
    assert [label for label, *_ in said("pharmacy", chosen, order, {**order, "id": "n"})] == [
        "Walnut Street Pharmacy",
        "Main Pharmacy",
    ]
    assert not said("pharmacy", {**order, "status": "completed"})


def test_the_care_team_is_who_is_in_it_now_without_the_patient() -> None:
    held = {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "subject": OURS,
        "participant": [
            {"member": {"display": "Dr Okoro"}, "role": [{"text": "Family doctor"}]},
            {"member": {**OURS, "display": "Me"}},
            {"member": {"display": "Dr Old"}, "period": {"end": "2020"}},
        ],
    }
    general = patient(generalPractitioner=[{"display": "Dr Okoro"}, {"display": "Dr Weiss"}])
    assert said("careteam", held, general) == [
        ("Dr Okoro", "Family doctor", ""),
        ("Dr Weiss", "Your regular doctor", ""),
    ]
    assert not said("careteam", {**held, "status": "inactive"})


def test_insurance_says_when_it_is_over_and_is_still_asked_about() -> None:
    held = {
        "resourceType": "Coverage",
        "id": "c",
        "status": "active",
        "payor": [{"display": "Prairie"}],
        "subscriberId": "PH-1",
        "class": [{"name": "Gold"}],
        "period": {"start": "2020-01-01", "end": "2026-09-01"},
    }
    (fact,) = told("coverage", held)
    assert (fact.label, fact.detail, fact.over) == ("Prairie", "Gold, PH-1", "2026-09-01")
    assert fact.parts == {"insurer": "Prairie", "plan": "Gold", "member": "PH-1"}
    (still,) = told("coverage", {**held, "period": {"end": "2027-01-01"}})
    assert still.over == ""


DONE: dict[str, tuple[Json, tuple[str, str, str]]] = {
    "procedure": (
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": {"text": "Appendix"},
            "performedDateTime": "2003-07",
        },
        ("Appendix", "", "2003-07"),
    ),
    "immunization": (
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"text": "Tdap"},
            "occurrenceString": "at school",
        },
        ("Tdap", "", "at school"),
    ),
    "family": (
        {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "relationship": {"text": "Mother"},
            "condition": [{"code": {"text": "Diabetes"}}, {"code": {"text": "Asthma"}}],
        },
        ("Mother", "Diabetes, Asthma", ""),
    ),
}


@pytest.mark.parametrize("topic", DONE)
def test_what_was_done_and_runs_in_the_family_says_so(topic: str) -> None:
    resource, words = DONE[topic]
    assert said(topic, {**resource, "id": "x"}) == [words]


@pytest.mark.parametrize(
    ("topic", "status"),
    [
        ("procedure", "not-done"),
        ("procedure", "preparation"),
        ("procedure", "entered-in-error"),
        ("immunization", "not-done"),
        ("immunization", "entered-in-error"),
        ("family", "entered-in-error"),
        ("family", "health-unknown"),
    ],
)
def test_what_did_not_happen_or_was_written_by_mistake_is_no_fact(topic: str, status: str) -> None:
    assert not told(topic, {**DONE[topic][0], "id": "x", "status": status})


@pytest.mark.parametrize(
    ("more", "by", "own", "written"),
    [
        ({"recorder": {"display": "Dr Okoro"}, "recordedDate": "2019-05-20"}, "Dr Okoro", False, "2019-05-20"),
        ({"asserter": {"reference": "Patient/p1"}, "recordedDate": "2020"}, "", True, "2020"),
        ({}, "", False, ""),
    ],
)
def test_a_fact_says_who_wrote_it_down_and_when(more: Json, by: str, own: bool, written: str) -> None:
    (fact,) = told("condition", {"resourceType": "Condition", "id": "c", "code": {"text": "Asthma"}, **more})
    assert (fact.by, fact.own, fact.written) == (by, own, written)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([*KEYS, "contact", "participant", "member", "extension", "url", "period", "end"]), ODD
    ),
    st.sampled_from(sorted(TOPICS)),
)
def test_no_record_however_odd_brings_a_topic_down(odd: Json, topic: str) -> None:
    for name in TOPICS[topic].makers:
        for fact in told(topic, {**odd, "resourceType": name, "id": "x"}):
            assert fact.label and isinstance(fact.detail, str)
