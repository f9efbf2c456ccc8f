"""One world for all hostile tests, put back as it was before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal import db
from tests.hostile.recording import Tape
from tests.house.world import World, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hostile")
    world = build(folder, f"sqlite:///{folder / 'previsit.db'}")
    world.save()
    yield world
    db.dispose()


@pytest.fixture
def world(built: World) -> World:
    """The world with nothing left in it of the test before."""
    built.restore()
    return built


@pytest.fixture(scope="session")
def tape(built: World) -> Tape:
    return Tape(built)
