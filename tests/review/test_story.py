"""What has happened to a submission, for staff and, in plain words, for the patient."""

from portal.actors import system
from portal.clock import now
from portal.db import transaction
from portal.delivery import ledger
from portal.delivery.models import OutboxItem
from portal.delivery.states import Kind, Reason
from portal.review import service
from portal.review.models import Verdict
from portal.review.opening import Opened
from tests import make
from tests.review.conftest import DESK, World
from tests.review.test_pages import read, text
from tests.review.test_service import ORDINARY, decide, opened


def told(view: Opened) -> list[tuple[str, str]]:
    return [(moment.what, moment.who) for moment in view.story]


def test_every_step_is_told_once_with_who_and_in_order(world: World) -> None:
    submission = world.submit(*ORDINARY)
    for _ in range(3):
        opened(world, submission)
    service.take(world.actor(), submission)
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    with transaction() as current:
        item = current.query(OutboxItem).filter_by(submission_id=submission).one()
        ledger.append(item, Kind.SENDING, at=now(), by=system(world.clinic.id))
        ledger.append(item, Kind.HELD, at=now(), by=system(world.clinic.id), reason=Reason.REFUSED)
    story = told(opened(world, submission))
    assert story[0] == ("Sent by the patient", "patient")
    assert story.count(("Opened", "Dr Lee")) == 1
    steps = ["Sent by the patient", "Opened", "Taken to work on", "Accepted: %(title)s", "Delivery on hold"]
    places = [[what for what, _ in story].index(step) for step in steps]
    assert places == sorted(places)
    times = [moment.at for moment in opened(world, submission).story]
    assert times == sorted(times)


def test_the_patient_reads_who_opened_what_was_asked_and_what_came_of_it(world: World) -> None:
    first = world.submit(*ORDINARY)
    decide(world, first)
    decide(world, first, verdict=Verdict.ASK, reason="Which gloves <b>?", only="Latex")
    service.finish(world.actor(), first, DESK)
    second = world.submit(*ORDINARY)
    decide(world, second)
    service.finish(world.actor(), second, DESK)
    make.patient_account(world.patient, "ada@example.org")
    page = text(world.enter("ada@example.org"), f"/visits/{world.visit.id}/receipt")
    assert "Which gloves &lt;b&gt;?" in page
    said = read(page)
    assert said.count("You sent your answers") == 2, "each time"
    assert said.count("Dr Lee opened your answers to prepare your visit") == 2, "once a time"
    lines = [
        "You sent your answers",
        "Dr Lee opened your answers to prepare your visit",
        "Your clinic asked you to check something",
        "Your clinic finished reading them",
    ]
    places = [said.index(line) for line in lines]
    assert places == sorted(places)


def test_nobody_reads_the_story_of_another_patient(world: World) -> None:
    submission = world.submit(*ORDINARY)
    opened(world, submission)
    other = make.patient(world.clinic, "Somebody Else")
    visit = make.visit(other)
    receipt = f"/visits/{visit.id}/receipt"
    world.submit(*ORDINARY, patient=other, visit=visit)
    make.patient_account(other, "else@example.org")
    page = read(text(world.enter("else@example.org"), receipt))
    assert "Dr Lee" not in page
