"""The stories of the fault matrix's send column, one a row, and two ways in which nothing can be saved."""

import gzip
import io
import json
import os
import resource
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

from sqlalchemy import event

from portal import db
from portal.delivery import overdue, service, worker
from portal.delivery.models import OutboxItem
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.tools import Outcome
from portal.ehr.client import FhirClient
from portal.ehr.errors import Changed
from portal.ehr.http import Limits, Wire
from tests.ports import dead_port
from tests.review.conftest import world as world  # the fixture

from .faults import STORIES
from .gated import Clinic
from .make import URN, Hands, Place, another_patient, bundle, created, kinds, lifted, medication, queue, response


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
    base = f"http://127.0.0.1:{dead_port()}/fhir"
    return FhirClient(base, Wire(base), None, Limits(1, 1, 1))


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
    assert asked <= 60
    scene.server.answers.clear()
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
    entries = [{"response": {}}] * 50
    whole = json.dumps({"resourceType": "Bundle", "type": "transaction-response", "entry": entries}).encode()
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
    before = (lifted(scene.item).payload, lifted(scene.item).sha256)
    scene.settle()
    held = next(one for one in scene.server.resources.values() if one["resourceType"] == "QuestionnaireResponse")
    assert held["questionnaire"].endswith("|1")
    assert (lifted(scene.item).payload, lifted(scene.item).sha256) == before


def f18_merged(scene: Scene) -> None:
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
    scene.client = Mock(side_effect=Changed)
    outcome = scene.turn()
    assert outcome and (outcome.kind, outcome.reason) == (Kind.HELD, Reason.SERVER_CHANGED)
    assert scene.server.writes == 0
    scene.client = reachable
    service.resend(scene.place.clerk, scene.item_id)
    scene.settle()


STORY: dict[str, Callable[[Scene], None]] = {
    row: story
    for row in STORIES
    for name, story in list(globals().items())
    if name.startswith(f"f{row[2:4]}_") and callable(story)
}


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
