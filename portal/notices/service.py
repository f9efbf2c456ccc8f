"""What others may ask of the messages: run them, list them, send an invitation by hand, stop reminders."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from portal import db
from portal.accounts import service as accounts
from portal.actors import Actor, Permission, system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import NotAllowed, NotFound
from portal.intake import service as intake
from portal.notices import planning
from portal.notices.mail import Post
from portal.notices.models import Kind, NoReminders, Notice, State
from portal.notices.planning import Quiet
from portal.notices.sending import Office, send_due
from portal.settings import Settings

MOST_LISTED = 200


@dataclass(frozen=True)
class Row:
    """One message as staff read it."""

    notice: Notice
    name: str

    @property
    def why(self) -> str:
        return str(self.notice.detail["why"])

    @property
    def to(self) -> str:
        return str(self.notice.detail["to"])


def run(settings: Settings, post: Post) -> int:
    """Plan and send what is due for every clinic; how many were sent."""
    quiet = Quiet(*settings.quiet_hours)
    for clinic in accounts.clinics():
        planning.plan(system(clinic.id), quiet)
    return send_due(Office(post, settings.mail_from, settings.base_url, settings.invitation_days, stop_token))


@dataclass(frozen=True)
class Told:
    """A link is on its way by e-mail; the code that it asks for is shown once, to be told another way."""

    name: str
    code: str
    notice: Notice


def invite(actor: Actor, visit_id: str, days: int) -> Told:
    """Send the person of a visit a link now; NotFound for a visit of another clinic."""
    if not actor.may(Permission.INVITE):
        raise NotAllowed
    for visit in intake.visits_of(actor, {visit_id}):
        name = str(accounts.patient(actor, visit.patient_id).person["name"])
        with transaction():
            code = accounts.code_for(actor, visit.patient_id, days)
            return Told(name, code, planning.by_hand(actor, visit))
    raise NotFound


def listed(actor: Actor) -> list[Row]:
    """The clinic's messages, those that failed first, then the newest."""
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    audit.seen(actor, Event.QUEUE_SEEN, subject="queue:messages", patient_id=None)
    about_visits = Notice.clinic_id == actor.clinic_id, Notice.kind != Kind.SECURITY.value
    wanted = select(Notice).where(*about_visits).order_by(Notice.changed_at.desc())
    rows = session().scalars(wanted.limit(MOST_LISTED)).all()
    people = accounts.patients(actor, {str(row.patient_id) for row in rows})
    shown = [Row(row, str(people[str(row.patient_id)].person["name"])) for row in rows]
    return sorted(shown, key=lambda row: row.notice.state != State.FAILED)


def of_visits(actor: Actor, visit_ids: Collection[str]) -> dict[str, Notice]:
    """The last message about each of these visits."""
    wanted = select(Notice).where(Notice.clinic_id == actor.clinic_id, Notice.visit_id.in_(visit_ids))
    return {str(row.visit_id): row for row in session().scalars(wanted.order_by(Notice.made_at))}


def failing_since(actor: Actor) -> datetime | None:
    """Since when the oldest message waits that was tried three times: then the mail server, not an address, is the trouble."""
    wanted = select(Notice.made_at).where(
        Notice.clinic_id == actor.clinic_id, Notice.state == State.WAITING.value, Notice.tries > 2
    )
    return session().scalars(wanted.order_by(Notice.made_at)).first()


def stop_token(patient_id: str) -> str:
    """What stands in the link that stops reminders: it can do nothing else."""
    return _signer().dumps(patient_id)


def stop(token: str) -> None:
    """No more reminders to the person of this link; again changes nothing. NotFound for a link that is not ours."""
    patient_id = _meant(token)
    with transaction() as current:
        if session().get(NoReminders, patient_id) is None:
            clinic_id = accounts.clinic_of(patient_id)
            current.add(NoReminders(patient_id=patient_id, clinic_id=clinic_id, said_at=now()))
            actor = system(clinic_id, "Somebody with the link in an e-mail")
            audit.record(actor, Event.REMINDERS_STOPPED, subject=f"patients:{patient_id}", patient_id=patient_id)


def mine(actor: Actor) -> list[Notice]:
    """What was sent to this patient, or could not be, the newest first."""
    ended = (State.SENT.value, State.FAILED.value)
    wanted = select(Notice).where(
        Notice.clinic_id == actor.clinic_id, Notice.patient_id == actor.patient_id, Notice.state.in_(ended)
    )
    return list(session().scalars(wanted.order_by(Notice.changed_at.desc()).limit(MOST_LISTED)))


def wants_reminders(actor: Actor) -> bool:
    return session().get(NoReminders, actor.patient_id) is None


def want_reminders(actor: Actor, wanted: bool) -> None:
    """The patient's own word on reminders; the same again changes nothing."""
    if not wanted:
        stop(stop_token(str(actor.patient_id)))
        return
    with transaction() as current:
        found = session().get(NoReminders, actor.patient_id)
        if found is not None:
            current.delete(found)
            subject = f"patients:{actor.patient_id}"
            audit.record(actor, Event.REMINDERS_WANTED, subject=subject, patient_id=actor.patient_id)


def check(token: str) -> str:
    """The clinic's id behind a link that stops reminders; NotFound for one that is not ours. Changes nothing."""
    return accounts.clinic_of(_meant(token))


def _meant(token: str) -> str:
    try:
        return str(_signer().loads(token))
    except BadSignature:
        raise NotFound from None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(db.keys().derived("stop-reminders"), salt="stop")


__all__ = [
    "Kind",
    "Notice",
    "Row",
    "State",
    "check",
    "failing_since",
    "invite",
    "listed",
    "mine",
    "of_visits",
    "run",
    "stop",
    "stop_token",
    "want_reminders",
    "wants_reminders",
]
