"""The fault matrix (bar 3.1), row by row: nothing lost, nothing doubled, nothing told falsely; see faults.py for the table."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from portal import db
from portal.accounts import sessions
from portal.db import session
from portal.delivery import overdue
from portal.delivery.models import OutboxItem
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from portal.review import service as review
from portal.review.models import Verdict
from portal.review.service import Choice
from tests.conftest import csrf
from tests.review.builders import new
from tests.review.conftest import DESK, World
from tests.review.conftest import world as world  # the fixture

from .fault_stories import STORY, Scene, locked, no_room
from .faults import MATRIX, NAMED, STORIES, stands
from .gated import Clinic, running
from .killing import KEYS, forking
from .make import Hands, Place, bundle, created, place, queue, response

JSON = {"Content-Type": "application/fhir+json"}
sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_row_has_its_tests(capsys: pytest.CaptureFixture[str]) -> None:
    cells = [cell for row in MATRIX.values() for cell in row.values()]
    assert [row[:4] for row in MATRIX] == [f"F-{number:02}" for number in range(1, 23)]
    assert all("send" in row or "submit" in row for row in MATRIX.values())
    assert set(STORIES) == set(STORY), "a row without its story, or a story without its row"
    with capsys.disabled():
        print(
            f"\nfault matrix: {len(MATRIX)} rows, {len(cells)} cells: {len(STORIES)} stories, {len(NAMED)} tests named"
        )


@pytest.mark.parametrize("cell", NAMED)
def test_the_test_that_a_cell_names_is_there(cell: str) -> None:
    assert stands(cell)


# -- sending: one story a row ------------------------------------------------------------------------------------------


@pytest.fixture
def scene(clinic: Place, hands: Hands) -> Iterator[Scene]:
    server = Clinic(promise=1)
    with running(server) as base:
        client = FhirClient(base, Wire(base), None, Limits(connect=0.5, read=0.5, total=0.8))
        item = queue(clinic, bundle(created(response("pat-1", "key-1"))))
        yield Scene(clinic, server, client, hands, item, "key-1")


@sqlite
@pytest.mark.parametrize("row", STORIES)
def test_send(row: str, scene: Scene) -> None:
    STORY[row](scene)


# -- the other columns -------------------------------------------------------------------------------------------------


@sqlite
@pytest.mark.parametrize("trouble", [no_room, locked])
def test_what_cannot_be_saved_is_said_and_the_text_stays_on_the_page(world: World, trouble: Callable[[], Any]) -> None:
    """F-11 and F-12 at the desk; every page of the portal answers by the same words."""
    submission = world.submit(new("allergy", "Latex", "itching"))
    staff = world.signed_in()
    path = f"/desk/submissions/{submission}"
    said = {"csrf_token": csrf(staff, path), "step": "save", "note": "“left knee” & more " * 99}
    db.close()
    with trouble():
        answer = staff.post(path, data=said)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert "was not saved" in page and "left knee” &amp; more" in page


@sqlite
def test_an_acceptance_that_finds_no_room_is_refused_whole(world: World) -> None:
    submission = world.submit(new("allergy", "Latex", "itching"))
    view = review.open_submission(world.actor(), submission, DESK)
    choices = [Choice(item.proposal.key, Verdict.ACCEPT, "", item.seen) for item in view.items]
    review.decide(world.actor(), submission, choices, DESK)
    with no_room(), pytest.raises(OperationalError):
        review.finish(world.actor(), submission, DESK)
    assert session().query(OutboxItem).count() == 0
    assert review.finish(world.actor(), submission, DESK).to is not None


def _accept_and_die(url: str, report: Any) -> None:
    db.connect(url, KEYS)
    report.send(queue(place()).id)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_was_acknowledged_survives_a_kill(tables: str) -> None:
    db.connect(tables, KEYS)
    ours, theirs = forking().Pipe(duplex=False)
    process = forking().Process(target=_accept_and_die, args=(tables, theirs))
    process.start()
    item_id = ours.recv()
    process.join(10)
    assert process.exitcode == -signal.SIGKILL
    found = session().get_one(OutboxItem, item_id)
    assert json.loads(found.payload)["resourceType"] == "Bundle"


@sqlite
def test_a_clock_that_runs_back_signs_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    staff: FlaskClient = world.signed_in()
    real = sessions.now
    for days in (-1, -365):
        monkeypatch.setattr(sessions, "now", lambda days=days: real() + timedelta(days=days))
        assert staff.get("/desk").status_code == 200
    monkeypatch.undo()
    assert staff.get("/desk").status_code == 200


def test_after_a_restore_it_is_said_up_to_when_it_reaches(clinic: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert overdue.reaches(clinic.clinic_id) is None
    item = queue(clinic)
    reaches = overdue.reaches(clinic.clinic_id)
    assert reaches is not None and abs(reaches - item.queued_at) < timedelta(seconds=5)
