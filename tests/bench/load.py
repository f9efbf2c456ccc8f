"""200 patients filling in forms at once: how long they wait for a page and for a save, on each database there is.

Each has a session and a visit of their own, opens a page of the health history, thinks, saves, goes on: one save each ten seconds,
from a process of its own over connections that are kept open. The portal is served as in production (`portal serve`).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

import portal
from portal import bundled, db, sealing, settings
from portal.accounts import sessions
from portal.actors import system
from portal.fhir import exact
from portal.library import service as library
from portal.questionnaire import load as form_of
from tests import make
from tests.bench import running
from tests.bench.figures import goal, told
from tests.ports import free_port

PEOPLE = int(os.environ.get("PREVISIT_BENCH_CROWD", "200"))
SECONDS = float(os.environ.get("PREVISIT_BENCH_SECONDS", "60"))
PACE = float(os.environ.get("PREVISIT_BENCH_PACE", "10"))
"""Seconds between two saves of one person."""
PROCESSES = "2"
FORM = "health-history"
GOAL = 500.0
HIDDEN = re.compile(r'<input type="hidden" name="(csrf_token|shown)" value="([^"]*)"')
CHOICES = re.compile(r'name="(q\d+)" type="radio" value="([^"]+)"')
KEPT = 1.5
"""Seconds: a line that was idle for longer may just be closed by the server."""
Json = dict[str, Any]


def run() -> None:
    server = os.environ.get("PREVISIT_TEST_POSTGRES")
    if server:
        with _database(server) as address:
            _on("PostgreSQL", address)
    else:
        told("PREVISIT_TEST_POSTGRES is not set: PostgreSQL is left out")
    _on("SQLite", None)


def _on(name: str, address: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sealing.create(Path(folder) / "keys.json")
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        own = {"PREVISIT_INSTANCE": folder, "PREVISIT_BASE_URL": url, "PREVISIT_BIND": f"127.0.0.1:{port}"}
        own |= {"PREVISIT_DEMO": "1", "PREVISIT_PROCESSES": PROCESSES} | (
            {"PREVISIT_DATABASE": address} if address else {}
        )
        environ = {**os.environ, **own}
        crowd = {"url": url, "pages": _pages(), "people": _world(environ)}
        command = [sys.executable, "-m", "portal.cli"]
        serve = subprocess.Popen([*command, "serve"], env=environ)
        work = subprocess.Popen([*command, "worker"], env=environ, stderr=subprocess.DEVNULL)
        try:
            running.until_up(url)
            before, at_rest = _machine(), [running.memory(pid) for pid in running.children(serve.pid)]
            found = _crowd(crowd, address)
            _tell(name, found, before)
            after = [running.memory(pid) for pid in running.children(serve.pid)]
            told(
                f"memory of a serving process {max(at_rest):.0f} → {max(after):.0f} MB, worker {running.memory(work.pid):.0f} MB"
            )
        finally:
            for process in (serve, work):
                process.send_signal(signal.SIGTERM)
                process.wait(40)


def _pages() -> list[str]:
    """The keys of the form's pages."""
    form = form_of(exact.loads((bundled.FOLDER / f"{FORM}.json").read_bytes()))
    return [page.key for page in form.layout]


def _world(environ: Json) -> list[Json]:
    """A clinic that asks the form, and the crowd: each with the cookie of a session and a visit."""
    config = settings.read(environ)
    app = portal.create_app(config)
    db.connect(config.database, config.keys)
    db.migrate()
    clinic = make.clinic(forms=(FORM,))
    library.supply(system(clinic.id))
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    csrf = URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps("c" * 40)
    people = []
    for number in range(PEOPLE):
        patient = make.patient(clinic, f"Person {number}")
        account = make.patient_account(patient, f"p{number}@example.org") if number == 0 else _account(patient, number)
        held = {"csrf_token": "c" * 40, "_user_id": sessions.begin(account), "_fresh": True}
        cookie = f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(held)}"
        people.append({"cookie": cookie, "csrf": csrf, "visit": make.visit(patient).id})
    db.dispose()
    return people


def _account(patient: Any, number: int) -> Any:
    """As by an invitation, but for the second that the hash of a password takes."""
    from portal.accounts.models import Account
    from portal.accounts.service import email_index
    from portal.clock import now
    from portal.db import session, transaction

    first = (
        session().query(Account).filter(Account.clinic_id == patient.clinic_id, Account.patient_id.is_not(None)).first()
    )
    assert first is not None
    with transaction() as current:
        profile = {**first.profile, "name": patient.person["name"], "email": f"p{number}@example.org"}
        made = Account(
            clinic_id=patient.clinic_id,
            role="patient",
            patient_id=patient.id,
            email_index=email_index(profile["email"]),
            password_hash=first.password_hash,
            made_at=now(),
            profile=profile,
        )
        current.add(made)
    return made


