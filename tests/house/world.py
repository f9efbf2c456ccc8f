"""Two clinics with their people and one of everything that an address can name, made without a server and without a browser."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Engine, Table, event, select
from sqlalchemy.engine import make_url

import portal
from portal import bundled, db
from portal.accounts import sessions
from portal.accounts.models import Account, SignIn
from portal.actors import Role, Scope
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service as ehr
from tests import make
from tests.house.helping import helpers
from tests.house.settling import SIGNED, begin_form, settle
from tests.house.signing_in import BROWSER, open_to_people

MISSING = "0123456789abcdef"
CSRF = "c" * 40
NOTES = frozenset({"audit_events", "audit_heads"})
"""What any request may write: that it happened."""

LOOKED = frozenset({"readings", "connections", "access_tokens"})
"""What a look at the clinic's record may leave behind: what was read, and whether its server answers."""

READS = re.compile(r"\s*(SELECT|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b")
WRITES = re.compile(r'\s*(INSERT (OR \w+ )?INTO|UPDATE|DELETE FROM) "?(?P<table>\w+)')

Json = dict[str, Any]


@dataclass(frozen=True)
class Visitor:
    """Somebody at the door: who they are, whose things they come for as their own, and whose they must never see."""

    name: str
    account: str | None
    role: Role | None
    own: str
    foreign: str
    expired: bool = False
    scope: frozenset[Scope] = frozenset()
    """what they may do for the person whose things they come for"""

    @property
    def is_known(self) -> bool:
        return self.account is not None and not self.expired


VISITORS = (
    Visitor("anonymous", None, None, "ana", "cai"),
    Visitor("expired session", "ana", Role.PATIENT, "ana", "cai", expired=True),
    Visitor("patient self", "ana", Role.PATIENT, "ana", "ben"),
    Visitor("other patient of the clinic", "ben", Role.PATIENT, "ben", "ana"),
    Visitor("front desk", "front-desk", Role.FRONT_DESK, "ana", "cai"),
    Visitor("clinician", "clinician", Role.CLINICIAN, "ana", "cai"),
    Visitor("privacy officer", "privacy-officer", Role.PRIVACY_OFFICER, "ana", "cai"),
    Visitor("administrator", "administrator", Role.ADMINISTRATOR, "ana", "cai"),
    Visitor("auditor", "auditor", Role.AUDITOR, "ana", "cai"),
    Visitor("other clinic's clinician", "far-clinician", Role.CLINICIAN, "cai", "ana"),
    Visitor("other clinic's administrator", "far-administrator", Role.ADMINISTRATOR, "cai", "ana"),
    Visitor("other clinic's patient", "cai", Role.PATIENT, "cai", "ana"),
    Visitor("proxy", "dana", Role.PROXY, "ana", "ben", scope=frozenset(Scope)),
    Visitor("proxy out of scope", "eve", Role.PROXY, "ana", "ben", scope=frozenset({Scope.FORMS})),
    Visitor("proxy whose time is over", "fay", Role.PROXY, "ana", "ben"),
    Visitor("proxy revoked", "gil", Role.PROXY, "ana", "ben"),
)
KNOWN = tuple(visitor for visitor in VISITORS if visitor.is_known)
MARKS = {"ana": "kestrel", "ben": "osprey", "cai": "lapwing"}
"""A word that stands in everything about one person, and nowhere else."""


