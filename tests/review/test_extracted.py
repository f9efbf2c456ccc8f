"""What the forms of a submission say about the record, beside what the record says."""

from __future__ import annotations

from typing import Any

import pytest

from portal.consent.redaction import labelled, redact
from portal.fhir.structure import problems
from portal.review import taking_over
from portal.review.allergy import IS_TAKEN
from portal.review.proposal import Proposal, Risk, as_shown
from portal.review.proposals import SAID_ABOVE
from portal.review.ruling import ALREADY, SIMILAR
from tests.forms.filling import RAW
from tests.review.answering import (
    LABEL,
    SMOKES,
    answer,
    answered,
    beside,
    filled_by,
    of_form,
    say,
    template,
    whole,
)
from tests.review.builders import METFORMIN, PENICILLIN, SUBJECT, Json, new, record

MOOD = {f"phq-{number}": 1 for number in range(1, 10)}
OWN = {
    "own-any": {"valueBoolean": True},
    "own-what": {"valueString": "Magnesium"},
    "own-how": {"valueString": "one a day"},
}


def the(slug: str, answers: dict[str, Any], **now: Any) -> Proposal:
    (made,) = beside(whole(answered(slug, answers)), record(**now) if now else record(surveys=()))
    return made


@pytest.mark.parametrize(
    ("slug", "answers", "kind", "title", "result"),
    [
        ("phq-9", MOOD, "observation", "PHQ-9 total, of 27", "9"),
        ("gad-7", {f"gad-{n}": 2 for n in range(1, 8)}, "observation", "GAD-7 total, of 21", "14"),
        ("audit-c", {"audit-1": 0}, "observation", "AUDIT-C total, of 12", "0"),
        ("ahc-hrsn", {"transport": 0}, "observation", RAW["ahc-hrsn"]["item"][1]["item"][3]["text"], "Yes"),
        ("health-history", {"smoking": 1}, "observation", "Tobacco smoking status", "Ex-smoker"),
        ("health-history", {"phq-1": 1, "phq-2": 2}, "observation", "PHQ-2 score", "3"),
        ("medication-allergy-history", {"reaction-to": [0]}, "allergy", "Latex", "Latex"),
        ("medication-allergy-history", OWN, "medication", "Magnesium", "Magnesium"),
    ],
)
def test_each_bundled_form_says_this(slug: str, answers: dict[str, Any], kind: str, title: str, result: str) -> None:
    made = the(slug, answers)
    assert (made.kind, made.title, made.rows[0].said) == (kind, title, result)
    assert made.open and made.change is not None and made.change.method == "POST"
    assert made.form == RAW[slug]["title"]
    assert not made.reasons


def test_when_it_was_told_is_not_since_when_it_is_taken() -> None:
    rows = [(row.name, row.said) for row in the("medication-allergy-history", OWN).rows]
    assert rows == [("Medicine", "Magnesium"), ("How to take it", "one a day")]


def test_nothing_is_said_where_nothing_was_answered() -> None:
    for slug in RAW:
        assert beside(whole(answered(slug, {}))) == []


def test_what_is_written_is_the_patients_own_unconfirmed_word_whatever_the_form_says() -> None:
    raw = template(
        "AllergyIntolerance",
        verificationStatus={"coding": [{"code": "confirmed"}]},
        patient={"reference": "Patient/somebody-else"},
        code={"_text": filled_by("answer.value")},
    )
    (made,) = beside(whole(of_form(raw, answer("Nickel"))))
    resource = made.change.resource if made.change else {}
    assert resource["verificationStatus"]["coding"][0]["code"] == "unconfirmed"
    assert resource["patient"] == resource["asserter"] == {"reference": SUBJECT}
    assert resource["clinicalStatus"]["coding"][0]["code"] == "active"


SAME = [
    ("health-history", {"smoking": 2}, "surveys", SMOKES),
    ("medication-allergy-history", {"reaction-to": [0]}, "allergy", {**PENICILLIN, "code": {"text": "LATEX"}}),
    (
        "medication-allergy-history",
        OWN,
        "medication",
        {**METFORMIN, "medicationCodeableConcept": {"text": "magnesium"}},
    ),
]


