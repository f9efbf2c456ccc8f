"""The engine of the soak: many deliveries by real worker processes through a faulty proxy to the sandbox, on a clock that runs fast.

Everything is counted in the sandbox's own database. A run fails when something is lost, there twice, there without a
permission, there with other content, or ever told falsely (see `Watch`).
"""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from portal import db
from portal.db import session
from portal.delivery import service, worker
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.states import Reason, State
from portal.delivery.timing import Timing
from portal.delivery.tools import Passage, Tools
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from portal.errors import Busy
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from tests.sandbox_server import CLIENT_ID, Sandbox, client_key, free_port

from .clustering import until
from .fast_clock import Clock, Skipper
from .killing import KEYS, forking, scratch
from .make import URN, another_patient, bundle, created, medication, place, queue, response
from .proxy import Plan, Proxy

EXPECTED_HOLDS = frozenset({Reason.NOT_REACHED, Reason.TRIED_TOO_LONG, Reason.NOT_FHIR})
"""What the faults may come to in a person's hands; the soak's clerk sends these again."""


LATE, LIMIT = 0.2, 1.5
"""Our seconds: how late the proxy may carry something out, and how long a worker waits for an answer."""


@dataclass(frozen=True)
class Soak:
    """`speed`: how many seconds pass for the workers in one of ours while somebody works; all of Timing's are theirs."""

    database: str = "sqlite"
    submissions: int = 100
    patients: int = 50
    workers: int = 2
    hands: int = 2
    speed: float = 10.0
    seed: int = 1
    outage_hours: int = 73
    patience: float = 120.0


@dataclass
class Report:
    """What came of it."""

    soak: Soak
    accepted: int = 0
    withheld: int = 0
    confirmed: int = 0
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    unpermitted: int = 0
    stray: int = 0
    false: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    resent: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    looks: int = 0
    busy: int = 0
    """how often the database was too busy to accept and said so"""
    seconds: float = 0

    @property
    def sound(self) -> bool:
        broken = (self.lost, self.doubled, self.altered, self.unpermitted, self.stray, self.unfinished, len(self.false))
        return not any(broken) and set(self.resent) <= {reason.value for reason in EXPECTED_HOLDS}


class Static:
    """One token for the whole run."""

    def __init__(self, held: str) -> None:
        self.held = held

    def token(self, _limits: Limits) -> str:
        return self.held

    def renewed(self, _refused: str, _limits: Limits) -> str:
        return self.held


def kept_back(item_id: str) -> bool:
    """Every fortieth patient's choice forbids it: it must never leave."""
    return sha256(item_id.encode()).digest()[0] % 40 == 0


def work(url: str, base: str, token: str, clock: Clock, hands: int) -> None:
    """One worker process: production code from the loop down, on the fast clock."""
    db.connect(url, KEYS)
    timing = Timing()
    client = FhirClient(base, Wire(base), Static(token), Limits(connect=1, read=LIMIT, total=LIMIT))
    tools = Tools(
        gate=lambda item: Passage(not kept_back(item.id), "soak"),
        clients=lambda _: client,
        clock=clock.now,
        mark=clock.mark,
        timing=timing,
    )
    stop = threading.Event()
    worker.stop_at_signals(stop)
    worker.run(tools, stop, pace=worker.Pace(hands=hands, idle=0.15, drain=2))


def clinic(config: SandboxConfig, port: int) -> None:
    server(config, "127.0.0.1", port).serve_forever()


