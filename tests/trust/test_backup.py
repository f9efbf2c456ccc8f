"""Backups: one moment, sealed to a key kept elsewhere, believed whole or not at all; and the drill of bringing one back (F19)."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select
from sqlalchemy.engine import make_url

from portal import db
from portal.accounts.models import Patient, SignIn
from portal.actors import system
from portal.audit import service as audit
from portal.audit import signing, verifier
from portal.audit.events import Event
from portal.db import session, transaction
from portal.errors import PortalError
from portal.keeping import backup, crates, restore
from portal.settings import Settings
from tests import make

needs_pg_dump = shutil.which("pg_dump")


def filled(content: bytes, to: X25519PrivateKey, pieces: int = 3) -> bytes:
    file = io.BytesIO()
    step = max(1, len(content) // pieces)
    crates.fill(file, to.public_key(), (content[at : at + step] for at in range(0, len(content), step)))
    return file.getvalue()


def opened(content: bytes, by: X25519PrivateKey) -> bytes:
    return b"".join(crates.opened(io.BytesIO(content), by))


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 100])
def test_a_crate_comes_back_as_it_was(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crates, "CHUNK", 32)
    key, content = X25519PrivateKey.generate(), random.Random(size).randbytes(size)
    assert opened(filled(content, key), key) == content


def test_a_crate_that_was_changed_anywhere_is_worth_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crates, "CHUNK", 32)
    key, content = X25519PrivateKey.generate(), random.Random(1).randbytes(100)
    whole = filled(content, key)
    chunks = [whole[-(4 + 4 + 16) - 52 * (3 - n) :][:52] for n in range(3)]
    head, last = whole[: len(whole) - 52 * 3 - 24], whole[-24:]
    spoiled = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    spoiled += [whole[:at] for at in range(len(whole))]
    spoiled += [
        whole + chunks[0],
        head + chunks[1] + chunks[0] + chunks[2] + last,
        head + chunks[0] + chunks[2] + last,
        head + chunks[0] * 2 + chunks[1] + chunks[2] + last,
    ]
    assert head + b"".join(chunks) + last == whole
    for each in spoiled:
        with pytest.raises(crates.Broken):
            opened(each, key)
    with pytest.raises(crates.Broken, match="another key"):
        opened(whole, X25519PrivateKey.generate())


def test_keys_are_words_and_files_for_their_owner_only(tmp_path: Path) -> None:
    word = crates.make_pair(tmp_path / "private")
    assert opened(filled(b"x", crates.private(tmp_path / "private")), crates.private(tmp_path / "private")) == b"x"
    assert crates.fingerprint(crates.public(word)) == crates.fingerprint(
        crates.private(tmp_path / "private").public_key()
    )
    for wrong in ("", "previsit-backup-public-zz", word.replace("public", "private"), word[:-2]):
        with pytest.raises(PortalError, match="not a key of ours"):
            crates.public(wrong)
    (tmp_path / "private").chmod(0o644)
    with pytest.raises(PortalError, match="chmod 600"):
        crates.private(tmp_path / "private")


@pytest.fixture
def key() -> X25519PrivateKey:
    return X25519PrivateKey.generate()


@pytest.fixture
def place(tmp_path: Path) -> signing.Place:
    return signing.Place(tmp_path / "audit-key.pem", tmp_path / "audit-heads.ndjson")


@pytest.fixture
def lived(app: object, config: Settings) -> Iterator[Settings]:
    """An installation with a patient who is signed in."""
    if config.database.startswith("postgresql") and not needs_pg_dump:
        pytest.skip("pg_dump is not installed")
    clinic = make.clinic(forms=())
    make.patient_account(make.patient(clinic, "Zebedee Quackenbush"))
    db.close()
    yield config


def test_it_comes_back_as_it_was_and_the_trail_with_it(
    lived: Settings, key: X25519PrivateKey, place: signing.Place, tmp_path: Path
) -> None:
    file = tmp_path / "copy.previsit"
    signing.sign(place)
    made = backup.write(lived.database, file, key.public_key(), lived.instance)
    assert made.entries > 3 and file.stat().st_mode & 0o777 == 0o600
    clinic_id = session().scalars(select(Patient.clinic_id)).one()
    with transaction():
        audit.record(system(clinic_id), Event.SUBMITTED, subject="submissions:later")
    signing.sign(place)
    db.close()
    with pytest.raises(PortalError, match="say --replace"):
        restore.bring_back(lived, file, key, place)
    found = restore.bring_back(lived, file, key, place, replace=True)
    assert found.entries == made.entries and found.sessions == 1
    assert [row.person["name"] for row in session().scalars(select(Patient))] == ["Zebedee Quackenbush"]
    assert all(row.ended_at for row in session().scalars(select(SignIn)))
    assert audit.breaks(signing.heads(place)) == [], (
        "what was signed beyond the backup was taken back by a signed restore"
    )
    later = [head for head in signing.heads(place) if not head["restored"]]
    assert audit.breaks(later), "without that it would be a trail rolled back"


def test_a_backup_tells_nothing_and_a_damaged_one_changes_nothing(
    lived: Settings, key: X25519PrivateKey, place: signing.Place, tmp_path: Path
) -> None:
    file = tmp_path / "copy.previsit"
    backup.write(lived.database, file, key.public_key(), lived.instance)
    content = file.read_bytes()
    assert b"SQLite format" not in content and b"riverside" not in content and b"PGDMP" not in content
    with pytest.raises(PortalError, match="there already"):
        backup.write(lived.database, file, key.public_key(), lived.instance)
    before = audit.ends()
    db.close()
    for damaged in (
        content[:-1],
        content[:-5000],
        content[: len(content) // 2] + b"\0" + content[len(content) // 2 + 1 :],
    ):
        file.write_bytes(damaged)
        with pytest.raises(crates.Broken):
            restore.bring_back(lived, file, key, place, replace=True)
    assert audit.ends() == before
    assert not list(lived.instance.glob("restore-*")) and not list(lived.instance.glob("backup-*"))


def test_a_moment_is_one_moment_while_others_write(lived: Settings, key: X25519PrivateKey, tmp_path: Path) -> None:
    """Entries that come between two looks at the database are in the copy's trail and in its head, or in neither."""
    clinic_id = session().scalars(select(Patient.clinic_id)).one()
    url = make_url(lived.database)
    moment = (
        backup._sqlite(Path(str(url.database)), tmp_path)
        if url.get_backend_name() == "sqlite"
        else backup._postgresql(url)
    )
    with moment as (ends, body):
        with transaction():
            audit.record(system(clinic_id), Event.SUBMITTED, subject="submissions:meanwhile")
        content = b"".join(body)
    assert audit.ends()[0]["seq"] == ends[0]["seq"] + 1
    if url.get_backend_name() == "sqlite":
        (tmp_path / "alone.db").write_bytes(content)
        rows, found = verifier.of_database(tmp_path / "alone.db")
        assert verifier.breaks(db.keys().derived("audit"), rows, found) == []
        assert found[clinic_id][0] == ends[0]["seq"]
