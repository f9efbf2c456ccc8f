"""Counts once a day how good each source's results were, and tells staff the trend and what is over its threshold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select

from portal.actors import Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.errors import NotAllowed
from portal.labs.models import ResultQuality
from portal.labs.quality import CHECKS, DROPPED, Check, measure
from portal.labs.service import versions
from portal.labs.units import convert

DAYS = 30


@dataclass(frozen=True)
class Line:
    """One check of one source over the days, the oldest first; a day without any reading is None."""

    check: Check
    days: tuple[tuple[date, int | None, int], ...]
    """(day, how many, of how many results)"""

    @property
    def latest(self) -> tuple[int, int]:
        return next(((count, results) for _day, count, results in reversed(self.days) if count is not None), (0, 0))

    @property
    def total(self) -> int:
        return sum(count or 0 for _day, count, _results in self.days)

    @property
    def share(self) -> float:
        count, results = self.latest
        return 100 * count / results if results else 0.0

    @property
    def alarm(self) -> bool:
        return self.latest[0] > 0 and self.share >= self.check.alarm

    @property
    def peak(self) -> int:
        return max((count or 0 for _day, count, _results in self.days), default=0)


@dataclass(frozen=True)
class Source:
    """One connection's quality: when it was last measured, over how many readings and results, and a line for each check."""

    name: str
    measured_at: datetime | None
    readings: int
    results: int
    lines: tuple[Line, ...]

    @property
    def alarms(self) -> list[Line]:
        return [line for line in self.lines if line.alarm]


def take(actor: Actor) -> int:
    """Measure what was read today (in UTC) for this clinic; a second time on the same day replaces the first. The system only."""
    if actor.role is not Role.SYSTEM:
        raise NotAllowed
    at = now()
    since = datetime.combine(at.date(), time(), UTC)
    found: dict[str, ResultQuality] = {}
    for connection_id, reading in ehr.kept_since(actor, ehr.Kind.LABS, since):
        row = found.setdefault(connection_id, _empty(actor, connection_id, at))
        newest, _earlier = versions([*reading.resources, *reading.beside])
        results, counts = measure(newest, convert, at)
        row.readings, row.results = row.readings + 1, row.results + results
        row.counts = _sum(row.counts, counts)
    for connection_id, what, count in ehr.dropped_since(actor, since):
        row = found.setdefault(connection_id, _empty(actor, connection_id, at))
        row.counts = _sum(row.counts, {"nobody" if what == "no-subject" else "wrong-patient": count})
    with transaction() as current:
        for row in found.values():
            for old in current.scalars(
                select(ResultQuality).where(
                    ResultQuality.connection_id == row.connection_id, ResultQuality.day == row.day
                )
            ):
                current.delete(old)
            current.flush()
            current.add(row)
    return len(found)


def _empty(actor: Actor, connection_id: str, at: datetime) -> ResultQuality:
    return ResultQuality(
        clinic_id=actor.clinic_id,
        connection_id=connection_id,
        day=at.date(),
        measured_at=at,
        readings=0,
        results=0,
        counts={},
    )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def quality(actor: Actor) -> list[Source]:
    """The last 30 days of every source of this clinic. Counts only; audited."""
    if not actor.may(Permission.SEE_QUALITY):
        raise NotAllowed
    audit.seen(actor, Event.QUALITY_SEEN, subject=f"clinics:{actor.clinic_id}", patient_id=None)
    today = now().date()
    first = today - timedelta(days=DAYS - 1)
    rows = session().scalars(
        select(ResultQuality).where(ResultQuality.clinic_id == actor.clinic_id, ResultQuality.day >= first)
    )
    by_source: dict[str, dict[date, ResultQuality]] = {}
    for row in rows:
        by_source.setdefault(row.connection_id, {})[row.day] = row
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [_source(name, by_source.get(connection_id, {}), days) for connection_id, name in ehr.sources(actor)]


def _source(name: str, rows: Mapping[date, ResultQuality], days: Iterable[date]) -> Source:
    listed = list(days)
    newest = rows[max(rows)] if rows else None
    return Source(
        name,
        newest.measured_at if newest else None,
        newest.readings if newest else 0,
        newest.results if newest else 0,
        tuple(Line(check, tuple(_day(rows.get(day), day, check) for day in listed)) for check in CHECKS),
    )


def _day(row: ResultQuality | None, day: date, check: Check) -> tuple[date, int | None, int]:
    if row is None:
        return day, None, 0
    of = row.results + (sum(row.counts.get(key, 0) for key in DROPPED) if check.key in DROPPED else 0)
    return day, row.counts.get(check.key, 0), of
