"""The second wall: the portal's own role in PostgreSQL sees its clinic's rows only, even where a query forgets to ask."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

import portal
from portal import administering, db, walls
from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import Base, session, transaction
from tests import conftest, make
from tests.house.addresses import Way, ways
from tests.house.doors import DOORS
from tests.house.world import KNOWN, Visitor, World, build

pytestmark = pytest.mark.skipif(not conftest.POSTGRES, reason="PREVISIT_TEST_POSTGRES is not set")
OPEN_TO_ALL = {"clinics", "data_keys", "attempts", "delivery_workers", "delivery_jobs"}
"""No clinic stands in them: names of clinics, wrapped keys, counted tries, processes that send."""


@dataclass
class Walled:
    world: World
    owner: str
    database: str
    clinics: dict[str, str]


@pytest.fixture(scope="module")
def walled(
    tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None, _postgresql_template: str
) -> Iterator[Walled]:
    """Two clinics with their people, and the portal connected as a role that owns nothing."""
    folder: Path = tmp_path_factory.mktemp("walls")
    role = f"app_{uuid4().hex[:12]}"
    with conftest._server() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    made = conftest._postgres(f"TEMPLATE {_postgresql_template}")
    owner = next(made)
    world = build(folder, owner)
    clinics = {clinic.slug: clinic.id for clinic in administering.accounts.clinics()}
    url = make_url(owner).set(username=role, password=None).render_as_string(hide_password=False)
    walls.build(url)
    walls.build(url)  # again changes nothing
    world.app = portal.create_app(make.settings(folder, url))
    world.database = url
    yield Walled(world, owner, url, clinics)
    next(made, None)
    with conftest._server() as connection:
        connection.execute(text(f"DROP ROLE {role}"))


@pytest.fixture(autouse=True)
def connected(walled: Walled) -> Iterator[None]:
    db.connect(walled.database, walled.world.app.config["SETTINGS"].keys, walled=True)
    yield
    db.within(None)
    db.dispose()


def _counts() -> dict[str, set[str]]:
    """table → the clinics whose rows a query without any WHERE sees."""
    db.close()
    return {
        table.name: set(session().scalars(select(table.c.clinic_id)))
        for table in Base.metadata.sorted_tables
        if "clinic_id" in table.c
    }


def test_every_table_of_a_clinic_stands_behind_the_wall() -> None:
    without = {table.name for table in Base.metadata.sorted_tables if "clinic_id" not in table.c}
    assert without == OPEN_TO_ALL


def test_a_query_that_names_no_clinic_sees_nothing(walled: Walled) -> None:
    assert all(not seen for seen in _counts().values())


def test_a_query_sees_its_own_clinic_and_no_other(walled: Walled) -> None:
    near, far = walled.clinics["riverside"], walled.clinics["hillside"]
    for own, other in ((near, far), (far, near)):
        db.within(own)
        seen = _counts()
        assert all(clinics <= {own} for clinics in seen.values())
        assert sum(bool(clinics) for clinics in seen.values()) > 20, "and it does see its own"
        db.within(other)
        assert session().scalars(select(Base.metadata.tables["patients"].c.clinic_id)).first() == other


def test_the_clinic_is_forgotten_with_the_transaction(walled: Walled) -> None:
    db.within(walled.clinics["riverside"])
    assert _counts()["patients"]
    db.within(None)
    assert not _counts()["patients"], "the same connection, out of the pool again"


def test_nothing_is_written_for_another_clinic(walled: Walled) -> None:
    near, far = walled.clinics["riverside"], walled.clinics["hillside"]
    db.within(near)
    with pytest.raises(DBAPIError, match="row-level security"), transaction() as current:
        current.execute(
            Base.metadata.tables["no_reminders"].insert().values(patient_id="0" * 16, clinic_id=far, said_at=db.now())
        )
    with transaction() as current:
        moved = current.execute(text("UPDATE visits SET clinic_id = clinic_id WHERE clinic_id = :far"), {"far": far})
        gone = current.execute(text("DELETE FROM visits WHERE clinic_id = :far"), {"far": far})
        assert (moved.rowcount, gone.rowcount) == (0, 0)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET subject = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DROP TRIGGER audit_events_guard ON audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "ALTER TABLE patients DISABLE ROW LEVEL SECURITY",
        "DROP POLICY clinic_wall ON patients",
        "DELETE FROM audit_heads",
        "CREATE RULE nothing AS ON INSERT TO audit_events DO INSTEAD NOTHING",
        "CREATE TRIGGER mine BEFORE INSERT ON audit_events EXECUTE FUNCTION audit_is_append_only()",
        "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TEMPORARY TABLE audit_events (id int)",
        "CREATE TEMPORARY VIEW audit_heads AS SELECT 1",
        "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "SET session_replication_role = replica",
        "SET SESSION AUTHORIZATION previsit",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "TRUNCATE clinics CASCADE",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_role_cannot_change_the_trail_or_the_walls(walled: Walled, statement: str) -> None:
    db.within(db.EVERY_CLINIC)
    with (
        pytest.raises(DBAPIError, match=r"permission denied|must be (owner|superuser)|append-only"),
        transaction() as current,
    ):
        current.execute(text(statement))


@pytest.mark.parametrize("trick", ["SET row_security = off", "SET search_path = pg_catalog, public", "SET ROLE NONE"])
def test_nothing_that_the_role_may_set_opens_another_clinics_rows(walled: Walled, trick: str) -> None:
    db.within(walled.clinics["riverside"])
    try:
        with transaction() as current:
            current.execute(text(trick))
            seen = set(current.scalars(text("SELECT clinic_id FROM public.patients")))
        assert seen == {walled.clinics["riverside"]}
    except DBAPIError as refused:
        assert "row-level security" in str(refused)
    finally:
        db.engine().dispose()


def test_a_role_that_names_every_clinic_as_its_own_default_gains_nothing(walled: Walled) -> None:
    """A role may change its own defaults; each transaction of a page names its clinic all the same."""
    with conftest._server() as server:
        role = make_url(walled.database).username
        server.execute(text(f"ALTER ROLE {role} SET previsit.clinic = '*'"))
        try:
            db.connect(walled.database, walled.world.app.config["SETTINGS"].keys, walled=True)
            db.within(None)
            assert not any(_counts().values())
        finally:
            server.execute(text(f"ALTER ROLE {role} RESET previsit.clinic"))


def test_the_trail_is_written_and_read_by_it(walled: Walled) -> None:
    near = walled.clinics["riverside"]
    db.within(near)
    with transaction():
        audit.record(system(near), Event.SUBMITTED, subject="submissions:walled")
    assert audit.verify(near) is None


def test_every_page_opens_behind_the_wall_as_it_does_without(walled: Walled) -> None:
    """Whoever may enter gets the same answers as from the role that sees everything (`make walls`: as everybody)."""
    world, walled_app = walled.world, walled.world.app
    open_app = portal.create_app(make.settings(walled_app.config["SETTINGS"].instance, walled.owner))
    names = {each.name for each in KNOWN} if os.environ.get("PREVISIT_WHOLE") else {"clinician"}
    visits = [
        (visitor, way)
        for visitor in KNOWN
        for way in ways(walled_app, "GET")
        if visitor.name in names and way.endpoint in DOORS and visitor.role in (DOORS[way.endpoint].roles or ())
    ]
    behind = _answers(world, walled_app, walled.database, visits)
    without = _answers(world, open_app, walled.owner, visits)
    world.app = walled_app
    pairs = zip(visits, behind, without, strict=True)
    assert [(visitor.name, str(way), *got) for (visitor, way), *got in pairs if got[0] != got[1]] == []
    assert behind.count(200) > 15


def _answers(world: World, app: Flask, url: str, visits: list[tuple[Visitor, Way]]) -> list[int]:
    db.connect(url, app.config["SETTINGS"].keys, walled=True)
    world.app, clients = app, {}
    for visitor in {visitor.name: visitor for visitor, _ in visits}.values():
        db.within(db.EVERY_CLINIC)
        clients[visitor.name] = world.client(visitor)
        db.within(None)
    return [clients[visitor.name].get(way.path(world, visitor)).status_code for visitor, way in visits]


def test_the_portals_own_role_starts_and_migrations_are_the_owners(
    walled: Walled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = walled.world.app.config["SETTINGS"]
    for name, value in {
        "PREVISIT_BASE_URL": "http://localhost",
        "PREVISIT_CONSENT_DEFAULT": "deny",
        "PREVISIT_KEYS": str(settings.instance / "keys.json"),
        "PREVISIT_INSTANCE": str(tmp_path),
        "PREVISIT_DATABASE": walled.database,
    }.items():
        monkeypatch.setenv(name, value)
    administering.migrate(argparse.Namespace(quiet=True))
    assert not walls.owned()
    monkeypatch.setenv("PREVISIT_OWNER_DATABASE", walled.owner)
    administering.migrate(argparse.Namespace(quiet=True))
    assert walls.owned()
