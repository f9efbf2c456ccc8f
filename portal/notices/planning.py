"""Which messages are due, worked out from visits, submissions and deliveries as they are stored; none is planned twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.mailing import alerts, reach
from portal.actors import Actor
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import service as delivery
from portal.delivery.states import State as Delivery
from portal.intake import service as intake
from portal.intake.service import Status, Visit
from portal.notices.models import Kind, NoReminders, Notice, State

AHEAD = timedelta(days=14)
"""how long before a visit somebody is asked to prepare it"""
REMIND = (timedelta(days=2), timedelta(days=7))
TOO_LATE = timedelta(hours=3)
"""nobody is asked or reminded so short before the visit"""
FRESH = timedelta(days=3)
"""what happened longer ago is no news any more, for example when messages were only switched on today"""
DELIVERING = timedelta(days=10)
APART = timedelta(days=6)
"""several visits in one week ask once"""
BREATH = timedelta(days=1)
"""and nobody is reminded so soon after the last message"""


@dataclass(frozen=True)
class Quiet:
    """The hours (of the clinic's day) in which nothing is sent that can wait; `begins` == `ends` means none."""

    begins: int
    ends: int

    def after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """`at`, or the next time after it that is not quiet."""
        local = at.astimezone(zone)
        overnight = self.begins > self.ends
        evening = local.hour >= self.begins
        quiet = evening or local.hour < self.ends if overnight else evening and local.hour < self.ends
        if not quiet:
            return at
        day = local.date() + timedelta(days=1 if overnight and evening else 0)
        return datetime.combine(day, time(self.ends), tzinfo=zone).astimezone(at.tzinfo)


def plan(actor: Actor, quiet: Quiet) -> int:
    """Write down every message of the clinic that is due and not written down yet; how many."""
    zone = ZoneInfo(accounts.clinic(actor.clinic_id).timezone)
    with transaction() as current:
        due = {each.about: each for each in _due(actor)}
        known = select(Notice.about).where(Notice.clinic_id == actor.clinic_id, Notice.about.in_(due))
        for about in session().scalars(known):
            del due[about]
        for each in due.values():
            each.due_at = each.due_at if each.kind == Kind.SECURITY else quiet.after(each.due_at, zone)
            current.add(each)
    return len(due)


def by_hand(actor: Actor, visit: Visit) -> Notice:
    """The invitation that a person at the desk sends: not held up by quiet hours; pressed twice in a minute it is one."""
    with transaction() as current:
        made = _notice(actor, Kind.INVITATION, f"by-hand:{visit.id}:{now():%Y%m%d%H%M}", visit.id, visit.patient_id)
        known = select(Notice).where(Notice.clinic_id == actor.clinic_id, Notice.about == made.about)
        before = session().scalars(known).one_or_none()
        if before is None:
            current.add(made)
    return before or made


def still(actor: Actor, notice: Notice) -> bool:
    """Whether there is still a reason to send it."""
    if notice.kind in (Kind.DELIVERED, Kind.SECURITY):
        return True
    if notice.kind == Kind.RETURNED:
        return intake.submission(actor, notice.about.partition(":")[2]).status == Status.RETURNED
    assert notice.visit_id and notice.patient_id  # the database refuses any other
    visit = next(iter(intake.visits_of(actor, {notice.visit_id})), None)
    if visit is None or intake.asks_nothing(visit) or visit.starts_at < now():
        return False
    if notice.kind == Kind.INVITATION:
        return not reach(actor, {notice.patient_id})[notice.patient_id].has_account
    return not intake.visit_states(actor, [visit]).get(visit.id) and notice.patient_id not in _stopped(actor)


def _due(actor: Actor) -> Iterator[Notice]:
    for alert in alerts(actor, now() - FRESH):
        yield _notice(actor, Kind.SECURITY, f"security:{alert.id}", None, alert.patient_id, alert.account_id)
    yield from _before_visits(actor)
    for sent in intake.moved_since(actor, Status.RETURNED, now() - FRESH):
        yield _notice(actor, Kind.RETURNED, f"returned:{sent.id}", sent.visit_id, sent.patient_id)
    accepted = {each.id: each for each in intake.moved_since(actor, Status.ACCEPTED, now() - DELIVERING)}
    for submission_id, status in delivery.statuses_of(accepted).items():
        if status.state is Delivery.CONFIRMED and status.since >= now() - FRESH:
            sent = accepted[submission_id]
            yield _notice(actor, Kind.DELIVERED, f"delivered:{sent.id}", sent.visit_id, sent.patient_id)


def _before_visits(actor: Actor) -> Iterator[Notice]:
    """Who is to be asked to prepare a visit, or reminded of it."""
    visits = [each for each in intake.upcoming(actor, now() + TOO_LATE, now() + AHEAD) if not intake.asks_nothing(each)]
    people = {visit.patient_id for visit in visits}
    states, stopped = intake.visit_states(actor, visits), _stopped(actor)
    joined = {key for key, found in reach(actor, people).items() if found.has_account}
    asked, last = _told(actor, people)
    for visit in visits:
        person, left = visit.patient_id, visit.starts_at - now()
        heard = now() - last[person] if person in last else AHEAD
        if states.get(visit.id) or (person in joined and person in stopped):
            continue
        stage = next((each for each in REMIND if left <= each), None)
        if visit.id not in asked and heard >= APART:
            kind = Kind.ASKED if person in joined else Kind.INVITATION
            yield _notice(actor, kind, f"{kind.value}:{visit.id}", visit.id, person)
        elif stage and person in joined and heard >= BREATH:
            yield _notice(actor, Kind.REMINDER, f"reminder:{visit.id}:{stage.days}", visit.id, person)
        else:
            continue
        last[person] = now()


def _told(actor: Actor, people: set[str]) -> tuple[set[str], dict[str, datetime]]:
    """Which visits these people were asked about, and when they last heard of any."""
    about_visits = [Kind.INVITATION.value, Kind.ASKED.value, Kind.REMINDER.value]
    wanted = select(Notice.visit_id, Notice.patient_id, Notice.made_at).where(
        Notice.clinic_id == actor.clinic_id, Notice.patient_id.in_(people), Notice.kind.in_(about_visits)
    )
    asked, last = set[str](), dict[str, datetime]()
    for visit_id, patient_id, at in session().execute(wanted.order_by(Notice.made_at)):
        asked.add(str(visit_id))
        last[str(patient_id)] = at
    return asked, last


def _stopped(actor: Actor) -> set[str]:
    return set(session().scalars(select(NoReminders.patient_id).where(NoReminders.clinic_id == actor.clinic_id)))


def _notice(
    actor: Actor, kind: Kind, about: str, visit_id: str | None, patient_id: str | None, account_id: str | None = None
) -> Notice:
    return Notice(
        clinic_id=actor.clinic_id,
        patient_id=patient_id,
        visit_id=visit_id,
        account_id=account_id,
        kind=kind.value,
        about=about,
        state=State.WAITING.value,
        made_at=now(),
        due_at=now(),
        changed_at=now(),
        tries=0,
        detail={"to": "", "why": ""},
    )
