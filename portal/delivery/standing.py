"""Where a delivery stands, told from durable rows only: the last event, and the receipt."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.db import session
from portal.delivery.models import DeliveryEvent, OutboxItem, Receipt
from portal.delivery.states import OPEN, PATIENT_WORDS, STATE_AFTER, UNFINISHED, Kind, Reason, State


@dataclass(frozen=True)
class Status:
    """Where a submission's delivery stands, from the last event. `since` is when it got into this state, `checked_at` the
    receipt's, `changed` how many elements the server altered, `next_at` when the worker acts next by itself."""

    item_id: str
    state: State
    since: datetime
    reason: Reason
    sent_at: datetime | None
    next_at: datetime | None
    checked_at: datetime | None
    changed: int

    @property
    def words(self) -> str:
        """What the patient reads: a msgid; of CONFIRMED with %(since)s."""
        return PATIENT_WORDS[self.state]


FIRST = (State.HELD, State.NOT_CONFIRMED, State.WAITING, State.WITHHELD, State.CLOSED, State.CONFIRMED)
"""Of several deliveries of one submission the least finished one is told: partial is never shown as sent."""


def status_of(submission_id: str) -> Status | None:
    """Where a submission stands, or None when nothing of it was ever queued. Reads only durable rows."""
    return statuses_of([submission_id]).get(submission_id)


def statuses_of(submission_ids: Collection[str]) -> dict[str, Status]:
    """Several at once, in three queries; those that were never queued are left out.

    What was closed and followed by a newer version no longer counts.
    """
    if not submission_ids:
        return {}
    rows = list(session().scalars(select(OutboxItem).where(OutboxItem.submission_id.in_(submission_ids))))
    newest = {row.submission_id: row.round for row in sorted(rows, key=lambda row: row.round)}
    items = [row for row in rows if row.state != State.CLOSED or row.round == newest[row.submission_id]]
    found: dict[str, list[Status]] = defaultdict(list)
    for item, one in zip(items, _statuses(items), strict=True):
        found[item.submission_id].append(one)
    return {
        submission_id: min(several, key=lambda one: (FIRST.index(one.state), one.since))
        for submission_id, several in found.items()
    }


def unfinished(clinic_id: str) -> dict[str, bool]:
    """The submissions of a clinic of which something is still to be delivered, and whether any of it is on hold."""
    wanted = select(OutboxItem.submission_id, OutboxItem.state).where(
        OutboxItem.clinic_id == clinic_id, OutboxItem.state.in_([state.value for state in UNFINISHED])
    )
    found: dict[str, bool] = {}
    for submission_id, state in session().execute(wanted):
        found[submission_id] = found.get(submission_id, False) or state == State.HELD
    return found


def rounds_of(submission_ids: Collection[str]) -> dict[tuple[str, int], Status]:
    """Where every round of these stands by itself, in three queries."""
    wanted = select(OutboxItem).where(OutboxItem.submission_id.in_(submission_ids))
    items = list(session().scalars(wanted))
    return {(item.submission_id, item.round): one for item, one in zip(items, _statuses(items), strict=True)}


def of_patient(clinic_id: str, patient_id: str) -> list[Status]:
    """Where every delivery of one patient stands."""
    wanted = select(OutboxItem).where(OutboxItem.patient_id == patient_id, OutboxItem.clinic_id == clinic_id)
    return _statuses(list(session().scalars(wanted)))


def status(item: OutboxItem) -> Status:
    return _statuses([item])[0]


def _statuses(items: Sequence[OutboxItem]) -> list[Status]:
    if not items:
        return []
    ids = [item.id for item in items]
    events: dict[str, list[DeliveryEvent]] = defaultdict(list)
    for event in session().scalars(
        select(DeliveryEvent).where(DeliveryEvent.item_id.in_(ids)).order_by(DeliveryEvent.seq)
    ):
        events[event.item_id].append(event)
    receipts = {one.item_id: one for one in session().scalars(select(Receipt).where(Receipt.item_id.in_(ids)))}
    return [_status(item, events[item.id], receipts.get(item.id)) for item in items]


def _status(item: OutboxItem, events: list[DeliveryEvent], receipt: Receipt | None) -> Status:
    sent = [event.at for event in events if event.kind == Kind.SENDING]
    state = _state(events[-1])
    return Status(
        item_id=item.id,
        state=state,
        since=_since(events),
        reason=Reason(events[-1].reason),
        sent_at=sent[-1] if sent else None,
        next_at=item.next_at if state in OPEN else None,
        checked_at=receipt.checked_at if receipt else None,
        changed=receipt.changed if receipt else 0,
    )


def _state(last: DeliveryEvent) -> State:
    return STATE_AFTER[Kind(last.kind)]


def _since(events: list[DeliveryEvent]) -> datetime:
    """When the present state began: the first of the events at the end that all mean it."""
    since = events[-1].at
    for event in reversed(events):
        if _state(event) is not _state(events[-1]):
            break
        since = event.at
    return since
