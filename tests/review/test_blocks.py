"""What confirming would change, block by block, as a table: statuses, parts of a resource, partial dates, text without a code."""

from __future__ import annotations

from copy import deepcopy

import pytest

from portal.fhir.structure import problems
from portal.intake.sections import ORDER
from portal.review import people, ruling
from portal.review.proposal import Answer, Risk
from portal.review.proposals import RULES
from tests.review.blocks import (
    ALL,
    APPENDIX,
    COVER,
    DIEGO,
    EMERGENCY,
    FACTS,
    HERE,
    OURS,
    PHARMACY,
    SON,
    TEAM,
    about,
    added,
    one,
)
from tests.review.builders import (
    METFORMIN,
    PATIENT,
    SAID_AT,
    Json,
)


def test_every_block_that_is_asked_has_a_rule_for_every_answer() -> None:
    assert set(RULES) == set(ORDER)
    assert all(set(rules) == set(Answer) for rules in RULES.values())


@pytest.mark.parametrize("name", FACTS)
def test_what_is_still_right_changes_nothing_and_what_they_are_not_sure_of_is_shown(name: str) -> None:
    same, unsure = one(about(name, "same")), one(about(name, "unsure"))
    assert (same.change, same.open, same.stale) == (None, False, False)
    assert (unsure.change, unsure.risk, unsure.reasons) == (None, Risk.LOOK, (ruling.NOT_SURE,))


