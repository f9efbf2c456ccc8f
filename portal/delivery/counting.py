"""When submissions arrived in the record, for the measures."""

from datetime import datetime

from sqlalchemy import func, select

from portal.db import session
from portal.delivery.models import DeliveryEvent, OutboxItem
from portal.delivery.states import Kind


def arrived(clinic_id: str, start: datetime, end: datetime) -> dict[str, datetime]:
    """When each submission was first seen to be in the record, for those where that was in this time."""
    at = func.min(DeliveryEvent.at)
    lately = (
        select(OutboxItem.submission_id)
        .join(DeliveryEvent, DeliveryEvent.item_id == OutboxItem.id)
        .where(
            DeliveryEvent.clinic_id == clinic_id,
            DeliveryEvent.kind == Kind.CONFIRMED.value,
            DeliveryEvent.at >= start,
            DeliveryEvent.at < end,
        )
    )
    rows = session().execute(
        select(OutboxItem.submission_id, at)
        .join(DeliveryEvent, DeliveryEvent.item_id == OutboxItem.id)
        .where(
            OutboxItem.clinic_id == clinic_id,
            OutboxItem.submission_id.in_(lately),
            DeliveryEvent.kind == Kind.CONFIRMED.value,
        )
        .group_by(OutboxItem.submission_id)
        .having(at >= start, at < end)
    )
    return {submission_id: when for submission_id, when in rows}
