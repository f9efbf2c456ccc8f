"""What was read and what was dropped, for counting how good a source is; the system only, and nothing of it about anybody."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from portal.actors import STAFF, Actor, Role
from portal.db import session
from portal.ehr.models import Connection, RecordAlert, RecordReading
from portal.ehr.reading import Kind, Reading, Reason, state_for
from portal.ehr.record import NO_SUBJECT
from portal.errors import NotAllowed


def kept_since(actor: Actor, kind: Kind, since: datetime) -> Iterator[tuple[str, Reading]]:
    """Connection and reading of every patient of this clinic whose record was read since then."""
    _the_system(actor)
    wanted = select(RecordReading).where(
        RecordReading.clinic_id == actor.clinic_id, RecordReading.kind == kind.value, RecordReading.read_at >= since
    )
    for row in session().scalars(wanted.execution_options(yield_per=50)):
        if row.document is not None:
            held = tuple(row.document["resources"])
            state = state_for(len(held), row.complete)
            yield row.connection_id, Reading(kind, state, held, tuple(row.document["beside"]), row.read_at)


def dropped_since(actor: Actor, since: datetime) -> list[tuple[str, str, int]]:
    """Connection, why, how many: entries that were left out because they are not surely the patient's."""
    _the_system(actor)
    wanted = (
        select(RecordAlert.connection_id, RecordAlert.what, func.sum(RecordAlert.count))
        .where(RecordAlert.clinic_id == actor.clinic_id, RecordAlert.at >= since)
        .where(RecordAlert.what.in_((Reason.OTHER_PATIENT.value, NO_SUBJECT)))
        .group_by(RecordAlert.connection_id, RecordAlert.what)
    )
    return [(connection_id, what, int(count)) for connection_id, what, count in session().execute(wanted)]


def sources(actor: Actor) -> list[tuple[str, str]]:
    """Id and name of every connection of this clinic, for its staff."""
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
    wanted = select(Connection.id, Connection.name).where(Connection.clinic_id == actor.clinic_id)
    return [(key, name) for key, name in session().execute(wanted.order_by(Connection.made_at))]


def _the_system(actor: Actor) -> None:
    if actor.role is not Role.SYSTEM:
        raise NotAllowed
