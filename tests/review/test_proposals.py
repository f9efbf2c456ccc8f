"""A submission beside the record of today: what each answer would change, and when a person must look."""

from copy import deepcopy
from typing import Any

import pytest

from portal.fhir.structure import problems
from portal.review import allergy, contact, ruling
from portal.review.proposal import Answer, Risk
from portal.review.proposals import CHANGED_SINCE, UNCHECKED, proposals
from tests.review.builders import (
    ASTHMA,
    METFORMIN,
    NO_KNOWN,
    PATIENT,
    PENICILLIN,
    SAID_AT,
    STATEMENT,
    SUBJECT,
    address,
    document,
    email,
    fact,
    new,
    one,
    phone,
    record,
)

METFORMIN_FACT = "Metformin 500 mg tablet"


def changed(resource: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {**deepcopy(resource), **elements, "meta": {"versionId": "99"}}


SAME = [
    phone("same"),
    fact("medication", METFORMIN, "same", METFORMIN_FACT),
    fact("allergy", PENICILLIN, "same", "Penicillin"),
    fact("condition", ASTHMA, "same", "Asthma"),
]


@pytest.mark.parametrize("said", SAME, ids=lambda said: said["kind"])
def test_what_is_still_right_changes_nothing_and_asks_nobody(said: dict[str, Any]) -> None:
    proposal = one(said)
    assert proposal.change is None
    assert not proposal.open
    assert not proposal.stale


@pytest.mark.parametrize("said", [{**each, "answer": "unsure"} for each in SAME], ids=lambda said: said["kind"])
def test_not_sure_changes_nothing_but_is_shown(said: dict[str, Any]) -> None:
    proposal = one(said)
    assert proposal.change is None
    assert proposal.open
    assert proposal.risk is Risk.LOOK
    assert proposal.reasons == (ruling.NOT_SURE,)


# kind, fact, method, url, If-Match, the elements that must be just so
CHANGES: dict[str, tuple[dict[str, Any], str, str, str | None, dict[str, Any]]] = {
    "a new phone number replaces only its value": (
        phone("changed", "555 0199"),
        "PUT",
        "Patient/7",
        "3",
        {**PATIENT, "telecom": [{"system": "phone", "use": "mobile", "value": "555 0199"}, PATIENT["telecom"][1]]},
    ),
    "a new e-mail replaces only its value": (
        email("changed", "new@example.org"),
        "PUT",
        "Patient/7",
        "3",
        {"telecom": [PATIENT["telecom"][0], {"system": "email", "value": "new@example.org"}]},
    ),
    "a new address is kept as text": (
        address("changed", "9 Hill Road, Riverton"),
        "PUT",
        "Patient/7",
        "3",
        {"address": [{"use": "home", "text": "9 Hill Road, Riverton"}], "telecom": PATIENT["telecom"]},
    ),
    "a phone that is no longer theirs stays, marked old": (
        phone("stopped"),
        "PUT",
        "Patient/7",
        "3",
        {
            "telecom": [
                {"system": "phone", "use": "old", "value": "555 0100", "period": {"end": "2026-11-20"}},
                PATIENT["telecom"][1],
            ]
        },
    ),
    "a second phone is added": (
        new("contact", "+1 555 0777 123"),
        "PUT",
        "Patient/7",
        "3",
        {"telecom": [*PATIENT["telecom"], {"system": "phone", "value": "+1 555 0777 123"}]},
    ),
    "a medicine no longer taken leaves the order alone": (
        fact("medication", METFORMIN, "stopped", METFORMIN_FACT),
        "POST",
        "MedicationStatement",
        None,
        {
            "status": "stopped",
            "basedOn": [{"reference": "MedicationRequest/m1"}],
            "medicationCodeableConcept": METFORMIN["medicationCodeableConcept"],
            "informationSource": {"reference": SUBJECT},
            "dateAsserted": SAID_AT,
        },
    ),
    "a medicine taken differently is text without a code": (
        fact("medication", METFORMIN, "changed", METFORMIN_FACT, "one in the evening only"),
        "POST",
        "MedicationStatement",
        None,
        {
            "status": "active",
            "medicationCodeableConcept": {"text": METFORMIN_FACT},
            "dosage": [{"text": "one in the evening only"}],
            "derivedFrom": [{"reference": "MedicationRequest/m1"}],
        },
    ),
    "a statement of the record is brought up to date in place": (
        fact("medication", STATEMENT, "stopped", "Vitamin D"),
        "PUT",
        "MedicationStatement/s1",
        "1",
        {"status": "stopped", "medicationCodeableConcept": {"text": "Vitamin D"}},
    ),
    "a new medicine is text without a code": (
        new("medication", "St John's wort", "two in the morning"),
        "POST",
        "MedicationStatement",
        None,
        {
            "status": "active",
            "medicationCodeableConcept": {"text": "St John's wort"},
            "dosage": [{"text": "two in the morning"}],
            "informationSource": {"reference": SUBJECT},
        },
    ),
    "a new allergy is unconfirmed and text": (
        new("allergy", "Latex", "itching"),
        "POST",
        "AllergyIntolerance",
        None,
        {
            "code": {"text": "Latex"},
            "verificationStatus": ruling.status("allergyintolerance-verification", "unconfirmed"),
            "reaction": [{"manifestation": [{"text": "itching"}]}],
            "asserter": {"reference": SUBJECT},
        },
    ),
    "an allergy the patient denies stays in the record, inactive and never refuted": (
        fact("allergy", PENICILLIN, "stopped", "Penicillin"),
        "PUT",
        "AllergyIntolerance/a1",
        "5",
        {
            "clinicalStatus": ruling.status("allergyintolerance-clinical", "inactive"),
            "verificationStatus": PENICILLIN["verificationStatus"],
            "code": {"text": "Penicillin"},
        },
    ),
    "a condition the patient no longer has becomes inactive": (
        fact("condition", ASTHMA, "stopped", "Asthma"),
        "PUT",
        "Condition/c1",
        "9",
        {"clinicalStatus": ruling.status("condition-clinical", "inactive"), "onsetDateTime": "1999"},
    ),
    "a new condition keeps a partial date as typed": (
        new("condition", "Migraine", "2019-05"),
        "POST",
        "Condition",
        None,
        {"code": {"text": "Migraine"}, "onsetDateTime": "2019-05"},
    ),
    "a new condition keeps other words as words": (
        new("condition", "Migraine", "since I was a child"),
        "POST",
        "Condition",
        None,
        {"onsetString": "since I was a child"},
    ),
}


@pytest.mark.parametrize("case", CHANGES, ids=str)
def test_what_accepting_would_write(case: str) -> None:
    said, method, url, if_match, elements = CHANGES[case]
    change = one(said).change
    assert change is not None
    assert (change.method, change.url, change.if_match) == (method, url, if_match)
    assert {name: change.resource.get(name) for name in elements} == elements
    assert problems(change.resource) == []


@pytest.mark.parametrize("said", [PENICILLIN, ASTHMA], ids=lambda held: held["resourceType"])
def test_words_about_a_fact_are_added_to_its_notes_and_nothing_else_changes(said: dict[str, Any]) -> None:
    kind = "allergy" if said is PENICILLIN else "condition"
    change = one(fact(kind, said, "changed", said["code"]["text"], "only in spring")).change
    assert change.resource["note"][: len(said.get("note", []))] == said.get("note", [])
    assert change.resource["note"][-1]["text"].endswith(": only in spring")
    assert {name: held for name, held in change.resource.items() if name != "note"} == {
        name: held for name, held in said.items() if name != "note"
    }
    assert problems(change.resource) == []


ALREADY = {
    "the same medicine": new("medication", "metformin 500 mg TABLET"),
    "by the code's display": new("medication", "Metformin 500 MG"),
    "the same allergy": new("allergy", "penicillin"),
    "the same condition": new("condition", "  asthma "),
    "the same phone, other spaces": new("contact", "5550100"),
    "a phone changed to what it is": phone("changed", "555-0100"),
}


@pytest.mark.parametrize("case", ALREADY, ids=str)
def test_what_the_record_already_has_is_not_written_again(case: str) -> None:
    proposal = one(ALREADY[case])
    assert proposal.change is None
    assert not proposal.open
    assert ruling.ALREADY in proposal.reasons


def test_something_similar_is_written_but_looked_at() -> None:
    proposal = one(new("medication", "Metformin"))
    assert proposal.change is not None
    assert proposal.risk is Risk.LOOK
    assert proposal.reasons == (ruling.SIMILAR,)


def test_a_medicine_that_was_stopped_long_ago_may_be_added_again() -> None:
    stopped = changed(METFORMIN, status="stopped")
    assert one(new("medication", "Metformin 500 mg tablet"), record(medication=(stopped,))).change is not None


def test_an_allergy_to_something_the_record_prescribes_is_urgent() -> None:
    proposal = one(new("allergy", "Metformin"))
    assert proposal.risk is Risk.URGENT
    assert proposal.reasons == (allergy.IS_TAKEN,)


def test_a_new_allergy_beside_no_known_allergies_says_so() -> None:
    assert allergy.SAYS_NONE in one(new("allergy", "Latex"), record(allergy=(NO_KNOWN,))).reasons


def none_said(**sections: Any) -> Any:
    (made,) = proposals(document(none_allergy=True), record(**sections), subject=SUBJECT, said_at=SAID_AT)
    return made


def test_no_known_allergies_is_written_only_when_the_patient_says_so_and_nothing_is_recorded() -> None:
    change = none_said(allergy=()).change
    assert change.resource["code"]["coding"][0]["code"] == "716186003"
    assert change.resource["verificationStatus"]["coding"][0]["code"] == "unconfirmed"
    assert problems(change.resource) == []
    assert proposals(document(), record(allergy=()), subject=SUBJECT, said_at=SAID_AT) == []


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"allergy": None}, allergy.COULD_NOT_LOOK),
        ({"allergy": (PENICILLIN,)}, allergy.RECORD_HAS_SOME),
        ({"allergy": (NO_KNOWN,)}, ruling.ALREADY),
    ],
    ids=["could not look", "the record lists one", "already said"],
)
def test_no_known_allergies_is_not_written_otherwise(now: dict[str, Any], reason: str) -> None:
    proposal = none_said(**now)
    assert proposal.change is None
    assert reason in proposal.reasons


