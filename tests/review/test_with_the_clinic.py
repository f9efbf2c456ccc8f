"""The desk against the synthetic clinic over HTTP: whose record it is, what the record says now, and what arrives in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.accounts.models import Patient
from portal.actors import Role, system
from portal.db import session
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr import service as ehr
from portal.errors import Conflict, NotFound
from portal.fhir.resources import key_of
from portal.intake.models import Status
from portal.review import service
from portal.review.matching import Verdict as Match
from portal.review.models import Verdict
from portal.review.service import Choice
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from portal.working import tools
from tests import make
from tests.conftest import csrf
from tests.ports import free_port
from tests.review.answering import answered, whole
from tests.review.builders import Json, fact, new
from tests.review.conftest import DESK, World

MARIA = {"birthDate": "1990-03-04", "email": None, "phone": None}


@pytest.fixture
def clinic_url(world: World, tmp_path: Path) -> Iterator[str]:
    """The synthetic clinic with its people, where our connection points to."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    actor = system(world.clinic_id)
    ehr.pause(world.actor(Role.ADMINISTRATOR), world.connection_id, "moved")
    made = ehr.register(actor, name="Riverside record", base_url=f"{url}/fhir", client_id="previsit")
    world.connection_id = made.id
    client = Client("previsit", ehr.jwks(made.id))
    running = server(SandboxConfig(tmp_path / "clinic", url, (client,)), "127.0.0.1", port)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield url
    running.shutdown()
    running.server_close()


def untied(world: World, *facts: Json, **person: str | None) -> tuple[str, str]:
    """(submission id, patient id) of somebody the portal cannot tie."""
    stranger = make.patient(world.clinic, "Maria Garcia", **{**MARIA, **person})
    visit = make.visit(stranger)
    return world.submit(*(facts or (new("allergy", "Latex"),)), patient=stranger, visit=visit), stranger.id


def test_somebody_with_only_a_name_and_a_birth_date_is_left_to_a_person(world: World, clinic_url: str) -> None:
    _, patient_id = untied(world)
    assert service.settle(system(world.clinic_id), patient_id) is Match.MAYBE
    found = service.candidates(world.actor(Role.FRONT_DESK), patient_id)
    assert [each.patient["id"] for each in found.found.candidates] == ["maria-garcia-a"]
    assert session().get_one(Patient, patient_id).fhir_id is None


def test_somebody_whose_phone_agrees_too_is_tied_by_the_rules(world: World, clinic_url: str) -> None:
    _, patient_id = untied(world, phone="217 555 0107")
    assert service.settle(system(world.clinic_id), patient_id) is Match.ONE
    assert session().get_one(Patient, patient_id).fhir_id == "maria-garcia-a"


def test_nobody_like_that_is_none(world: World, clinic_url: str) -> None:
    _, patient_id = untied(world, birthDate="1931-05-06")
    assert service.settle(system(world.clinic_id), patient_id) is Match.NONE
    assert service.none_of_these(world.actor(), patient_id, "Not a patient here yet.") == []
    (kept,) = service.candidates(world.actor(), patient_id).decided
    assert kept.detail["reason"] == "Not a patient here yet."


def test_a_person_ties_them_with_a_reason_and_only_to_a_candidate(world: World, clinic_url: str) -> None:
    _, patient_id = untied(world)
    actor = world.actor(Role.FRONT_DESK)
    assert [issue.where for issue in service.link(actor, patient_id, "Patient/maria-garcia-a", " ")] == ["reason"]
    with pytest.raises(NotFound):
        service.link(actor, patient_id, "Patient/robert-hughes", "Guessed")
    assert service.link(actor, patient_id, "Patient/maria-garcia-a", "Street asked by phone") == []
    row = session().get_one(Patient, patient_id)
    assert (row.fhir_id, row.connection_id) == ("maria-garcia-a", world.connection_id)
    with pytest.raises(Conflict):
        service.link(actor, patient_id, "Patient/maria-garcia-a", "Again")


def test_two_people_are_never_tied_to_one_record(world: World, clinic_url: str) -> None:
    _, first = untied(world)
    _, second = untied(world)
    actor = world.actor()
    assert service.link(actor, first, "Patient/maria-garcia-a", "Street asked by phone") == []
    assert [issue.code for issue in service.link(actor, second, "Patient/maria-garcia-a", "The same?")] == ["taken"]
    _, third = untied(world, phone="217 555 0107")
    assert service.settle(system(world.clinic_id), third) is Match.MAYBE
    assert session().get_one(Patient, second).fhir_id is None


def read(world: World, kind: str, patient: str) -> list[Json]:
    """What the clinic's record holds, asked over HTTP by our own client."""
    client = ehr.client_for(world.connection)
    return list(client.search(kind, [("patient", patient), ("_count", "50")]).matches)


