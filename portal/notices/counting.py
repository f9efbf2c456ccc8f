"""How many messages went out, for the measures."""

from datetime import datetime

from sqlalchemy import select

from portal.accounts.counting import Line
from portal.db import session
from portal.notices.models import Notice, State


def lines(clinic_id: str, start: datetime, end: datetime) -> list[Line]:
    """Messages that were sent, or given up, in this time, by kind."""
    rows = session().execute(
        select(Notice.kind, Notice.state, Notice.patient_id).where(
            Notice.clinic_id == clinic_id,
            Notice.account_id.is_(None),
            Notice.state.in_([State.SENT.value, State.FAILED.value]),
            Notice.changed_at >= start,
            Notice.changed_at < end,
        )
    )
    return [("messages", kind, state, str(patient_id)) for kind, state, patient_id in rows]
