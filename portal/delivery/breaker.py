"""One breaker for each clinic's server, shared by all workers: a server that is silent is left alone, then probed by one at a time."""

from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from portal.db import new_id, session
from portal.delivery.models import Endpoint
from portal.delivery.timing import Timing, pause


class Door(Enum):
    OPEN = "open"
    PROBE = "probe"
    SHUT = "shut"


def admit(clinic_id: str, at: datetime, timing: Timing) -> Door:
    """Whether a request may go out now, in the caller's transaction. PROBE: the server was silent, ask it something harmless first."""
    door = _row(clinic_id)
    if door is None or door.open_until is None:
        return Door.OPEN
    if _ahead(door.open_until, at, timing) or _ahead(door.probing_until, at, timing):
        return Door.SHUT
    door.probing_until = at + timedelta(seconds=timing.lease)
    return Door.PROBE


def _ahead(moment: datetime | None, at: datetime, timing: Timing) -> bool:
    return moment is not None and at < moment <= at + timing.horizon


def spoke(clinic_id: str) -> None:
    """The server answered, whatever it said: the door stands open."""
    door = _row(clinic_id)
    if door is not None:
        door.silences = door.pauses = 0
        door.down_since = door.open_until = door.probing_until = None


def silent(
    clinic_id: str, at: datetime, timing: Timing, jitter: float, *, certain: bool, asked_for: int | None = None
) -> None:
    """The server gave no answer. `certain`: it cannot be reached at all, shut at once; else after a few in a row.

    `asked_for`: seconds of rest that the server itself asked for.
    """
    door = _row(clinic_id) or _new(clinic_id)
    door.silences += 1
    if certain or asked_for or door.open_until is not None or door.silences >= timing.silences_to_open:
        door.pauses += 1
        door.down_since = door.down_since or at
        rest = timedelta(seconds=asked_for) if asked_for else pause(door.pauses, jitter, timing)
        door.open_until, door.probing_until = at + rest, None


def _row(clinic_id: str) -> Endpoint | None:
    return (
        session()
        .scalars(
            select(Endpoint)
            .where(Endpoint.clinic_id == clinic_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .one_or_none()
    )


def _new(clinic_id: str) -> Endpoint:
    """The row of a clinic whose server was never in trouble; two workers may be making it at once."""
    current = session()
    dialect = sqlite if current.get_bind().dialect.name == "sqlite" else postgresql
    row = {"id": new_id(), "clinic_id": clinic_id, "silences": 0, "pauses": 0}
    current.execute(dialect.insert(Endpoint).values(**row).on_conflict_do_nothing())
    made = _row(clinic_id)
    assert made is not None
    return made
