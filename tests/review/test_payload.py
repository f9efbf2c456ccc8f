"""What was accepted as one transaction Bundle."""

from uuid import UUID

import pytest

from portal.delivery import bundle as delivery_bundle
from portal.fhir.structure import problems
from portal.review.payload import Accepted, Sending, build, fold
from portal.review.proposal import Proposal
from portal.review.provenance import Person
from tests.review.builders import (
    ASTHMA,
    METFORMIN,
    PATIENT,
    PENICILLIN,
    SAID_AT,
    SUBJECT,
    Json,
    email,
    fact,
    new,
    one,
    phone,
)

CLERK = Person("Maya Lind", account_id="c" * 16)
DOCTOR = Person("Dr Ana Reyes", account_id="d" * 16)
RESPONSE: Json = {
    "resourceType": "QuestionnaireResponse",
    "identifier": {"system": "urn:previsit:response", "value": "6a1f0d5e-0000-5000-8000-000000000001"},
    "questionnaire": "https://clinic.example/Questionnaire/history|1.0",
    "status": "completed",
    "authored": SAID_AT,
    "item": [{"linkId": "smoke", "answer": [{"valueBoolean": False}]}],
}
CONSENT: Json = {
    "resourceType": "Consent",
    "identifier": [{"system": "urn:previsit:consent", "value": "6a1f0d5e-0000-5000-8000-000000000002"}],
    "status": "active",
    "scope": {"coding": [{"code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": SUBJECT},
    "dateTime": SAID_AT,
    "policy": [{"uri": "https://clinic.example/policy/1"}],
}
PROPOSALS = [
    (one(phone("changed", "555 0199")), CLERK),
    (one(email("changed", "new@example.org")), CLERK),
    (one(fact("medication", METFORMIN, "stopped", "Metformin 500 mg tablet")), DOCTOR),
    (one(fact("allergy", PENICILLIN, "stopped", "Penicillin")), DOCTOR),
    (one(fact("condition", ASTHMA, "changed", "Asthma", "only in spring")), DOCTOR),
    (one(new("allergy", "Latex", "itching")), DOCTOR),
]


def sending(accepted: list[tuple[Proposal, Person]] | None = None, **more: object) -> Sending:
    wanted = {
        "submission_id": "0123456789abcdef",
        "subject": SUBJECT,
        "said_at": SAID_AT,
        "recorded": "2026-11-20T10:00:00Z",
        "author": Person("Adaeze Okafor", reference=SUBJECT),
        "finished_by": DOCTOR,
        "responses": [RESPONSE],
        "consent": CONSENT,
        "accepted": [Accepted(proposal, by) for proposal, by in (PROPOSALS if accepted is None else accepted)],
    }
    return Sending(**{**wanted, **more})  # type: ignore[arg-type]


def entries(bundle: Json, kind: str) -> list[Json]:
    return [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_the_whole_bundle_is_sound_and_delivery_takes_it() -> None:
    bundle = build(sending())
    assert problems(bundle) == []
    assert delivery_bundle.problems(bundle) == []


def test_consent_comes_before_answers_and_answers_before_changes() -> None:
    kinds = [entry["resource"]["resourceType"] for entry in build(sending())["entry"]]
    assert kinds[:2] == ["Consent", "QuestionnaireResponse"]
    assert kinds[-1] == "Provenance"
    assert kinds.index("Patient") < kinds.index("Provenance")


def test_two_changes_of_the_patient_become_one_put_with_its_version() -> None:
    (entry,) = entries(build(sending()), "Patient")
    assert entry["request"] == {"method": "PUT", "url": "Patient/7", "ifMatch": 'W/"3"'}
    assert [each["value"] for each in entry["resource"]["telecom"]] == ["555 0199", "new@example.org"]
    assert {name: held for name, held in entry["resource"].items() if name != "telecom"} == {
        name: held for name, held in PATIENT.items() if name != "telecom"
    }


def test_what_is_created_is_made_once_by_its_own_identifier() -> None:
    for entry in build(sending())["entry"]:
        if entry["request"]["method"] == "POST" and entry["resource"]["resourceType"] != "Provenance":
            held = entry["resource"]["identifier"]
            identifier = held if isinstance(held, dict) else held[0]
            assert identifier["value"] in entry["request"]["ifNoneExist"]
            UUID(identifier["value"])


def test_the_same_submission_gives_the_same_bytes_and_another_one_other_names() -> None:
    assert build(sending()) == build(sending())
    names = {entry["fullUrl"] for entry in build(sending())["entry"]}
    others = {entry["fullUrl"] for entry in build(sending(submission_id="fedcba9876543210"))["entry"]}
    assert len(names) == len(build(sending())["entry"])
    assert not names & others


def test_every_part_says_who_said_it_and_who_accepted_it() -> None:
    bundle = build(sending())
    parts = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] != "Provenance"]
    told = {entry["resource"]["target"][0]["reference"]: entry["resource"] for entry in entries(bundle, "Provenance")}
    for part in parts:
        target = part["request"]["url"] if part["request"]["method"] == "PUT" else part["fullUrl"]
        agents = {agent["type"]["coding"][0]["code"]: agent["who"] for agent in told[target]["agent"]}
        assert agents["author"]["reference"] == SUBJECT
        wanted = CLERK if part["resource"]["resourceType"] == "Patient" else DOCTOR
        assert agents["verifier"]["display"] == wanted.name
        assert told[target]["occurredDateTime"] == SAID_AT
    assert len(told) == len(parts)


def test_two_people_who_accepted_parts_of_one_change_are_both_named() -> None:
    bundle = build(sending([(PROPOSALS[0][0], CLERK), (PROPOSALS[1][0], DOCTOR)], consent=None, responses=[]))
    (told,) = entries(bundle, "Provenance")
    assert [agent["who"].get("display") for agent in told["resource"]["agent"]][1:3] == [CLERK.name, DOCTOR.name]


def test_answers_are_the_patients_completed_and_about_them() -> None:
    (entry,) = entries(build(sending(responses=[{**RESPONSE, "status": "in-progress"}])), "QuestionnaireResponse")
    resource = entry["resource"]
    assert resource["status"] == "completed"
    assert resource["subject"] == resource["source"] == resource["author"] == {"reference": SUBJECT}
    assert resource["item"] == RESPONSE["item"]
    assert resource["identifier"] == RESPONSE["identifier"]


def test_a_proposal_without_a_change_leaves_nothing_behind() -> None:
    bundle = build(sending([(one(phone("unsure")), CLERK)], consent=None, responses=[]))
    assert bundle["entry"] == []


def test_changes_built_on_different_versions_are_never_folded() -> None:
    first, second = (proposal.change for proposal, _ in PROPOSALS[:2])
    assert first is not None
    assert second is not None
    with pytest.raises(ValueError, match="cannot become one"):
        fold([first, type(second)("PUT", second.url, second.resource, "4", second.edit)])
