"""What confirming would change, block by block, as a table: statuses, parts of a resource, partial dates, text without a code."""

from __future__ import annotations

from copy import deepcopy

import pytest

from portal.fhir.structure import problems
from portal.intake import asking
from portal.intake.sections import ORDER
from portal.review import authority, coverage, history, people, ruling
from portal.review.payload import fold
from portal.review.proposal import Answer, Proposal, Risk
from portal.review.proposals import RULES, kinds, proposals
from portal.review.section import Section
from tests.review.builders import (
    ASTHMA,
    METFORMIN,
    PATIENT,
    SAID_AT,
    SUBJECT,
    Json,
    address,
    document,
    email,
    fact,
    new,
    phone,
    record,
)

OURS = {"reference": SUBJECT}
PHARMACY = "http://hl7.org/fhir/StructureDefinition/patient-preferredPharmacy"
EMERGENCY = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "C", "display": "Emergency Contact"}]
}
DIEGO = {
    "relationship": [EMERGENCY, {"text": "Husband"}],
    "name": {"text": "Diego Morales"},
    "telecom": [{"system": "phone", "value": "555 0116"}],
}
CHOSEN = {
    "url": PHARMACY,
    "extension": [
        {"url": "pharmacy", "valueReference": {"display": "Walnut Pharmacy"}},
        {"url": "type", "valueCodeableConcept": {"text": "Community"}},
    ],
}
HERE: Json = {
    **PATIENT,
    "contact": [DIEGO],
    "extension": [CHOSEN, {"url": "urn:else", "valueString": "x"}],
    "generalPractitioner": [{"display": "Dr Weiss"}],
}
SON: Json = {
    "resourceType": "RelatedPerson",
    "id": "r1",
    "meta": {"versionId": "4"},
    "active": True,
    "patient": OURS,
    "name": [{"text": "Minh Tran"}],
    "relationship": [{"text": "Son"}],
    "telecom": [{"system": "phone", "value": "555 0115"}],
}
COVER: Json = {
    "resourceType": "Coverage",
    "id": "k1",
    "meta": {"versionId": "6"},
    "status": "active",
    "beneficiary": OURS,
    "payor": [{"display": "Prairie Health"}],
    "subscriberId": "PH-1",
    "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "gold", "name": "Gold"}],
    "period": {"start": "2020"},
}
APPENDIX: Json = {
    "resourceType": "Procedure",
    "id": "o1",
    "meta": {"versionId": "1"},
    "status": "completed",
    "subject": OURS,
    "code": {"text": "Removal of the appendix"},
    "performedDateTime": "2003-07",
}
TDAP: Json = {
    "resourceType": "Immunization",
    "id": "i1",
    "meta": {"versionId": "1"},
    "status": "completed",
    "patient": OURS,
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "115"}], "text": "Tdap"},
    "occurrenceDateTime": "2021-06-14",
}
MOTHER: Json = {
    "resourceType": "FamilyMemberHistory",
    "id": "f1",
    "meta": {"versionId": "1"},
    "status": "completed",
    "patient": OURS,
    "relationship": {"text": "Mother"},
    "condition": [{"code": {"text": "Diabetes"}}],
}
TEAM: Json = {
    "resourceType": "CareTeam",
    "id": "t1",
    "meta": {"versionId": "2"},
    "status": "active",
    "subject": OURS,
    "participant": [{"member": {"display": "Dr Okoro"}, "role": [{"text": "Family doctor"}]}],
}
ALL: dict[str, tuple[Json, ...]] = {
    "contact": (HERE,),
    "person": (SON,),
    "coverage": (COVER,),
    "procedure": (APPENDIX,),
    "immunization": (TDAP,),
    "family": (MOTHER,),
    "careteam": (TEAM,),
}
FACTS: dict[str, tuple[str, Json, str, str, str]] = {
    "person": ("person", SON, "Minh Tran", "Son, 555 0115", ""),
    "contact person": ("person", HERE, "Diego Morales", "Husband, 555 0116", "contact-1"),
    "coverage": ("coverage", COVER, "Prairie Health", "Gold, PH-1", ""),
    "procedure": ("procedure", APPENDIX, "Removal of the appendix", "", ""),
    "immunization": ("immunization", TDAP, "Tdap", "", ""),
    "family": ("family", MOTHER, "Mother", "Diabetes", ""),
    "pharmacy": ("pharmacy", HERE, "Walnut Pharmacy", "", "pharmacy-1"),
    "careteam": ("careteam", TEAM, "Dr Okoro", "Family doctor", "member-1"),
    "own doctor": ("careteam", HERE, "Dr Weiss", "Your regular doctor", "doctor-1"),
    "dispenser": ("pharmacy", METFORMIN, "Main Pharmacy", "", "dispenser-1"),
}


