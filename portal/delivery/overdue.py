"""What a person must hear of though no worker could try it: a server silent for three days, and a database put back from a backup."""

from datetime import datetime, timedelta

from sqlalchemy import Select, func, select

from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.db import session, transaction
from portal.delivery import ledger
from portal.delivery.claim import Clock
from portal.delivery.models import DeliveryEvent, Endpoint, OutboxItem
from portal.delivery.states import OPEN, Kind, Reason, State
from portal.delivery.timing import Timing


def hold(clinic_id: str, clock: Clock, timing: Timing) -> int:
    """Hold what has waited for three days behind a server that was silent all the while; how many.

    The breaker lets nobody try them, so their own tries cannot run out. That nothing was sent is certain.
    """
    with transaction() as current:
        at = clock()
        long_ago = at - timedelta(seconds=timing.give_up)
        down = current.scalar(
            select(Endpoint.down_since).where(Endpoint.clinic_id == clinic_id, Endpoint.down_since <= long_ago)
        )
        if down is None:
            return 0
        items = list(current.scalars(_waiting(clinic_id).where(OutboxItem.queued_at <= long_ago)))
        for item in items:
            item.fence += 1
            ledger.append(item, Kind.HELD, at=at, by=system(clinic_id), reason=Reason.NOT_REACHED)
            audit.record(
                system(clinic_id),
                Event.DELIVERY_HELD,
                subject=f"outbox_items:{item.id}",
                patient_id=item.patient_id,
                detail={"submission": item.submission_id, "reason": Reason.NOT_REACHED.value},
                outcome=Outcome.SERIOUS,
            )
    return len(items)


def _waiting(clinic_id: str) -> Select[OutboxItem]:
    return (
        select(OutboxItem)
        .where(
            OutboxItem.clinic_id == clinic_id,
            OutboxItem.state == State.WAITING.value,
            OutboxItem.leased_until.is_(None),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def reaches(clinic_id: str) -> datetime | None:
    """Up to when this database knows what happened to deliveries; None when there never was one."""
    return session().scalar(select(func.max(DeliveryEvent.at)).where(DeliveryEvent.clinic_id == clinic_id))


def after_restore(clock: Clock) -> int:
    """Start every unfinished item in doubt: a backup may be older than what was sent, so the worker looks first (bar 86)."""
    with transaction():
        at = clock()
        items = list(
            session().scalars(
                select(OutboxItem).where(OutboxItem.state.in_([state.value for state in OPEN])).with_for_update()
            )
        )
        for item in items:
            ledger.append(item, Kind.IN_DOUBT, at=at, by=system(item.clinic_id), reason=Reason.RESTORED)
            item.fence += 1
            item.leased_until = None
            item.next_at = at
    return len(items)
