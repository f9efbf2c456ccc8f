"""What confirming would change beside what the record has already, what it says since, and whose word counts."""

from __future__ import annotations

import pytest

from portal.fhir.structure import problems
from portal.intake import asking
from portal.intake.sections import ORDER
from portal.review import authority, coverage, history, people, ruling
from portal.review.payload import fold
from portal.review.proposal import Risk
from portal.review.proposals import RULES, kinds, proposals
from portal.review.section import Section
from tests.review.blocks import (
    ALL,
    COVER,
    DIEGO,
    HERE,
    TEAM,
    about,
    added,
    one,
)
from tests.review.builders import (
    ASTHMA,
    METFORMIN,
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

END = {"end": "2026-11-20"}
ALREADY: dict[str, Json] = {
    "person": added("person", "minh TRAN"),
    "contact person": added("person", "Diego Morales"),
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


@pytest.mark.parametrize("name", ["Diego Morales", "Minh Tran"])
def test_another_number_of_somebody_who_is_there_is_not_lost_but_looked_at(name: str) -> None:
    made = one(added("person", name, phone="555 0999"))
    assert made.risk is Risk.LOOK and made.effect == people.IS_THERE and made.change
    assert "555 0999" in str(made.change.resource)
    (row,) = [each for each in made.rows if each.name == "Phone"]
    assert row.now and row.said == "555 0999"


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