class Held:
    """What the sandbox's own database holds, read without asking it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def there(self, *keys: str) -> Counter[str]:
        """How often each of our keys is there (all of them when none is named)."""
        marks = f"AND by_token.code IN ({','.join('?' * len(keys))})" if keys else ""
        query = (
            "SELECT by_token.code, count(*) FROM by_token JOIN resource USING (key) WHERE by_token.param = 'identifier' "
            f"AND by_token.system = ? AND resource.body IS NOT NULL {marks} GROUP BY by_token.code"
        )
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=20) as connection:
            return Counter(dict(connection.execute(query, (URN, *keys)).fetchall()))


@dataclass(frozen=True)
class Sent:
    """One accepted delivery and the keys of what it adds."""

    item_id: str
    submission_id: str
    keys: tuple[str, str]


class Watch(threading.Thread):
    """Reads what people are told, as the pages do, while everything goes wrong; notes each lie."""

    def __init__(self, held: Held, sent: list[Sent], report: Report) -> None:
        super().__init__(daemon=True)
        self.held, self.sent, self.report = held, sent, report
        self.done = threading.Event()

    def run(self) -> None:
        random = Random(2)
        while not self.done.wait(0.1):
            if self.sent:
                self.look(random.choice(self.sent))

    def look(self, one: Sent) -> None:
        before = self.held.there(*one.keys)
        status = service.status_of(one.submission_id)
        db.close()
        assert status is not None
        self.report.looks += 1
        if status.state in (State.WAITING, State.WITHHELD) and before:
            self.report.false[f"told {status.state} while it is there"] += 1
        if status.state is State.CONFIRMED and set(self.held.there(*one.keys).values()) != {1}:
            self.report.false["told confirmed while it is not there once"] += 1


def run(soak: Soak, folder: Path) -> Report:
    """One soak from the first acceptance to the last receipt."""
    report, began = Report(soak), time.monotonic()
    with _places(soak, folder) as (url, sandbox, proxy, plan):
        token = sandbox.token()
        report.accepted = soak.submissions
        held, sent = Held(sandbox.config.database), list[Sent]()
        clock = Clock(soak.speed)
        clerk, people = _people(soak, sandbox, token)
        arguments = (url, sandbox.base_url, token, clock, soak.hands)
        processes = [forking().Process(target=work, args=arguments, daemon=True) for _ in range(soak.workers)]
        beside = (Watch(held, sent, report), Skipper(clock, plan))
        for thread in beside:
            thread.start()
        try:
            for process in processes:
                process.start()
            plan.calm = False
            _accept(soak, sent, people, 0, soak.submissions * 2 // 3, report)
            until(lambda: _settled() >= soak.submissions // 3, soak.patience)
            _outage(
                soak,
                proxy,
                clock,
                lambda: _accept(soak, sent, people, soak.submissions * 2 // 3, soak.submissions, report),
            )
            until(lambda: _finished(clerk, soak.submissions, report), soak.patience)
        finally:
            for thread in beside:
                thread.done.set()
                thread.join(5)
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(5)
                process.kill()
        _count(held, sent, report)
        report.faults = plan.met
    report.seconds = round(time.monotonic() - began, 1)
    return report


@contextmanager
def _places(soak: Soak, folder: Path) -> Iterator[tuple[str, Sandbox, Proxy, Plan]]:
    """A database, the sandbox in a process of its own, and the proxy under whose address it is known."""
    outside, inside = free_port(), 0
    while inside in (0, outside):
        inside = free_port()
    known = Client(CLIENT_ID, {"keys": [client_key().as_dict(private=False)]})
    url = f"http://127.0.0.1:{outside}"
    config = SandboxConfig(folder / "sandbox", url, (known,), token_seconds=10**6, seed=False)
    plan = Plan(soak.seed, inside, late=LATE)
    process = forking().Process(target=clinic, args=(config, inside), daemon=True)
    process.start()
    proxy = Proxy(plan, outside)
    sandbox = Sandbox(config, "127.0.0.1", outside)
    try:
        assert until(lambda: bool(sandbox.token()), 20)
        with scratch(soak.database) as database:
            db.connect(database, KEYS)
            db.migrate()
            yield database, sandbox, proxy, plan
    finally:
        proxy.away()
        process.kill()
        process.join()


def _people(soak: Soak, sandbox: Sandbox, token: str) -> tuple[Any, list[tuple[Any, str, str]]]:
    """Patients here and their records there."""
    at = place("p0")
    people = [(at, at.patient_id, "p0")]
    people += [(at, another_patient(at, f"p{n}"), f"p{n}") for n in range(1, soak.patients)]
    client = FhirClient(sandbox.base_url, Wire(sandbox.base_url), Static(token), Limits(5, 10, 10))
    for _, _, fhir_id in people:
        body = f'{{"resourceType":"Patient","id":"{fhir_id}"}}'.encode()
        assert client.write("PUT", f"Patient/{fhir_id}", body).status == 201
    return at.clerk, people


def _queued(at: Any, payload: dict[str, Any], patient_id: str, report: Report) -> OutboxItem:
    """Accepted once the page says so. "It was not saved, send it again" (bar 81) is no acceptance: the clerk sends it again."""
    for _ in range(100):
        try:
            return queue(at, payload, patient_id=patient_id)
        except Busy:
            db.close()
            report.busy += 1
    raise AssertionError("nothing can be accepted at all")


def _accept(
    soak: Soak, sent: list[Sent], people: list[tuple[Any, str, str]], start: int, end: int, report: Report
) -> None:
    random = Random(soak.seed + start)
    for number in range(start, end):
        at, patient_id, fhir_id = random.choice(people)
        keys = (f"r{number}", f"m{number}")
        payload = bundle(created(response(fhir_id, keys[0])), created(medication(fhir_id, keys[1])))
        item = _queued(at, payload, patient_id, report)
        sent.append(Sent(item.id, item.submission_id, keys))
    db.close()


def _outage(soak: Soak, proxy: Proxy, clock: Clock, meanwhile: Any) -> None:
    """Nobody listens for three days and more; what is accepted meanwhile waits with the rest."""
    proxy.away()
    meanwhile()
    for _ in range(3):
        clock.jump(soak.outage_hours * 1200)
        tried = clock.passed() + 600  # two or three probes
        until(lambda end=tried: clock.passed() > end, soak.patience)  # type: ignore[misc]
    proxy.back()


def _settled() -> int:
    done = [State.CONFIRMED.value, State.WITHHELD.value]
    return session().query(OutboxItem).filter(OutboxItem.state.in_(done)).count()


def _finished(clerk: Any, all_of_them: int, report: Report) -> bool:
    """Whether nothing is on its way any more; meanwhile a clerk sends again what is held."""
    for head in service.held(clerk):
        report.resent[head.reason.value] += 1
        service.resend(clerk, head.item_id)
    db.close()
    time.sleep(0.1)
    return _settled() == all_of_them


def _count(held: Held, sent: list[Sent], report: Report) -> None:
    there = held.there()
    receipts = {row.item_id: row for row in session().query(Receipt)}
    states = service.statuses_of([one.submission_id for one in sent])
    for one in sent:
        counts, state = [there.pop(key, 0) for key in one.keys], states[one.submission_id].state
        report.doubled += any(count > 1 for count in counts)
        report.confirmed += state is State.CONFIRMED
        report.withheld += state is State.WITHHELD
        report.unfinished += state not in (State.CONFIRMED, State.WITHHELD)
        if kept_back(one.item_id):
            report.unpermitted += any(counts) or state is State.CONFIRMED
        else:
            report.lost += 0 in counts
            report.altered += one.item_id not in receipts or receipts[one.item_id].changed > 0
    report.stray = sum(there.values())
    db.close()
