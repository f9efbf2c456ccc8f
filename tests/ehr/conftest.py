"""A fresh database for each test (SQLite always, PostgreSQL where PREVISIT_TEST_POSTGRES names one), and a clinic to try it on."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from portal import db, sealing
from portal.accounts import models as _accounts  # noqa: F401
from portal.audit import models as _audit  # noqa: F401
from portal.ehr import models as _ehr  # noqa: F401

from .hostile import Hostile, hostile
from .make import Place, place

ONE_IS_ENOUGH = (
    "test_binaries",
    "test_row_02",
    "test_row_03",
    "test_row_04",
    "test_row_05",
    "test_row_08",
    "test_row_09",
)
"""What goes over the wire is the same on every database: these run on SQLite only. What is kept and leased runs on both."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    spared = [each for each in items if each.path.name.startswith(ONE_IS_ENOUGH) and "postgresql" in each.name]
    if spared:
        config.hook.pytest_deselected(items=spared)
        items[:] = [each for each in items if each not in set(spared)]


SERVERS = ["sqlite", *(["postgresql"] if os.environ.get("PREVISIT_TEST_POSTGRES") else [])]


@pytest.fixture(params=SERVERS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with every table."""
    if request.param == "sqlite":
        yield from _bound(f"sqlite:///{tmp_path / 'previsit.db'}")
        return
    server = make_url(os.environ["PREVISIT_TEST_POSTGRES"])
    name = f"ehr_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield from _bound(server.set(database=name).render_as_string(hide_password=False))
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def _bound(url: str) -> Iterator[str]:
    db.connect(url, sealing.KeyRing({1: sealing.new_key()}, sealing.new_key()))
    db.Base.metadata.create_all(db.engine())
    try:
        yield url
    finally:
        db.dispose()


@pytest.fixture
def clinic(database: str) -> Place:
    return place()


@pytest.fixture
def server() -> Iterator[Hostile]:
    """A server that does whatever a test tells it to, and remembers what it was sent."""
    with hostile() as running:
        yield running
