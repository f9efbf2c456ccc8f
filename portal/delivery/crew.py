"""The workers that there are: each gives signs of life, and what is to be done once for all of them is done by one at a time."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.clock import now
from portal.db import engine, new_id, session, transaction
from portal.delivery.models import SharedJob, WorkerSeen
from portal.delivery.worker import Job

BEAT = 15.0
DEAD = timedelta(seconds=60)
"""Without a sign of life for so long a worker counts as gone; its job is another's."""
FORGOTTEN = timedelta(days=1)
LOOK = 20.0
"""Seconds, at most, between two looks whether a shared job is due."""


@dataclass(frozen=True)
class Mate:
    """One worker as a page tells of it."""

    name: str
    since: datetime
    seen_at: datetime
    alive: bool


@dataclass(frozen=True)
class Member:
    """This process among the workers."""

    id: str
    name: str

    def beat(self) -> None:
        """A sign of life; the first one enters the worker, and clears away who has been gone for a day."""
        at = now()
        with transaction() as current:
            row = current.get(WorkerSeen, self.id)
            if row is None:
                current.execute(delete(WorkerSeen).where(WorkerSeen.seen_at < at - FORGOTTEN))
                current.add(WorkerSeen(id=self.id, name=self.name, since=at, seen_at=at))
            else:
                row.seen_at = at

    def leave(self) -> None:
        """A quiet end: nobody has to wait until this worker counts as gone."""
        with transaction() as current:
            current.execute(delete(WorkerSeen).where(WorkerSeen.id == self.id))

    def once(self, job: Job) -> Job:
        """The same job, done every `job.every` seconds by one of all workers."""
        return Job(job.name, min(job.every, LOOK), lambda: self._in_turn(job))

    def _in_turn(self, job: Job) -> None:
        if not self._take(job):
            return
        try:
            job.run()
        finally:
            with transaction() as current:
                row = current.get(SharedJob, job.name, with_for_update=True)
                if row is not None and row.by == self.id:
                    row.by = None

    def _take(self, job: Job) -> bool:
        """Whether the turn is ours: the job is due, and nobody who lives is at it."""
        at, every = now(), timedelta(seconds=job.every)
        with transaction() as current:
            _make(job.name, at)
            row = current.get(SharedJob, job.name, with_for_update=True, populate_existing=True)
            if row is None or _busy(row.by, at) or at < row.next_at <= at + 2 * every:
                return False
            row.by, row.next_at = self.id, at + every
            return True


def member() -> Member:
    return Member(new_id(), f"{socket.gethostname()[:80]}:{os.getpid()}")


def mates(at: datetime) -> list[Mate]:
    """Every worker that was seen within a day, the newest sign of life first."""
    rows = session().scalars(
        select(WorkerSeen).where(WorkerSeen.seen_at > at - FORGOTTEN).order_by(WorkerSeen.seen_at.desc())
    )
    return [Mate(row.name, row.since, row.seen_at, _lives(row.seen_at, at)) for row in rows]


def _lives(seen_at: datetime, at: datetime) -> bool:
    """A sign of life from the future was given by a clock that ran wrong."""
    return at - DEAD < seen_at < at + DEAD


def _busy(worker_id: str | None, at: datetime) -> bool:
    row = session().get(WorkerSeen, worker_id, populate_existing=True) if worker_id else None
    return row is not None and _lives(row.seen_at, at)


def _make(name: str, at: datetime) -> None:
    dialect = postgresql if engine().dialect.name == "postgresql" else sqlite
    row = {"name": name, "next_at": at, "by": None}
    session().execute(dialect.insert(SharedJob).values(**row).on_conflict_do_nothing())
