"""An auditor reads what happened and whether the trail is whole: no health data, no change, nothing that is not theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal import db
from portal.accounts.sessions import Stage
from portal.actors import MAY, STAFF, Actor, Permission, Role, system, who_may
from portal.audit import service as audit
from portal.audit import signing, standing
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.db import session, transaction
from portal.errors import NotAllowed
from tests import make
from tests.house.addresses import ways
from tests.house.doors import DOORS
from tests.house.test_step_up import aged
from tests.house.world import MARKS, VISITORS, World
from tests.house.world import build as build_world

READS = re.compile(r"see-")
AUDITOR = next(each for each in VISITORS if each.role is Role.AUDITOR)
OWN_ROOMS = ("me.", "security.", "trail.people", "claim.")
"""Their own account; a look for a name, which is posted because a name must not stand in an address; their own sign-in."""


def test_every_staff_role_is_in_the_one_map_and_an_auditor_only_reads() -> None:
    assert set(MAY) == STAFF
    assert MAY[Role.AUDITOR] and all(READS.match(each) for each in MAY[Role.AUDITOR])
    content = {Permission.SEE_QUEUE, Permission.SEE_EMERGENCIES, Permission.SEE_FORMS}
    assert not MAY[Role.AUDITOR] & content


def test_the_rooms_stand_open_to_those_whom_the_map_names(app: Flask) -> None:
    """A room's roles are never wider than those of the permissions that its doors need."""
    rooms = app.extensions["doors"].rooms
    for name, door in DOORS.items():
        room = rooms.get(name.rpartition(".")[0])
        if room and door.needs and door.roles:
            assert room & who_may(door.needs) == door.roles & who_may(door.needs), name


def test_no_page_of_an_auditor_shows_anything_but_names_and_no_post_changes_anything(tmp_path: Path) -> None:
    world = build_world(tmp_path, f"sqlite:///{tmp_path / 'x.db'}")
    client, opened = world.client(AUDITOR), []
    for way in ways(world.app, "GET", "POST"):
        if way.door.roles is None:
            continue
        if way.safe:
            answer = client.get(way.path(world, AUDITOR))
            body = answer.get_data(as_text=True)
            beside = re.sub(r"\w+-(name|invited)\b", "", body).lower()
            assert not [mark for mark in MARKS.values() if mark in beside], str(way)
            opened += [way.endpoint] if answer.status_code == 200 else []
        elif not way.endpoint.startswith(OWN_ROOMS):
            answer = client.post(way.path(world, AUDITOR), data={**way.door.form, **world.csrf})
            assert answer.status_code in {403, 404}, f"{way}: {answer.status_code}"
    rooms = {"trail.entries", "trail.standing_now", "trail.exported", "quality.shown"}
    assert rooms <= set(opened)
    assert {each.split(".")[0] for each in opened} <= {"trail", "quality", "measures", "security", "claim"}
    _a_bar_without_shut_doors(world)


def _a_bar_without_shut_doors(world: World) -> None:
    """Who still has to set up a second factor is shown no door that would only lead back."""
    page = aged(world, AUDITOR, minutes=0, stage=Stage.SET_UP).get("/security/set-up").text
    assert "pv-bar__link" not in page
    assert "pv-bar__link" in aged(world, AUDITOR, minutes=0).get("/audit").text


@pytest.fixture
def auditor(app: Flask) -> Actor:
    return make.staff_actor(make.staff(make.clinic(forms=()), Role.AUDITOR, "Alex Reid"))


@pytest.fixture
def place(tmp_path: Path) -> signing.Place:
    return signing.Place(tmp_path / "key.pem", tmp_path / "heads.ndjson")


def _happen(clinic_id: str, times: int = 1) -> None:
    with transaction():
        for number in range(times):
            audit.record(system(clinic_id), Event.FORM_SAVED, subject=f"drafts:{number}")


def test_the_page_says_whether_the_trail_is_whole_and_up_to_where_it_was_signed(
    auditor: Actor, place: signing.Place
) -> None:
    found = standing.standing(auditor, place)
    assert found.whole and found.looked_at == found.entries > 0 and found.signed is None
    signing.sign(place)
    _happen(auditor.clinic_id, 3)
    found = standing.standing(auditor, place)
    assert found.whole and found.signed and found.signed.agrees and found.signed.seq < found.entries
    place.heads.write_text(place.heads.read_text().replace('"seq":', '"seq": '))
    assert standing.standing(auditor, place).signed, "how it is written does not matter"
    place.heads.write_text(place.heads.read_text().replace('"hash":"', '"hash":"0'))
    found = standing.standing(auditor, place)
    assert found.could_not_read and found.signed is None


@pytest.mark.parametrize("newest", [20_000, 4])
def test_a_changed_entry_is_named_and_so_is_a_trail_that_was_cut(
    auditor: Actor, place: signing.Place, monkeypatch: pytest.MonkeyPatch, newest: int
) -> None:
    monkeypatch.setattr(standing, "MOST", newest)
    _happen(auditor.clinic_id, 6)
    signing.sign(place)
    assert standing.standing(auditor, place).whole
    last = _behind_its_back("SELECT max(seq) FROM audit_events")
    _behind_its_back("UPDATE audit_events SET subject = 'x' WHERE seq = :seq", seq=last - 1)
    found = standing.standing(auditor, place)
    assert found.broken_at == last - 1 and not found.whole
    for statement in (
        "DELETE FROM audit_events WHERE seq > :seq",
        "UPDATE audit_heads SET seq = :seq, hash = (SELECT hash FROM audit_events WHERE seq = :seq)",
    ):
        _behind_its_back(statement, seq=last - 3)
    found = standing.standing(auditor, place)
    assert found.broken_at is None and found.signed and not found.signed.agrees and not found.whole


def _behind_its_back(statement: str, **values: int) -> int:
    """As somebody with the file in hands, past the triggers."""
    db.close()
    with db.engine().begin() as held:
        if db.engine().dialect.name == "postgresql":
            held.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        else:
            for name in held.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
                held.execute(text(f"DROP TRIGGER {name}"))
        done = held.execute(text(statement), values)
        return int(done.scalar_one()) if done.returns_rows else 0


def test_who_may_not_read_the_trail_does_not_learn_how_it_stands(auditor: Actor, place: signing.Place) -> None:
    clerk = make.staff_actor(make.staff(make.clinic("far", "Far", forms=()), Role.FRONT_DESK))
    with pytest.raises(NotAllowed):
        standing.standing(clerk, place)


def test_an_export_is_a_file_of_events_of_the_days_that_were_asked_for(
    app: Flask, sign_in: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = make.clinic(forms=())
    make.staff(clinic, Role.AUDITOR, "Alex Reid", "alex@example.org")
    client, today = sign_in("alex@example.org"), datetime.now(UTC).date().isoformat()
    answer = client.get("/audit/export")
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["Content-Disposition"] == f"attachment; filename=audit-{today}-{today}.ndjson"
    assert {each["resourceType"] for each in events} == {"AuditEvent"} and "alex" not in answer.text.lower()
    assert client.get("/audit/export?from=2020-01-01&to=2020-02-01").text == ""
    assert client.get("/audit/export?from=x&to=2020-13-01").status_code == 200
    assert Event.AUDIT_EXPORTED in {row.event for row in session().query(AuditRow)}
    monkeypatch.setattr("portal.audit.routes.MOST_EXPORTED", 2)
    assert client.get("/audit/export").status_code == 422
    assert "No change was found" in client.get("/audit/standing").text