@pytest.mark.parametrize(("slug", "answers", "section", "held"), SAME)
def test_what_the_record_already_says_needs_no_decision_and_is_not_written_again(
    slug: str, answers: dict[str, Any], section: str, held: Json
) -> None:
    made = the(slug, answers, **{section: (held,)})
    assert (made.open, made.change, made.reasons) == (False, None, (ALREADY,))
    assert made.rows[0].now


@pytest.mark.parametrize(("slug", "answers", "section", "held"), SAME)
def test_what_no_longer_holds_in_the_record_does_not_count(
    slug: str, answers: dict[str, Any], section: str, held: Json
) -> None:
    over = {"status": "entered-in-error", "verificationStatus": {"coding": [{"code": "entered-in-error"}]}}
    assert the(slug, answers, **{section: ({**held, **over},)}).change is not None


def test_another_result_stands_beside_the_last_one() -> None:
    made = the("health-history", {"smoking": 1}, surveys=(SMOKES, {**SMOKES, "effectiveDateTime": "2015"}))
    assert [(row.name, row.now, row.said) for row in made.rows] == [
        ("Result", "Smoker", "Ex-smoker"),
        ("Date", "2020-01-05", "2026-11-20"),
    ]
    assert made.change is not None


def test_a_screening_is_new_each_time_even_with_the_same_total() -> None:
    made = the("phq-9", MOOD)
    assert made.change is not None
    last = {**made.change.resource, "id": "o7", "identifier": [], "effectiveDateTime": "2025-03-01"}
    assert the("phq-9", MOOD, surveys=(last,)).change is not None
    assert the("phq-9", MOOD, surveys=({**last, "effectiveDateTime": "2026-11-20"},)).reasons == (ALREADY,)


def test_an_amended_answer_updates_what_the_first_one_made() -> None:
    first = the("phq-9", MOOD)
    assert first.change is not None
    held = {**first.change.resource, "id": "o9", "meta": {"versionId": "2"}}
    again = the("phq-9", MOOD, surveys=(held,))
    assert (again.key, again.open, again.reasons) == (first.key, False, (ALREADY,))
    amended = the("phq-9", {**MOOD, "phq-1": 3}, surveys=(held,))
    assert amended.key == first.key
    assert amended.change is not None
    assert (amended.change.method, amended.change.url, amended.change.if_match) == ("PUT", "Observation/o9", "2")
    assert amended.change.resource["identifier"] == held["identifier"]
    assert (amended.rows[0].now, amended.rows[0].said) == ("9", "11")
    assert amended.risk is Risk.LOOK


def test_the_same_form_at_another_visit_says_something_new() -> None:
    keys = {each.fact for visit in ("v1", "v2") for each in say(whole(answered("phq-9", MOOD, visit)))}
    assert len(keys) == 2


def test_something_similar_in_the_record_or_among_the_medicines_asks_for_a_look() -> None:
    assert the("medication-allergy-history", OWN, medication=(METFORMIN,)).reasons == ()
    similar = {**OWN, "own-what": {"valueString": "Metformin from abroad"}}
    made = the("medication-allergy-history", similar, medication=(METFORMIN,))
    assert (made.risk, made.reasons) == (Risk.LOOK, (SIMILAR,))
    taken = {**METFORMIN, "medicationCodeableConcept": {"text": "Latex cream"}}
    made = the("medication-allergy-history", {"reaction-to": [0]}, medication=(taken,))
    assert (made.risk, made.reasons) == (Risk.URGENT, (IS_TAKEN,))


def test_a_record_that_could_not_be_read_is_said() -> None:
    made = the("phq-9", MOOD, surveys=None)
    assert (made.risk, made.reasons) == (Risk.LOOK, (taking_over.NOT_CHECKED,))