def test_held_then_tied_reviewed_and_delivered_into_the_record(world: World, clinic_url: str) -> None:
    submission, patient_id = untied(
        world,
        new("allergy", "Bee stings", "swelling"),
        new("medication", "Magnesium", "one at night"),
        new("contact", "+1 217 555 0999"),
    )
    actor = world.actor()
    assert not service.open_submission(actor, submission, DESK).reviewable
    service.link(actor, patient_id, "Patient/maria-garcia-a", "Street asked by phone")
    view = service.open_submission(actor, submission, DESK)
    assert view.reviewable
    choices = [Choice(item.proposal.key, Verdict.ACCEPT, "", item.seen) for item in view.items]
    assert len(choices) == 3
    assert service.decide(actor, submission, choices, DESK).saved == 3
    assert service.finish(actor, submission, DESK).to is Status.ACCEPTED
    outcome = send_next(tools(world.app.config["SETTINGS"]))
    view = service.open_submission(actor, submission, DESK)
    assert view.delivery is not None
    assert view.delivery.state is State.CONFIRMED, outcome
    assert view.delivery.changed == 0
    held = {each["code"]["text"]: each for each in read(world, "AllergyIntolerance", "maria-garcia-a")}
    assert held["Bee stings"]["verificationStatus"]["coding"][0]["code"] == "unconfirmed"
    assert len(read(world, "QuestionnaireResponse", "maria-garcia-a")) == 1
    (told,) = ehr.client_for(world.connection).search("Provenance", [("target", key_of(held["Bee stings"]))]).matches
    assert [agent["who"].get("display") for agent in told["agent"]] == ["Maria Garcia", "Dr Lee", "Previsit"]
    assert "+1 217 555 0999" in [each["value"] for each in read_patient(world)["telecom"]]


def test_the_pages_of_matching(world: World, clinic_url: str) -> None:
    submission, _ = untied(world)
    client, where = world.signed_in(Role.FRONT_DESK), f"/desk/submissions/{submission}/match"
    page = client.get(where).get_data(as_text=True)
    assert "1 record could be this person" in page
    assert "Maria Garcia" in page
    token = csrf(client, where)

    def send(**form: Any) -> Any:
        return client.post(where, data={"csrf_token": token, **form})

    nothing_chosen = send(step="link", reason="kept words")
    assert nothing_chosen.status_code == 422
    assert "kept words" in nothing_chosen.get_data(as_text=True)
    assert send(step="link", record="Patient/maria-garcia-a", reason="Street asked").status_code == 303
    assert "Street asked" in client.get(f"/desk/submissions/{submission}").get_data(as_text=True)


def test_what_the_clinic_changes_meanwhile_is_shown_and_must_be_decided_again(world: World, clinic_url: str) -> None:
    _submission, patient_id = untied(world)
    actor = world.actor()
    service.link(actor, patient_id, "Patient/maria-garcia-a", "Street asked by phone")
    patient = read_patient(world)
    said = fact(
        "contact",
        {**patient, "telecom": [{"system": "phone", "value": "0000 1111"}]},
        "changed",
        "Phone",
        "217 555 0555",
        "0000 1111",
    )
    other = make.visit(session().get_one(Patient, patient_id), in_days=2)
    second = world.submit(said, patient=session().get_one(Patient, patient_id), visit=other)
    (item,) = service.open_submission(actor, second, DESK).items
    assert item.proposal.stale


def read_patient(world: World) -> Json:
    return ehr.client_for(world.connection).read("Patient", "maria-garcia-a")


def test_the_clinic_answers_at_all(clinic_url: str) -> None:
    assert requests.get(f"{clinic_url}/fhir/metadata", timeout=5).json()["resourceType"] == "CapabilityStatement"


def test_what_a_form_says_is_accepted_delivered_and_leads_to_its_answers(world: World, clinic_url: str) -> None:
    mood = {f"phq-{number}": 1 for number in range(1, 10)}
    forms = answered("phq-9", mood), answered("medication-allergy-history", {"reaction-to": [0, 2]})
    _, patient_id = untied(world)
    actor = world.actor()
    service.link(actor, patient_id, "Patient/maria-garcia-a", "Street asked by phone")
    patient = session().get_one(Patient, patient_id)
    submission = world.submit(patient=patient, visit=make.visit(patient, in_days=2), **whole(*forms))
    view = service.open_submission(actor, submission, DESK)
    titles = {item.proposal.title: item for item in view.items}
    assert titles.keys() == {"PHQ-9 total, of 27", "Latex", "Contrast dye for scans"}
    assert view.readings["surveys"].looked
    choices = [
        Choice(item.proposal.key, Verdict.REJECT if title == "Latex" else Verdict.ACCEPT, "No", item.seen)
        for title, item in titles.items()
    ]
    assert service.decide(actor, submission, choices, DESK).saved == 3
    assert service.finish(actor, submission, DESK).to is Status.ACCEPTED
    send_next(tools(world.app.config["SETTINGS"]))
    view = service.open_submission(actor, submission, DESK)
    assert view.delivery is not None
    assert view.delivery.state is State.CONFIRMED
    (score,) = [
        each for each in read(world, "Observation", "maria-garcia-a") if "PHQ-9" in each["code"].get("text", "")
    ]
    (source,) = [each["reference"] for each in score["derivedFrom"]]
    response = ehr.client_for(world.connection).read(*source.split("/"))
    assert response["questionnaire"] == "urn:previsit:questionnaire:phq-9|1.0.0"
    allergies = [each["code"].get("text") for each in read(world, "AllergyIntolerance", "maria-garcia-a")]
    assert "Contrast dye for scans" in allergies
    assert "Latex" not in allergies
    (told,) = ehr.client_for(world.connection).search("Provenance", [("target", key_of(score))]).matches
    assert told["entity"][0]["what"]["reference"] == source
