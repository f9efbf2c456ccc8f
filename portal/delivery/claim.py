"""Claiming work: the next item that may be worked on, leased to one worker with a fence that every later write must show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal.db import session, transaction
from portal.delivery import breaker
from portal.delivery.errors import LeaseLost
from portal.delivery.models import Endpoint, OutboxItem
from portal.delivery.states import OPEN, UNFINISHED
from portal.delivery.timing import Timing
from portal.delivery.uptime import seconds

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Claim:
    """A lease on one item. `probe`: its clinic's server was silent, so ask it something harmless first."""

    item_id: str
    clinic_id: str
    fence: int
    probe: bool


def take(clock: Clock, timing: Timing, only: str | None = None) -> Claim | None:
    """Lease the next due item (or `only` that one), or None: due by date, first in its patient's line, its clinic's server
    not left alone.

    On PostgreSQL rows that another worker is just taking are skipped; on SQLite the write lock makes it one at a time.
    """
    with transaction() as current:
        at = clock()
        wanted = due(at, timing).limit(1).with_for_update(skip_locked=True, of=OutboxItem)
        item = current.scalars(wanted.where(OutboxItem.id == only) if only else wanted).first()
        if item is None:
            return None
        admitted = breaker.admit(item.clinic_id, at, timing)
        if admitted is breaker.Door.SHUT:
            return None
        item.fence += 1
        item.crashes += 1
        item.leased_until = at + timedelta(seconds=timing.lease)
        return Claim(item.id, item.clinic_id, item.fence, admitted is breaker.Door.PROBE)


def due(at: datetime, timing: Timing) -> Select[OutboxItem]:
    """What may be worked on, the longest waiting first.

    A date farther ahead than any we ever write was written by a clock that ran wrong: it counts as past.
    """
    far = at + timing.horizon
    return (
        select(OutboxItem)
        .where(
            OutboxItem.state.in_([state.value for state in OPEN]),
            or_(OutboxItem.next_at <= at, OutboxItem.next_at > far),
            or_(OutboxItem.leased_until.is_(None), OutboxItem.leased_until <= at, OutboxItem.leased_until > far),
            ~_someone_before(),
            ~_left_alone(at, far),
        )
        .order_by(OutboxItem.next_at, OutboxItem.position)
        .execution_options(populate_existing=True)
    )


def _someone_before() -> ColumnElement[bool]:
    earlier = aliased(OutboxItem)
    return exists().where(
        earlier.patient_id == OutboxItem.patient_id,
        earlier.position < OutboxItem.position,
        earlier.state.in_([state.value for state in UNFINISHED]),
    )


def _left_alone(at: datetime, far: datetime) -> ColumnElement[bool]:
    return exists().where(
        Endpoint.clinic_id == OutboxItem.clinic_id,
        or_(
            and_(Endpoint.open_until > at, Endpoint.open_until <= far),
            and_(Endpoint.probing_until > at, Endpoint.probing_until <= far),
        ),
    )


@contextmanager
def held(claim: Claim) -> Iterator[OutboxItem]:
    """A write under the lease: the item locked and read again. LeaseLost when its fence has risen since."""
    with transaction() as current:
        item = current.get(OutboxItem, claim.item_id, with_for_update=True, populate_existing=True)
        if item is None or item.fence != claim.fence:
            raise LeaseLost
        yield item


def release(item: OutboxItem, next_at: datetime) -> None:
    """The worker is done with it for now, in the caller's transaction."""
    item.leased_until = None
    item.crashes = 0
    item.next_at = next_at


def renew(item: OutboxItem, at: datetime, timing: Timing) -> None:
    item.leased_until = at + timedelta(seconds=timing.lease)


def stop_if_late(deadline: float) -> None:
    """The last look before a socket opens; LeaseLost when this worker slept past `deadline` (seconds since boot)."""
    if seconds() > deadline:
        raise LeaseLost


def abandon() -> None:
    """Forget whatever this thread had begun."""
    session().rollback()