@pytest.mark.parametrize(
    ("kind", "element", "why"),
    [
        ("ServiceRequest", "code", taking_over.BY_HAND),
        ("FamilyMemberHistory", "name", taking_over.NOT_ENOUGH),
        ("Immunization", "lotNumber", taking_over.NOT_ENOUGH),
    ],
)
def test_what_this_desk_cannot_write_is_shown_to_be_entered_by_hand(kind: str, element: str, why: str) -> None:
    said = filled_by("answer.value")
    raw = template(kind, **({element: {"_text": said}} if element == "code" else {f"_{element}": said}))
    (made,) = beside(whole(of_form(raw, answer("Something"))))
    assert (made.open, made.change, made.reasons) == (True, None, (why,))
    assert made.title == ("Something" if element == "code" else kind)


SAID = filled_by("answer.value")
MORE: list[tuple[str, dict[str, Any], str, str, str, dict[str, Any]]] = [
    (
        "Immunization",
        {"vaccineCode": {"_text": SAID}, "status": "completed", "occurrenceDateTime": "2019"},
        "immunization",
        "Tetanus",
        "occurrenceString",
        {"patient": {"reference": SUBJECT}, "primarySource": False, "occurrenceDateTime": "2019"},
    ),
    (
        "Immunization",
        {"vaccineCode": {"_text": SAID}},
        "immunization",
        "Tetanus",
        "occurrenceDateTime",
        {"status": "completed", "occurrenceString": "Not said when"},
    ),
    (
        "Procedure",
        {"code": {"_text": SAID}, "performedString": "as a child"},
        "procedure",
        "Tonsils out",
        "performedDateTime",
        {"status": "completed", "subject": {"reference": SUBJECT}, "asserter": {"reference": SUBJECT}},
    ),
    (
        "FamilyMemberHistory",
        {"relationship": {"text": "Mother"}, "condition": [{"code": {"_text": SAID}}]},
        "family",
        "Diabetes",
        "asserter",
        {"status": "partial", "patient": {"reference": SUBJECT}},
    ),
]


@pytest.mark.parametrize(("kind", "elements", "section", "words", "without", "holds"), MORE)
def test_vaccinations_procedures_and_what_relatives_had_are_written_as_told(
    kind: str, elements: dict[str, Any], section: str, words: str, without: str, holds: dict[str, Any]
) -> None:
    document = whole(of_form(template(kind, **elements), answer(words)))
    (made,) = beside(document, record(**{section: ()}))
    assert made.change is not None
    assert (made.change.method, made.kind, made.reasons) == ("POST", section, ())
    assert words in made.title and words in " ".join(row.said for row in made.rows)
    assert problems(made.change.resource) == [] and without not in made.change.resource
    assert holds.items() <= made.change.resource.items()
    held = {**made.change.resource, "id": "x1", "identifier": []}
    (again,) = beside(document, record(**{section: (held,)}))
    assert (again.open, again.reasons) == (False, (ALREADY,))


def test_two_things_that_one_relative_had_are_two_entries() -> None:
    mother = {"relationship": {"text": "Mother"}, "condition": [{"code": {"_text": SAID}}]}
    raw = template("FamilyMemberHistory", **mother)
    raw["item"][0]["repeats"] = True
    both = {"linkId": "q", "answer": [{"valueString": "Diabetes"}, {"valueString": "Asthma"}]}
    made = beside(whole(of_form(raw, both)), record(family=()))
    assert [(each.title, each.change is not None) for each in made] == [
        ("Mother: Diabetes", True),
        ("Mother: Asthma", True),
    ]


def test_an_entry_has_one_time_whatever_its_form_calls_it() -> None:
    measured = {"code": {"text": "Weight"}, "_valueString": SAID, "effectivePeriod": {"start": "2020"}}
    (made,) = beside(whole(of_form(template("Observation", **measured), answer("70"))), record(surveys=()))
    assert made.change is not None
    assert "effectiveDateTime" not in made.change.resource


def test_what_the_connection_may_not_write_is_shown_to_be_entered_by_hand() -> None:
    (made,) = beside(whole(answered("phq-9", MOOD)), record(surveys=()), lambda kind, verb: False)
    assert (made.change, made.reasons) == (None, (taking_over.NOT_LET,))


def test_a_form_that_changes_an_entry_the_record_does_not_have_changes_nothing() -> None:
    raw = template("Condition", code={"_text": filled_by("answer.value")})
    raw["item"][0]["extension"][0]["extension"].append({"url": "resourceId", "valueString": "'c77'"})
    (made,) = beside(whole(of_form(raw, answer("Asthma"))))
    assert (made.change, made.reasons) == (None, (taking_over.NOT_THERE,))


