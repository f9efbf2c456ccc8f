"""What other rooms do with deliveries: queue one, ask where it stands, work on what is held, see how the line is doing."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, text

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import bundle as bundles
from portal.delivery import ledger
from portal.delivery.desk import close, held, held_item, overview, resend, resend_all, take_back, waits_for
from portal.delivery.errors import AlreadyQueued, Undeliverable
from portal.delivery.models import OutboxItem
from portal.delivery.placed import Placed, placed
from portal.delivery.standing import Status, of_patient, rounds_of, status_of, statuses_of, unfinished
from portal.delivery.states import Kind, State
from portal.delivery.wrong_record import CORRECTION, Written, stop, touched
from portal.fhir import exact

__all__ = [
    "CORRECTION",
    "Placed",
    "Status",
    "Written",
    "close",
    "enqueue",
    "held",
    "held_item",
    "next_round",
    "of_patient",
    "overview",
    "placed",
    "resend",
    "resend_all",
    "rounds_of",
    "status_of",
    "statuses_of",
    "stop",
    "take_back",
    "touched",
    "unfinished",
    "waits_for",
]


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


def next_round(submission_id: str) -> int:
    """The round of a submission's next version: the one that is open, or one more when that was closed."""
    last = session().scalars(
        select(OutboxItem).where(OutboxItem.submission_id == submission_id).order_by(OutboxItem.round.desc()).limit(1)
    )
    found = last.one_or_none()
    return 1 if found is None else found.round + (found.state == State.CLOSED)


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
