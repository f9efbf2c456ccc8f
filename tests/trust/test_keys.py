"""Keys: turned over while the portal runs, taken up again after a break, and no start with a ring that does not fit."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from portal import db, sealing, settings
from portal.accounts import service as accounts
from portal.accounts.models import Patient
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.db import DataKey, session, transaction
from portal.errors import Misconfigured, PortalError
from portal.keeping import keys, opening
from portal.sealing import KeyRing, new_key
from portal.settings import Settings
from tests import make


@pytest.fixture
def people(app: object) -> list[str]:
    clinic = make.clinic(forms=())
    made = [make.patient(clinic, f"Person {number}").id for number in range(5)]
    db.close()
    return made


def names() -> set[str]:
    db.close()
    return {patient.person["name"] for patient in session().scalars(select(Patient))}


def test_rotation_wraps_every_key_anew_and_loses_nothing(people: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 2)
    before = names()
    keys.add_master()
    assert keys.outdated() == len(people)
    assert keys.rewrap() == len(people)
    assert (db.masters_in_use(), names()) == ({2: len(people) + 1}, before), "the clinic's own key is new"
    assert keys.rewrap() == 0
    noted = session().scalars(select(AuditRow).where(AuditRow.event == Event.KEYS_ROTATED.value)).all()
    assert noted[0].detail["wrapped"] == len(people)


def test_a_process_that_runs_on_takes_the_new_master_up(people: list[str], config: Settings) -> None:
    """Another process holds the ring of before; what it meets and what it makes fit."""
    path = config.instance / "keys.json"
    running = sealing.load(path)
    keys.add_master()
    keys.rewrap()
    db.connect(config.database, running)
    assert "Person 3" in names()
    clinic = accounts.clinics()[0]
    newcomer = make.patient(clinic, "Newcomer").id
    assert sealing.version_of(session().get_one(DataKey, newcomer).wrapped) == 2


def test_a_rotation_that_was_broken_off_goes_on(people: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 2)
    keys.add_master()
    usual, calls = KeyRing.wrap, iter(range(100))

    def breaks(ring: KeyRing, data_key: bytes, owner: str) -> bytes:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return usual(ring, data_key, owner)

    monkeypatch.setattr(KeyRing, "wrap", breaks)
    with pytest.raises(KeyboardInterrupt):
        keys.rewrap()
    assert set(db.masters_in_use()) == {1, 2}
    assert "Person 4" in names()
    keys.rewrap()
    assert set(db.masters_in_use()) == {2}


def test_a_break_while_the_file_is_written_leaves_the_old_file(
    people: list[str], config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = config.instance / "keys.json", (config.instance / "keys.json").read_bytes()

    def breaks(*_args: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(sealing.os, "fsync", breaks)
    with pytest.raises(OSError, match="no space"):
        keys.add_master()
    assert path.read_bytes() == before


def test_masters_are_forgotten_only_when_nothing_needs_them(
    people: list[str], config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "installation", lambda: config)
    keys.add_master()
    with pytest.raises(PortalError, match="still in use"):
        keys.forget(argparse.Namespace())
    keys.rotate(argparse.Namespace())
    keys.forget(argparse.Namespace())
    assert set(sealing.load(config.instance / "keys.json").masters) == {2}
    assert "Person 0" in names()


def test_a_ring_without_a_master_that_is_needed_refuses_to_start(people: list[str], config: Settings) -> None:
    old = sealing.load(config.instance / "keys.json")
    ring = KeyRing(dict(old.masters), old.index_key)
    keys.add_master()
    keys.rewrap()
    db.connect(config.database, ring)
    with pytest.raises(Misconfigured, match="lacks master 2"):
        accounts.check_key_ring()


def test_another_ring_is_never_taken_for_this_one(people: list[str], config: Settings, tmp_path: Path) -> None:
    ring = sealing.load(config.instance / "keys.json")
    foreign = KeyRing({1: ring.masters[1], 2: new_key()}, new_key())
    sealing.replace(config.instance / "keys.json", foreign)
    ring.renew()
    assert set(ring.masters) == {1}


def test_what_a_data_key_is_worth_without_the_ring(people: list[str]) -> None:
    """A stolen database holds wrapped keys only, each bound to its owner."""
    with transaction() as current:
        rows = {row.owner: row.wrapped for row in current.scalars(select(DataKey))}
    one, other = people[:2]
    with pytest.raises(sealing.SealBroken):
        db.keys().unwrap(rows[one], other)


# -- keys that a vault keeps ---------------------------------------------------------------------------------------------

sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def vault(people: list[str], config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installation's ring lies in a place that only a command can read; the database is opened with what it tells."""
    kept = tmp_path / "vault"
    (config.instance / "keys.json").rename(kept)
    monkeypatch.setenv("PREVISIT_KEYS_COMMAND", f"cat {kept}")
    monkeypatch.setattr(opening, "installation", lambda: config)
    monkeypatch.delenv("PREVISIT_KEYS", raising=False)
    db.connect(config.database, settings.key_ring())
    return kept


@sqlite
def test_the_keys_of_a_vault_open_everything_and_are_turned_over_in_two_steps(
    vault: Path, config: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    running = settings.key_ring()
    assert "Person 3" in names() and not (config.instance / "keys.json").exists()
    keys.rotate(argparse.Namespace())
    told = capsys.readouterr()
    assert keys.outdated() == 0, "nothing is wrapped with a master that the vault does not have yet"
    vault.write_text(told.out)
    db.connect(config.database, settings.key_ring())
    keys.rotate(argparse.Namespace())
    assert set(db.masters_in_use()) == {2}
    db.connect(config.database, running)
    assert "Person 3" in names(), "a process that runs on asks again for a master that it meets"
    capsys.readouterr()
    keys.forget(argparse.Namespace())
    assert set(json.loads(capsys.readouterr().out)["masters"]) == {"2"}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("false", "ended with 1"),
        ("/nowhere/at/all", "FileNotFoundError"),
        ("cat 'unclosed", "ValueError"),
        ("echo no keys here", "cannot be read as a key ring"),
        ("echo [[[[", "cannot be read as a key ring"),
        ('echo {"masters":{"1":"AAAA"},"index":"AAAA"}', "cannot be read"),
        ("sh -c 'cat keys >&2; echo $SECRET; exit 7'", "ended with 7"),
        ("sleep 60", "TimeoutExpired"),
    ],
)
def test_a_vault_that_does_not_answer_stops_the_start_and_nothing_it_said_is_told(
    command: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_LONGEST", 0.2 if command.startswith("sleep") else 10)
    with pytest.raises(Misconfigured, match=says) as refused:
        settings.key_ring({"PREVISIT_KEYS_COMMAND": command})
    assert refused.value.__cause__ is None and "no keys here" not in str(refused.value)


@sqlite
def test_a_vault_that_is_away_stops_nothing_that_runs(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.unlink()
    monkeypatch.setattr(sealing, "_AGAIN", -1)
    make.patient(accounts.clinics()[0], "Newcomer")
    assert {"Newcomer", "Person 0"} <= names()


def test_keys_come_from_one_place_and_go_onto_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Misconfigured, match="both set"):
        settings.key_ring({"PREVISIT_KEYS_COMMAND": "cat x", "PREVISIT_KEYS": "x"})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(PortalError, match="to your vault"):
        keys.hand_over(KeyRing({1: new_key()}, new_key()))
