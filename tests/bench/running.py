"""The portal as it is served, in a folder of its own: a clinic, a patient with a visit that asks for given forms, a clinician."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from portal import db, sealing, settings
from portal.accounts.models import Patient
from portal.actors import Actor, Role, system
from portal.clock import now
from portal.fhir import exact
from portal.intake import visits
from portal.library import service as library
from tests import make
from tests.ports import free_port

PATIENT, CLINICIAN = "ana@example.org", "clinician@example.org"
Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A form by its name in the benchmark, its part of addresses, and the visit that asks for it."""

    name: str
    visit_id: str
    slug: str


@dataclass
class Portal:
    """`serving` is the process that answers; each form is asked before a visit of its own."""

    url: str
    watching: int
    serving: int
    working: int
    asked: list[Asked]

    def visit(self, name: str) -> str:
        return f"{self.url}/visits/{self._of(name).visit_id}"

    def form(self, name: str) -> str:
        return f"{self.visit(name)}/forms/{self._of(name).slug}"

    def _of(self, name: str) -> Asked:
        return next(each for each in self.asked if each.name == name)

    def cpu(self) -> float:
        """Seconds of processor time that answering has cost so far, by the clock that the kernel keeps for that process."""
        return time.clock_gettime((~self.serving << 3) | 2)


@contextmanager
def running(forms: Mapping[str, Json] | None = None) -> Iterator[Portal]:
    """With these forms, each asked before a visit of its own; with those that come along when none are given."""
    with tempfile.TemporaryDirectory() as folder:
        sealing.create(Path(folder) / "keys.json")
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        own = {"PREVISIT_INSTANCE": folder, "PREVISIT_BASE_URL": url, "PREVISIT_BIND": f"127.0.0.1:{port}"}
        environ = {**os.environ, **own, "PREVISIT_DEMO": "1"}
        asked = _world(environ, forms)
        command = [sys.executable, "-m", "portal.cli"]
        serve = subprocess.Popen([*command, "serve"], env=environ)
        work = subprocess.Popen([*command, "worker"], env=environ)
        try:
            until_up(url)
            (serving,) = children(serve.pid)
            yield Portal(url, serve.pid, serving, work.pid, asked)
        finally:
            for process in (serve, work):
                process.send_signal(signal.SIGTERM)
                process.wait(40)


def _world(environ: Mapping[str, str], forms: Mapping[str, Json] | None) -> list[Asked]:
    config = settings.read(environ)
    db.connect(config.database, config.keys)
    db.migrate()
    clinic = make.clinic()
    patient = make.patient(clinic)
    make.patient_account(patient, PATIENT)
    make.staff(clinic, Role.CLINICIAN)
    actor = system(clinic.id)
    library.supply(actor)
    brought = {name: _brought(actor, name, form) for name, form in (forms or {}).items()}
    wanted = brought or {kept.form.slug: kept.newest.id for kept in library.every(actor)}
    for name, version_id in wanted.items():
        library.activate(actor, version_id, library.Rule(kinds=(name,)), carry=False)
    slugs = {asked.version_id: asked.slug for asked in library.asked(clinic.id)}
    made = [Asked(name, _visit(patient, name), slugs[version_id]) for name, version_id in wanted.items()]
    db.dispose()
    return made


def _visit(patient: Patient, kind: str) -> str:
    detail = {"what": kind, "with": "Dr Lee", "where": "Room 2"}
    expected = visits.Expected(None, None, now() + timedelta(days=1), cancelled=False, detail=detail)
    return visits.expect(system(patient.clinic_id), patient.id, expected)[0].id


def _brought(actor: Actor, name: str, form: Json) -> str:
    (result,) = library.bring_in(actor, exact.dumps(form).encode(), origin="folder", name=f"{name}.json").results
    if not result.version_id:
        raise SystemExit(f"{name} is refused: {result.refusals}")
    return result.version_id


def until_up(url: str) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        try:
            if requests.get(f"{url}/pulse", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise SystemExit("the portal did not start")


def signed_in(url: str, email: str) -> requests.Session:
    session = requests.Session()
    session.headers["Sec-Fetch-Site"] = "same-origin"  # as browsers say it of our own pages
    page = session.get(f"{url}/sign-in").text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    form = {"email": email, "password": make.PASSWORD, "csrf_token": found.group(1)}
    assert session.post(f"{url}/sign-in", data=form).ok
    return session


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory(pid: int) -> float:
    """Megabytes that are the process's own, shared pages by share."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found.group(1)) / 1024
