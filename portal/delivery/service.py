"""What the clinic does with deliveries: queue one, ask where it stands, work on what is held, see how the line is doing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import bundle as bundles
from portal.delivery import ledger
from portal.delivery.errors import AlreadyQueued, Undeliverable
from portal.delivery.models import DeliveryEvent, OutboxItem, Receipt
from portal.delivery.states import STATE_AFTER, Kind, Reason, State
from portal.fhir import exact


def enqueue(
    actor: Actor,
    *,
    clinic_id: str,
    patient_id: str,
    submission_id: str,
    bundle: Mapping[str, Any],
    consent_basis: Mapping[str, Any] | None = None,
    round: int = 1,
) -> OutboxItem:
    """Put an accepted transaction Bundle into the outbox, in the caller's transaction.

    Its bytes are made once, here. The same round of a submission again returns the item that is there, or raises
    AlreadyQueued when its content differs. Raises Undeliverable for a Bundle that could not be delivered exactly once.
    """
    problems = bundles.problems(bundle)
    if problems:
        raise Undeliverable(problems)
    payload = exact.dumps(bundle)
    sha256 = hashlib.sha256(payload.encode()).hexdigest()
    with transaction() as current:
        _one_at_a_time(patient_id)
        known = current.scalars(
            select(OutboxItem).where(OutboxItem.submission_id == submission_id, OutboxItem.round == round)
        ).one_or_none()
        if known:
            return _same(known, sha256)
        item = _new(clinic_id, patient_id, submission_id, round, payload, sha256, consent_basis)
        ledger.append(item, Kind.QUEUED, at=item.queued_at, by=actor)
        audit.record(
            actor,
            Event.DELIVERY_QUEUED,
            subject=f"outbox_items:{item.id}",
            patient_id=patient_id,
            detail={"submission": submission_id, "sha256": sha256},
        )
    return item


def _one_at_a_time(patient_id: str) -> None:
    """Positions in one patient's line follow the order of commits: PostgreSQL lets only one writer at a time choose one."""
    current = session()
    if current.get_bind().dialect.name == "postgresql":
        current.execute(text("SELECT pg_advisory_xact_lock(hashtext(:line))"), {"line": f"outbox|{patient_id}"})


def _same(known: OutboxItem, sha256: str) -> OutboxItem:
    if known.sha256 != sha256:
        raise AlreadyQueued
    return known


def _new(
    clinic_id: str,
    patient_id: str,
    submission_id: str,
    round: int,
    payload: str,
    sha256: str,
    basis: Mapping[str, Any] | None,
) -> OutboxItem:
    current = session()
    last = current.scalar(select(func.max(OutboxItem.position)).where(OutboxItem.patient_id == patient_id))
    at = now()
    item = OutboxItem(
        clinic_id=clinic_id,
        patient_id=patient_id,
        submission_id=submission_id,
        round=round,
        position=(last or 0) + 1,
        sha256=sha256,
        queued_at=at,
        state=State.WAITING.value,
        next_at=at,
        fence=0,
        crashes=0,
        payload=payload,
        basis=dict(basis) if basis else None,
    )
    current.add(item)
    current.flush()
    return item


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


FIRST = (State.HELD, State.NOT_CONFIRMED, State.WAITING, State.WITHHELD, State.CLOSED, State.CONFIRMED)
"""Of several deliveries of one submission the least finished one is told: partial is never shown as sent."""


def status_of(submission_id: str) -> Status | None:
    """Where a submission stands, or None when nothing of it was ever queued. Reads only durable rows."""
    items = session().scalars(select(OutboxItem).where(OutboxItem.submission_id == submission_id)).all()
    found = [status(item) for item in items]
    return min(found, key=lambda one: (FIRST.index(one.state), one.since), default=None)


def status(item: OutboxItem) -> Status:
    events = ledger.history(item.id)
    last = events[-1]
    receipt = session().scalars(select(Receipt).where(Receipt.item_id == item.id)).one_or_none()
    sent = [event.at for event in events if event.kind == Kind.SENDING]
    state = _state(last)
    return Status(
        item_id=item.id,
        state=state,
        since=_since(events),
        reason=Reason(last.reason),
        sent_at=sent[-1] if sent else None,
        next_at=item.next_at if state in (State.WAITING, State.NOT_CONFIRMED) else None,
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
