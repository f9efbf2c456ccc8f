"""Any story of acceptances, faults, crashes, waits and clerks: nothing is lost, doubled, out of order, or told falsely."""

import copy
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from portal import db, sealing
from portal.clock import now
from portal.db import new_id, session
from portal.delivery import service
from portal.delivery.models import OutboxItem
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr.errors import NotReached, NotThere
from portal.fhir import exact

from .gated import TRANSACTIONS, Clinic
from .make import Hands, Heard, another_patient, bundle, created, place, queue, response

POINTS = (
    "claimed",
    "marking",
    "marked",
    "answered",
    "recorded",
    "looked",
    "confirming",
    "confirmed",
    "doubted",
    "sought",
    "absent",
)
FAULTS = ("none", "unreachable", "swallowed", "lost", "busy", "fault", "fault after", "html", "refused", "unauthorised")


class Killed(BaseException):
    """The process is gone; what was not committed never was."""


@dataclass
class Seen:
    matches: list[dict[str, Any]]
    complete: bool = True


class Direct:
    """The server without the wire: the same logic, and a fault for the next write."""

    base = "http://ehr.example.org/fhir"

    def __init__(self, clinic: Clinic, hands: Hands) -> None:
        self.clinic, self.hands, self.fault, self.reachable = clinic, hands, "none", True
        self.without_permission = 0

    def transaction(self, body: bytes) -> Heard:
        self.without_permission += not self.hands.permitted
        if self.fault == "unreachable":
            return Heard(None, sent=False, failure="connect")
        before: dict[str, Heard] = {
            "swallowed": Heard(None, failure="timeout"),
            "busy": Heard(503, {"Retry-After": "20"}),
            "fault": Heard(500),
            "refused": Heard(422),
            "unauthorised": Heard(401),
        }
        if self.fault in before:
            return before[self.fault]
        status, answer = self.clinic.transact(copy.deepcopy(exact.loads(body)))
        after = {"lost": Heard(None, failure="reset"), "fault after": Heard(502), "html": Heard(200, {}, b"<html>")}
        return after.get(self.fault) or Heard(status, {}, exact.dumps(answer).encode())

    def search(self, kind: str, params: Iterable[tuple[str, str]], *, uncached: bool = True) -> Seen:
        assert uncached
        self._reach()
        return Seen(self.clinic.matching(kind, list(params)))

    def read(self, kind: str, name: str, *, uncached: bool = True) -> dict[str, Any]:
        self._reach()
        found = self.clinic.found(f"{kind}/{name}")
        if found is None:
            raise NotThere(404)
        return found

    def capabilities(self) -> dict[str, Any]:
        self._reach()
        return TRANSACTIONS

    def get(self, path: str) -> Heard:
        return Heard(200)

    def write(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Heard:
        raise AssertionError("this server takes transactions")

    def _reach(self) -> None:
        if not self.reachable:
            raise NotReached("connect", sent=False)


class Stories(RuleBasedStateMachine):
    items = Bundle("items")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        db.connect(f"sqlite:///{Path(self.folder.name) / 's.db'}", sealing.KeyRing({1: b"k" * 32}, b"i" * 32))
        db.Base.metadata.create_all(db.engine())
        self.place = place("p0")
        self.patients = [(self.place.patient_id, "p0"), (another_patient(self.place, "p1"), "p1")]
        self.clinic = Clinic()
        self.hands = Hands()
        self.client = Direct(self.clinic, self.hands)
        self.keys: dict[str, tuple[str, str]] = {}
        self.resent: set[str] = set()

    @rule(target=items, who=st.integers(0, 1))
    def accept(self, who: int) -> str:
        return self._accept(who)

    @rule(seed=st.integers(0, 2**32))
    def some_time_passes(self, seed: int) -> None:
        """A few turns with faults and kills, evenly drawn, which Hypothesis by itself would not do; the truth is checked after each."""
        draw = Random(seed)
        for _ in range(draw.randint(4, 12)):
            if draw.random() < 0.4:
                self._accept(draw.randint(0, 1))
            self.hands.permitted = draw.random() < 0.9
            self.hands.at = max(self.hands.at, now()) + timedelta(seconds=draw.choice((0, 1, 20, 130, 500, 4000)))
            self.client.fault = draw.choice(("none", *FAULTS))
            self.client.reachable = self.client.fault == "none" or draw.random() < 0.8
            self._turn(draw.choice((None, None, *POINTS)))
            self.what_is_told_is_true()
            self.the_order_of_each_patient_is_kept()

    @rule(item_id=items, close=st.booleans())
    def clerk(self, item_id: str, close: bool) -> None:
        status = self._told(item_id)
        if status not in (State.HELD, State.WITHHELD):
            return
        if close:
            assert service.close(self.place.clerk, item_id, "entered by hand") == []
        else:
            self.resent.add(item_id)
            service.resend(self.place.clerk, item_id)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        assert not hasattr(self, "clinic") or set(self.clinic.keys().values()) <= {1}

    @invariant()
    def nothing_leaves_against_the_patients_choice(self) -> None:
        assert not hasattr(self, "client") or not self.client.without_permission

    @invariant()
    def what_is_told_is_true(self) -> None:
        for item_id, (key, _) in getattr(self, "keys", {}).items():
            there, told = self.clinic.keys()[key], self._told(item_id)
            assert told is not State.CONFIRMED or there == 1
            assert told not in (State.WAITING, State.WITHHELD) or there == 0

    @invariant()
    def the_order_of_each_patient_is_kept(self) -> None:
        for patient_id, _ in getattr(self, "patients", []):
            line = session().query(OutboxItem).filter_by(patient_id=patient_id).order_by(OutboxItem.position).all()
            started = [one for one in line if self.clinic.keys()[self.keys[one.id][0]]]
            for one in line[: line.index(started[-1])] if started else []:
                assert one.state not in (State.WAITING, State.NOT_CONFIRMED, State.HELD) or one.id in self.resent

    def teardown(self) -> None:
        """On a good day everything comes to its end."""
        if not hasattr(self, "clinic"):
            return
        self.client.fault, self.client.reachable, self.hands.permitted = "none", True, True
        idle = 0
        while idle < 3:
            self.hands.later(4000)
            idle = 0 if self._turn(None) else idle + 1
        for item_id, (key, _) in self.keys.items():
            told = self._told(item_id)
            behind = told in (State.WAITING, State.NOT_CONFIRMED)
            assert not behind or self._blocked(item_id), "something is stuck"
            assert told is not State.CONFIRMED or self.clinic.keys()[key] == 1
        db.dispose()
        self.folder.cleanup()

    def _turn(self, point: str | None) -> bool:
        """Whether there was anything to do."""
        try:
            return send_next(self.hands.tools(self.client, checkpoint=_killing(point))) is not None
        except Killed:
            return True
        finally:
            db.close()

    def _accept(self, who: int) -> str:
        patient_id, fhir_id = self.patients[who]
        key = new_id()
        item = queue(self.place, bundle(created(response(fhir_id, key))), patient_id=patient_id)
        self.keys[item.id] = (f"urn:previsit:answers|{key}", item.submission_id)
        return item.id

    def _told(self, item_id: str) -> State:
        status = service.status_of(self.keys[item_id][1])
        assert status is not None
        return status.state

    def _blocked(self, item_id: str) -> bool:
        """An earlier delivery of the same patient is held: this one waits for a person."""
        item = session().get(OutboxItem, item_id)
        assert item is not None
        earlier = (
            session()
            .query(OutboxItem)
            .filter(OutboxItem.patient_id == item.patient_id, OutboxItem.position < item.position)
        )
        return any(one.state == State.HELD for one in earlier)


def _killing(point: str | None) -> Callable[[str], None]:
    def checkpoint(step: str) -> None:
        if step == point:
            raise Killed

    return checkpoint


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=12, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
