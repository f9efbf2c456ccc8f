"""Ways to tamper with a trail at rest, each tried on a copy: python -m tests.audit.mutations --count 1000 --events 1000000"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from portal import db, sealing
from portal.actors import system
from portal.audit import service as audit
from portal.audit import signing, verifier
from portal.audit.events import Event
from portal.db import transaction
from tests import make

FIELDS = (
    "event",
    "outcome",
    "role",
    "account_id",
    "patient_id",
    "subject",
    "purpose",
    "request_id",
    "recorded_at",
    "hash",
)


@dataclass
class Trail:
    """A database with two clinics' trails, its keys, and heads that were signed while they grew."""

    folder: Path
    earlier: Path
    """the whole database as it was before the last heads were signed"""
    place: signing.Place

    @property
    def database(self) -> Path:
        return self.folder / "previsit.db"

    @property
    def keys(self) -> Path:
        return self.folder / "keys.json"

    def verify(self, database: Path | None = None, *, heads: bool = True) -> int:
        """What the stand-alone verifier answers: 0 whole, 1 broken."""
        more = ["--heads", str(self.place.heads), "--public", str(self.place.public)] if heads else []
        with redirect_stdout(StringIO()):
            return verifier.main(["--keys", str(self.keys), "--database", str(database or self.database), *more])


