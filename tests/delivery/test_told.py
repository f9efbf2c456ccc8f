"""What patient and staff read about a delivery: bar 3.3's words in every state, and the truth wherever a worker is killed."""

from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from flask.testing import FlaskClient

from portal import db
from portal.actors import system
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import ledger
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.fhir import exact
from portal.intake.models import Status
from portal.review import service as review
from portal.review.models import Verdict
from portal.review.service import Choice
from tests import make
from tests.conftest import csrf
from tests.review.builders import new
from tests.review.conftest import DESK, RESPONSE, World
from tests.review.conftest import world as world  # the fixture

from .gated import Clinic
from .make import Hands, Heard
from .test_stories import Direct, Killed

WITH_CLINIC = "Your clinic has your answers."
NOT_YET = "Your clinic has your answers. They are not yet in your medical record. Nothing for you to do."
IN_RECORD = "In your medical record since"
PATIENT_READS = {
    State.WAITING: NOT_YET,
    State.NOT_CONFIRMED: NOT_YET,
    State.CONFIRMED: IN_RECORD,
    State.HELD: "Your clinic has your answers and is sorting out a problem. Call if it is urgent.",
    State.WITHHELD: "You chose not to share this.",
    State.CLOSED: WITH_CLINIC,
}
STAFF_READS = {
    State.WAITING: ("Accepted, not in the record yet", "Do not type them into the record"),
    State.NOT_CONFIRMED: ("Sent, no clear reply", "It may or may not be in the record. Do not enter it again."),
    State.CONFIRMED: ("In the record", "Read back and checked at"),
    State.HELD: ("On hold: a person has to look", "Do not enter it again before this is settled."),
    State.WITHHELD: ("Not sent: the patient chose not to share it", "Patient-shared view; may be incomplete."),
    State.CLOSED: ("Closed by hand", ""),
}
LAST: dict[State, tuple[Kind, ...]] = {
    State.WAITING: (),
    State.NOT_CONFIRMED: (Kind.SENDING,),
    State.CONFIRMED: (Kind.SENDING, Kind.ANSWERED, Kind.CONFIRMED),
    State.HELD: (Kind.SENDING, Kind.HELD),
    State.WITHHELD: (Kind.WITHHELD,),
    State.CLOSED: (Kind.HELD, Kind.CLOSED),
}


@dataclass
class Told:
    """An accepted submission, and both who read about it."""

    visit_id: str
    submission_id: str
    item_id: str
    patient: FlaskClient
    staff: FlaskClient

    def patients_words(self) -> str:
        return _words(self.patient, f"/visits/{self.visit_id}/receipt")

    def staffs_words(self) -> str:
        return _words(self.staff, f"/desk/submissions/{self.submission_id}")


