"""A clinic with a past: people who came in one month, made once by the demo's own storyteller."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from portal import db
from portal.accounts.models import Account, Clinic
from portal.actors import Actor, Role, system
from portal.clock import now
from portal.db import session
from portal.demo import past
from portal.ehr import service as ehr
from portal.measures import service
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from portal.settings import Settings
from tests import make
from tests.ports import free_port

PEOPLE = 11
UNTIL = (now() - timedelta(days=3)).replace(day=3, hour=15)
"""Shortly after the end of a month: nearly everybody came in that month."""


@dataclass(frozen=True)
class Past:
    config: Settings
    clinic_id: str

    def actor(self, role: Role) -> Actor:
        return make.staff_actor(session().query(Account).filter(Account.role == role.value).one())


@pytest.fixture(scope="session")
def past_template(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Path:
    """The database of a clinic where some people were (SQLite), made by the real services over HTTP with the clock set back."""
    folder, port = tmp_path_factory.mktemp("past"), free_port()
    shutil.copy(_sqlite_template, folder / "previsit.db")
    config = make.settings(folder, f"sqlite:///{folder / 'previsit.db'}", mail_from="clinic@example.org")
    db.connect(config.database, config.keys)
    clinic = make.clinic(forms=("phq-9",))
    doctor = make.staff_actor(make.staff(clinic, Role.CLINICIAN))
    for role in (Role.ADMINISTRATOR, Role.FRONT_DESK):
        make.staff(clinic, role)
    url = f"http://127.0.0.1:{port}"
    made = ehr.register(system(clinic.id), name="Riverside record", base_url=f"{url}/fhir", client_id="previsit")
    client = Client("previsit", ehr.jwks(made.id))
    running = server(SandboxConfig(folder / "clinic", url, (client,)), "127.0.0.1", port)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        file, over = folder / "clinic" / "clinic.sqlite3", timedelta(weeks=4)
        past.live(config, doctor, PEOPLE, file, f"{url}/fhir", over=over, until=UNTIL)
    finally:
        running.shutdown()
        running.server_close()
        db.dispose()
    return folder


@pytest.fixture
def with_past(past_template: Path, tmp_path: Path) -> Iterator[Past]:
    for name in ("previsit.db", "keys.json"):
        shutil.copy(past_template / name, tmp_path / name)
    config = make.settings(tmp_path, f"sqlite:///{tmp_path / 'previsit.db'}")
    db.connect(config.database, config.keys)
    service._quarter.cache_clear()  # the same clinic, with other days
    yield Past(config, session().query(Clinic).one().id)
    db.dispose()
