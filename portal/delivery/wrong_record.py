"""A person was tied to the wrong record: what was still to go there is stopped, and what may be there is told, for people to correct."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import bundle, ledger
from portal.delivery.models import DeliveryEvent, OutboxItem, Receipt
from portal.delivery.states import SEND_AFTER, Kind, State
from portal.delivery.tools import Passage
from portal.fhir import exact

CORRECTION = "correction"
"""The mark, in an item's basis, of what corrects a wrong record: it is no answer of the patient's, and nothing stops it."""
WHY = "the person was tied to the wrong record"


@dataclass(frozen=True)
class Written:
    """One entry that went, or may have gone, to the wrong record. `reference` is "" where it is not known whether it is there."""

    submission_id: str
    reference: str
    made: bool
    """made there by us; else something that was there was changed"""
    resource: bundle.Resource
    version: str | None = None
    """its version there as we left it, where that was confirmed"""
    base: str | None = None
    """of what was changed: the version our change was built on"""


def stop(actor: Actor, patient_id: str) -> list[Written]:
    """End every delivery of this patient, whatever its state, and say what of it is or may be in the record.

    In the caller's transaction. Nothing is deleted: payloads, events and receipts stay, and no worker goes on with an item.
    """
    with transaction() as current:
        items = current.scalars(
            select(OutboxItem)
            .where(
                OutboxItem.patient_id == patient_id,
                OutboxItem.clinic_id == actor.clinic_id,
                OutboxItem.state != State.CLOSED.value,
            )
            .order_by(OutboxItem.position)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        ours = [item for item in items if not (item.basis or {}).get(CORRECTION)]
        return [each for item in ours for each in _stop(actor, item)]


def passes(item: OutboxItem) -> Passage | None:
    """What corrects a wrong record shares nothing of the patient's: it may leave. Of anything else their choice decides (None)."""
    return Passage(True) if (item.basis or {}).get(CORRECTION) else None


def touched(actor: Actor, patient_id: str) -> set[str]:
    """The submissions of this patient that have a delivery which was not closed."""
    wanted = select(OutboxItem.submission_id).where(
        OutboxItem.patient_id == patient_id,
        OutboxItem.clinic_id == actor.clinic_id,
        OutboxItem.state != State.CLOSED.value,
    )
    return set(session().scalars(wanted))


def _stop(actor: Actor, item: OutboxItem) -> list[Written]:
    found = list(_there(item))
    ledger.append(item, Kind.CLOSED, at=now(), by=actor, detail={"why": WHY})
    item.fence += 1  # whoever works on it is out
    item.leased_until = None
    audit.record(
        actor,
        Event.DELIVERY_CLOSED,
        subject=f"outbox_items:{item.id}",
        patient_id=item.patient_id,
        detail={"submission": item.submission_id},
    )
    return found


def _there(item: OutboxItem) -> Iterator[Written]:
    """By the receipt; without one by what was seen last, and where we sent without a certain answer, by what we sent."""
    receipt = session().scalars(select(Receipt).where(Receipt.item_id == item.id)).one_or_none()
    events = ledger.history(item.id)
    seen = receipt.entries if receipt else events[-1].detail.get("entries", [])
    at = {each["index"]: each["references"] for each in seen}
    versions = {each["index"]: each.get("version") for each in receipt.entries} if receipt else {}
    unsure = receipt is None and _may_be_there(events)
    for entry in bundle.read(exact.loads(item.payload)).entries:
        references = at.get(entry.index, [])
        if references or unsure:
            reference = references[0] if len(references) == 1 else ""
            made, version = entry.method == "POST", versions.get(entry.index)
            yield Written(item.submission_id, reference, made, entry.resource, version, entry.base)


def _may_be_there(events: list[DeliveryEvent]) -> bool:
    sent = any(each.kind == Kind.SENDING for each in events)
    return sent and Kind(events[-1].kind) not in SEND_AFTER