def about(which: str, answer: str, /, **typed: str) -> Json:
    kind, resource, label, detail, part = FACTS[which]
    return {**fact(kind, resource, answer, label, detail=detail, part=part), "change": typed}


def added(kind: str, text: str, /, **typed: str) -> Json:
    made = new(kind, text, typed.get("more", ""))
    return {**made, "change": {**made["change"], **typed}}


def one(said: Json, **now: tuple[Json, ...] | None) -> Proposal:
    (made,) = proposals(document(said), record(**{**ALL, **now}), subject=SUBJECT, said_at=SAID_AT)
    return made


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


ALREADY: dict[str, Json] = {
    "person": added("person", "minh TRAN"),
    "contact person": added("person", "Diego Morales", phone="1"),
    "coverage": added("coverage", "prairie health", member="ph-1"),
    "procedure": added("procedure", "removal of the Appendix", more="2003"),
    "immunization": added("immunization", "TDAP"),
    "family": added("family", "Mother", more="diabetes"),
    "pharmacy": added("pharmacy", "walnut pharmacy"),
    "careteam": added("careteam", "Dr. Okoro"),
}


@pytest.mark.parametrize("name", ALREADY)
def test_what_the_record_has_is_not_written_again(name: str) -> None:
    made = one(ALREADY[name])
    assert (made.change, made.reasons) == (None, (ruling.ALREADY,))


def test_what_is_nearly_the_same_is_looked_at() -> None:
    again = one(added("procedure", "Removal of a tooth", more="2020"))
    assert again.change is not None and ruling.SIMILAR in again.reasons
    other = one(added("coverage", "Prairie Health", member="PH-77"))
    assert ruling.SIMILAR in other.reasons
    assert one(added("family", "Mother", more="Asthma")).reasons == (ruling.SIMILAR,)


def test_two_changes_to_one_patient_become_one() -> None:
    said = [about("contact person", "stopped"), about("pharmacy", "changed", text="Main"), added("person", "Rosa Diaz")]
    made = proposals(document(*said), record(**ALL), subject=SUBJECT, said_at=SAID_AT)
    whole = fold([each.change for each in made if each.change])
    assert len(whole["contact"]) == 2 and whole["contact"][0]["period"] == END
    assert whole["extension"][0]["extension"][0]["valueReference"] == {"display": "Main"}
    assert problems(whole) == []


def test_what_the_record_changed_since_they_were_asked_is_said() -> None:
    later = {
        **HERE,
        "contact": [{**DIEGO, "telecom": [{"system": "phone", "value": "555 0001"}]}],
        "birthDate": "1985-03-28",
    }
    assert one(about("contact person", "stopped"), contact=(later,)).stale
    elsewhere = {**HERE, "birthDate": "1985-03-28"}
    assert not one(about("contact person", "stopped"), contact=(elsewhere,)).stale, "not this part of it"
    assert one(about("coverage", "stopped"), coverage=({**COVER, "subscriberId": "PH-9"},)).stale
    assert one(about("careteam", "stopped"), careteam=({**TEAM, "participant": []},)).stale


def test_who_decides_what() -> None:
    clinical = {kind for kind in RULES if one(added(kind, "Something else 123456", more="x")).clinical}
    assert clinical == {"medication", "allergy", "condition", "procedure", "immunization", "family"}