def test_denying_that_there_are_no_allergies_takes_only_that_statement_back() -> None:
    proposal = one(fact("allergy", NO_KNOWN, "stopped", "No known allergy"), record(allergy=(NO_KNOWN,)))
    assert proposal.reasons == (allergy.NONE_DENIED,)
    assert proposal.change.resource["clinicalStatus"] == ruling.status("allergyintolerance-clinical", "inactive")


def test_an_allergy_that_is_over_does_not_stand_in_the_way_of_none() -> None:
    over = changed(PENICILLIN, clinicalStatus={"coding": [{"code": "resolved"}]})
    assert none_said(allergy=(over,)).change is not None


def test_a_fact_confirmed_before_the_record_changed_is_looked_at_again() -> None:
    now = record(medication=(changed(METFORMIN, dosageInstruction=[{"text": "3 times a day"}]),))
    proposal = one(fact("medication", METFORMIN, "same", METFORMIN_FACT), now)
    assert proposal.stale
    assert proposal.open
    assert proposal.change is None
    assert CHANGED_SINCE in proposal.reasons
    moved = [row for row in proposal.rows if row.moved]
    assert [(row.name, row.then, row.now) for row in moved] == [
        ("How to take it", "1 tablet twice a day", "3 times a day")
    ]


def test_a_change_is_built_on_the_record_of_today_with_its_version() -> None:
    now = record(condition=(changed(ASTHMA, code={"text": "Asthma, mild"}),))
    proposal = one(fact("condition", ASTHMA, "stopped", "Asthma"), now)
    assert proposal.stale
    assert proposal.base_version == "9"
    assert proposal.change.if_match == "99"
    assert proposal.change.resource["code"] == {"text": "Asthma, mild"}
    assert not proposal.unremarkable


