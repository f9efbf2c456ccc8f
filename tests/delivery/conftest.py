"""A clinic over an empty database with every table, and a clock that only the test moves."""

from collections.abc import Iterator

import pytest

import portal.accounts.models
import portal.audit.models
import portal.delivery.models  # noqa: F401  (the tables that create_all makes)
from portal import db, sealing

from .make import Hands, Place, place


@pytest.fixture
def tables(database: str) -> Iterator[str]:
    """The address of a database of this test's own, connected."""
    db.connect(database, sealing.KeyRing({1: sealing.new_key()}, sealing.new_key()))
    db.Base.metadata.create_all(db.engine())
    yield database
    db.dispose()


@pytest.fixture
def clinic(tables: str) -> Place:
    return place()


@pytest.fixture
def hands() -> Hands:
    return Hands()