def test_what_is_read_beside_a_submission_is_what_it_says_something_about() -> None:
    assert kinds(document(about("person", "same"), about("pharmacy", "same"))) == {"person", "contact", "medication"}
    assert kinds(document(about("procedure", "same"))) == {"procedure"}


def test_what_could_not_be_looked_at_is_said_before_it_is_changed() -> None:
    readings = {**record(**ALL), "coverage": Section("could-not-look")}
    (made,) = proposals(document(about("coverage", "stopped")), readings, subject=SUBJECT, said_at=SAID_AT)
    assert made.change is not None and made.risk is Risk.LOOK
    assert any("could not be read" in reason for reason in made.reasons)


def test_when_something_ended_goes_where_the_record_has_a_place_for_it() -> None:
    taken = {
        **fact("medication", METFORMIN, "stopped", "Metformin"),
        "change": {"when": "2026-09", "why": "It made me ill"},
    }
    change = one(taken).change
    assert change is not None
    assert change.resource["effectivePeriod"] == {"end": "2026-09"}
    assert "It made me ill" in change.resource["note"][0]["text"]
    assert problems(change.resource) == []


@pytest.mark.parametrize(
    ("when", "element"), [("2024", {"abatementDateTime": "2024"}), ("in spring", {"abatementString": "in spring"})]
)
def test_a_condition_that_is_over_says_since_when(when: str, element: Json) -> None:
    change = one({**fact("condition", ASTHMA, "stopped", "Asthma"), "change": {"when": when}}).change
    assert change is not None
    assert {name: change.resource.get(name) for name in element} == element
    assert problems(change.resource) == []


def test_the_reasons_tell_what_to_check() -> None:
    assert history.NEVER_WAS in one(about("procedure", "stopped")).reasons
    assert coverage.OTHER_INSURER in one(about("coverage", "changed", insurer="Blue River", plan="", member="")).reasons


# -- whose word counts -------------------------------------------------------------------------------------------------

WEIGHED: dict[str, tuple[Json, str, str, Risk, str]] = {
    "the patient's, for whom to call": (about("person", "stopped"), "person", "patient", Risk.ROUTINE, ""),
    "the record's, for whom to call": (
        added("person", "Rosa Diaz"),
        "person",
        "record",
        Risk.LOOK,
        authority.RECORD_COUNTS,
    ),
    "a feed's, for a phone number": (
        phone("changed", "555 0199"),
        "contact.phone",
        "feed",
        Risk.LOOK,
        authority.FEED_COUNTS,
    ),
    "a feed's, for another way to reach them": (
        phone("changed", "555 0199"),
        "contact.email",
        "feed",
        Risk.ROUTINE,
        "",
    ),
    "the patient's, for what a clinician decides": (
        fact("medication", METFORMIN, "stopped", "Metformin"),
        "medication",
        "patient",
        Risk.LOOK,
        "",
    ),
    "nobody's in particular": (added("person", "Rosa Diaz"), "person", "either", Risk.ROUTINE, ""),
}


@pytest.mark.parametrize("name", WEIGHED)
def test_whose_word_counts_decides_what_may_be_accepted_together(name: str) -> None:
    said, where, source, risk, reason = WEIGHED[name]
    (made,) = proposals(document(said), record(**ALL), subject=SUBJECT, said_at=SAID_AT, authority={where: source})
    assert (made.risk, made.unremarkable) == (risk, risk is Risk.ROUTINE)
    assert (reason in made.reasons) if reason else not made.reasons


def test_an_allergy_to_what_they_take_stays_urgent_whoever_counts() -> None:
    said = new("allergy", "Metformin")
    (made,) = proposals(document(said), record(), subject=SUBJECT, said_at=SAID_AT, authority={"allergy": "patient"})
    assert made.risk is Risk.URGENT


def test_every_field_that_a_clinic_may_name_is_one_a_proposal_can_be_about() -> None:
    ways = {
        authority.field_of(one(each)) for each in (phone("changed", "1234567"), email("stopped"), address("stopped"))
    }
    assert ways | (set(ORDER) - {"contact"}) == set(asking.WORDS_COUNT)