def test_a_new_version_that_says_the_same_is_not_stale() -> None:
    proposal = one(fact("condition", ASTHMA, "same", "Asthma"), record(condition=(changed(ASTHMA),)))
    assert not proposal.stale
    assert not proposal.open


def test_another_part_of_the_patient_may_change_without_making_the_phone_stale() -> None:
    moved = changed(PATIENT, telecom=[PATIENT["telecom"][0], {"system": "email", "value": "other@example.org"}])
    proposal = one(phone("changed", "555 0199"), record(contact=(moved,)))
    assert not proposal.stale
    assert proposal.change.if_match == "99"
    assert proposal.change.resource["telecom"][1]["value"] == "other@example.org"


def test_a_phone_the_clinic_changed_meanwhile_is_stale_and_replaced_where_it_stands_now() -> None:
    moved = changed(PATIENT, telecom=[{"system": "phone", "use": "mobile", "value": "555 0111"}, PATIENT["telecom"][1]])
    proposal = one(phone("changed", "555 0199"), record(contact=(moved,)))
    assert proposal.stale
    assert [(row.then, row.now, row.said) for row in proposal.rows] == [("555 0100", "555 0111", "555 0199")]
    assert [each["value"] for each in proposal.change.resource["telecom"]] == ["555 0199", "ada@example.org"]


