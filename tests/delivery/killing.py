"""The engine of the kill harness: one delivery, its worker killed (or stopped) at one step, restarted, watched, counted.

A run fails when something is lost (not at the server), doubled (there more than once), or ever told falsely: "confirmed"
while it is not there once, or "waiting" (not in the record) while it is there or a request is still being worked on.
"""

import multiprocessing
import os
import signal
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from portal import db, sealing
from portal.delivery import claim, record, sender, service, worker
from portal.delivery.look import Found, Sight
from portal.delivery.models import OutboxItem
from portal.delivery.states import Kind, State
from portal.delivery.timing import Timing
from portal.delivery.tools import Passage, Tools
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire

from . import conftest as _tables  # noqa: F401  (every model, so that create_all knows them)
from .gated import Clinic, running
from .make import URN, bundle, created, medication, place, queue, response, updated

POINTS = (
    "claimed",
    "marking",
    "marked",
    "written",
    "answered",
    "recorded",
    "looked",
    "confirming",
    "confirmed",
    "doubted",
    "sought",
    "absent",
)
"""In the order of a delivery's life. "written" is the one the server sees: request read, nothing committed, nobody answered."""
RELEASES = ("before", "during", "late")
SOUND = Timing(lease=1.2, send=0.7, bound=0.6, first=0.05, longest=0.1, pause_first=0.05, pause_longest=0.05)
VARIANTS = dict.fromkeys(("sound", "blind", "impatient", "unmarked", "unfenced"), SOUND)
VARIANTS["impatient"] = replace(SOUND, bound=0.0)
"""What runs: production code, or that code with one of its precautions taken out. The harness must notice each.

blind      conditional create without read-back: what was not answered is sent again
impatient  looks before it sends again, but does not wait the server's bound
unmarked   opens the socket before "sending" is durable
unfenced   a worker that slept past its lease goes on as if nothing had happened

Nothing else differs: with a shorter lease too, a busy machine fences the broken worker off before it can do its harm, five
times over, and what is then seen is an item held for our own fault, which proves nothing about the precaution.
"""
BROKEN = tuple(name for name in VARIANTS if name != "sound")
PROMISE = 0.55
"""Seconds in which the server commits by itself; it keeps its bound. For a broken variant only the harness opens the gate."""
KEYS = sealing.KeyRing({1: b"k" * 32}, b"i" * 32)
PATIENCE = 25.0


@dataclass(frozen=True)
class Case:
    database: str
    point: str
    release: str
    variant: str = "sound"
    action: str = "kill"
    number: int = 0

    @property
    def updates(self) -> bool:
        """Whether the Bundle also updates with If-Match, which happens to protect a server that races."""
        return self.variant == "sound" and self.number % 2 == 0


@dataclass
class Result:
    case: Case
    lost: int = 0
    doubled: int = 0
    false: list[str] = field(default_factory=list)
    reached: bool = False
    finished: bool = False
    seconds: float = 0
    writes: int = 0

    @property
    def sound(self) -> bool:
        return self.reached and self.finished and not (self.lost or self.doubled or self.false)

    @property
    def caught(self) -> bool:
        """Of a broken variant: the harm that its precaution prevents came about, and nothing less counts (a lie alone does not)."""
        return self.reached and self.writes > 1 and bool(self.doubled)


def work(url: str, base: str, variant: str, point: str | None, action: str, reports: Connection | None) -> None:
    """A worker process: production code from the loop down. At `point` it reports, then kills or stops itself, once."""
    db.connect(url, KEYS)
    TAKEN_OUT.get(variant, lambda: None)()
    client = FhirClient(base, Wire(base), None, Limits(connect=0.5, read=5, total=5))
    done: list[str] = []

    def checkpoint(step: str) -> None:
        if step == point and reports is not None and not done:
            done.append(step)
            reports.send(step)
            os.kill(os.getpid(), signal.SIGSTOP if action == "stop" else signal.SIGKILL)
            time.sleep(0.3)  # the stop reaches the other threads first: this one must not run on meanwhile

    tools = Tools(
        gate=lambda _item: Passage(True),
        clients=lambda _clinic: client,
        timing=VARIANTS[variant],
        checkpoint=checkpoint,
    )
    stop = threading.Event()
    worker.stop_at_signals(stop)
    worker.run(tools, stop, pace=worker.Pace(hands=1, idle=0.02, drain=1))


