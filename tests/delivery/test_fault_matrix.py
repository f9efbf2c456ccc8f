"""The fault matrix (bar 3.1), row by row: nothing lost, nothing doubled, nothing told falsely; see faults.py for the table."""

import gzip
import io
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from portal import db
from portal.accounts import sessions
from portal.db import session
from portal.delivery import overdue, service, worker
from portal.delivery.models import OutboxItem
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.tools import Outcome
from portal.ehr.client import FhirClient
from portal.ehr.errors import Changed
from portal.ehr.http import Limits, Wire
from portal.review import service as review
from portal.review.models import Verdict
from portal.review.service import Choice
from tests.conftest import csrf
from tests.review.builders import new
from tests.review.conftest import DESK, World
from tests.review.conftest import world as world  # the fixture

from .faults import MATRIX, NAMED, STORIES, stands
from .gated import Clinic, running
from .killing import KEYS, forking
from .make import URN, Hands, Place, another_patient, bundle, created, kinds, lifted, medication, place, queue, response

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


@dataclass
class Scene:
    """One accepted delivery, the server it goes to, and a worker that takes one turn at a time."""

    place: Place
    server: Clinic
    client: Any
    hands: Hands
    item: OutboxItem
    key: str

    def __post_init__(self) -> None:
        self.follow(self.item, self.key)

    def follow(self, item: OutboxItem, key: str) -> None:
        self.item_id, self.submission_id, self.key = item.id, item.submission_id, key

    def turn(self, **more: Any) -> Outcome | None:
        return send_next(self.hands.tools(self.client, **more))

    @property
    def told(self) -> State:
        found = service.status_of(self.submission_id)
        assert found is not None
        return found.state

    @property
    def there(self) -> int:
        return self.server.keys()[f"{URN}|{self.key}"]

    def true(self) -> None:
        """What is told about it is so."""
        assert self.told is not State.CONFIRMED or self.there == 1
        assert self.told not in (State.WAITING, State.WITHHELD) or self.there == 0
        assert self.there <= 1

    def settle(self) -> None:
        """On a good day it comes to its end; told truly at every step."""
        for _ in range(12):
            self.hands.later(4000)
            self.turn()
            self.true()
        assert (self.told, self.there) == (State.CONFIRMED, 1)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.server.answers = [(status, {"Content-Type": "application/fhir+json", **headers}, body)]


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


def f01_not_reached(scene: Scene) -> None:
    reachable, scene.client = scene.client, nowhere()
    outcome = scene.turn(atomic=lambda *_: True)
    assert outcome and (outcome.kind, scene.told) == (Kind.NOT_SENT, State.WAITING)
    for _ in range(30):
        scene.hands.later(3600)
        scene.turn(atomic=lambda *_: True)
        assert scene.told is State.WAITING
    assert service.overview(scene.place.clinic_id).down_since is not None
    scene.client = reachable
    scene.settle()


def nowhere() -> FhirClient:
    return FhirClient("http://127.0.0.1:8699/fhir", Wire("http://127.0.0.1:8699/fhir"), None, Limits(1, 1, 1))


def f02_slow(scene: Scene) -> None:
    scene.server.hold = 1  # longer than the worker waits for an answer
    outcome = scene.turn()
    assert outcome and (outcome.kind, scene.told) == (Kind.IN_DOUBT, State.NOT_CONFIRMED)
    scene.server.release()
    scene.settle()
    assert scene.server.writes == 1


def f03_flapping(scene: Scene) -> None:
    """A minute of up and down, a try offered each second: at most one request a second, and in the end it is there."""
    asked = 0
    for second in range(60):
        scene.server.answers = [(502, {}, b"")] if second % 3 else []
        before = len(scene.server.log)
        scene.turn()
        asked += len(scene.server.log) - before
        scene.hands.later(1)
        scene.true()
    scene.server.answers = []
    assert asked <= 60
    scene.settle()


def f04_lost(scene: Scene) -> None:
    scene.server.lose = 1
    outcome = scene.turn()
    assert outcome and (outcome.kind, scene.told, scene.there) == (Kind.IN_DOUBT, State.NOT_CONFIRMED, 1)
    scene.settle()
    assert scene.server.writes == 1


