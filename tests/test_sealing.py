"""Health data at rest: sealed, bound to its place, erasable, and useless without the right key ring."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from portal import db, sealing
from portal.accounts.models import Patient
from portal.db import DataKey, session, transaction
from portal.errors import Misconfigured
from portal.sealing import KeyRing, SealBroken, new_key
from portal.settings import Settings
from tests import make


@given(st.binary(max_size=200), st.text(max_size=30))
def test_what_is_sealed_opens_only_at_its_place_and_with_its_key(clear: bytes, place: str) -> None:
    key = new_key()
    sealed = sealing.seal(key, clear, place)
    assert sealing.unseal(key, sealed, place) == clear
    for other_key, other_place in ((new_key(), place), (key, place + "x")):
        with pytest.raises(SealBroken):
            sealing.unseal(other_key, sealed, other_place)


@given(st.integers(min_value=0, max_value=60))
def test_a_single_changed_bit_is_noticed(position: int) -> None:
    key = new_key()
    sealed = bytearray(sealing.seal(key, b"metformin 500 mg, twice a day, with food", "p"))
    sealed[position % len(sealed)] ^= 1
    with pytest.raises(SealBroken):
        sealing.unseal(key, bytes(sealed), "p")


def test_swapping_two_sealed_values_between_rows_fails(app: object) -> None:
    clinic = make.clinic()
    one, other = make.patient(clinic, "Ana"), make.patient(clinic, "Ben")
    one_id, swapped = one.id, {one.id: other.person_sealed, other.id: one.person_sealed}
    with transaction() as current:
        for row_id, sealed in swapped.items():
            current.execute(update(Patient).where(Patient.id == row_id).values(person_sealed=sealed))
    db.close()
    with pytest.raises(SealBroken):
        _ = session().get_one(Patient, one_id).person


def test_deleting_the_data_key_erases_the_person(app: object) -> None:
    patient_id = make.patient(make.clinic()).id
    with transaction() as current:
        current.delete(current.get_one(DataKey, patient_id))
    db.close()
    with pytest.raises(SealBroken):
        _ = session().get_one(Patient, patient_id).person


def test_no_name_or_birth_date_rests_in_clear(app: object, config: Settings) -> None:
    make.patient(make.clinic(), "Zebedee Quackenbush", birthDate="1931-02-03", email="zeb@canary.example")
    db.close()
    stored = b"".join(_everything_stored(config))
    for canary in ("Zebedee", "Quackenbush", "1931-02-03", "zeb@canary.example"):
        for encoded in (canary.encode(), canary.encode("utf-16-le"), canary.encode().hex().encode()):
            assert encoded not in stored, canary


def _everything_stored(config: Settings) -> list[bytes]:
    if config.database.startswith("sqlite"):
        return [path.read_bytes() for path in config.instance.iterdir() if path.is_file()]
    rows = []
    for table in db.Base.metadata.sorted_tables:
        rows += [repr(tuple(row)).encode() for row in session().execute(select(table))]
    return rows


def test_a_key_ring_is_written_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = sealing.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sealing.load(path) == made
    with pytest.raises(FileExistsError):
        sealing.create(path)


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (None, 0o600, "missing"),
        ("not json", 0o600, "cannot be read"),
        (json.dumps({"masters": {"1": "AAAA"}, "index": "AAAA"}), 0o600, "wrong length"),
        (json.dumps({"masters": [], "index": ""}), 0o600, "cannot be read"),
        ("{}", 0o644, "can be read by other users"),
    ],
)
def test_a_key_file_that_cannot_serve_says_what_to_do(
    tmp_path: Path, content: str | None, mode: int, says: str
) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
        os.chmod(path, mode)
    with pytest.raises(Misconfigured, match=says):
        sealing.load(path)


def test_the_wrong_key_ring_refuses_to_start(app: object, config: Settings) -> None:
    from portal.accounts import service as accounts

    make.clinic()
    accounts.check_key_ring()
    db.connect(config.database, KeyRing({1: new_key()}, new_key()))
    with pytest.raises(Misconfigured, match="does not belong to this database"):
        accounts.check_key_ring()


def test_rotating_the_master_key_keeps_everything_readable(app: object, config: Settings) -> None:
    patient_id = make.patient(make.clinic(), "Ana").id
    rotated = KeyRing({**config.keys.masters, 2: new_key()}, config.keys.index_key)
    db.connect(config.database, rotated)
    assert session().get_one(Patient, patient_id).person["name"] == "Ana"


def test_the_database_has_no_other_way_to_the_words(app: object) -> None:
    """Every column that may hold free text is a sealed one: clear strings are short identifiers, codes and hashes."""
    long = [
        f"{table.name}.{column.name}"
        for table in db.Base.metadata.sorted_tables
        for column in table.columns
        if str(column.type) == "TEXT"
    ]
    assert session().execute(text("SELECT 1")).scalar() == 1
    known = {
        "accounts.password_hash": "an argon2 hash",
        "access_tokens.scope": "the OAuth scopes a server granted",
        "grants.asked": "the OAuth scopes we asked for",
        "grants.scope": "the OAuth scopes a server granted",
        "launches.scope": "the OAuth scopes we asked for",
        "connection_states.why": "an administrator's reason about a server, not about a person",
    }
    assert set(long) <= set(known), long
