"""`portal restore`: bring a backup back, believe nothing before all of it is true, and say what the clinic must do then."""

import argparse
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import create_engine, inspect, null
from sqlalchemy.engine import make_url

from portal import db, settings, walls
from portal.accounts import service as accounts
from portal.audit import service as audit
from portal.audit import signing
from portal.audit.events import Event
from portal.clock import now
from portal.db import Base, session, transaction
from portal.delivery import overdue
from portal.errors import PortalError
from portal.keeping import backup, crates, opening, trail
from portal.settings import Settings


@dataclass(frozen=True)
class Restored:
    """What came back: of which moment, how many deliveries are looked up first, how many sessions were ended."""

    made_at: str
    entries: int
    in_doubt: int
    sessions: int


def run(arguments: argparse.Namespace) -> None:
    config, by = settings.read(), crates.private(Path(arguments.key))
    found = bring_back(config, Path(arguments.file), by, trail.place(), replace=arguments.replace)
    print(f"Restored as of {found.made_at}. The audit trail is whole up to its {found.entries} entries.")
    print(f"{found.in_doubt} unfinished deliveries will be looked up at the clinic before anything is sent again.")
    print(f"{found.sessions} sessions were ended: everybody signs in again.")
    print(
        "What was written after the backup was made is not in it: ask those who wrote since to look again, and do again what took"
    )
    print(
        "something away: consents withdrawn, people suspended or unlinked, patients erased. Now start the portal and its worker."
    )


def bring_back(
    config: Settings, path: Path, by: X25519PrivateKey, place: signing.Place, *, replace: bool = False
) -> Restored:
    """Put the backup in the place of the database and check it. PortalError when it cannot be, with nothing changed."""
    with TemporaryDirectory(dir=config.instance, prefix="restore-") as folder, path.open("rb") as file:
        body = Path(folder) / "body"
        manifest = _unpack(crates.opened(file, by), body)
        if manifest["kind"] != make_url(config.owned).get_backend_name():
            raise PortalError(f"This backup is of {manifest['kind']}; PREVISIT_DATABASE is another kind.")
        (_into_sqlite if manifest["kind"] == "sqlite" else _into_postgresql)(config.owned, body, replace)
    db.connect(config.owned, config.keys)
    db.migrate()
    accounts.check_key_ring()
    walls.build(config.database)
    return _settle(manifest, place)


def _settle(manifest: dict[str, Any], place: signing.Place) -> Restored:
    broken = audit.breaks()
    if broken or audit.ends() != manifest["ends"]:
        raise PortalError("The audit trail that came back is not whole. Do not start the portal; use another backup.")
    ended = Base.metadata.tables["sign_ins"]
    with transaction() as current:
        for actor in opening.operators():
            subject = f"clinics:{actor.clinic_id}"
            audit.record(actor, Event.RESTORED, subject=subject, detail={"made_at": manifest["made_at"]})
        done = current.execute(
            ended.update().where(ended.c.ended_at.is_(null())).values(ended_at=now(), ended_why="restored")
        )
        in_doubt = overdue.after_restore(now)
    signing.sign(place, restored=True)
    entries = sum(end["seq"] for end in manifest["ends"])
    session().close()
    return Restored(manifest["made_at"], entries, in_doubt, done.rowcount)  # type: ignore[attr-defined]


def _unpack(chunks: Iterator[bytes], body: Path) -> dict[str, Any]:
    """The manifest; everything behind it goes to `body`. Every chunk is true before this returns."""
    head = b""
    with body.open("wb") as file:
        for chunk in chunks:
            if b"\n" in head:
                file.write(chunk)
                continue
            head += chunk
            line, found, rest = head.partition(b"\n")
            if found:
                head = line + found
                file.write(rest)
    manifest: dict[str, Any] = json.loads(head)
    if manifest["format"] != backup.FORMAT:
        raise PortalError(
            "This backup was made by another version of Previsit. Restore it with that one, then upgrade."
        )
    return manifest


def _into_sqlite(database: str, body: Path, replace: bool) -> None:
    target = Path(str(make_url(database).database))
    if target.exists() and not replace:
        raise PortalError(f"{target} is there already. Stop the portal and its worker, then say --replace.")
    with sqlite3.connect(body) as held:
        [found] = held.execute("PRAGMA integrity_check").fetchone()
    held.close()
    if found != "ok":
        raise PortalError("The database in this backup is damaged. Nothing was changed.")
    os.chmod(body, 0o600)
    aside = f"{now():%Y%m%d-%H%M%S}"
    for each in (target, *(target.with_name(target.name + more) for more in ("-wal", "-shm"))):
        if each.exists():
            each.rename(each.with_name(f"{each.name}.before-restore-{aside}"))
    os.replace(body, target)


def _into_postgresql(database: str, body: Path, replace: bool) -> None:
    """pg_restore in one transaction. What is there already is only dropped when --replace says so, in that same transaction."""
    engine = create_engine(database)
    there = bool(inspect(engine).get_table_names())
    engine.dispose()
    if there and not replace:
        raise PortalError("The database has tables already. Stop the portal and its worker, then say --replace.")
    url = make_url(database)
    words = ["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    words += ["--clean", "--if-exists"] if there else []
    done = subprocess.run(
        [*words, f"--dbname={backup.plain(url)}", str(body)], env=backup.environment(url), check=False
    )
    if done.returncode:
        raise PortalError("pg_restore did not finish. The lines above say why; the database is as it was.")