def f05_html(scene: Scene) -> None:
    """In doubt; and held with the exact reason when looking meets a page too."""
    page = (200, {"Content-Type": "text/html"}, b"<html>Sign in to the network</html>")
    scene.server.answers = [page]
    assert scene.turn() and scene.told is State.NOT_CONFIRMED
    scene.server.reads = [page] * 3
    for _ in range(3):
        scene.hands.later(4000)
        scene.turn()
    assert (scene.told, service.held(scene.place.clerk)[0].reason) == (State.HELD, Reason.NOT_FHIR)
    service.resend(scene.place.clerk, scene.item_id)
    scene.settle()


def f06_truncated(scene: Scene) -> None:
    """Half of the bytes, half of the gzip, half of the JSON: each time in doubt, and in the end it is there once."""
    whole = json.dumps(
        {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {}}] * 50}
    ).encode()
    zipped = gzip.compress(os.urandom(64).hex().encode() + whole)
    broken: list[tuple[bytes, dict[str, str]]] = [
        (whole[: len(whole) // 2], {}),
        (whole[: len(whole) // 2], {"Content-Length": str(len(whole))}),
        (zipped[: len(zipped) // 2], {"Content-Encoding": "gzip"}),
        (b"no gzip at all", {"Content-Encoding": "gzip"}),
    ]
    for body, headers in broken:
        scene.answer(200, body, **headers)
        while not scene.server.log.count("POST") or scene.server.answers:
            assert scene.turn()
            scene.hands.later(4000)
        assert scene.told is State.NOT_CONFIRMED
    scene.settle()


def f07_wrong_patient(scene: Scene) -> None:
    other = {**response("other", scene.key), "id": "x"}
    entry = {"resource": other, "response": {"status": "201", "location": "QuestionnaireResponse/x"}}
    wrong = {"resourceType": "Bundle", "type": "transaction-response", "entry": [entry]}
    scene.answer(200, json.dumps(wrong).encode())
    assert scene.turn() and scene.told is State.NOT_CONFIRMED
    scene.hands.later(200)
    outcome = scene.turn()
    assert outcome and (outcome.kind, outcome.reason) == (Kind.HELD, Reason.WRONG_PATIENT)
    scene.true()


def f08_token(scene: Scene) -> None:
    scene.answer(401)
    outcome = scene.turn()
    assert outcome and (outcome.kind, outcome.reason) == (Kind.HELD, Reason.RECONNECT)
    service.resend_all(scene.place.clerk, Reason.RECONNECT)
    scene.settle()


def f09_partly(scene: Scene) -> None:
    """A short answer is in doubt; when only one of two is there that is held as such, with what did arrive."""
    scene.settle()
    two = bundle(created(response("pat-1", "key-2")), created(medication("pat-1", "key-3")))
    scene.follow(queue(scene.place, two), "key-2")
    scene.answer(200, b'{"resourceType":"Bundle","type":"transaction-response","entry":[]}')
    assert scene.turn() and scene.told is State.NOT_CONFIRMED
    scene.server.put({**two["entry"][0]["resource"], "id": "half"})
    scene.hands.later(200)
    outcome = scene.turn()
    assert outcome and (outcome.kind, outcome.reason) == (Kind.HELD, Reason.PARTLY_THERE)
    seen = service.held_item(scene.place.clerk, scene.item_id)
    assert [piece.state for piece in seen.pieces] == ["arrived", "missing"]
    scene.hands.later(1)
    service.resend(scene.place.clerk, scene.item_id)
    for _ in range(4):
        scene.hands.later(4000)
        scene.turn(atomic=lambda *_: True)
    assert scene.there == 1


def f11_disk_full(scene: Scene) -> None:
    with no_room():
        assert not worker.turn(scene.hands.tools(scene.client))
    assert (scene.told, scene.server.writes) == (State.WAITING, 0)
    scene.settle()


def f12_locked(scene: Scene) -> None:
    with locked():
        assert not worker.turn(scene.hands.tools(scene.client))
    assert (scene.told, scene.server.writes) == (State.WAITING, 0)
    scene.settle()


def f13_clock(scene: Scene) -> None:
    scene.server.swallow = 1
    assert scene.turn() and scene.told is State.NOT_CONFIRMED
    for days in (365, -730, 365):  # ahead, back, and as it was
        scene.hands.at += timedelta(days=days)
        scene.turn()
        scene.true()
    scene.settle()


def f15_sent_twice(scene: Scene) -> None:
    payload = bundle(created(response("pat-1", "key-9")))
    scene.settle()
    items = [queue(scene.place, payload, submission_id="s" * 16) for _ in range(3)]
    assert len({item.id for item in items}) == 1
    scene.follow(items[0], "key-9")
    scene.settle()
    assert scene.server.writes == 2


def f17_form_changed(scene: Scene) -> None:
    """What goes is, to the byte, what was accepted: with the version of the form that was answered."""
    before = (lifted(scene.item).payload, lifted(scene.item).sha256)
    scene.settle()
    held = next(one for one in scene.server.resources.values() if one["resourceType"] == "QuestionnaireResponse")
    assert held["questionnaire"].endswith("|1")
    assert (lifted(scene.item).payload, lifted(scene.item).sha256) == before


def f18_merged(scene: Scene) -> None:
    """Held for a person before anything leaves: merged into another, set inactive, gone."""
    merged = {"active": True, "link": [{"type": "replaced-by", "other": {"reference": "Patient/pat-2"}}]}
    for change in (merged, {"active": False}):
        scene.server.put({"resourceType": "Patient", "id": "pat-1", **change})
        outcome = scene.turn()
        assert outcome and (outcome.kind, outcome.reason) == (Kind.HELD, Reason.RECORD_MERGED)
        assert scene.server.writes == 0
        assert "Nothing of this" in service.held_item(scene.place.clerk, scene.item_id).arrived
        service.resend(scene.place.clerk, scene.item_id)
        scene.hands.later(1)
        scene.turn()
    gone = queue(
        scene.place, bundle(created(response("nobody", "key-n"))), patient_id=another_patient(scene.place, "nobody")
    )
    scene.server.put({"resourceType": "Patient", "id": "pat-1", "active": True})
    scene.settle()
    assert kinds(gone)[-1] == "held" and scene.server.keys()[f"{URN}|key-n"] == 0


def f19_consent(scene: Scene) -> None:
    scene.hands.permitted = False
    outcome = scene.turn()
    assert outcome and (outcome.kind, scene.told, scene.there) == (Kind.WITHHELD, State.WITHHELD, 0)
    scene.hands.permitted = True
    service.resend(scene.place.clerk, scene.item_id)
    scene.server.hold = 1
    scene.hands.later(1)
    scene.turn()
    scene.turn()
    scene.hands.permitted = False  # taken back while the request is on its way
    scene.server.release()
    status = service.status_of(scene.submission_id)
    assert status and status.sent_at is not None, "it is told that it was sent, and when"
    scene.settle()


def f20_restored(scene: Scene) -> None:
    """The backup knows nothing of what was sent after it: looked for first, never sent blindly."""
    scene.server.transact(json.loads(lifted(scene.item).payload))
    assert overdue.after_restore(scene.hands.clock) == 1
    assert scene.told is State.NOT_CONFIRMED
    scene.settle()
    assert scene.server.commits == 1


def f21_swapped(scene: Scene) -> None:
    reachable = scene.client
    scene.client = _swapped
    outcome = scene.turn()
    assert outcome and (outcome.kind, outcome.reason) == (Kind.HELD, Reason.SERVER_CHANGED)
    assert scene.server.writes == 0
    scene.client = reachable
    service.resend(scene.place.clerk, scene.item_id)
    scene.settle()


def _swapped(_clinic: str) -> Any:
    raise Changed


STORY: dict[str, Callable[[Scene], None]] = {
    row: story
    for row in STORIES
    for name, story in list(globals().items())
    if name.startswith(f"f{row[2:4]}_") and callable(story)
}


# -- the other columns -------------------------------------------------------------------------------------------------


class no_room:
    """A disk that is full: no file may grow, and the database's journal is empty."""

    def __enter__(self) -> None:
        db.close()
        self.open = db.engine().raw_connection()
        self.open.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.quiet = redirect_stdout(io.StringIO())
        self.quiet.__enter__()
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, self.before[1]))

    def __exit__(self, *_: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        self.quiet.__exit__(None, None, None)
        db.close()
        self.open.close()


class locked:
    """Somebody holds the database and does not let go; the wait for it is short."""

    def __enter__(self) -> None:
        db.close()
        db.engine().dispose()
        self.other = db.engine().raw_connection()
        self.other.cursor().execute("BEGIN IMMEDIATE")
        event.listen(db.engine(), "connect", self._brief)

    def __exit__(self, *_: object) -> None:
        db.close()
        self.other.cursor().execute("ROLLBACK")
        self.other.close()
        event.remove(db.engine(), "connect", self._brief)
        db.engine().dispose()

    def _brief(self, connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=50")


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
