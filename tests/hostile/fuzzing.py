"""The whole application under requests that nobody meant (F1): made over its addresses, as everybody; what must hold after each."""

from __future__ import annotations

import argparse
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit

from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import db
from portal.accounts import passwords
from tests.hostile.payloads import PAYLOADS
from tests.house.addresses import OBJECTS, Way, ways
from tests.house.doors import DOORS
from tests.house.polyglots import ODD_TEXTS
from tests.house.reading import Page, Sheet
from tests.house.test_odd_input import BODIES
from tests.house.world import MARKS, VISITORS, Visitor, World, build

SLOWEST = 2.0
"""Seconds of this program's own time that one request may take."""
MOST_GROWTH = 50
"""Megabytes that the program may grow by once it has seen a little of everything."""
METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "GET\tX", "x" * 300)
TEXTS = (*ODD_TEXTS.values(), *PAYLOADS, "0", "-1", "1e9", "true", "null", "[]", "on", "later", "continue", "finish")
NAMES = ("step", "id", "patient_id", "visit_id", "account_id", "clinic_id", "status", "role", "version", "shown", "add", "remove",
         "seen", "bulk", "next", "page", "sort", "show", "csrf_token", "_method",
         "_external", "_scheme", "_anchor", "key", "__class__", "form[0]")  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "Accept": ("application/json", "*/*;q=nan", "text/html;q=9" * 200, "\x7f"),
    "Accept-Language": ("es", "xx-" * 500, "en;q=1e400", "*"),
    "Cookie": ("previsit=", "previsit=a.b.c; language=../../x", "language=\x7f", "=; ;;", "previsit=" + "A" * 8000),
    "Content-Type": ("multipart/form-data",
                     "multipart/form-data; boundary=" + "x" * 99, "application/json", "a/b/c", "", "x; charset=utf-32"),
    "Content-Length": ("-1", "99999999999999999999", "abc"),
    "Range": ("bytes=0-0,-1", "bytes=" + "0-0," * 500),
    "If-Modified-Since": ("0", "Thu, 99 Foo 0000"),
    "If-None-Match": ('W/"' + "x" * 4000,),
    "X-Fragment": ("1",),
    "X-Forwarded-For": ("127.0.0.1, ' OR 1=1", "x" * 4000),
    "X-Forwarded-Proto": ("javascript",),
    "X-Http-Method-Override": ("DELETE",),
    "Transfer-Encoding": ("chunked, identity",),
    "Authorization": ("Bearer x", "Basic ////"),
    "Referer": ("https://pvx.example/",),
    "User-Agent": ("<script>pvx()</script>" * 20, "\u00ff"),
}  # fmt: skip


@dataclass
class Told:
    """What came of it."""

    requests: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    grown: float = 0.0
    sockets: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        answers = ", ".join(f"{status}: {many}" for status, many in sorted(self.answers.items()))
        return (
            f"F1: {self.requests} requests ({answers}); slowest {self.slowest:.2f} s, grown by {self.grown:.0f} MB, "
            f"{sum(self.sockets.values())} sockets to elsewhere, {len(self.wrong)} wrong"
        )


