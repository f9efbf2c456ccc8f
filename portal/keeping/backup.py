"""`portal backup`: one consistent moment of the database, encrypted to a key whose private half is kept elsewhere."""

import argparse
import os
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from portal import db
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import transaction
from portal.errors import PortalError
from portal.fhir import exact
from portal.keeping import crates, opening

PIECE = 1024 * 1024
FORMAT = 1


@dataclass(frozen=True)
class Made:
    at: datetime
    bytes: int
    entries: int


def make_key(arguments: argparse.Namespace) -> None:
    word = crates.make_pair(Path(arguments.file))
    print(word)
    print(f"Set PREVISIT_BACKUP_KEY to that word. Keep {arguments.file} elsewhere: it opens every backup made with it.")


def run(arguments: argparse.Namespace) -> None:
    word = arguments.to or os.environ.get("PREVISIT_BACKUP_KEY", "")
    if not word:
        raise PortalError(
            "Say to which public key: --to or PREVISIT_BACKUP_KEY. A pair is made by portal backup-key FILE"
        )
    to = crates.public(word)
    config = opening.installation()
    made = write(config.owned, Path(arguments.file), to, config.instance)
    print(f"{made.bytes} bytes of {made.at:%Y-%m-%d %H:%M:%S} UTC in {arguments.file}, encrypted.")
    print(f"The audit trails end at {made.entries} entries in all. The key file is not in it: keep a copy of that too.")


def write(database: str, path: Path, to: X25519PublicKey, near: Path) -> Made:
    """Write the backup to `path`, a new file, whole or not at all. `near` is a folder for what is in between (sealed as it rests)."""
    if path.exists():
        raise PortalError(f"{path} is there already and is left as it is.")
    at, beside = now(), path.with_name(f"{path.name}.part")
    with transaction():
        for actor in opening.operators():
            audit.record(actor, Event.BACKUP_MADE, subject=f"clinics:{actor.clinic_id}")
    db.close()
    url = make_url(database)
    kind = url.get_backend_name()
    moment = _sqlite(Path(str(url.database)), near) if kind == "sqlite" else _postgresql(url)
    with moment as (ends, body), _open_new(beside) as file:
        manifest = {"format": FORMAT, "made_at": at.isoformat(), "kind": kind, "ends": ends}
        count = crates.fill(file, to, chain([exact.dumps(manifest).encode() + b"\n"], body))
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    return Made(at, count, sum(end["seq"] for end in ends))


@contextmanager
def _open_new(path: Path) -> Iterator[Any]:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


Moment = tuple[list[dict[str, Any]], Iterator[bytes]]
"""Where the audit trails end in one moment of the database, and the database in that moment."""
ENDS = "SELECT clinic_id, seq, hash FROM audit_heads ORDER BY clinic_id"


def _ends(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [dict(zip(("clinic_id", "seq", "hash"), row, strict=True)) for row in rows]


@contextmanager
def _sqlite(source: Path, near: Path) -> Iterator[Moment]:
    with TemporaryDirectory(dir=near, prefix="backup-") as folder:
        copy = Path(folder) / "copy.db"
        snapshot(source, copy)
        with closing(sqlite3.connect(copy)) as held:
            ends = _ends(held.execute(ENDS))
        with copy.open("rb") as file:
            yield ends, iter(lambda: file.read(PIECE), b"")


@contextmanager
def _postgresql(url: URL) -> Iterator[Moment]:
    """pg_dump of a moment that we hold open and look into too."""
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    with engine.connect() as held:
        moment = held.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        ends = _ends(held.execute(text(ENDS)))
        words = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment}"]
        with subprocess.Popen([*words, f"--dbname={plain(url)}"], stdout=subprocess.PIPE, env=environment(url)) as dump:
            out = dump.stdout
            assert out is not None
            yield ends, _all_of(out, dump)
    engine.dispose()


def _all_of(out: IO[bytes], dump: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    yield from iter(lambda: out.read(PIECE), b"")
    if dump.wait():
        raise PortalError("pg_dump did not finish. The lines above say why; no backup was written.")


def snapshot(source: Path, copy: Path) -> None:
    """One moment of a live SQLite database, while others go on writing."""
    address = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as held, closing(sqlite3.connect(copy)) as made:
        held.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")


def plain(url: URL) -> str:
    """The address as PostgreSQL's own tools take it, without the password: that goes by the environment, not by a word anybody sees."""
    return url.set(drivername="postgresql", password=None).render_as_string()


def environment(url: URL) -> dict[str, str]:
    return {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
