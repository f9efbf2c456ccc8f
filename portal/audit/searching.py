"""The clinic's trail for those who may read it: searched by person, kind of event and days; every look is an event itself."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from portal.actors import Actor, Permission, Role
from portal.audit import service
from portal.audit.events import Event, Outcome
from portal.audit.models import REFUSED, AuditRow
from portal.columns import know_keys
from portal.db import session
from portal.errors import NotAllowed
from portal.sealing import SealBroken

ERASED = "erased"


@dataclass(frozen=True)
class Wanted:
    """What is looked for; nothing said means everything. `first` and `last` are days in the clinic's own time."""

    person: str = ""
    event: str = ""
    first: date | None = None
    last: date | None = None
    refused: bool = False

    def told(self) -> str:
        """What was looked for, for the trail: ids and codes only."""
        days = f"{self.first or ''}..{self.last or ''}" if self.first or self.last else ""
        said = [self.person, self.event, days, "refused" if self.refused else ""]
        return ",".join(each for each in said if each) or "all"


@dataclass(frozen=True)
class TrailEntry:
    """One event of the clinic as staff read it: codes and who, never what was written."""

    seq: int
    at: datetime
    who: str
    role: Role
    event: str
    subject: str
    patient_id: str | None
    outcome: Outcome


def trail(
    actor: Actor, wanted: Wanted, zone: ZoneInfo, before: datetime | None = None, limit: int = 50
) -> list[TrailEntry]:
    """The clinic's events, newest first, as far as they are `wanted`. NotAllowed for those who may not see them."""
    if not actor.may(Permission.SEE_AUDIT):
        raise NotAllowed
    service.noted(actor, Event.AUDIT_SEEN, wanted.told())
    every = select(AuditRow).where(AuditRow.clinic_id == actor.clinic_id, *_filters(wanted, zone))
    if before:
        every = every.where(AuditRow.recorded_at < before)
    newest = every.order_by(AuditRow.recorded_at.desc(), AuditRow.seq.desc()).limit(limit)
    rows = {row.id: row for side in _sides(wanted) for row in session().scalars(newest.where(*side))}
    know_keys({row.owner for row in rows.values()})
    shown = sorted(rows.values(), key=lambda row: (row.recorded_at, row.seq), reverse=True)[:limit]
    return [_told(row) for row in shown]


def _sides(wanted: Wanted) -> list[list[ColumnElement[bool]]]:
    """A person's entries are about them or by them: each is asked for by its own index, a million entries or not."""
    if not wanted.person:
        return [[]]
    return [[AuditRow.patient_id == wanted.person], [AuditRow.account_id == wanted.person]]


def _filters(wanted: Wanted, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    said: list[ColumnElement[bool]] = []
    if wanted.event:
        said.append(AuditRow.event == wanted.event)
    if wanted.refused:
        said.append(REFUSED)
    if wanted.first:
        said.append(AuditRow.recorded_at >= _midnight(wanted.first, zone))
    if wanted.last:
        said.append(AuditRow.recorded_at < _midnight(wanted.last + timedelta(days=1), zone))
    return said


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _told(row: AuditRow) -> TrailEntry:
    try:
        who = str(row.detail["who"])
    except SealBroken:
        who = ERASED
    return TrailEntry(
        row.seq, row.recorded_at, who, Role(row.role), row.event, row.subject, row.patient_id, Outcome(row.outcome)
    )