@dataclass
class World:
    app: Flask
    database: str
    people: dict[str, str] = field(default_factory=dict)
    """visitor → account id"""
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    """owner → what an address may name → its id"""
    saved: sqlite3.Connection | None = None
    kept: dict[Visitor, str] = field(default_factory=dict)
    """cookies of sessions that are part of what was saved"""

    def client(self, visitor: Visitor, language: str = "en") -> FlaskClient:
        """A browser with a session of this visitor, made without the sign-in page."""
        return self._browser(self._cookie(visitor), language)

    def signed_in(self, visitor: Visitor) -> FlaskClient:
        """The same with the session that each visitor has had since the world was saved: quicker, and one for all."""
        return self._browser(self.kept.get(visitor) or self._cookie(visitor))

    def _browser(self, cookie: str, language: str = "en") -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie("language", language)
        client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], cookie)
        db.close()
        return client

    @property
    def csrf(self) -> dict[str, str]:
        """What a form of any client of this world posts to be believed."""
        signer = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token")
        return {"csrf_token": str(signer.dumps(CSRF))}

    def _cookie(self, visitor: Visitor) -> str:
        held: Json = {"csrf_token": CSRF, "launch": BROWSER}
        if visitor.account is not None:
            held |= {"_user_id": self._session(visitor), "_fresh": True}
        signed: str = self.app.session_interface.get_signing_serializer(self.app).dumps(held)  # type: ignore[attr-defined]
        return signed

    def _session(self, visitor: Visitor) -> str:
        token = sessions.begin(session().get_one(Account, self.people[str(visitor.account)]))
        if visitor.expired:
            with transaction() as current:
                newest = select(SignIn).order_by(SignIn.began_at.desc()).limit(1)
                current.scalars(newest).one().seen_at = now() - timedelta(hours=2)
        return token

    def save(self) -> None:
        """Remember everything as it stands (SQLite only), with a session for each visitor."""
        there = [each for each in VISITORS if each.account is None or each.account in self.people]
        self.kept = {visitor: self._cookie(visitor) for visitor in there}
        db.dispose()
        self.saved = sqlite3.connect(":memory:")
        self._copy(into=self.saved)

    def restore(self) -> None:
        """As it was when it was saved, the sessions as if they had begun just now."""
        db.dispose()
        assert self.saved is not None
        at, lately = (when.strftime("%Y-%m-%d %H:%M:%S.%f") for when in (now(), now() - timedelta(hours=1, minutes=45)))
        with sqlite3.connect(self._path) as file:
            self.saved.backup(file)
            file.execute(
                "UPDATE sign_ins SET began_at = ?, seen_at = ?, proved_at = ? WHERE seen_at > ?", (at, at, at, lately)
            )
        self.connect()

    def connect(self) -> None:
        db.connect(self.database, self.app.config["SETTINGS"].keys)
        if make_url(self.database).get_backend_name() == "sqlite":
            event.listen(db.engine(), "connect", lambda held, _: held.execute("PRAGMA synchronous=OFF"))

    def _copy(self, into: sqlite3.Connection) -> None:
        with sqlite3.connect(self._path) as file:
            file.backup(into)

    @property
    def _path(self) -> str:
        return str(make_url(self.database).database)


def build(folder: Path, database: str, marks: dict[str, str] | None = None, many: int = 1) -> World:
    """The world over an empty database; `marks` stand in every text about a person, `many` things of each kind."""
    app = portal.create_app(make.settings(folder, database))
    world = World(app, database)
    world.connect()
    db.migrate()
    staff: dict[Role, Account] = {}
    near, far = make.clinic(), make.clinic("hillside", "Hillside Clinic")
    for each in (near, far):
        make.ask(each.id, (bundled.FOLDER / f"{SIGNED}.json").read_bytes(), f"{SIGNED}.json", required=False, order=2)
    for clinic, ahead, owners in ((near, "", ("ana", "ben")), (far, "far-", ("cai",))):
        for role in (Role.FRONT_DESK, Role.CLINICIAN, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.ADMINISTRATOR):
            name = ahead + role.value
            staff[role] = make.staff(clinic, role, name, f"{name}@example.org")
            world.people[name] = staff[role].id
        connection = ehr.register(
            make.staff_actor(staff[Role.ADMINISTRATOR]),
            name=f"Record of {clinic.name}",
            base_url=f"http://127.0.0.1:9/{clinic.slug}",
            client_id="previsit",
            algorithms=("ES384",),
        )
        open_to_people(connection, make.staff_actor(staff[Role.ADMINISTRATOR]))
        for owner in owners:
            world.people[owner], world.things[owner] = settle(
                clinic, connection.id, owner, (marks or MARKS)[owner], many
            )
    world.people |= helpers(world.people["ana"])
    for visitor in KNOWN:
        if visitor.role is Role.PATIENT:
            begin_form(world.client(visitor), world.things[visitor.own]["visit"], (marks or MARKS)[visitor.own])
    return world


class Digests:
    """A digest of each table's rows, worked out again only after a statement that may have written to it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.held: defaultdict[str, dict[frozenset[str], str]] = defaultdict(dict)
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if READS.match(statement):
            return
        wrote = WRITES.match(statement)
        for name in [wrote["table"]] if wrote else list(self.held):
            self.held.pop(name, None)

    def of(self, table: Table, unread: frozenset[str]) -> str:
        """Its digest without the columns `unread`, written as table.column."""
        if unread not in self.held[table.name]:
            columns = [column for column in table.columns if f"{table.name}.{column.name}" not in unread]
            with self.engine.connect() as connection:
                rows = connection.execute(select(*columns).order_by(*table.primary_key.columns)).all()
            self.held[table.name][unread] = _digest(rows)
        return self.held[table.name][unread]


_digests: list[Digests] = []
"""one, of the engine in use"""


def fingerprints(but: Iterable[str] = (), columns: Iterable[str] = ("sign_ins.seen_at",)) -> dict[str, str]:
    """A digest of every table's rows, but for these tables and columns: equal digests, nothing changed."""
    passed, unread = set(but), frozenset(columns)
    tables, held = db.Base.metadata.sorted_tables, digests()
    return {table.name: held.of(table, unread) for table in tables if table.name not in passed}


def digests() -> Digests:
    if not _digests or _digests[0].engine is not db.engine():
        _digests[:] = [Digests(db.engine())]
    return _digests[0]


def _digest(rows: Iterable[Any]) -> str:
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}
