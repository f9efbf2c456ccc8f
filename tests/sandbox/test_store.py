"""The store under two hands at once: what is decided on what was read stays true until it is written."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from portal.sandbox.config import utc_now
from portal.sandbox.errors import Unprocessable
from portal.sandbox.store import Store, Stored
from tests.sandbox.asking import observation, patient


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "clinic.sqlite3", "http://clinic.example/fhir", utc_now)


def test_a_second_writer_waits_and_then_sees_what_the_first_wrote(store: Store) -> None:
    seen: list[Stored | None] = []

    def second() -> None:
        with store.writing() as unit:
            seen.append(unit.find("Patient", "ana"))

    waiting = threading.Thread(target=second)
    with store.writing() as first:
        waiting.start()
        waiting.join(timeout=0.3)
        assert seen == []
        first.create(patient(), "ana")
    waiting.join(timeout=5)
    assert seen[0] is not None


def test_a_reader_is_not_kept_waiting_and_sees_no_half_written_thing(store: Store) -> None:
    with store.writing() as writer:
        writer.create(patient(), "ana")
        with store.reading() as reader:
            assert reader.find("Patient", "ana") is None
    with store.reading() as reader:
        assert reader.find("Patient", "ana") is not None


def test_a_unit_that_leaves_a_reference_to_nothing_writes_nothing(store: Store) -> None:
    with pytest.raises(Unprocessable), store.writing() as unit:
        unit.create(patient(), "ana")
        unit.create(observation("Patient/bo"))
    with store.reading() as reader:
        assert reader.find("Patient", "ana") is None


def test_order_inside_a_unit_does_not_matter_to_references(store: Store) -> None:
    with store.writing() as unit:
        made = unit.create(observation("Patient/ana"))
        unit.create(patient(), "ana")
    with store.reading() as reader:
        assert reader.find("Observation", made.id) is not None
