"""Where the clinic keeps its resources: SQLite, every version whole as the JSON that was sent, rows to search by.

A `Unit` is one transaction. Writers take the database at once (BEGIN IMMEDIATE), so that two conditional creates or two
updates of one version cannot both win; readers see one consistent state.
"""
# ruff: noqa: S608  (table names and marks come from constants; every value is a parameter)

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simplejson import RawJSON

from portal.fhir import exact
from portal.sandbox import indexing, moments
from portal.sandbox.errors import Gone, NotFound, StaleVersion, Unprocessable
from portal.sandbox.parameters import TYPES

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (key INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, modified TEXT NOT NULL, body TEXT, UNIQUE (type, id));
CREATE TABLE IF NOT EXISTS version (type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    modified TEXT NOT NULL, method TEXT NOT NULL, body TEXT, PRIMARY KEY (type, id, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS by_token (key INTEGER NOT NULL, param TEXT NOT NULL, system TEXT NOT NULL, code TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS by_string (key INTEGER NOT NULL, param TEXT NOT NULL, folded TEXT NOT NULL, exact TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS by_date (key INTEGER NOT NULL, param TEXT NOT NULL, low TEXT NOT NULL, high TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS by_reference (key INTEGER NOT NULL, param TEXT NOT NULL, target TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS token_value ON by_token (param, code);
CREATE INDEX IF NOT EXISTS token_key ON by_token (key);
CREATE INDEX IF NOT EXISTS string_value ON by_string (param, folded);
CREATE INDEX IF NOT EXISTS string_key ON by_string (key);
CREATE INDEX IF NOT EXISTS date_value ON by_date (param, low);
CREATE INDEX IF NOT EXISTS date_key ON by_date (key);
CREATE INDEX IF NOT EXISTS reference_value ON by_reference (target, param);
CREATE INDEX IF NOT EXISTS reference_key ON by_reference (key);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS assertion (client TEXT NOT NULL, jti TEXT NOT NULL, expires REAL NOT NULL,
    PRIMARY KEY (client, jti));
CREATE TABLE IF NOT EXISTS ticket (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, family TEXT NOT NULL, client TEXT NOT NULL,
    scope TEXT NOT NULL, patient TEXT, expires REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL);
"""
INDEXES = {"token": 3, "string": 3, "date": 3, "reference": 2}


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one resource; `body` is its JSON text, None when this version is a deletion."""

    type: str
    id: str
    version: int
    modified: str
    method: str
    body: str | None

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'

    @property
    def path(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def raw(self) -> RawJSON:
        """The JSON to put into an answer, digit for digit."""
        return RawJSON(self.body or "null")

    def resource(self) -> dict[str, Any]:
        loaded: dict[str, Any] = exact.loads(self.body or "{}")
        return loaded


class Unit:
    """One transaction on the store."""

    def __init__(self, connection: sqlite3.Connection, base_url: str, now: datetime) -> None:
        self.connection = connection
        self.base_url = base_url
        self.now = now
        self.touched: list[int] = []

    def find(self, resource_type: str, resource_id: str) -> Stored | None:
        """The current version, a deletion included, or None when there never was one."""
        row = self.connection.execute(
            "SELECT type, id, version, modified, '', body FROM resource WHERE type = ? AND id = ?",
            (resource_type, resource_id),
        ).fetchone()
        return Stored(*row) if row else None

    def get(self, resource_type: str, resource_id: str) -> Stored:
        """The current version. Raises NotFound, or Gone when it was deleted."""
        found = self.find(resource_type, resource_id)
        if found is None:
            raise NotFound(f"There is no {resource_type}/{resource_id} here.")
        if found.body is None:
            raise Gone(f"{resource_type}/{resource_id} was deleted.", headers={"ETag": found.etag})
        return found

    def history(self, resource_type: str, resource_id: str) -> list[Stored]:
        """Every version, newest first."""
        rows = self.connection.execute(
            "SELECT type, id, version, modified, method, body FROM version WHERE type = ? AND id = ?"
            " ORDER BY version DESC",
            (resource_type, resource_id),
        )
        return [Stored(*row) for row in rows]

    def create(self, resource: Mapping[str, Any], resource_id: str | None = None) -> Stored:
        return self._write(resource, resource_id or str(uuid.uuid4()), "POST")

    def update(self, resource: Mapping[str, Any], resource_id: str, if_match: str | None = None) -> Stored:
        """The next version; `if_match` is the ETag it was made against. Raises StaleVersion."""
        self._hold(resource["resourceType"], resource_id, if_match)
        return self._write(resource, resource_id, "PUT")

    def delete(self, resource_type: str, resource_id: str, if_match: str | None = None) -> Stored | None:
        """The deletion as a version; None when there was nothing to delete."""
        self._hold(resource_type, resource_id, if_match)
        found = self.find(resource_type, resource_id)
        if found is None or found.body is None:
            return None
        return self._keep(resource_type, resource_id, found.version + 1, moments.instant(self.now), "DELETE", None)

    def _hold(self, resource_type: str, resource_id: str, if_match: str | None) -> None:
        if if_match is None:
            return
        found = self.find(resource_type, resource_id)
        if found is None or found.body is None or if_match not in ("*", found.etag, found.etag.removeprefix("W/")):
            held = f"version {found.version}" if found else "nothing"
            raise StaleVersion(f"{resource_type}/{resource_id} is at {held} now; read it again and decide anew.")

    def _write(self, resource: Mapping[str, Any], resource_id: str, method: str) -> Stored:
        resource_type = resource["resourceType"]
        before = self.find(resource_type, resource_id)
        version = before.version + 1 if before else 1
        modified = moments.instant(self.now)
        meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": modified}
        head = {"resourceType": resource_type, "id": resource_id, "meta": meta}
        whole = head | {name: value for name, value in resource.items() if name not in head}
        stored = self._keep(resource_type, resource_id, version, modified, method, exact.dumps(whole))
        self._index(resource_type, resource_id, whole)
        return stored

    def _keep(self, type_: str, id_: str, version: int, modified: str, method: str, body: str | None) -> Stored:
        self.connection.execute(
            "INSERT INTO resource (type, id, version, modified, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (type, id)"
            " DO UPDATE SET version = excluded.version, modified = excluded.modified, body = excluded.body",
            (type_, id_, version, modified, body),
        )
        self.connection.execute(
            "INSERT INTO version (type, id, version, modified, method, body) VALUES (?, ?, ?, ?, ?, ?)",
            (type_, id_, version, modified, method, body),
        )
        if body is None:
            self._forget(self.key(type_, id_))
        return Stored(type_, id_, version, modified, method, body)

    def _index(self, resource_type: str, resource_id: str, whole: Mapping[str, Any]) -> None:
        key = self.key(resource_type, resource_id)
        self._forget(key)
        self.touched.append(key)
        for kind, row in indexing.rows(whole, self.base_url):
            marks = ", ".join("?" * (INDEXES[kind] + 1))
            self.connection.execute(f"INSERT INTO by_{kind} VALUES ({marks})", (key, *row))

    def dangling(self) -> str | None:
        """A reference written in this unit to something the clinic does not hold (`Type/id`), or None."""
        for key in self.touched:
            for (target,) in self.connection.execute("SELECT target FROM by_reference WHERE key = ?", (key,)):
                kind, _, id_ = target.partition("/")
                if kind in TYPES:
                    found = self.find(kind, id_)
                    if found is None or found.body is None:
                        return str(target)
        return None

    def pointing_at(self, path: str) -> str | None:
        """One resource that refers to `Type/id`, or None."""
        found = self.connection.execute(
            "SELECT r.type || '/' || r.id FROM by_reference s JOIN resource r ON r.key = s.key WHERE s.target = ?"
            " AND r.type <> 'Provenance' AND r.type || '/' || r.id <> ? LIMIT 1",
            (path, path),
        ).fetchone()
        return str(found[0]) if found else None

    def key(self, resource_type: str, resource_id: str) -> int:
        """The row that the search index knows a resource by."""
        found: int = self.connection.execute(
            "SELECT key FROM resource WHERE type = ? AND id = ?", (resource_type, resource_id)
        ).fetchone()[0]
        return found

    def _forget(self, key: int) -> None:
        for kind in INDEXES:
            self.connection.execute(f"DELETE FROM by_{kind} WHERE key = ?", (key,))


class Store:
    """The database file; `base_url` is the FHIR base that absolute references are shortened by."""

    def __init__(self, path: Path, base_url: str, clock: Callable[[], datetime]) -> None:
        self.path = path
        self.base_url = base_url
        self.clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        with self._open() as connection:
            connection.execute("BEGIN")
            yield Unit(connection, self.base_url, self.clock())
            connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """Committed when the block ends; rolled back when it raises, or when it leaves a reference to nothing."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            unit = Unit(connection, self.base_url, self.clock())
            try:
                yield unit
                dangling = unit.dangling()
                if dangling:
                    raise Unprocessable(f"{dangling} is referred to, but there is no such resource here.")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
        finally:
            connection.close()
