"""What was read of many patients' records since a time each: for a list, without asking anybody."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import and_, or_, select

from portal.actors import STAFF, Actor, Role
from portal.db import session
from portal.ehr.models import RecordReading
from portal.ehr.reading import Kind
from portal.errors import NotAllowed
from portal.fhir.resources import Json

MOST = 200
"""patients asked about in one statement"""


def read_since(
    actor: Actor, since: Mapping[str, datetime], kinds: Collection[Kind]
) -> dict[tuple[str, Kind], list[Json]]:
    """By patient and kind: the resources of each good reading that is newer than the patient's time; for the clinic's staff."""
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
    wanted = list(since.items())
    parts = (dict(wanted[place : place + MOST]) for place in range(0, len(wanted), MOST))
    rows = [row for part in parts for row in _rows(actor, part, kinds)]
    return {(row.patient_id, Kind(row.kind)): list(row.document["resources"]) for row in rows if row.document}


def _rows(actor: Actor, since: Mapping[str, datetime], kinds: Collection[Kind]) -> list[RecordReading]:
    newer = [and_(RecordReading.patient_id == each, RecordReading.read_at > at) for each, at in since.items()]
    wanted = select(RecordReading).where(
        RecordReading.clinic_id == actor.clinic_id,
        RecordReading.kind.in_([kind.value for kind in kinds]),
        RecordReading.complete.is_(True),
        or_(*newer),
    )
    return list(session().scalars(wanted))