END = {"end": "2026-11-20"}
CHANGES: dict[str, tuple[Json, str, str | None, Json]] = {
    "a related person's number": (
        about("person", "changed", name="Minh Tran", relation="Son", phone="555 0199"),
        "RelatedPerson/r1",
        "4",
        {
            "telecom": [{"system": "phone", "value": "555 0199"}],
            "name": SON["name"],
            "relationship": SON["relationship"],
        },
    ),
    "who a contact is, beside what they are for": (
        about("contact person", "changed", name="Diego Morales", relation="Ex-husband", phone="555 0116"),
        "Patient/7",
        "3",
        {"contact": [{**DIEGO, "relationship": [EMERGENCY, {"text": "Ex-husband"}]}], "telecom": PATIENT["telecom"]},
    ),
    "somebody not to be called any more stays, with the day": (
        about("contact person", "stopped"),
        "Patient/7",
        "3",
        {"contact": [{**DIEGO, "period": END}]},
    ),
    "a related person who is none any more": (
        about("person", "stopped"),
        "RelatedPerson/r1",
        "4",
        {"active": False, "period": END},
    ),
    "somebody new to call": (
        added("person", "Rosa Diaz", relation="Neighbour", phone="555 0118"),
        "Patient/7",
        "3",
        {
            "contact": [
                DIEGO,
                {
                    "relationship": [EMERGENCY, {"text": "Neighbour"}],
                    "name": {"text": "Rosa Diaz"},
                    "telecom": [{"system": "phone", "value": "555 0118"}],
                },
            ]
        },
    ),
    "a member number": (
        about("coverage", "changed", insurer="Prairie Health", plan="Gold", member="PH-2"),
        "Coverage/k1",
        "6",
        {"subscriberId": "PH-2", "status": "active", "class": COVER["class"]},
    ),
    "another insurer is another insurance, a draft": (
        about("coverage", "changed", insurer="Blue River", plan="Silver", member="BR-9"),
        "Coverage",
        None,
        {"status": "draft", "payor": [{"display": "Blue River"}], "subscriberId": "BR-9", "beneficiary": OURS},
    ),
    "insurance that is over, since a month": (
        about("coverage", "stopped", when="2026-08"),
        "Coverage/k1",
        "6",
        {"status": "cancelled", "period": {"start": "2020", "end": "2026-08"}},
    ),
    "insurance that is over, nobody knows since when": (
        about("coverage", "stopped", when="last summer"),
        "Coverage/k1",
        "6",
        {"status": "cancelled", "period": {"start": "2020"}},
    ),
    "new insurance": (
        added("coverage", "Blue River", member="BR-9"),
        "Coverage",
        None,
        {"status": "draft", "subscriberId": "BR-9"},
    ),
    "a procedure that never was": (
        about("procedure", "stopped"),
        "Procedure/o1",
        "1",
        {"status": "entered-in-error", "code": APPENDIX["code"]},
    ),
    "a vaccination that never was": (
        about("immunization", "stopped"),
        "Immunization/i1",
        "1",
        {"status": "entered-in-error"},
    ),
    "a relative's illness that is a mistake": (
        about("family", "stopped"),
        "FamilyMemberHistory/f1",
        "1",
        {"status": "entered-in-error"},
    ),
    "a new procedure, the year alone": (
        added("procedure", "Knee operation", more="2019"),
        "Procedure",
        None,
        {
            "status": "completed",
            "code": {"text": "Knee operation"},
            "performedDateTime": "2019",
            "asserter": OURS,
            "subject": OURS,
        },
    ),
    "a new procedure, in words": (
        added("procedure", "Knee operation", more="when I was 12"),
        "Procedure",
        None,
        {"performedString": "when I was 12"},
    ),
    "a vaccination remembered": (
        added("immunization", "Yellow fever", more="2010-05"),
        "Immunization",
        None,
        {
            "vaccineCode": {"text": "Yellow fever"},
            "occurrenceDateTime": "2010-05",
            "primarySource": False,
            "patient": OURS,
        },
    ),
    "a vaccination without a date": (
        added("immunization", "Polio"),
        "Immunization",
        None,
        {"occurrenceString": "Not said when"},
    ),
    "a relative in the patient's words": (
        added("family", "Brother", more="Asthma"),
        "FamilyMemberHistory",
        None,
        {
            "status": "partial",
            "relationship": {"text": "Brother"},
            "condition": [{"code": {"text": "Asthma"}}],
            "date": SAID_AT,
        },
    ),
    "another pharmacy, where the record has a place for it": (
        about("pharmacy", "changed", text="Main Street Pharmacy"),
        "Patient/7",
        "3",
        {
            "extension": [
                {
                    "url": PHARMACY,
                    "extension": [
                        {"url": "pharmacy", "valueReference": {"display": "Main Street Pharmacy"}},
                        {"url": "type", "valueCodeableConcept": {"text": "Community"}},
                    ],
                },
                HERE["extension"][1],
            ]
        },
    ),
    "somebody who left the care team": (
        about("careteam", "stopped", when="2025"),
        "CareTeam/t1",
        "2",
        {"participant": [{**TEAM["participant"][0], "period": {"end": "2025"}}], "status": "active"},
    ),
    "somebody new in the care team": (
        added("careteam", "Dr Heron", more="Heart doctor"),
        "CareTeam/t1",
        "2",
        {
            "participant": [
                TEAM["participant"][0],
                {"role": [{"text": "Heart doctor"}], "member": {"display": "Dr Heron"}},
            ]
        },
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_said_becomes_just_that_change(name: str) -> None:
    said, url, if_match, elements = CHANGES[name]
    before = deepcopy(ALL)
    change = one(said).change
    assert change is not None
    assert (change.url, change.if_match, change.method) == (url, if_match, "PUT" if if_match else "POST")
    assert {key: change.resource.get(key) for key in elements} == elements
    assert problems(change.resource) == []
    assert before == ALL, "the record is never altered in place"


@pytest.mark.parametrize("name", ["procedure", "immunization", "family"])
def test_something_different_is_a_note_in_the_patients_words(name: str) -> None:
    made = one(about(name, "changed", text="it was the left side"))
    assert made.change is not None and made.risk is Risk.LOOK
    note = made.change.resource["note"][-1]
    assert "it was the left side" in note["text"] and note["authorReference"] == OURS
    assert problems(made.change.resource) == []


BY_HAND: dict[str, tuple[Json, str]] = {
    "a pharmacy of a prescription": (about("dispenser", "stopped"), people.BY_HAND),
    "the regular doctor": (about("own doctor", "changed", text="Dr New"), people.BY_HAND),
    "the pharmacy they do not use": (about("pharmacy", "stopped"), people.BY_HAND),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_what_has_no_place_or_is_somebody_elses_is_for_a_person(name: str) -> None:
    said, reason = BY_HAND[name]
    made = one(said, medication=(METFORMIN,))
    assert (made.change, made.risk) == (None, Risk.LOOK)
    assert reason in made.reasons


def test_a_pharmacy_stays_text_where_the_record_has_no_place_for_it() -> None:
    bare = {name: held for name, held in HERE.items() if name != "extension"}
    made = one(added("pharmacy", "Main Street Pharmacy"), contact=(bare,))
    assert (made.change, made.reasons) == (None, (people.NO_PLACE,))
    assert ("Pharmacy", "Main Street Pharmacy") in [(row.name, row.said) for row in made.rows]
    assert one(added("careteam", "Dr Heron"), careteam=()).reasons == (people.NO_TEAM,)
