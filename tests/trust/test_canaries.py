"""Nothing of a person stands outside its place after a whole run of the main job (F7): database, its log, temporary files, logs, mail,
cookies, addresses, backups, in eight encodings."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask import Flask
from sqlalchemy import select

import portal
from portal import db, logs
from portal.accounts import service as accounts
from portal.accounts.models import Patient
from portal.actors import Role, system
from portal.audit import asking, exporting, telling
from portal.audit import service as audit
from portal.clock import now
from portal.db import Base, session
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr import service as ehr
from portal.intake import service as intake
from portal.keeping import backup
from portal.notices import mail
from portal.notices import service as notices
from portal.review import service as review
from portal.review.models import Verdict
from portal.review.service import Choice
from portal.settings import Settings
from portal.working import tools
from tests import make
from tests.journeys import swift
from tests.review.conftest import DESK
from tests.sandbox_server import Client, SandboxConfig, free_port, server
from tests.trust import canaries

TYPED = 'Zäphod-cough <since> Tuesday & "rash" K+3.5'
PASSWORD = "kestrel under seventeen umbrellas"
ASKED = "whyever-did-somebody-look at Quackenbush’s answers?"
OFTEN = {"name": "Zebedee Quackenbush-Örn", "birth": "1931-02-03", "phone": "+1 217 555 0198"}
SAID = (TYPED, PASSWORD, ASKED, *OFTEN.values())


@pytest.mark.parametrize(
    "shape",
    [
        str.encode,
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode().hex().encode(),
        lambda text: b64encode(b"x" + text.encode() + b"yz"),
        lambda text: b64encode(b"xy" + text.encode() + b"z"),
        lambda text: b"??" + zlib.compress(b"ahead " + text.encode()),
        lambda text: b"?" + gzip.compress(text.encode() * 3),
        lambda text: json.dumps({"a": text}).encode(),
        lambda text: text.encode("ascii", "xmlcharrefreplace"),
        lambda text: quote(text).encode(),
    ],
)
def test_the_search_finds_a_canary_in_every_shape(shape: Any) -> None:
    """A check that cannot fail would be none."""
    noise = bytes(range(256)) * 3
    assert canaries.found(noise + shape("Zäphod K+3.5 rash") + noise, ["Zäphod K+3.5 rash"])
    assert not canaries.found(noise, ["Zäphod K+3.5 rash"])


@dataclass
class Walker:
    """Somebody at the pages by the application's own client, as tests/journeys/swift.py wants them."""

    app: Flask
    seen: list[str] = field(default_factory=list)
    """every address asked for or sent to"""

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        self.demo = SimpleNamespace(url="http://localhost")
        self.page = SimpleNamespace(request=SimpleNamespace(get=self._get, post=self._post))

    def _get(self, url: str) -> Any:
        return self._answer(self.client.get(_path(url), follow_redirects=True))

    def _post(self, url: str, data: str, headers: dict[str, str]) -> Any:
        kind = headers["Content-Type"]
        return self._answer(self.client.post(_path(url), data=data, content_type=kind, follow_redirects=True))

    def _answer(self, answer: Any) -> Any:
        self.seen += [each.request.url for each in (*answer.history, answer)]
        self.seen += [each.headers.get("Location", "") for each in answer.history]
        told = answer.get_data(as_text=True)
        return SimpleNamespace(
            url=answer.request.url, ok=answer.status_code < 400, status=answer.status_code, text=lambda: told
        )

    @property
    def cookies(self) -> bytes:
        return "\n".join(f"{each.key}={each.value}" for each in self.client._cookies.values()).encode()


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


