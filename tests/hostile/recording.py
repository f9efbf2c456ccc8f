"""What somebody's browser would send, recorded once, and sent again by whoever is told to."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import String, select
from werkzeug.datastructures import Headers

from portal import db
from portal.db import Sealed
from tests.house.addresses import Way, admitted, ways
from tests.house.doors import DOORS
from tests.house.reading import Page
from tests.house.world import MARKS, Visitor, World

PASSING = {
    "audit_events",
    "audit_heads",
    "sign_ins",
    "attempts",
    "kept_posts",
    "readings",
    "connections",
    "access_tokens",
}
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Sent:
    """One request as it was recorded."""

    way: Way
    path: str
    pairs: tuple[tuple[str, str], ...] = ()
    boxes: frozenset[str] = frozenset()

    @property
    def posted(self) -> bool:
        return bool(self.pairs) or not self.way.safe

    @property
    def same(self) -> tuple[bool, str, tuple[tuple[str, str], ...]]:
        """What two requests have in common that ask for the same: where a language is chosen from makes no difference."""
        path = self.path.partition("?")[0] if self.path.startswith("/language") else self.path
        return self.posted, path, self.pairs


def recorded(
    world: World, who: Visitor, client: FlaskClient | None = None, read: Callable[[Way, str], None] = lambda *_: None
) -> Iterator[Sent]:
    """Every page they may open, and every form on it, by each of its buttons; what is the same on many pages once.

    `read` is told every page.
    """
    client, seen = client or world.client(who), set()
    for way in ways(world.app, "GET", "POST"):
        if way.endpoint in DOORS and admitted(way, who) and way.door.roles is not None:
            for sent in _of(way, way.path(world, who), client, read):
                if sent.same not in seen:
                    seen.add(sent.same)
                    yield sent


def _of(way: Way, path: str, client: FlaskClient, read: Callable[[Way, str], None]) -> Iterator[Sent]:
    if not way.safe:
        yield Sent(way, path, tuple(way.door.form.items()), frozenset(way.door.form))
        return
    yield Sent(way, path)
    answer = client.get(path)
    body = answer.get_data(as_text=True) if answer.mimetype.startswith("text/") else ""
    read(way, body + str(answer.headers))
    for sheet in Page(body).posts():
        for button in sheet.buttons[:3] or [("", "")]:
            kept = [(name, value) for name, value in sheet.fields if name != "csrf_token"]
            yield Sent(way, sheet.action or path, tuple([*kept, button]), frozenset((*sheet.typed, *dict(kept))))


@dataclass
class Tape:
    """The requests of everybody in the world as it was saved: each person's are recorded when first asked for."""

    world: World
    held: dict[str, list[Sent]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    told: list[str] = field(default_factory=list)
    """Where a secret stood on a page."""
    pages: int = 0

    def of(self, who: Visitor) -> list[Sent]:
        if who.name not in self.held:
            self.world.restore()
            self.secrets = self.secrets or frozenset(secrets(self.world))
            self.held[who.name] = list(recorded(self.world, who, read=self._read))
            self.world.restore()
        return self.held[who.name]

    def _read(self, way: Way, page: str) -> None:
        self.pages += 1
        self.told += [
            f"{way}: a {kind}" for kind, value in (each.split(" ", 1) for each in self.secrets) if value in page
        ]


SECRET = re.compile("hash|secret|wrapped|index|token|digest|code_verifier|nonce")
PRIVATE = {
    "d",
    "p",
    "q",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "refresh_token",
    "password",
    "key",
    "verifier",
}


def secrets(world: World) -> Iterator[str]:
    """(kind and value of) everything that nobody may read anywhere: keys, hashes, indexes, credentials for other servers."""
    ring = world.app.config["SETTINGS"].keys
    for name, key in {
        "master": ring.masters[ring.version],
        "index key": ring.index_key,
        "cookie key": world.app.secret_key,
    }.items():
        for said in (key.hex(), urlsafe_b64encode(key).decode().rstrip("=")):
            yield f"{name.replace(' ', '-')} {said}"
    for mapper in db.Base.registry.mappers:
        sealed = [name for name, held in vars(mapper.class_).items() if isinstance(held, Sealed)]
        columns = [each.key for each in mapper.column_attrs if SECRET.search(each.key)]
        for row in db.session().scalars(select(mapper.class_)).unique():
            for name in columns:
                if isinstance(value := getattr(row, name), str) and len(value) > 20:
                    yield f"{mapper.class_.__name__}.{name} {value}"
            for name in sealed:
                yield from (f"{mapper.class_.__name__}.{name} {value}" for value in _private(getattr(row, name)))


def _private(held: Any) -> Iterator[str]:
    pairs = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    for name, value in pairs:
        if name in PRIVATE and isinstance(value, str) and len(value) > 20:
            yield value
        yield from _private(value)


def theirs(world: World, owner: str) -> set[str]:
    """Every id that tells this person's things, and nobody else's."""
    shared = {each for other in MARKS if other != owner for each in world.things[other].values()}
    return ({*world.things[owner].values(), world.people[owner]}) - shared


def rows(world: World, owner: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row that names one of this person's things."""
    ids, found = theirs(world, owner), {}
    with db.engine().connect() as connection:
        for table in db.Base.metadata.sorted_tables:
            if table.name not in PASSING:
                text = [column for column in table.columns if isinstance(column.type, String)]
                rows_ = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
                places = [list(table.columns).index(column) for column in text]
                found[table.name] = [tuple(row) for row in rows_ if ids & {row[place] for place in places}]
    return found


class Sender:
    """Somebody's browser, signed in again whenever it was signed out; `ready` does what comes first after that."""

    def __init__(self, world: World, who: Visitor, ready: Callable[[FlaskClient], None] = lambda _: None) -> None:
        self.world, self.who, self.ready = world, who, ready
        self.head = Headers()
        self.client = self._signed_in()

    def _signed_in(self) -> FlaskClient:
        client = self.world.client(self.who)
        self.ready(client)
        return client

    def send(self, sent: Sent, path: str, pairs: Pairs) -> str:
        """The body and the head of the answer."""
        data = {**dict(pairs), **self.world.csrf} if sent.posted else None
        answer = self.client.open(path, method="POST" if sent.posted else "GET", data=data)
        assert answer.status_code < 500, f"{sent.way} {path[:200]}: {answer.status_code}"
        if "/sign-in" in str(answer.location):
            self.client = self._signed_in()
        self.head = answer.headers
        return answer.get_data(as_text=True) + str(answer.headers)