@dataclass
class Fuzz:
    """One run. The world is put back now and then, so that what a request breaks does not hide what the next would."""

    world: World
    chance: Random
    told: Told = field(default_factory=Told)

    def run(self, requests: int, each: Callable[[Told], None] = lambda _: None) -> Told:
        ways_in, seen, after = (
            [way for way in ways(self.world.app, "GET", "POST") if way.endpoint in DOORS],
            0.0,
            max(requests // 10, 100),
        )
        with elsewhere(self.told.sockets):
            while self.told.requests < requests and len(self.told.wrong) < 20:
                if self.told.requests % 400 == 0:
                    self._put_back()
                    clients = {visitor: self.world.client(visitor) for visitor in VISITORS}
                    self.told.grown = grown() - seen if seen else 0.0
                    each(self.told)
                visitor = self.chance.choice(VISITORS)
                self.one(visitor, clients[visitor], self.chance.choice(ways_in))
                if self.told.requests == after:
                    seen = grown()
        self.told.grown = grown() - seen if seen else 0.0
        return self.told

    def _put_back(self) -> None:
        """The world as it was, through the same engine all the time, as where the portal serves. With an engine of its own for
        each time this program would grow by what SQLAlchemy compiles for each and keeps beside the models, though it is gone."""
        bound = db._state.get("bound")
        self.world.restore()
        if bound is not None:
            db.dispose()
            db._state["bound"] = bound

    def one(self, visitor: Visitor, client: FlaskClient, way: Way) -> None:
        path = way.path(self.world, visitor, self.chance.choice(OBJECTS))
        make = self.chance.choice(
            (self._address, self._query, self._form, self._form, self._form, self._body, self._head, self._method)
        )
        asked = make(client, path, way)
        began = time.process_time()
        try:
            answer = client.open(**as_sent(asked))
        except Exception as error:
            self.told.wrong.append(f"{_shown(asked)} by {visitor.name}: {type(error).__name__}: {error}"[:400])
            return
        self._look(answer, visitor, asked, time.process_time() - began)
        if answer.status_code == 303 and str(answer.location).startswith("/sign-in"):
            client.set_cookie(self.world.app.config["SESSION_COOKIE_NAME"], self.world._cookie(visitor))
            db.close()

    def _look(self, answer: TestResponse, visitor: Visitor, asked: dict[str, Any], took: float) -> None:
        told, body = self.told, answer.get_data()
        told.requests += 1
        told.answers[answer.status_code] += 1
        told.slowest = max(told.slowest, took)
        allowed = visitor.own if visitor.is_known else ""
        near = (
            {"ana", "ben"}
            if visitor.is_known and visitor.account != visitor.own and visitor.own != "cai"
            else {allowed}
        )
        shown = {owner for owner, mark in MARKS.items() if mark.encode() in body} - near
        for wrong, what in (
            (answer.status_code >= 500, f"broke with {answer.status_code}"),
            (took > SLOWEST, f"took {took:.1f} s"),
            (bool(shown), f"shows something of {shown}"),
            (b"Traceback (most" in body, "shows a trace"),
            ("Content-Security-Policy" not in answer.headers, "has no policy"),
            (urlsplit(answer.location or "").netloc not in {"", "localhost"}, f"sends on to {answer.location}"),
        ):
            if wrong:
                told.wrong.append(f"{_shown(asked)} by {visitor.name}: {what}")

    def _text(self) -> bytes:
        text = self.chance.choice(TEXTS).encode("utf-8", "surrogatepass")
        if self.chance.random() < 0.2:
            cut = self.chance.randrange(len(text) + 1)
            text = text[:cut] + bytes(self.chance.randrange(256) for _ in range(self.chance.randrange(6))) + text[cut:]
        return text

    def _address(self, client: FlaskClient, path: str, way: Way) -> dict[str, Any]:
        """A part of the address is something else, or there is one part more or less."""
        parts = path.split("/")
        place = self.chance.randrange(1, len(parts))
        new = quote(self._text()[:1500], safe="/" if self.chance.random() < 0.2 else "")
        parts[place : place + self.chance.randrange(2)] = [new]
        return {"path": "/".join(parts), "method": way.method, "data": None if way.safe else self.world.csrf}

    def _query(self, client: FlaskClient, path: str, way: Way) -> dict[str, Any]:
        pairs = [(self.chance.choice(NAMES), self._text()[:1500]) for _ in range(self.chance.randrange(1, 5))]
        return {
            "path": f"{path}?{urlencode(pairs)}",
            "method": way.method,
            "data": None if way.safe else self.world.csrf,
        }

    def _form(self, client: FlaskClient, path: str, way: Way) -> dict[str, Any]:
        """A form of the page as it stands there, with something left out, said twice, odd, or of another page."""
        sheet = self._sheet(client, path, way)
        pairs = [(name, value.encode("utf-8", "surrogatepass")) for name, value in sheet.fields if name != "csrf_token"]
        pairs += [(name, b"") for name in sheet.typed if name not in dict(pairs)]
        pairs += [
            (name, value.encode()) for name, value in self.chance.sample(sheet.buttons, min(len(sheet.buttons), 1))
        ]
        for _ in range(self.chance.randrange(1, 4)):
            self._spoil(pairs)
        body = "&".join(f"{quote(name)}={quote(value)}" for name, value in [*pairs, *_bytes(self.world.csrf)])
        kind = "application/x-www-form-urlencoded"
        return {"path": sheet.action or path, "method": "POST", "data": body.encode(), "content_type": kind}

    def _sheet(self, client: FlaskClient, path: str, way: Way) -> Sheet:
        forms = Page(client.get(path).get_data(as_text=True)).posts() if way.safe else []
        return (
            self.chance.choice(forms)
            if forms
            else Sheet(path, "post", list(way.door.form.items()), list(way.door.form))
        )

    def _spoil(self, pairs: list[tuple[str, bytes]]) -> None:
        place = self.chance.randrange(len(pairs)) if pairs else 0
        how = self.chance.randrange(5) if pairs else 4
        if how == 0:
            pairs.pop(place)
        elif how == 1:
            pairs.insert(place, (pairs[place][0], self._text()))
        elif how in (2, 3):
            pairs[place] = (pairs[place][0], self._text())
        else:
            pairs.append((self.chance.choice(NAMES), self._text()))

    def _body(self, client: FlaskClient, path: str, way: Way) -> dict[str, Any]:
        kind, body = self.chance.choice(list(BODIES.values()))
        place, noise = self.chance.randrange(len(body) + 1), self._text()[: self.chance.choice((0, 4, 2000))]
        head = {"X-CSRFToken": self.world.csrf["csrf_token"]}
        return {
            "path": path,
            "method": "POST",
            "data": body[:place] + noise + body[place:],
            "content_type": kind,
            "headers": head,
        }

    def _head(self, client: FlaskClient, path: str, way: Way) -> dict[str, Any]:
        names = self.chance.sample(sorted(HEADERS), 2)
        made = {name: self.chance.choice(HEADERS[name]) for name in names}
        return {
            "path": path,
            "method": way.method,
            "headers": made,
            "data": None if way.safe else urlencode(self.world.csrf),
        }

    def _method(self, client: FlaskClient, path: str, way: Way) -> dict[str, Any]:
        return {"path": path, "method": self.chance.choice(METHODS), "data": self._text()[:200]}


def as_sent(asked: dict[str, Any]) -> dict[str, Any]:
    """As a server hands it on: what follows two slashes is a path, where the test's own client would take it for a host."""
    if not asked["path"].startswith("//"):
        return asked
    path, _, query = asked["path"].partition("?")
    return {
        **asked,
        "path": "/",
        "query_string": query,
        "environ_overrides": {"PATH_INFO": unquote_to_bytes(path).decode("latin-1")},
    }


def _bytes(pairs: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    yield from ((name, value.encode()) for name, value in pairs.items())


def _shown(asked: dict[str, Any]) -> str:
    return f"{asked['method']} {asked['path'][:120]} {str(asked.get('headers', ''))[:120]} {str(asked['data'])[:200]}"


def grown() -> float:
    """Megabytes this program holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1e6


@contextmanager
def elsewhere(sockets: Counter[str]) -> Iterator[None]:
    """Counts, and refuses, every socket to a place that the clinic did not register; the world's own clinic is dead."""
    usual = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and tuple(address[:2]) != ("127.0.0.1", 9):
            sockets[str(address[:2])] += 1
        raise ConnectionRefusedError(111, "nobody is there")

    socket.socket.connect = connect  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        socket.socket.connect = usual  # type: ignore[method-assign]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with tempfile.TemporaryDirectory() as folder:
        world = build(Path(folder), f"sqlite:///{folder}/previsit.db")
        world.save()
        said = Counter[str]()

        def each(told: Told) -> None:
            if told.requests // 5000 > said["thousands"]:
                said["thousands"] = told.requests // 5000
                print(told, flush=True)

        told = Fuzz(world, Random(asked.seed)).run(asked.requests, each)
        db.dispose()
    print(told, *told.wrong, sep="\n")
    return 1 if told.wrong or told.sockets or told.grown > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