def test_contact_details_of_a_form_are_decided_like_those_of_the_confirm_pages() -> None:
    raw = template(
        "Patient", birthDate="1985-03-28", telecom=[{"_value": filled_by("answer.value"), "system": "phone"}]
    )
    made = {each.title: each for each in beside(whole(of_form(raw, answer("+1 217 555 0999"))))}
    phone, person = made["+1 217 555 0999"], made["Who the patient is"]
    assert phone.kind == person.kind == "contact"
    assert phone.change is not None
    assert phone.change.url == "Patient/7"
    assert person.change is None
    assert [(row.name, row.now, row.said) for row in person.rows] == [("Date of birth", "1985-03-27", "1985-03-28")]


def test_what_is_said_twice_is_decided_once() -> None:
    document = whole(answered("medication-allergy-history", {"reaction-to": [0]}), facts=(new("allergy", "latex"),))
    first, second = beside(document)
    assert first.open and first.change is not None
    assert (second.open, second.change, second.reasons) == (False, None, (SAID_ABOVE,))


def labels(made: Proposal) -> list[str]:
    assert made.change is not None
    found = [each["code"] for each in made.change.resource.get("meta", {}).get("security", [])]
    assert found == [each["code"] for each in made.labels]
    return found


@pytest.mark.parametrize(
    ("slug", "answers", "codes"),
    [
        ("phq-9", MOOD, ["PSY"]),
        ("audit-c", {"audit-1": 0}, ["ETH"]),
        ("ahc-hrsn", {"transport": 0}, []),
        ("ahc-hrsn", {f"safety-{n}": 0 for n in range(1, 5)}, ["SDV"]),
        ("health-history", {"smoking": 1, "alcohol": 2}, []),
        ("health-history", {"phq-1": 1, "phq-2": 2}, ["PSY"]),
    ],
)
def test_what_is_sensitive_stays_labelled(slug: str, answers: dict[str, Any], codes: list[str]) -> None:
    assert labels(the(slug, answers)) == codes


def test_a_resource_made_of_answers_elsewhere_in_the_form_carries_their_labels() -> None:
    sensitive = {
        "url": LABEL,
        "valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"},
    }
    raw = template("Condition", code={"_text": filled_by("%resource.item.where(linkId = 'other').answer.value")})
    raw["item"].append({"linkId": "other", "type": "string", "text": "And?", "extension": [sensitive]})
    other = {"linkId": "other", "answer": [{"valueString": "a secret"}]}
    (made,) = beside(whole(of_form(raw, answer("x"), other)))
    assert (made.title, labels(made)) == ("a secret", ["HIV"])
    raw["contained"][0]["code"]["_text"] = filled_by("%resource.descendants().where(value.exists()).value.last()")
    assert labels(beside(whole(of_form(raw, answer("x"), other)))[0]) == ["HIV"]


def test_what_the_patient_keeps_back_is_in_nothing() -> None:
    raw, response = answered("health-history", {"smoking": 1, "phq-1": 1, "phq-2": 2})
    kept = redact(labelled(response, raw), {"phq-1"}, raw)
    document = whole((raw, response))
    assert len(say(document)) == 2
    assert [each.title for each in beside({**document, "responses": [kept]}, record(surveys=()))] == [
        "Tobacco smoking status"
    ]


def test_a_form_that_is_not_at_hand_or_extracts_nothing_says_nothing() -> None:
    raw, response = answered("phq-9", MOOD)
    assert say({**whole((raw, response)), "questionnaires": {}}) == []
    assert say(whole(answered("consent-to-treatment", {"treatment": 0}))) == []
    assert say({**whole((raw, response)), "questionnaires": {response["questionnaire"]: {"item": 7}}}) == []


def test_a_decision_keeps_which_form_it_was() -> None:
    made = the("phq-9", MOOD)
    assert as_shown(made.shown()).form == "Mood questionnaire (PHQ-9)"
    assert as_shown({name: held for name, held in made.shown().items() if name != "form"}).form == ""