@contextmanager
def _database(server: str) -> Iterator[str]:
    """A database of its own on this server."""
    name = f"bench_{uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as held:
        held.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        db.dispose()
        with engine.connect() as held:
            held.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def _crowd(crowd: Json, address: str | None) -> Json:
    """What the crowd, in a process of its own, tells; meanwhile it is looked how many wait for a lock."""
    people = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    waits = _Waits(address)
    said, _ = people.communicate(json.dumps(crowd))
    return {**json.loads(said), "waits": waits.end()}


class _Waits(threading.Thread):
    """Looks ten times a second how many lines of PostgreSQL wait for a lock of another."""

    def __init__(self, address: str | None) -> None:
        super().__init__(daemon=True)
        self.address, self.over, self.seen = address, threading.Event(), list[int]()
        self.start()

    def run(self) -> None:
        if self.address is None:
            return
        engine = create_engine(self.address, isolation_level="AUTOCOMMIT")
        wanted = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with engine.connect() as held:
            while not self.over.wait(0.1):
                self.seen.append(int(held.execute(wanted).scalar_one()))
        engine.dispose()

    def end(self) -> float | None:
        self.over.set()
        self.join()
        return statistics.mean(self.seen) if self.seen else None


def _machine() -> list[float]:
    """Ticks of all processors: of work, of waiting, of other machines' work."""
    ticks = [float(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return [sum(ticks), ticks[3] + ticks[4], ticks[7]]


def _tell(name: str, found: Json, before: list[float]) -> None:
    every, idle, stolen = (after - earlier for after, earlier in zip(_machine(), before, strict=True))
    for what in ("page", "save"):
        times = sorted(found["times"][what]) or [0.0]
        at = {share: times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.95, 0.99)}
        told(
            f"{name}, {what}: {len(times)} in {found['seconds']:.0f} s, p50 {at[0.5]:.0f} p95 {at[0.95]:.0f} p99 {at[0.99]:.0f} ms"
        )
        goal(f"{PEOPLE} people on {name}, one save each {PACE:.0f} s: {what}, p95", at[0.95], GOAL, unit="ms")
    told(f"answers {found['answers']}; not answered {found['lost']}; waiting for a lock {found['waits']} at a time")
    told(
        f"the crowd's own processor {100 * found['cpu'] / found['seconds']:.0f} %; machine idle {100 * idle / every:.0f} %, "
        f"stolen {100 * stolen / every:.0f} %, load {os.getloadavg()[0]:.1f}"
    )


# -- the crowd ---------------------------------------------------------------------------------------------------------


class Person(threading.Thread):
    """Opens a page, thinks, saves, and goes on to the next."""

    def __init__(self, number: int, url: str, pages: list[str], who: Json, until: float) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(number)
        self.host, self.until, self.who = urlsplit(url).netloc, until, who
        self.pages = [f"/visits/{who['visit']}/forms/{FORM}/{key}" for key in pages]
        self.line = http.client.HTTPConnection(self.host, timeout=60)
        self.times: dict[str, list[float]] = {"begin": [], "page": [], "save": []}
        self.answers: Counter[str] = Counter()
        self.lost, self.used = 0, 0.0

    def run(self) -> None:
        time.sleep(self.random.uniform(0, PACE))
        place = 0
        self.ask("begin", "GET", f"/visits/{self.who['visit']}/forms/{FORM}")
        while time.monotonic() < self.until:
            try:
                page = self.pages[place % len(self.pages)]
                shown = self.ask("page", "GET", page)
                time.sleep(PACE * self.random.uniform(0.5, 1.5))
                if shown:
                    self.ask("save", "POST", page, self.answered(shown))
            except (OSError, http.client.HTTPException):
                self.lost += 1
                self.line.close()
            place += 1

    def answered(self, html: str) -> str:
        choices = dict(CHOICES.findall(html))
        return urlencode({**dict(HIDDEN.findall(html)), **choices, "step": "later"})

    def ask(self, what: str, method: str, path: str, body: str | None = None) -> str:
        headers = {"Cookie": self.who["cookie"], "Sec-Fetch-Site": "same-origin", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.perf_counter()
        if started - self.used > KEPT:
            self.line.close()  # as a browser does, a new one is opened
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        read = answer.read()
        self.times[what].append((time.perf_counter() - started) * 1000)
        self.used = time.perf_counter()
        self.answers[f"{what} {answer.status}"] += 1
        return read.decode() if answer.status == 200 else ""


def crowd() -> None:
    """The process of the crowd: who they are on standard input, what they found on standard output."""
    given = json.load(sys.stdin)
    began, until = time.monotonic(), time.monotonic() + SECONDS
    threading.stack_size(256 * 1024)
    people = [Person(number, given["url"], given["pages"], who, until) for number, who in enumerate(given["people"])]
    for each in people:
        each.start()
    for each in people:
        each.join()
    answers = sum((each.answers for each in people), Counter[str]())
    found = {
        "times": {what: [took for each in people for took in each.times[what]] for what in ("page", "save")},
        "answers": answers,
        "lost": sum(each.lost for each in people),
        "seconds": time.monotonic() - began,
        "cpu": time.process_time(),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    crowd()
