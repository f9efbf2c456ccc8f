"""Fixtures for everyone: a database of each kind, the application over it, and clients signed in as somebody."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MethodType
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import Connection, make_url
from werkzeug.routing import Rule

import portal
from portal import bundled, db, engines
from portal.accounts import passwords
from portal.ehr import keys
from portal.library import opening
from portal.sealing import KeyRing, new_key
from portal.settings import Settings
from tests import browsing, make, together

POSTGRES = os.environ.get("PREVISIT_TEST_POSTGRES")
DATABASES = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=[]
        if POSTGRES
        else pytest.mark.skip(
            reason="PREVISIT_TEST_POSTGRES is not set: give the address of a PostgreSQL server to run this on it too"
        ),
    ),
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return together.Together(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    together.check(items)


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """argon2 with the least cost, so that a thousand sign-ins do not take minutes."""
    usual, decoy = passwords._hasher, passwords._DECOY
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._DECOY = passwords._hasher.hash("nobody's password")
    yield
    passwords._hasher, passwords._DECOY = usual, decoy


class _Compiled(BytecodeCache):
    """The code of every template, worked out once for all the applications of this process."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.held.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.held[bucket.key + bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> Iterator[None]:
    usual = Flask.jinja_options
    Flask.jinja_options = {**usual, "bytecode_cache": _Compiled()}
    yield
    Flask.jinja_options = usual


@pytest.fixture(scope="session", autouse=True)
def _addresses_compiled_once() -> Iterator[None]:
    """What werkzeug reads out of a rule of an address map, and writes to build addresses, depends on its text alone."""
    usual = Rule.compile
    made: dict[tuple[str, ...], tuple[dict[str, Any], set[str], Any, Any]] = {}

    def compile(rule: Rule) -> None:
        text = tuple(map(repr, (rule.rule, rule.host, rule.subdomain, rule.defaults, rule.merge_slashes)))
        if text not in made:
            usual(rule)
            read = {name: getattr(rule, name) for name in ("_parts", "_trace", "_converters")}
            made[text] = (read, set(rule.arguments), rule._build.__func__, rule._build_unknown.__func__)
        read, rule.arguments, build, build_unknown = made[text]
        vars(rule).update(read, _build=MethodType(build, rule), _build_unknown=MethodType(build_unknown, rule))

    Rule.compile = compile  # type: ignore[method-assign]
    yield
    Rule.compile = usual  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """The SQL of a statement depends on the kind of database, not on which of the thousand databases of a run it is."""
    usual = engines.create_engine
    reached: dict[str, Engine] = {}

    def create(url: str, **how: Any) -> Engine:
        made = usual(url, **how)
        if one := reached.get(made.dialect.name):
            made.dialect = made.pool._dialect = one.dialect
            made._compiled_cache = one._compiled_cache
        else:  # a dialect knows its server once there was a connection
            event.listen(made, "connect", lambda *_: reached.setdefault(made.dialect.name, made))
        return made

    engines.create_engine = create
    yield
    engines.create_engine = usual


@pytest.fixture(scope="session", autouse=True)
def _few_rsa_keys() -> Iterator[None]:
    """Our keys for connections are eight real ones in turn: to find the primes of one takes longer than most tests."""
    usual = RSAKey.generate_key
    turn = itertools.count()
    made: dict[int, RSAKey] = {}

    def generate(size: int = 2048, *others: Any, **more: Any) -> RSAKey:
        if size != keys.RSA_BITS or others or more:
            return usual(size, *others, **more)
        which = next(turn) % 8
        return made[which] if which in made else made.setdefault(which, usual(size))

    RSAKey.generate_key = generate
    yield
    RSAKey.generate_key = usual


@pytest.fixture(scope="session", autouse=True)
def _bundled_forms_opened_once() -> Iterator[None]:
    """The forms that come along are checked once; what is brought in by a test is checked each time."""
    usual, ours = opening.parcel, {path.read_bytes() for path in bundled.FOLDER.glob("*.json")}
    made: dict[bytes, opening.Parcel] = {}

    def parcel(content: bytes, at_hand: Mapping[str, Any]) -> opening.Parcel:
        if content not in ours:
            return usual(content, at_hand)
        return made[content] if content in made else made.setdefault(content, usual(content, at_hand))

    opening.parcel = parcel
    yield
    opening.parcel = usual


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as running:
        yield running


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a table, gone afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'previsit.db'}"
        db.dispose()
    else:
        yield from _postgres("")


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database without a row, gone afterwards: a copy of one that is made once."""
    template = request.getfixturevalue(f"_{request.param}_template")
    if request.param == "sqlite":
        shutil.copy(template, tmp_path / "previsit.db")
        yield f"sqlite:///{tmp_path / 'previsit.db'}"
        db.dispose()
    else:
        yield from _postgres(f"TEMPLATE {template}")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "previsit.db"
    _migrated(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(scope="session")
def _postgresql_template() -> Iterator[str]:
    name = f"template_{uuid4().hex}"
    with _server() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    _migrated(make_url(str(POSTGRES)).set(database=name).render_as_string(hide_password=False))
    yield name
    with _server() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _migrated(url: str) -> None:
    db.connect(url, KeyRing({1: new_key()}, new_key()))
    db.migrate()
    db.dispose()


def _postgres(how: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with _server() as connection:
        files = "STRATEGY FILE_COPY" if how and connection.dialect.server_version_info >= (15,) else ""  # half the time
        connection.execute(text(f"CREATE DATABASE {name} {how} {files}"))
    yield make_url(str(POSTGRES)).set(database=name).render_as_string(hide_password=False)
    db.dispose()
    with _server() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _server() -> Iterator[Connection]:
    """A connection that makes and drops databases."""
    engine = create_engine(str(POSTGRES), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def config(tmp_path: Path, database: str) -> Settings:
    return make.settings(tmp_path, database)


@pytest.fixture
def app(config: Settings) -> Iterator[Flask]:
    """The portal over a migrated database without a row."""
    yield portal.create_app(config)
    db.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def csrf(client: FlaskClient, path: str) -> str:
    """The CSRF token of the form at `path`."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, f"no form at {path}"
    return found.group(1)


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., FlaskClient]:
    """A client signed in through the front door."""

    def enter(email: str, slug: str = "riverside") -> FlaskClient:
        client = app.test_client()
        path = f"/at/{slug}/sign-in"
        answer = client.post(path, data={"email": email, "password": make.PASSWORD, "csrf_token": csrf(client, path)})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return client

    return enter