def grow(folder: Path, events: int) -> Trail:
    """Two clinics with that many events each, signed on the way."""
    keys, database = folder / "keys.json", folder / "previsit.db"
    ring = sealing.create(keys)
    db.connect(f"sqlite:///{database}", ring)
    db.migrate()
    trail = Trail(folder, folder / "earlier.db", signing.Place(folder / "key.pem", folder / "heads.ndjson"))
    clinics = [make.clinic(slug, forms=()).id for slug in ("riverside", "hillside")]
    for part in range(3):
        for number in range(max(1, events // 3)):
            with transaction():
                for clinic in clinics:
                    audit.record(
                        system(clinic), Event.FORM_SAVED, subject=f"drafts:{part}-{number}", detail={"n": number}
                    )
        if part == 2:
            db.dispose()
            shutil.copy(database, trail.earlier)
            db.connect(f"sqlite:///{database}", ring)
            with transaction():
                for clinic in clinics:
                    audit.record(system(clinic), Event.SUBMITTED, subject="submissions:last")
        signing.sign(trail.place)
    db.dispose()
    return trail


Tamper = Callable[[sqlite3.Connection, random.Random, Trail], None]


def _any(held: sqlite3.Connection, chance: random.Random) -> tuple[str, int, str]:
    clinic, last = chance.choice(held.execute("SELECT clinic_id, seq FROM audit_heads").fetchall())
    seq = chance.randint(1, last)
    found = held.execute("SELECT id FROM audit_events WHERE clinic_id = ? AND seq = ?", (clinic, seq)).fetchone()
    return clinic, seq, found[0]


def edit(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    _, _, row = _any(held, chance)
    field = chance.choice(FIELDS)
    value = "2020-01-01 00:00:00.000000" if field == "recorded_at" else "f" * 64 if field == "hash" else "changed"
    held.execute(f"UPDATE audit_events SET {field} = ? WHERE id = ?", (value, row))


def edit_one_bit(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    _, _, row = _any(held, chance)
    [sealed] = held.execute("SELECT detail_sealed FROM audit_events WHERE id = ?", (row,)).fetchone()
    place = chance.randrange(len(sealed))
    changed = sealed[:place] + bytes([sealed[place] ^ 1 << chance.randrange(8)]) + sealed[place + 1 :]
    held.execute("UPDATE audit_events SET detail_sealed = ? WHERE id = ?", (changed, row))


def delete(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    held.execute("DELETE FROM audit_events WHERE id = ?", (_any(held, chance)[2],))


def delete_and_close_up(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    clinic, seq, row = _any(held, chance)
    held.execute("DELETE FROM audit_events WHERE id = ?", (row,))
    for [later] in held.execute(
        "SELECT seq FROM audit_events WHERE clinic_id = ? AND seq > ? ORDER BY seq", (clinic, seq)
    ).fetchall():
        held.execute("UPDATE audit_events SET seq = ? WHERE clinic_id = ? AND seq = ?", (later - 1, clinic, later))
    held.execute("UPDATE audit_heads SET seq = seq - 1 WHERE clinic_id = ?", (clinic,))


def swap(held: sqlite3.Connection, chance: random.Random, trail: Trail) -> None:
    clinic, one, first = _any(held, chance)
    other, second = held.execute(
        "SELECT seq, id FROM audit_events WHERE clinic_id = ? AND seq <> ? ORDER BY random() LIMIT 1", (clinic, one)
    ).fetchone()
    held.execute("UPDATE audit_events SET seq = -1 WHERE id = ?", (first,))
    held.execute("UPDATE audit_events SET seq = ? WHERE id = ?", (one, second))
    held.execute("UPDATE audit_events SET seq = ? WHERE id = ?", (other, first))


def to_another_clinic(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    clinic, seq, row = _any(held, chance)
    held.execute("DELETE FROM audit_events WHERE clinic_id <> ? AND seq = ?", (clinic, seq))
    [other] = held.execute("SELECT clinic_id FROM audit_heads WHERE clinic_id <> ?", (clinic,)).fetchone()
    held.execute("UPDATE audit_events SET clinic_id = ? WHERE id = ?", (other, row))


def insert(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    """A forged entry at the end, with the head moved to it: without the keys nobody can make the link."""
    clinic, _, row = _any(held, chance)
    columns = [name for _, name, *_ in held.execute("PRAGMA table_info(audit_events)")]
    values = dict(zip(columns, held.execute("SELECT * FROM audit_events WHERE id = ?", (row,)).fetchone(), strict=True))
    [last] = held.execute("SELECT seq FROM audit_heads WHERE clinic_id = ?", (clinic,)).fetchone()
    values |= {"id": f"{chance.getrandbits(64):016x}", "seq": last + 1, "hash": f"{chance.getrandbits(256):064x}"}
    held.execute(f"INSERT INTO audit_events VALUES ({', '.join('?' * len(columns))})", list(values.values()))
    held.execute("UPDATE audit_heads SET seq = ?, hash = ? WHERE clinic_id = ?", (last + 1, values["hash"], clinic))


def truncate(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    clinic, seq, _ = _any(held, chance)
    held.execute("DELETE FROM audit_events WHERE clinic_id = ? AND seq >= ?", (clinic, seq))


def truncate_with_head(held: sqlite3.Connection, chance: random.Random, _trail: Trail) -> None:
    clinic, seq, _ = _any(held, chance)
    before = held.execute("SELECT hash FROM audit_events WHERE clinic_id = ? AND seq = ?", (clinic, seq - 1)).fetchone()
    held.execute("DELETE FROM audit_events WHERE clinic_id = ? AND seq >= ?", (clinic, seq))
    end = (seq - 1, before[0] if before else verifier.GENESIS, clinic)
    held.execute("UPDATE audit_heads SET seq = ?, hash = ? WHERE clinic_id = ?", end)


def roll_back(held: sqlite3.Connection, _chance: random.Random, trail: Trail) -> None:
    """The whole file of some days ago, true in itself."""
    with closing(sqlite3.connect(trail.earlier)) as earlier:
        earlier.backup(held)


def rebuild(held: sqlite3.Connection, chance: random.Random, trail: Trail) -> None:
    """Changed, and every link after it made anew with the stolen keys of the portal."""
    clinic, _, row = _any(held, chance)
    held.execute("UPDATE audit_events SET subject = 'drafts:forged' WHERE id = ?", (row,))
    held.commit()
    key, before = verifier.audit_key(trail.keys), verifier.GENESIS
    path = Path(held.execute("PRAGMA database_list").fetchone()[2])
    for each in list(verifier.of_database(path)[0]):
        if each["clinic_id"] == clinic:
            before = verifier.link(key, before, each)
            held.execute("UPDATE audit_events SET hash = ? WHERE id = ?", (before, each["id"]))
    held.execute("UPDATE audit_heads SET hash = ? WHERE clinic_id = ?", (before, clinic))


WITHOUT_HEADS: tuple[Tamper, ...] = (
    edit, edit_one_bit, delete, delete_and_close_up, swap, to_another_clinic, insert, truncate,
)  # fmt: skip
ONLY_WITH_HEADS: tuple[Tamper, ...] = (truncate_with_head, roll_back, rebuild)
"""These make a trail that is true in itself."""


def tried(trail: Trail, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """So many mutations, each on a copy of its own: how many of each kind, and those that were not found."""
    chance, done, missed = random.Random(seed), Counter[str](), []
    ways = WITHOUT_HEADS + ONLY_WITH_HEADS
    for number in range(count):
        way = ways[number % len(ways)]
        copy = trail.folder / f"tampered-{number}.db"
        shutil.copy(trail.database, copy)
        with closing(sqlite3.connect(copy)) as held:
            for [name] in held.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                held.execute(f"DROP TRIGGER {name}")
            way(held, chance, trail)
            held.commit()
        done[way.__name__] += 1
        if trail.verify(copy) != 1 or (way in WITHOUT_HEADS and trail.verify(copy, heads=False) != 1):
            missed.append(f"{way.__name__} (try {number})")
        for left in trail.folder.glob(f"{copy.name}*"):
            left.unlink()
    return done, missed


def main() -> int:
    parser = argparse.ArgumentParser(description="Tamper with an audit trail and count what the verifier finds.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=60, help="entries a clinic while tampering")
    parser.add_argument("--events", type=int, default=0, help="also: verify a trail of so many entries, and time it")
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        trail = grow(Path(folder), given.rows)
        done, missed = tried(trail, given.count, given.seed)
    for name, count in done.items():
        print(f"{name:24}{count:6}  found {count - sum(each.startswith(f'{name} ') for each in missed)}")
    print(f"{sum(done.values())} mutations, {len(missed)} not found {missed or ''}")
    if given.events:
        _long(given.events)
    return 1 if missed else 0


def _long(events: int) -> None:
    """One long chain, verified from an export."""
    key, before = sealing.new_key(), verifier.GENESIS

    def rows():  # type: ignore[no-untyped-def]
        nonlocal before
        for seq in range(1, events + 1):
            row = dict.fromkeys(verifier.FIELDS, "0123456789abcdef") | {"seq": seq, "clinic_id": "c"}
            before = verifier.link(key, before, row)
            yield {**row, "hash": before}

    made = list(rows())
    began = time.process_time()
    found = verifier.breaks(key, made, {"c": (events, before)})
    print(f"{events} entries verified in {time.process_time() - began:.1f} s of processor time, {len(found)} breaks")


if __name__ == "__main__":
    sys.exit(main())
