"""The restore drill (F19): the disk is lost, the newest backup comes back, and nothing reaches the clinic twice."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from portal import db
from portal.actors import Actor, Role
from portal.audit import service as audit
from portal.audit import signing
from portal.db import new_id
from portal.delivery import service
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from portal.keeping import backup, restore
from portal.settings import Settings
from tests import make
from tests.delivery.gated import Clinic, running
from tests.delivery.make import SWIFT, URN, Hands, Place, bundle, created, queue, response

RTO_SECONDS = 15 * 60


def put(at: Place, key: str) -> str:
    return queue(at, bundle(created(response("pat-1", key)))).submission_id


def state(submission_id: str) -> State | None:
    found = service.status_of(submission_id)
    return found.state if found else None


def lose(database: str) -> None:
    """The disk is gone: no database at all."""
    db.dispose()
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        for path in Path(str(url.database)).parent.glob("previsit.db*"):
            path.unlink()
        return
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def test_the_drill(app: object, config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if config.database.startswith("postgresql") and not shutil.which("pg_dump"):
        pytest.skip("pg_dump is not installed")
    clinic = make.clinic(forms=())
    patient = make.patient(clinic, connection_id=new_id(), fhir_id="pat-1")
    staff = Actor(Role.CLINICIAN, clinic.id, account_id=new_id(), name="Dr Ada")
    here, hands, server = Place(clinic.id, patient.id, staff, staff), Hands(), Clinic(promise=1)
    key, file = X25519PrivateKey.generate(), tmp_path / "newest.previsit"
    place = signing.Place(tmp_path / "audit-key.pem", tmp_path / "heads.ndjson")
    with running(server) as base:
        client = FhirClient(base, Wire(base), None, Limits(connect=0.5, read=1, total=2))
        tools = hands.tools(client, timing=SWIFT)
        arrived = put(here, "arrived-before")
        assert send_next(tools)
        waiting = put(here, "sent-after-the-backup")
        signing.sign(place)
        made = backup.write(config.database, file, key.public_key(), config.instance)
        hands.later(60)
        assert send_next(tools) and state(waiting) is State.CONFIRMED
        lost = put(here, "made-after-the-backup")
        hands.later(60)
        assert send_next(tools) and state(lost) is State.CONFIRMED
        signing.sign(place)
        sent = server.commits
        began = time.monotonic()
        lose(config.database)
        found = restore.bring_back(config, file, key, place)
        took = time.monotonic() - began
        assert found.in_doubt == 1
        assert (state(arrived), state(waiting), state(lost)) == (State.CONFIRMED, State.NOT_CONFIRMED, None)
        for _ in range(6):
            hands.later(4000)
            send_next(tools)
        assert (state(arrived), state(waiting)) == (State.CONFIRMED, State.CONFIRMED)
        keys = server.keys()
        assert [
            keys[f"{URN}|{each}"] for each in ("arrived-before", "sent-after-the-backup", "made-after-the-backup")
        ] == [1] * 3
        assert server.commits == sent, "nothing was written at the clinic after the restore"
    assert audit.breaks(signing.heads(place)) == []
    assert took < RTO_SECONDS
    with capsys.disabled():
        print(
            f"\nrestore drill ({make_url(config.database).get_backend_name()}): {made.bytes} bytes, {found.entries} entries "
            f"verified, back in {took:.1f} s, {found.in_doubt} looked up first, {server.commits - sent} sent again"
        )