def _blind() -> None:
    sender.SEND_AFTER = frozenset(Kind)
    sender.look = lambda _client, payload, _landed=(): Sight(
        tuple(Found(entry, ({**entry.resource, "id": "x"},)) for entry in payload.entries)
    )


def _unmarked() -> None:
    record.mark_sending = lambda _tools, _item, _entry=None: None


def _unfenced() -> None:
    claim.stop_if_late = lambda _deadline: None
    claim.held = record.held = _held_by_anybody


@contextmanager
def _held_by_anybody(lease: claim.Claim) -> Iterator[OutboxItem]:
    with db.transaction() as current:
        yield current.get_one(OutboxItem, lease.item_id, with_for_update=True, populate_existing=True)


TAKEN_OUT = {"blind": _blind, "unmarked": _unmarked, "unfenced": _unfenced}


def broken(variant: str, database: str = "sqlite", number: int = 1) -> Case:
    """The case in which the precaution that this variant lacks is what saves a sound worker."""
    if variant == "unfenced":
        return Case(database, "marked", "woken", variant, action="stop", number=number)
    return Case(database, "written", "late", variant, number=number)


def run(case: Case) -> Result:
    """One delivery, killed once at the case's point, restarted, watched to its end."""
    result = Result(case)
    began = time.monotonic()
    with scratch(case.database) as url:
        clinic = Clinic(promise=PROMISE if case.variant == "sound" else 30.0)
        clinic.put({"resourceType": "Patient", "id": "pat-1", "telecom": [{"value": "old"}]})
        with running(clinic) as base:
            item_id, submission_id = _queue(url, case)
            watch = Watch(clinic, item_id, submission_id)
            _drive(case, clinic, watch, url, base, result)
            _count(clinic, watch, result)
    result.seconds = round(time.monotonic() - began, 2)
    return result


def _queue(url: str, case: Case) -> tuple[str, str]:
    db.connect(url, KEYS)
    db.Base.metadata.create_all(db.engine())
    entries = [created(response("pat-1")), created(medication("pat-1"))]
    if case.updates:
        patient = {"resourceType": "Patient", "id": "pat-1", "telecom": [{"value": "new"}]}
        entries.append(updated(patient, "1"))
    made = queue(place(), bundle(*entries))
    known = made.id, made.submission_id
    db.close()
    return known


class Watch:
    """Reads what people are told, as the pages do, and compares it with the server at every moment."""

    def __init__(self, clinic: Clinic, item_id: str, submission_id: str) -> None:
        self.clinic, self.item_id, self.submission_id = clinic, item_id, submission_id
        self.false: Counter[str] = Counter()

    def look(self) -> State:
        """What is told now; a lie is noted. The server is read before and after, because both move on."""
        with self.clinic.lock:
            there_before, pending_before = sum(self.clinic.keys().values()), self.clinic.pending
            writes_before = self.clinic.writes
        status = service.status_of(self.submission_id)
        db.close()
        assert status is not None
        with self.clinic.lock:
            counts, same_write = self.clinic.keys(), self.clinic.writes == writes_before
            still_pending = self.clinic.pending and pending_before and same_write
        if status.state is State.WAITING and (there_before or still_pending):
            self.false[f"told waiting: {there_before} there, {still_pending} on its way"] += 1
        if status.state is State.CONFIRMED and (len(counts) != 2 or set(counts.values()) != {1}):
            self.false[f"told confirmed while the server holds {sorted(counts.values())}"] += 1
        if status.state is State.HELD:
            self.false[f"held: {status.reason}"] += 1
        return status.state