def test_a_fact_the_record_no_longer_lists_changes_nothing() -> None:
    for answer in ("stopped", "changed"):
        proposal = one(fact("medication", METFORMIN, answer, METFORMIN_FACT, "x"), record(medication=()))
        assert proposal.change is None
        assert ruling.GONE in proposal.reasons


def test_when_the_record_cannot_be_read_changes_rest_on_what_was_read_then_and_say_so() -> None:
    proposal = one(fact("condition", ASTHMA, "stopped", "Asthma"), record(condition=None))
    assert proposal.change.if_match == "9"
    assert not proposal.stale
    assert UNCHECKED in proposal.reasons


def test_contact_that_could_be_anything_is_left_to_a_person() -> None:
    proposal = one(new("contact", "call my sister"))
    assert proposal.change is None
    assert proposal.reasons == (ruling.COULD_BE_ANY,)


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("a@b.example", "email"),
        ("+44 20 7946 0958", "phone"),
        ("555-0100 x2", "phone"),
        ("9 Hill Road, Riverton", "address"),
        ("Flat 2\nOld Mill", "address"),
        ("no idea", None),
        ("12", None),
        ("me at home @ noon", None),
    ],
)
def test_what_kind_of_contact_a_text_is(text: str, sort: str | None) -> None:
    assert contact.sort_of(text) == sort


def test_only_contact_is_for_the_front_desk() -> None:
    made = [one(said) for said in SAME]
    assert [(each.kind, each.clinical) for each in made] == [
        ("contact", False),
        ("medication", True),
        ("allergy", True),
        ("condition", True),
    ]


def test_what_is_urgent_comes_first_and_what_is_confirmed_last() -> None:
    said = document(phone("same"), phone("changed", "1 555 0199"), new("allergy", "Metformin"), new("allergy", "Latex"))
    made = proposals(said, record(), subject=SUBJECT, said_at=SAID_AT)
    assert [each.risk for each in made if each.open] == [Risk.URGENT, Risk.LOOK, Risk.ROUTINE]
    assert made[-1].answer is Answer.SAME


def test_the_fingerprint_follows_what_is_shown_and_nothing_else() -> None:
    said = fact("condition", ASTHMA, "stopped", "Asthma")
    before = one(said).fingerprint
    assert one(said, record(condition=(changed(ASTHMA),))).fingerprint == before
    assert one(said, record(condition=(changed(ASTHMA, code={"text": "COPD"}),))).fingerprint != before


def test_keys_say_nothing_and_stay_the_same() -> None:
    key = one(new("allergy", "Latex")).key
    assert key == one(new("allergy", "Latex")).key
    assert "allergy" not in key
    assert len(key) == 16


def test_an_unknown_kind_of_fact_is_shown_and_changes_nothing() -> None:
    proposal = one({**new("pharmacy", "Corner shop"), "kind": "pharmacy"})
    assert proposal.change is None
    assert proposal.open


def test_a_medicine_named_only_inside_the_order_is_told_in_words() -> None:
    order = {
        **{name: held for name, held in METFORMIN.items() if name != "medicationCodeableConcept"},
        "contained": [{"resourceType": "Medication", "id": "x", "code": {"text": "Metformin"}}],
        "medicationReference": {"reference": "#x", "display": "Metformin"},
    }
    change = one(fact("medication", order, "stopped", "Metformin"), record(medication=(order,))).change
    assert change.resource["medicationCodeableConcept"] == {"text": "Metformin"}
    assert "medicationReference" not in change.resource
