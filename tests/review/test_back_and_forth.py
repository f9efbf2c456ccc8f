"""After sending: taken back before it is decided, opened again after it arrived; only what is different goes on."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from portal.accounts.models import Patient
from portal.actors import Actor, Role
from portal.db import session, transaction
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.errors import Conflict
from portal.intake import changing, drafts, sending
from portal.intake.models import Status, Submission, Visit
from portal.review import service
from portal.review.models import Verdict
from portal.review.service import Choice
from portal.working import tools
from tests import make
from tests.conftest import csrf
from tests.review.at_the_clinic import accept_all, at_the_clinic, read, untied
from tests.review.builders import Json, new
from tests.review.conftest import CANONICAL, DESK, RESPONSE, World

A = "Patient/maria-garcia-a"


def theirs(patient_id: str) -> Actor:
    return make.patient_actor(session().get_one(Patient, patient_id), "a" * 16)


def visit_of(submission: str) -> Visit:
    return session().get_one(Submission, submission).visit


def states(visit: Visit) -> tuple[bool, str]:
    session().expire_all()
    return drafts.open_for_answers(visit), sending.where(visit).state


def test_answers_are_taken_back_until_they_are_decided(world: World) -> None:
    submission = world.submit(new("allergy", "Latex"))
    actor, visit = theirs(world.patient_id), visit_of(submission)
    assert states(visit) == (False, "submitted")
    changing.take_back(actor, visit.id)
    changing.take_back(actor, visit.id)  # pressed twice
    assert states(visit) == (True, "withdrawn")
    row = next(
        each for each in service.queue(world.actor(), service.Asked("all")).rows if each.submission.id == submission
    )
    assert row.view == "done"
    view = service.open_submission(world.actor(), submission, DESK)
    assert not view.reviewable
    assert "Taken back by the patient" in [each.what for each in view.story]
    with pytest.raises(Conflict):
        service.finish(world.actor(), submission, DESK)


def test_what_is_being_reviewed_can_still_be_taken_back_and_the_reviewer_loses_nothing_silently(world: World) -> None:
    submission = world.submit(new("allergy", "Latex"))
    (item,) = service.open_submission(world.actor(), submission, DESK).items
    choice = Choice(item.proposal.key, Verdict.REJECT, "Known already", item.seen)
    assert service.decide(world.actor(), submission, [choice], DESK).saved == 1
    changing.take_back(theirs(world.patient_id), visit_of(submission).id)
    done = service.decide(world.actor(), submission, [choice], DESK)
    assert (done.saved, len(done.lost)) == (0, 1)
    again = world.submit(new("allergy", "Latex"))
    (item,) = service.open_submission(world.actor(), again, DESK).items
    assert item.settled is Verdict.REJECT  # what was decided of the same words stands


def test_once_decided_nothing_is_taken_back_and_nobody_elses_ever_is(world: World) -> None:
    submission = world.submit(new("allergy", "Latex"))
    with transaction():
        session().get_one(Submission, submission).status = Status.ACCEPTED.value
    with pytest.raises(changing.TooLate):
        changing.take_back(theirs(world.patient_id), visit_of(submission).id)
    other = make.patient(world.clinic, "Somebody Else")
    with pytest.raises(Exception, match="not yours"):
        changing.take_back(make.patient_actor(other), visit_of(submission).id)


def response(says: bool) -> Json:
    made = deepcopy(RESPONSE)
    made["item"][0]["answer"] = [{"valueBoolean": says}]
    return made


def arrived(world: World, *facts: Json) -> tuple[str, str]:
    submission, patient_id = untied(world, *facts)
    service.link(world.actor(), patient_id, A, "Asked on the phone")
    accept_all(world, submission)
    return submission, patient_id


def test_late_changes_are_the_differences_only(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        first, patient_id = arrived(world, new("allergy", "Latex"))
        worker, visit = tools(world.app.config["SETTINGS"]), visit_of(first)
        with pytest.raises(changing.NotNow):
            changing.reopen(theirs(patient_id), visit.id)  # still on its way
        send_next(worker)
        changing.reopen(theirs(patient_id), visit.id)
        assert states(visit) == (True, "changing")
        patient = session().get_one(Patient, patient_id)
        second = world.submit(
            new("allergy", "Latex"),
            new("allergy", "Wasp venom", place=2),
            patient=patient,
            visit=visit,
            responses=[response(False)],
        )
        view = service.open_submission(world.actor(), second, DESK)
        assert [each.proposal.title for each in view.items if each.settled is None] == ["Wasp venom"]
        accept_all(world, second)
        send_next(worker)
        after = service.open_submission(world.actor(), second, DESK)
        assert after.delivery is not None
        assert after.delivery.state is State.CONFIRMED
        allergies = [each["code"].get("text") for each in read(world, "AllergyIntolerance", "maria-garcia-a")]
        assert sorted(each for each in allergies if each in ("Latex", "Wasp venom")) == ["Latex", "Wasp venom"]
        (held,) = [
            each
            for each in read(world, "QuestionnaireResponse", "maria-garcia-a")
            if each["questionnaire"] == CANONICAL
        ]
        assert (held["status"], held["meta"]["versionId"]) == ("amended", "2")
        assert held["item"][0]["answer"] == [{"valueBoolean": False}]


def test_what_was_sent_again_without_a_change_writes_nothing(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        first, patient_id = arrived(world, new("allergy", "Latex"))
        worker, visit = tools(world.app.config["SETTINGS"]), visit_of(first)
        send_next(worker)
        changing.reopen(theirs(patient_id), visit.id)
        patient = session().get_one(Patient, patient_id)
        before: Any = session().get_one(Submission, first).document["consent_version_id"]
        second = world.submit(new("allergy", "Latex"), patient=patient, visit=visit, consent_version_id=before)
        accept_all(world, second)
        assert send_next(worker) is None
        assert sending.where(visit).state == "closed"


def test_the_pages_say_what_happened_and_what_can_be_done(world: World) -> None:
    submission = world.submit(new("allergy", "Latex"))
    visit_id = visit_of(submission).id
    make.patient_account(world.patient, "ana@example.org")
    client = world.enter("ana@example.org")
    receipt = f"/visits/{visit_id}/receipt"
    assert "Take my answers back" in client.get(receipt).get_data(as_text=True)
    token = csrf(client, receipt)
    back = client.post(f"/visits/{visit_id}/take-back", data={"csrf_token": token})
    assert back.status_code == 303
    assert "You took your answers back" in client.get(f"/visits/{visit_id}").get_data(as_text=True)
    assert client.post(f"/visits/{visit_id}/change", data={"csrf_token": token}).status_code == 409
    desk = world.signed_in(Role.FRONT_DESK)
    assert "Taken back by the patient" in desk.get(f"/desk/submissions/{submission}").get_data(as_text=True)