@pytest.fixture
def ran(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Settings, Flask, str]]:
    """A portal with a mailbox folder, connected to the synthetic clinic; everything temporary lands in one place."""
    (tmp_path / "temp").mkdir()
    (tmp_path / "instance").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    config = replace(
        make.settings(tmp_path / "instance", database),
        mail="folder",
        quiet_hours=(0, 0),
        mail_from="portal@clinic.example",
        processing_bound_seconds=1,
    )
    app = portal.create_app(config)
    clinic = make.clinic()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    made = ehr.register(system(clinic.id), name="Record", base_url=f"{url}/fhir", client_id="previsit")
    client = Client("previsit", ehr.jwks(made.id))
    running = server(SandboxConfig(tmp_path / "clinic", url, (client,)), "127.0.0.1", port)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield config, app, clinic.id
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    "database", ["sqlite", "postgresql"] if os.environ.get("PREVISIT_WHOLE") else ["sqlite"], indirect=True
)
def test_nothing_stands_outside_its_place(
    ran: tuple[Settings, Flask, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config, app, clinic_id = ran
    logs.configure()
    monkeypatch.setattr(swift, "SECRET", PASSWORD)
    monkeypatch.setattr(swift, "REASON", TYPED)
    patient_id, walker = _the_main_job(config, app, clinic_id)
    _forced_failures(walker)
    key, copy = X25519PrivateKey.generate(), tmp_path / "copy.previsit"
    if config.database.startswith("sqlite"):
        db.close()
        backup.write(config.database, copy, key.public_key(), config.instance)
    officer = make.staff_actor(make.staff(accounts.clinics()[0], Role.PRIVACY_OFFICER, "Jo Officer"))
    events = exporting.events(officer, telling.Site(config.base_url), now().date(), now().date())
    out, err = capfd.readouterr()
    places = {
        "the trail as FHIR": "".join(exporting.line(each) for each in events).encode(),
        "addresses": "\n".join(walker.seen).encode(),
        "cookies": walker.cookies,
        "logs": (out + err).encode(),
        **_files(config.instance, tmp_path / "temp", copy, *tmp_path.glob("previsit.db*")),
        **_tables(),
    }
    assert len(places["addresses"]) > 1000 and any(name.endswith(".eml") for name in places)
    assert {
        name: canaries.found(content, SAID) for name, content in places.items() if canaries.found(content, SAID)
    } == {}
    _it_is_all_there_for_those_who_may(patient_id)


def _the_main_job(config: Settings, app: Flask, clinic_id: str) -> tuple[str, Walker]:
    """Invited, joined, answered, sent, accepted, delivered, looked back, asked about."""
    desk, worker = make.staff_actor(make.staff(accounts.clinics()[0], Role.FRONT_DESK, "Sam Taylor")), tools(config)
    assert not intake.synchronise(system(clinic_id)).reason
    ana = next(row for row in session().scalars(select(Patient)) if row.fhir_id == "ana-morales")
    person = {**ana.person, "name": OFTEN["name"], "birthDate": OFTEN["birth"], "phone": OFTEN["phone"]}
    with db.transaction():
        ana.person = {**person, "email": "zeb@canary.example"}
    patient_id, made = ana.id, accounts.invite(desk, ana.id, 14)
    visit = next(
        each for each in intake.upcoming(desk, now(), now() + timedelta(days=30)) if each.patient_id == patient_id
    )
    code = notices.invite(desk, visit.id, 14).code
    _write_messages(config)
    walker = Walker(app)
    db.close()
    swift.join(walker, f"/join/{made.token}#{code}", OFTEN["birth"], "zeb@canary.example")  # type: ignore[arg-type]
    hub = swift.submit(walker)  # type: ignore[arg-type]
    db.close()
    _accept()
    while send_next(worker):
        pass
    assert "In your medical record since" in walker.client.get(f"{hub}/receipt").get_data(as_text=True)
    page = walker.client.get("/who-looked").get_data(as_text=True)
    entry = page.split('href="/who-looked/')[1][:16]
    swift.send(walker, f"/who-looked/{entry}", text=ASKED)  # type: ignore[arg-type]
    for path in (
        "/results",
        "/consent",
        "/visits",
        "/who-looked",
        f"{hub}/check",
        "/results/print",
        "/results/download",
    ):
        walker.page.request.get(path)
    _write_messages(config)
    return patient_id, walker


def _accept() -> None:
    """The clinician accepts everything and finishes."""
    actor = make.staff_actor(make.staff(accounts.clinics()[0], Role.CLINICIAN, "Dr Lee"))
    [submission_id] = session().scalars(select(Base.metadata.tables["submissions"].c.id))
    view = review.open_submission(actor, submission_id, DESK)
    assert view.items
    choices = [Choice(item.proposal.key, Verdict.ACCEPT, "", item.seen) for item in view.items]
    assert not review.decide(actor, submission_id, choices, DESK).issues
    assert not review.finish(actor, submission_id, DESK).issues


def _write_messages(config: Settings) -> None:
    db.close()
    post = mail.post(config)
    assert post
    notices.run(config, post)
    db.close()


def _forced_failures(walker: Walker) -> None:
    """What a page that goes wrong writes into logs."""
    for path in (f"/visits/{TYPED}", "/visits/0123456789abcdef", f"/nothing?q={OFTEN['name']}"):
        walker.client.get(path)
    walker.client.post("/who-looked/0123456789abcdef", data={"text": TYPED})


def _files(*folders: Path) -> dict[str, bytes]:
    paths = [each for folder in folders for each in ([folder] if folder.is_file() else folder.rglob("*"))]
    return {str(path.name): path.read_bytes() for path in paths if path.is_file()}


def _tables() -> dict[str, bytes]:
    """Every value of every row, as the database gives it."""
    db.close()
    return {
        f"table {table.name}": b"\n".join(
            value if isinstance(value, bytes) else str(value).encode()
            for row in session().execute(select(table))
            for value in row
        )
        for table in Base.metadata.sorted_tables
    }


def _it_is_all_there_for_those_who_may(patient_id: str) -> None:
    """The words were really typed and kept: sealed, and open to the right reader."""
    patient = session().get_one(Patient, patient_id)
    assert patient.person["name"] == OFTEN["name"]
    [question] = asking.of_patient(make.patient_actor(patient))
    assert question.steps[0].document["text"] == ASKED
    submissions = Base.metadata.tables["submissions"]
    assert len(session().execute(select(submissions.c.id)).all()) == 1
    assert audit.breaks() == []
    assert State.CONFIRMED.value in set(session().scalars(select(Base.metadata.tables["outbox_items"].c.state)))
