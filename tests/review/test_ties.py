"""Whose record it is, at the synthetic clinic over HTTP: with `$match` and without, taken back before and after delivery, merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portal.accounts.models import Patient
from portal.actors import Role, system
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.db import session
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr import service as ehr
from portal.ehr.models import RecordReading
from portal.errors import Conflict, NotAllowed
from portal.fhir import exact
from portal.intake.models import Status
from portal.review import service
from portal.review.matching import Verdict as Match
from portal.review.models import TieVerdict
from portal.working import tools
from tests import make
from tests.conftest import csrf
from tests.review.at_the_clinic import accept_all, asked, at_the_clinic, read, tied_to, untied
from tests.review.builders import fact
from tests.review.conftest import DESK, World

EIGHT = "+1 217 555 0108"
"""of the other Maria"""
A, B = "Patient/maria-garcia-a", "Patient/maria-garcia-b"


@pytest.mark.parametrize("match", [True, False], ids=["with $match", "without"])
def test_the_same_answers_with_the_clinics_own_matching_and_without(world: World, tmp_path: Path, match: bool) -> None:
    with at_the_clinic(world, tmp_path, match=match) as url:
        desk = system(world.clinic_id)
        assert service.settle(desk, untied(world)[1]) is Match.MAYBE
        sure = untied(world, phone="217 555 0107")[1]
        assert service.settle(desk, sure) is Match.ONE
        assert tied_to(sure) == "maria-garcia-a"
        assert service.settle(desk, untied(world, birthDate="1931-05-06", name="Olga Nobody")[1]) is Match.NONE
        found = service.candidates(world.actor(), untied(world)[1])
        assert found.asked_match is match
        assert ("/fhir/Patient/$match" in asked(url)) is match
        best = found.found.candidates[0]
        assert best.patient["id"] == "maria-garcia-a"
        assert bool(best.grade) is match


def test_a_wrong_birth_date_is_still_found_by_the_phone_and_by_the_name(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path, match=False):
        mistyped = untied(world, phone="(217) 555-0107", birthDate="1990-04-03")[1]
        found = service.candidates(world.actor(), mistyped).found
        assert (found.verdict, found.candidates[0].patient["id"]) == (Match.MAYBE, "maria-garcia-a")


def test_a_certain_one_of_the_server_ties_nobody_when_our_rules_do_not_agree(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        _, patient_id = untied(world)  # name and birth date only: the clinic's matching calls that certain
        found = service.candidates(world.actor(), patient_id)
        assert [each.grade for each in found.found.candidates][:1] == ["certain"]
        assert service.settle(system(world.clinic_id), patient_id) is Match.MAYBE
        assert tied_to(patient_id) is None


def test_a_tie_taken_back_before_delivery_leaves_no_trace_in_the_record(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        submission, patient_id = untied(world, phone=EIGHT)
        actor = world.actor()
        service.link(actor, patient_id, B, "Guessed")
        accept_all(world, submission)
        assert service.undo(actor, patient_id, " ") != []
        assert service.undo(actor, patient_id, "She was born in March") == []
        assert tied_to(patient_id) is None
        assert send_next(tools(world.app.config["SETTINGS"])) is None
        assert read(world, "AllergyIntolerance", "maria-garcia-b") == [
            each for each in read(world, "AllergyIntolerance", "maria-garcia-b") if each["code"].get("text") != "Latex"
        ]
        assert service.corrections(actor) == []
        assert service.to_correct(actor) == 0
        view = service.open_submission(actor, submission, DESK)
        assert view.status is Status.IN_REVIEW
        assert view.subject is None
        assert session().query(RecordReading).filter_by(patient_id=patient_id).count() == 0
        service.link(actor, patient_id, A, "Asked on the phone")
        assert all(item.settled is None for item in service.open_submission(actor, submission, DESK).items)
        accept_all(world, submission)
        send_next(tools(world.app.config["SETTINGS"]))
        assert "Latex" in [each["code"].get("text") for each in read(world, "AllergyIntolerance", "maria-garcia-a")]
        with pytest.raises(Conflict):
            service.link(actor, patient_id, B, "Again")


def test_a_tie_taken_back_after_delivery_says_what_is_in_the_wrong_record_until_it_is_corrected(
    world: World, tmp_path: Path
) -> None:
    with at_the_clinic(world, tmp_path):
        submission, patient_id = untied(world, phone=EIGHT)
        actor, worker = world.actor(), tools(world.app.config["SETTINGS"])
        service.link(actor, patient_id, B, "Guessed")
        accept_all(world, submission)
        send_next(worker)
        held = read(world, "AllergyIntolerance", "maria-garcia-b")
        (wrong,) = [each for each in held if each["code"].get("text") == "Latex"]
        assert service.undo(actor, patient_id, "She was born in March") == []
        (found,) = service.corrections(actor)
        told = {each.type: each for each in found.written}
        allergy = told["AllergyIntolerance"]
        assert (allergy.reference, allergy.made, allergy.what) == (f"AllergyIntolerance/{wrong['id']}", True, "Latex")
        assert "QuestionnaireResponse" in told
        assert "Provenance" not in told
        assert wrong in read(world, "AllergyIntolerance", "maria-garcia-b")  # nothing is deleted behind anybody's back
        view = service.open_submission(actor, submission, DESK)
        assert (view.status, view.subject) == (Status.IN_REVIEW, None)
        assert "The tie to a record was taken back" in [each.what for each in view.story]
        # the right record: under other names, so that neither is taken for the other
        service.link(actor, patient_id, A, "Asked on the phone")
        accept_all(world, submission)
        send_next(worker)
        after = service.open_submission(actor, submission, DESK)
        assert after.delivery is not None
        assert after.delivery.state is State.CONFIRMED
        (right,) = [
            each for each in read(world, "AllergyIntolerance", "maria-garcia-a") if each["code"].get("text") == "Latex"
        ]
        assert right["identifier"] != wrong["identifier"]
        assert (right["patient"]["reference"], wrong["patient"]["reference"]) == (A, B)
        assert service.to_correct(actor) == 1
        assert service.mend(actor, found.tie_id, "") != []
        assert service.mend(actor, found.tie_id, "Marked as entered in error by Dr Lee") == []
        assert service.to_correct(actor) == 0
        with pytest.raises(Conflict):
            service.mend(actor, found.tie_id, "Once more")


def test_facts_of_the_wrong_record_are_not_shown_or_proposed(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        theirs = {
            "resourceType": "AllergyIntolerance", "id": "x",
            "meta": {"versionId": "1"},
            "patient": {"reference": B},
            "code": {"text": "Bee stings"},
        }  # fmt: skip
        stranger = untied(world, phone=EIGHT)[1]
        actor = world.actor()
        service.link(actor, stranger, B, "Guessed")
        patient = session().get_one(Patient, stranger)
        said = fact("allergy", theirs, "stopped", "Bee stings", "Bee stings", "")
        submission = world.submit(said, patient=patient, visit=make.visit(patient, in_days=3))
        assert [each.proposal.title for each in service.open_submission(actor, submission, DESK).items] == [
            "Bee stings"
        ]
        service.undo(actor, stranger, "She was born in March")
        view = service.open_submission(actor, submission, DESK)
        assert (view.items, view.confirmed, view.hidden) == ([], [], 1)
        service.link(actor, stranger, A, "Asked on the phone")
        view = service.open_submission(actor, submission, DESK)
        assert (view.items, view.hidden) == ([], 1)


def test_only_who_may_match_takes_a_tie_back_and_only_one_made_here(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        with pytest.raises(NotAllowed):
            service.undo(world.actor(Role.ADMINISTRATOR), world.patient_id, "No")
        assert [each.code for each in service.undo(world.actor(), world.patient_id, "Not them")] == ["not-ours"]
        assert tied_to(world.patient_id) == "7"
        with pytest.raises(Conflict):
            service.undo(world.actor(), untied(world)[1], "Not them")


def merge(world: World, old: str, new: str) -> None:
    """As a clinic does it in its own system."""
    client = ehr.client_for(world.connection)
    patient = client.read("Patient", old)
    merged = {**patient, "active": False, "link": [{"type": "replaced-by", "other": {"reference": f"Patient/{new}"}}]}
    assert client.update("Patient", old, exact.dumps(merged).encode()).status == 200


def test_a_merge_found_later_stops_everything_until_a_person_says_whose_record_it_is(
    world: World, tmp_path: Path
) -> None:
    with at_the_clinic(world, tmp_path):
        submission, patient_id = untied(world)
        actor, worker = world.actor(), tools(world.app.config["SETTINGS"])
        service.link(actor, patient_id, A, "Asked on the phone")
        accept_all(world, submission)
        merge(world, "maria-garcia-a", "maria-garcia-b")
        send_next(worker)
        view = service.open_submission(actor, submission, DESK)
        assert view.delivery is not None
        assert view.delivery.state is State.HELD
        known = service.candidates(actor, patient_id)
        assert known.tied is not None
        assert (known.tied.stand.standing.value, known.tied.stand.replaced_by, known.settled) == ("replaced", B, False)
        assert {f"Patient/{each.patient['id']}" for each in known.found.candidates} == {A, B}
        assert [each.code for each in service.link(actor, patient_id, A, "The old one")] == ["not-current"]
        assert tied_to(patient_id) == "maria-garcia-a"
        service.review_again(actor, submission)
        assert [each.code for each in service.finish(actor, submission, DESK).issues] == ["out-of-use"]
        assert service.link(actor, patient_id, B, "The clinic merged them on Monday") == []
        assert tied_to(patient_id) == "maria-garcia-b"
        assert service.candidates(actor, patient_id).settled
        accept_all(world, submission)
        send_next(worker)
        assert "Latex" in [each["code"].get("text") for each in read(world, "AllergyIntolerance", "maria-garcia-b")]


def test_the_pages_of_a_tie_and_its_undoing(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        submission, patient_id = untied(world, phone=EIGHT)
        client, where = world.signed_in(Role.FRONT_DESK), f"/desk/submissions/{submission}/match"
        actor = world.actor()
        service.link(actor, patient_id, B, "Guessed")
        accept_all(world, submission)
        send_next(tools(world.app.config["SETTINGS"]))
        page = client.get(where).get_data(as_text=True)
        assert "They are tied to Patient/maria-garcia-b" in page
        assert "Guessed" in page
        token = csrf(client, where)
        undo = f"/desk/submissions/{submission}/untie"
        empty = client.post(undo, data={"csrf_token": token, "reason": " "})
        assert empty.status_code == 422
        assert "Say how you know that this is not the same person" in empty.get_data(as_text=True)
        assert client.post(undo, data={"csrf_token": token, "reason": "Born in March"}).status_code == 303
        assert "was taken back" in client.get(where).get_data(as_text=True)
        listed = client.get("/corrections").get_data(as_text=True)
        assert "Latex" in listed
        assert "/corrections" in client.get("/desk").get_data(as_text=True)
        tie = service.corrections(actor)[0].tie_id
        assert client.post(f"/desk/corrections/{tie}", data={"csrf_token": token, "reason": ""}).status_code == 422
        done = client.post(f"/desk/corrections/{tie}", data={"csrf_token": token, "reason": "Marked by Dr Lee"})
        assert done.status_code == 303
        assert "Marked by Dr Lee" in client.get("/corrections").get_data(as_text=True)
        events = {Event(each.event) for each in session().query(AuditRow).filter_by(clinic_id=world.clinic_id)}
        assert {Event.PATIENT_UNTIED, Event.RECORD_MENDED} <= events


def test_undo_is_kept_with_its_reason_and_what_agreed(world: World, tmp_path: Path) -> None:
    with at_the_clinic(world, tmp_path):
        _, patient_id = untied(world)
        actor: Any = world.actor()
        service.link(actor, patient_id, A, "Guessed")
        service.undo(actor, patient_id, "Another street")
        rows = service.candidates(actor, patient_id).decided
        assert [each.verdict for each in rows] == [TieVerdict.LINK, TieVerdict.UNDO]
        assert rows[1].detail["reason"] == "Another street"
        assert rows[1].detail["fields"]["birth_date"] == "agrees"
