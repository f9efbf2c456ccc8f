"""Counts each day of a clinic once it is over, from rows that are there anyway. What was counted stays when those rows go."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts import counting as invitations
from portal.actors import Actor, Role
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import counting as deliveries
from portal.errors import NotAllowed
from portal.intake import counting as answers
from portal.measures.models import MeasuredDay
from portal.measures.tally import Counts, Line, counted
from portal.notices import counting as messages
from portal.review import counting as decisions

MOST_BACK = timedelta(days=400)
"""How far back the first count goes; older rows were there before anybody counted."""
MOST_AT_ONCE = 40
"""Days counted in one go; the next go takes the rest."""


def take(actor: Actor) -> int:
    """Count the days that are over and were not counted yet, oldest first. How many. The system only."""
    if actor.role is not Role.SYSTEM:
        raise NotAllowed
    zone = ZoneInfo(invitations.zone(actor.clinic_id))
    days = list(_open_days(actor.clinic_id, zone))[:MOST_AT_ONCE]
    for day in days:
        start, end = span(day, zone)
        counts = counted(_lines(actor.clinic_id, start, end))
        with transaction() as current:
            known = select(MeasuredDay.id).where(MeasuredDay.clinic_id == actor.clinic_id, MeasuredDay.day == day)
            if current.scalar(known) is None:
                row = MeasuredDay(clinic_id=actor.clinic_id, day=day, counted_at=now(), counts=counts)
                current.add(row)
    return len(days)


def counted_days(clinic_id: str) -> dict[date, Counts]:
    """Every day that was counted, the oldest first."""
    rows = session().execute(
        select(MeasuredDay.day, MeasuredDay.counts).where(MeasuredDay.clinic_id == clinic_id).order_by(MeasuredDay.day)
    )
    return {day: counts for day, counts in rows}


def span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day of the clinic, from midnight to midnight there."""
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _open_days(clinic_id: str, zone: ZoneInfo) -> Iterator[date]:
    """From the day after the last one counted, or the first on which something happened, to yesterday."""
    today = now().astimezone(zone).date()
    newest = select(MeasuredDay.day).where(MeasuredDay.clinic_id == clinic_id).order_by(MeasuredDay.day.desc()).limit(1)
    last = session().scalar(newest)
    if last is None:
        began = [at for at in (invitations.first(clinic_id), answers.first(clinic_id)) if at]
        if not began:
            return
        last = max(min(began).astimezone(zone).date(), today - MOST_BACK) - timedelta(days=1)
    yield from (last + timedelta(days=number) for number in range(1, (today - last).days))


def _lines(clinic_id: str, start: datetime, end: datetime) -> Iterator[Line]:
    finished = answers.finished(clinic_id, start, end)
    arrived = deliveries.arrived(clinic_id, start, end)
    yield from chain(
        invitations.lines(clinic_id, start, end),
        answers.lines(clinic_id, start, end),
        messages.lines(clinic_id, start, end),
        decisions.lines(clinic_id, finished, arrived),
    )
    for submission_id, done in finished.items():
        yield ("decided", "", _seconds(done.sent_at, done.at), submission_id)
    for submission_id, (sent_at, accepted_at) in answers.accepted(clinic_id, arrived).items():
        yield ("delivered", "", _seconds(accepted_at, arrived[submission_id]), submission_id)
        yield ("arrived", "", _seconds(sent_at, arrived[submission_id]), submission_id)
    for number, sent_at in enumerate(answers.waiting(clinic_id, end)):
        yield ("waiting", "", _seconds(sent_at, end), str(number))


def _seconds(start: datetime, end: datetime) -> str:
    return str(max(0, int((end - start).total_seconds())))