def _drive(case: Case, clinic: Clinic, watch: Watch, url: str, base: str, result: Result) -> None:
    _arm(case, clinic)
    first, reports = _start(case, url, base)
    result.reached = _until_killed(case, clinic, first, reports, watch)
    watch.look()
    if case.release == "before":
        clinic.release()
    second, _ = _start(Case(case.database, "", "", case.variant), url, base)
    try:
        if case.release == "during":
            time.sleep(0.15)
            clinic.release()
        if case.release == "woken":  # the sleeper wakes while the other's request is being worked on
            _until(clinic.received.is_set, PATIENCE)
            os.kill(first.pid, signal.SIGCONT)
            _until(lambda: clinic.writes > 1, 0.3 if case.variant == "sound" else PATIENCE)
            clinic.release()
        elif case.variant != "sound":  # the first commit falls after the second request was decided
            _until(lambda: clinic.writes > 1, PATIENCE)
            clinic.release()
        result.finished = _until_finished(case, watch, clinic)
        if case.action == "stop" and first.pid:
            os.kill(first.pid, signal.SIGCONT)
            _until(lambda: not first.is_alive() or watch.look() is None, 1.0)
        time.sleep(0.1)
    finally:
        for process in (first, second):
            if process.is_alive():
                process.terminate()
                process.join(3)
            if process.is_alive():
                process.kill()
                process.join()


def _arm(case: Case, clinic: Clinic) -> None:
    """What the server does to the first request, so that the point is reached."""
    if case.point == "written" or case.release == "woken":
        clinic.hold = 1
    elif case.point == "absent":
        clinic.swallow = 1
    elif case.point in ("doubted", "sought"):
        clinic.lose, clinic.swallow = (1, 0) if case.number % 2 else (0, 1)


def _start(case: Case, url: str, base: str) -> tuple[Any, Connection]:
    context = forking()
    ours, theirs = context.Pipe(duplex=False)
    point = case.point if case.point != "written" else None
    process = context.Process(
        target=work, args=(url, base, case.variant, point, case.action, theirs if case.point else None), daemon=False
    )
    process.start()
    theirs.close()
    return process, ours


def forking() -> Any:
    """Real processes, forked from one that has imported everything and holds no thread, file or connection."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.delivery.killing"])
    return context


def _until_killed(case: Case, clinic: Clinic, process: Any, reports: Connection, watch: Watch) -> bool:
    if case.point == "written":
        reached = clinic.received.wait(PATIENCE)
        os.kill(process.pid, signal.SIGKILL)
    else:
        reached = _until(lambda: bool(watch.look()) and reports.poll(0.005), PATIENCE)
    if case.action == "kill":
        process.join(PATIENCE)
        return reached and process.exitcode == -signal.SIGKILL
    return reached


def _until_finished(case: Case, watch: Watch, clinic: Clinic) -> bool:
    """Told "confirmed", and the server at rest; of a broken variant the harm is enough."""
    if case.variant != "sound":
        return _until(lambda: bool(watch.look()) and not clinic.pending and max(clinic.keys().values()) > 1, 5)
    return _until(lambda: watch.look() is State.CONFIRMED and not clinic.pending, PATIENCE)


def _until(condition: Any, patience: float) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return False


def _count(clinic: Clinic, watch: Watch, result: Result) -> None:
    watch.look()
    counts, patient = clinic.keys(), clinic.resources["Patient/pat-1"]
    wanted = "new" if result.case.updates else "old"
    ours = [key for key in counts if key.startswith(URN)]
    result.lost = int(len(ours) < 2 or patient["telecom"][0]["value"] != wanted)
    result.doubled = int(any(count > 1 for count in counts.values()) or int(patient["meta"]["versionId"]) > 2)
    result.writes = clinic.writes
    result.false = [f"{words} (x{count})" for words, count in watch.false.items()]


@contextmanager
def scratch(kind: str) -> Iterator[str]:
    """The address of an empty database of this kind, gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            try:
                yield f"sqlite:///{Path(folder) / 'kill.db'}"
            finally:
                db.dispose()
        return
    server = make_url(os.environ["PREVISIT_TEST_POSTGRES"])
    name = f"kill_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        db.dispose()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
