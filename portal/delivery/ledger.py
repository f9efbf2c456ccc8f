"""The outbox as a list of facts: appending an event is the only way an item changes state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from portal.actors import Actor
from portal.db import session
from portal.delivery.models import DeliveryEvent, OutboxItem
from portal.delivery.states import STATE_AFTER, Kind, Reason


def append(
    item: OutboxItem,
    kind: Kind,
    *,
    at: datetime,
    by: Actor,
    reason: Reason = Reason.NONE,
    detail: Mapping[str, Any] | None = None,
) -> DeliveryEvent:
    """One more event of `item`, in the caller's transaction; the lifted state follows it."""
    current = session()
    last = current.scalar(select(func.max(DeliveryEvent.seq)).where(DeliveryEvent.item_id == item.id))
    event = DeliveryEvent(
        clinic_id=item.clinic_id,
        patient_id=item.patient_id,
        item_id=item.id,
        seq=(last or 0) + 1,
        kind=kind.value,
        reason=reason.value,
        at=at,
        by=by.account_id,
        detail={"who": by.name, **(detail or {})},
    )
    current.add(event)
    item.state = STATE_AFTER[kind].value
    current.flush()
    return event


def history(item_id: str) -> list[DeliveryEvent]:
    """Every event of an item, first to last."""
    return list(
        session().scalars(select(DeliveryEvent).where(DeliveryEvent.item_id == item_id).order_by(DeliveryEvent.seq))
    )


def this_round(events: list[DeliveryEvent]) -> list[DeliveryEvent]:
    """The events since a person last sent it again (or since it was queued)."""
    starts = [index for index, event in enumerate(events) if event.kind in (Kind.QUEUED, Kind.RESENT)]
    return events[starts[-1] :] if starts else events
