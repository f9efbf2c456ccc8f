"""What of one patient we have put into the clinic's record, as last confirmed there: told from receipts only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.db import session
from portal.delivery import bundle as bundles
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.states import State
from portal.delivery.wrong_record import CORRECTION
from portal.fhir import exact


@dataclass(frozen=True)
class Placed:
    """One resource as we last sent it. `reference` is `Type/id` at the server, `version` the one we read back, `submission_id`
    what it was sent for."""

    resource: bundles.Resource
    reference: str
    version: str | None
    checked_at: datetime
    submission_id: str


def placed(clinic_id: str, patient_id: str, kind: str) -> list[Placed]:
    """Every resource of this type, the oldest first; each once, as it was sent last."""
    return [each for each in confirmed(clinic_id, patient_id).values() if each.resource["resourceType"] == kind]


def confirmed(clinic_id: str, patient_id: str) -> dict[str, Placed]:
    """Every resource by its reference, the oldest first; each once, as it was sent last."""
    wanted = (
        select(OutboxItem, Receipt)
        .join(Receipt, Receipt.item_id == OutboxItem.id)
        .where(
            OutboxItem.patient_id == patient_id,
            OutboxItem.clinic_id == clinic_id,
            OutboxItem.state == State.CONFIRMED.value,  # what was confirmed in the wrong record was closed since
        )
        .order_by(OutboxItem.position)
    )
    found: dict[str, Placed] = {}
    for item, receipt in session().execute(wanted):
        correction = (item.basis or {}).get(CORRECTION)  # of a wrong record: nothing of it stands in theirs
        sent = {entry.index: entry for entry in bundles.read(exact.loads(item.payload)).entries}
        for one in receipt.entries:
            references = one.get("references") or []
            if len(references) == 1 and one["index"] in sent and not correction:
                name = str(references[0])
                found.pop(name, None)
                found[name] = Placed(
                    sent[one["index"]].resource, name, one.get("version"), receipt.checked_at, item.submission_id
                )
    return found
