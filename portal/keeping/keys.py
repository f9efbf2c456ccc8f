"""`portal keys`: make the key file, turn the master key over while the portal runs, forget masters that nothing needs."""

import argparse
import os
import sys
from pathlib import Path

from sqlalchemy import create_engine, func, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from portal import db, sealing, settings
from portal.accounts import service as accounts
from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import DataKey, session, transaction
from portal.errors import Misconfigured, PortalError
from portal.keeping import opening
from portal.sealing import KeyRing

BATCH = 200


def run(arguments: argparse.Namespace) -> None:
    {None: make, "rotate": rotate, "forget": forget}[arguments.step](arguments)


def make(_arguments: argparse.Namespace) -> None:
    if settings.keys_command():
        hand_over(KeyRing({1: sealing.new_key()}, sealing.new_key()))
        return
    path = settings.keys_path()
    if path.exists():
        raise PortalError(f"{path} is there already and is left as it is.")
    if _sealed_already():
        raise PortalError(
            f"The database holds data that other keys have sealed, and {path} is not there. Restore the key file that belongs "
            "to it: new keys cannot read what is stored."
        )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealing.create(path)
    print(f"Made {path}. Keep a copy apart from the database: without it nothing stored can be read.")


def _sealed_already() -> bool:
    """Whether the database of these settings is there and in use."""
    url = make_url(os.environ.get("PREVISIT_OWNER_DATABASE") or settings.database_at())
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return False
    engine = create_engine(url)
    try:
        with engine.connect() as line:
            return inspect(line).has_table("data_keys") and bool(line.scalar(select(func.count()).select_from(DataKey)))
    except SQLAlchemyError:  # no server yet, or no database on it: `portal migrate` says so
        return False
    finally:
        engine.dispose()


def hand_over(ring: KeyRing) -> None:
    """Where a vault keeps the keys, they are written to standard output for it, and never onto a screen."""
    if sys.stdout.isatty():
        raise PortalError(
            "The keys go to your vault: send what this command writes there, for example with | and its own command."
        )
    print(sealing.written(ring))
    print("Once the vault has them, everything here takes them from there by PREVISIT_KEYS_COMMAND.", file=sys.stderr)


def rotate(_arguments: argparse.Namespace) -> None:
    """A new master, and every data key wrapped with it. A run that was broken off goes on where it stood.

    With a vault in two steps: the first run hands the new master over, the second, when it has it, wraps.
    """
    opening.installation()
    if not outdated():
        if isinstance(db.keys().source, sealing.Command):
            hand_over(_with_another(db.keys()))
            return
        add_master()
    print(f"Master key {db.keys().version}. Back the key file up now; copies made before still need the older masters.")
    print(f"{rewrap()} data keys are wrapped with it; no data was touched, and nothing had to stop.")
    print("When no copy that you would bring back needs the older masters any more: portal keys forget")


def add_master() -> int:
    """A new master in the key file and in this process; its version."""
    ring = db.keys()
    if not isinstance(ring.source, Path):
        raise Misconfigured("The key ring was not read from a file.")
    ring.masters.update(_with_another(ring).masters)
    sealing.replace(ring.source, ring)
    return ring.version


def _with_another(ring: KeyRing) -> KeyRing:
    return KeyRing({**ring.masters, ring.version + 1: sealing.new_key()}, ring.index_key)


def outdated() -> int:
    """How many data keys are wrapped with an older master than the newest."""
    return sum(count for version, count in db.masters_in_use().items() if version != db.keys().version)


def rewrap() -> int:
    """Wrap with the newest master what older ones wrap, a few at a time, until none is left; how many."""
    done, ring = 0, db.keys()
    while stale := _stale(ring.version):
        with transaction() as current:
            rows = current.scalars(
                select(DataKey)
                .where(DataKey.owner.in_(stale))
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            for row in rows:
                if sealing.version_of(row.wrapped) != ring.version:
                    row.wrapped = ring.wrap(ring.unwrap(row.wrapped, row.owner), row.owner)
                    done += 1
        db.close()
    _note({"master": ring.version, "wrapped": done})
    return done


def _stale(version: int) -> list[str]:
    newest = version.to_bytes(2, "big")
    wanted = select(DataKey.owner).where(func.substr(DataKey.wrapped, 1, 2) != newest).order_by(DataKey.owner)
    return list(session().scalars(wanted.limit(BATCH)))


def forget(_arguments: argparse.Namespace) -> None:
    """Drop the masters that wrap nothing; a copy of the database from before can then not be read with this file."""
    opening.installation()
    used, ring = db.masters_in_use(), db.keys()
    if set(used) - {ring.version}:
        raise PortalError("Older masters are still in use. Run portal keys rotate first.")
    dropped = sorted(set(ring.masters) - {ring.version})
    for version in dropped:
        del ring.masters[version]
    if isinstance(ring.source, sealing.Command):
        hand_over(ring)
    elif ring.source is not None and dropped:
        sealing.replace(ring.source, ring)
    if dropped:
        _note({"forgotten": dropped})
    told = f"Forgot {len(dropped)} masters. Start the portal and its worker again, so that they forget them too."
    print(told, file=sys.stderr if settings.keys_command() else sys.stdout)


def _note(detail: dict[str, object]) -> None:
    with transaction():
        for clinic in accounts.clinics():
            actor = system(clinic.id, "An operator")
            audit.record(actor, Event.KEYS_ROTATED, subject=f"clinics:{clinic.id}", detail=detail)