def _words(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, page
    db.close()
    return " ".join(unescape(page).split())


Accept = Callable[[], Told]


@pytest.fixture
def accept(world: World) -> Accept:
    """Makes one more visit of the same patient, with answers that were just accepted."""
    make.patient_account(world.patient, "ada@example.org")
    patient, staff = world.enter("ada@example.org"), world.signed_in()

    def once() -> Told:
        visit = make.visit(world.patient)
        answers = {**RESPONSE, "identifier": {"system": "urn:previsit:response", "value": visit.id}}
        submission_id = world.submit(new("allergy", "Latex", "itching"), visit=visit, responses=[answers])
        view = review.open_submission(world.actor(), submission_id, DESK)
        choices = [Choice(item.proposal.key, Verdict.ACCEPT, "", item.seen) for item in view.items]
        review.decide(world.actor(), submission_id, choices, DESK)
        assert review.finish(world.actor(), submission_id, DESK).to is Status.ACCEPTED
        item_id = session().query(OutboxItem).filter_by(submission_id=submission_id).one().id
        return Told(visit.id, submission_id, item_id, patient, staff)

    return once


def _move(told: Told, state: State) -> None:
    with transaction() as current:
        item = current.get_one(OutboxItem, told.item_id)
        for kind in LAST[state]:
            reason = Reason.REFUSED if kind is Kind.HELD else Reason.NONE
            ledger.append(item, kind, at=now(), by=system(item.clinic_id), reason=reason, detail={"why": "by hand"})
        if state is State.CONFIRMED:
            current.add(
                Receipt(
                    clinic_id=item.clinic_id,
                    patient_id=item.patient_id,
                    item_id=item.id,
                    checked_at=now(),
                    changed=0,
                    entries=[],
                )
            )
    db.close()


def test_every_state_is_told_in_its_own_words_on_every_page(accept: Accept) -> None:
    for state in State:
        _told_as(state, accept())


def _told_as(state: State, told: Told) -> None:
    _move(told, state)
    receipt, visits = told.patients_words(), _words(told.patient, "/visits")
    assert PATIENT_READS[state] in receipt
    for other in set(PATIENT_READS.values()) - {PATIENT_READS[state], WITH_CLINIC}:
        assert other not in receipt
    assert "In your medical record" in visits or state is not State.CONFIRMED
    page = told.staffs_words()
    assert all(words in page for words in STAFF_READS[state])
    assert "Adaeze Okafor" in _words(told.staff, "/desk?show=all")
    assert "Adaeze Okafor" in _words(told.staff, f"/desk/held/{told.item_id}")
    assert (f"/desk/held/{told.item_id}" in _words(told.staff, "/desk/held")) is (state is State.HELD)


def test_answers_that_are_open_in_the_record_open_here_and_others_lead_to_the_queue(accept: Accept) -> None:
    told = accept()
    _move(told, State.CONFIRMED)
    with transaction() as current:
        item = current.get_one(OutboxItem, told.item_id)
        kinds = [each["resource"]["resourceType"] for each in exact.loads(item.payload)["entry"]]
        at = kinds.index("QuestionnaireResponse")
        entry = {"index": at, "type": kinds[at], "references": ["QuestionnaireResponse/r1"], "version": "1"}
        current.query(Receipt).filter_by(item_id=item.id).one().entries = [entry]
        patient_id = item.patient_id
    db.close()
    queue = f"/desk?show=all&patient={patient_id}"
    found = told.staff.get(f"{queue}&about=QuestionnaireResponse/r1")
    assert (found.status_code, found.headers["Location"]) == (302, f"/desk/submissions/{told.submission_id}")
    for other in ("QuestionnaireResponse/r2", "Patient/r1", "r1", "", "'%00"):
        assert told.staff.get(f"{queue}&about={other}").status_code == 200
    assert told.staff.get("/desk?show=all&patient=nobody&about=QuestionnaireResponse/r1").status_code == 200


def test_where_nothing_was_to_be_added_to_the_record_nobody_waits_for_it(accept: Accept) -> None:
    told = accept()
    with transaction() as current:
        for row in (*current.get_one(OutboxItem, told.item_id).events, current.get_one(OutboxItem, told.item_id)):
            current.delete(row)
    db.close()
    assert NOT_YET not in told.patients_words() and WITH_CLINIC in told.patients_words()


class Cut(Direct):
    """The server at the moment a worker dies with its request: read, decided, committed a little later."""

    late: bytes | None = None

    def transaction(self, body: bytes) -> Heard:
        if self.fault == "written":
            self.late = body
            raise Killed
        return super().transaction(body)

    def commit(self) -> None:
        if self.late is not None:
            body, self.late, self.fault = self.late, None, "none"
            super().transaction(body)


KILLED: dict[str, tuple[str, State]] = {
    "claimed": ("none", State.WAITING),
    "marking": ("none", State.WAITING),
    "marked": ("none", State.NOT_CONFIRMED),
    "written": ("written", State.NOT_CONFIRMED),
    "answered": ("none", State.NOT_CONFIRMED),
    "recorded": ("none", State.NOT_CONFIRMED),
    "looked": ("none", State.NOT_CONFIRMED),
    "confirming": ("none", State.NOT_CONFIRMED),
    "confirmed": ("none", State.CONFIRMED),
    "doubted": ("lost", State.NOT_CONFIRMED),
    "sought": ("lost", State.NOT_CONFIRMED),
    "absent": ("swallowed", State.WAITING),
}
"""Killed here, with this fault at the server: what must be told."""


def test_wherever_the_worker_is_killed_the_pages_say_what_is_true(accept: Accept) -> None:
    hands, server = Hands(), Clinic()
    for point, (fault, state) in KILLED.items():
        hands.later(4000)
        _killed_at(point, fault, state, accept(), hands, server)


def _killed_at(point: str, fault: str, state: State, told: Told, hands: Hands, server: Clinic) -> None:
    client = Cut(server, hands)
    client.fault = fault
    _turn(hands, client, point)
    if point in ("sought", "absent"):
        client.fault = "none"
        _turn(hands, client, point)
    _true(point, told, state, server)
    client.commit()  # what was still on its way arrives: the same words must still be true
    _true(point, told, state, server)
    for _ in range(8):
        hands.later(4000)
        send_next(hands.tools(client))
    db.close()
    _true(point, told, State.CONFIRMED, server)


def _turn(hands: Hands, client: Cut, point: str) -> None:
    def checkpoint(step: str) -> None:
        if step == point:
            raise Killed

    hands.later(130)
    try:
        send_next(hands.tools(client, checkpoint=checkpoint))
    except Killed:
        pass
    finally:
        db.close()


def _true(point: str, told: Told, state: State, server: Clinic) -> None:
    there = {server.keys()[key] for key in _keys(told.item_id)} - {0}
    assert state is not State.CONFIRMED or there == {1}, (point, _history(told))
    assert state is not State.WAITING or not there
    words = told.patients_words()
    assert PATIENT_READS[state] in words, (point, _history(told))
    page = told.staffs_words()
    assert all(words in page for words in STAFF_READS[state]), point


def _keys(item_id: str) -> set[str]:
    """By what the server must know everything that this delivery adds."""
    held = exact.loads(session().get_one(OutboxItem, item_id).payload)
    added = [entry["resource"] for entry in held["entry"] if entry["request"]["method"] == "POST"]
    found = [one.get("identifier", []) for one in added]
    return {f"{one['system']}|{one['value']}" for held in found for one in (held if isinstance(held, list) else [held])}


def _history(told: Told) -> list[tuple[str, str]]:
    return [(event.kind, event.reason) for event in ledger.history(told.item_id)]


def test_what_the_record_refused_is_reviewed_again_and_goes_as_a_new_version(accept: Accept, world: World) -> None:
    told, hands, server = accept(), Hands(), Clinic()
    client = Cut(server, hands)
    client.fault = "refused"
    hands.later(1)
    send_next(hands.tools(client))
    assert PATIENT_READS[State.HELD] in told.patients_words()
    page = f"/desk/held/{told.item_id}"
    assert "Review it again" in _words(told.staff, page)
    first = session().get_one(OutboxItem, told.item_id).payload
    path = f"/desk/submissions/{told.submission_id}/again"
    token = csrf(told.staff, page)
    assert told.staff.post(path, data={"csrf_token": token}).status_code == 303
    assert told.staff.post(path, data={"csrf_token": token}).status_code == 409, "twice"
    assert "Closed by hand" not in told.staffs_words()
    assert WITH_CLINIC in told.patients_words() and NOT_YET not in told.patients_words()
    view = review.open_submission(world.actor(), told.submission_id, DESK)
    assert view.reviewable
    choices = [
        Choice(item.proposal.key, Verdict.REJECT, "The record does not take it.", item.seen) for item in view.items
    ]
    review.decide(world.actor(), told.submission_id, choices, DESK)
    assert review.finish(world.actor(), told.submission_id, DESK).to is Status.ACCEPTED
    assert NOT_YET in told.patients_words()
    items = session().query(OutboxItem).filter_by(submission_id=told.submission_id).order_by(OutboxItem.round).all()
    assert [(item.round, item.state) for item in items] == [(1, "closed"), (2, "waiting")]
    told.item_id = items[1].id
    assert items[0].payload == first and "AllergyIntolerance" not in items[1].payload
    client.fault = "none"
    hands.later(60)
    send_next(hands.tools(client))
    db.close()
    _true("again", told, State.CONFIRMED, server)


def test_what_may_be_in_the_record_is_not_reviewed_again_before_that_is_settled(accept: Accept) -> None:
    told = accept()
    with transaction() as current:
        item = current.get_one(OutboxItem, told.item_id)
        ledger.append(
            item, Kind.HELD, at=now(), by=system(item.clinic_id), reason=Reason.NOT_FHIR, detail={"unsure": True}
        )
    db.close()
    page = f"/desk/held/{told.item_id}"
    assert "Review it again" not in _words(told.staff, page)
    answer = told.staff.post(
        f"/desk/submissions/{told.submission_id}/again", data={"csrf_token": csrf(told.staff, page)}
    )
    assert answer.status_code == 409
    assert "may be in the record" in answer.get_data(as_text=True)
