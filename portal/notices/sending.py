"""One message at a time: claimed, looked at again, sent, and what became of it written down."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from babel.dates import format_datetime
from sqlalchemy import CursorResult, select, update

from portal.accounts import service as accounts
from portal.accounts.mailing import Reach, alert, reach, reach_owner
from portal.accounts.renewing import code_to_send
from portal.actors import Actor, system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.notices import planning
from portal.notices.mail import Letter, NotNow, NotTaken, Post, written
from portal.notices.models import Kind, Notice, State
from portal.notices.wording import HAPPENED, WHEN, WORDS

MOST = 30
"""messages in one go; the next look takes the rest"""
GIVE_UP = timedelta(hours=48)
STUCK = timedelta(minutes=10)
PAUSES = (1, 5, 15, 60)
"""minutes between tries"""
NO_ADDRESS, BAD_ADDRESS, NOT_TAKEN, TOO_LONG, NOT_NEEDED, STILL_TRYING = (
    "No e-mail address is known",
    "The e-mail address is not a valid one",
    "The mail server does not take this address",
    "The mail server could not be reached for two days",
    "It was not needed any more",
    "The mail server did not take it yet; it is tried again",
)

log = structlog.get_logger()


@dataclass(frozen=True)
class Office:
    """What sending needs to know: the way out, who it is from, the portal's address, how a link is made good for a while."""

    post: Post
    sender: str
    base_url: str
    invitation_days: int
    signed: Callable[[str], str]


def send_due(office: Office) -> int:
    """Send what is due, at most MOST; how many were sent. Never raises for what an address or a server does."""
    _free_the_stuck()
    due = select(Notice.id).where(Notice.state == State.WAITING.value, Notice.due_at <= now()).order_by(Notice.due_at)
    return sum(_send(office, notice_id) for notice_id in session().scalars(due.limit(MOST)).all())


def _free_the_stuck() -> None:
    """What a worker had in hand when it died is tried again; its Message-ID is the same, so a mailbox can tell."""
    with transaction() as current:
        lost = Notice.state == State.SENDING.value, Notice.changed_at < now() - STUCK
        current.execute(update(Notice).where(*lost).values(state=State.WAITING.value, changed_at=now()))


def _send(office: Office, notice_id: str) -> bool:
    with transaction() as current:
        mine = Notice.id == notice_id, Notice.state == State.WAITING.value
        taken = current.execute(
            update(Notice).where(*mine).values(state=State.SENDING.value, changed_at=now(), tries=Notice.tries + 1)
        )
        if not isinstance(taken, CursorResult) or taken.rowcount != 1:
            return False
    notice = session().get_one(Notice, notice_id, populate_existing=True)
    actor = system(notice.clinic_id)
    if not planning.still(actor, notice):
        return _settle(notice, State.DROPPED, NOT_NEEDED)
    found = _reader(actor, notice)
    if found is None or not found.email:
        return _settle(notice, State.FAILED, NO_ADDRESS)
    try:
        message = written((_alert if notice.account_id else _letter)(office, actor, notice, found))
    except ValueError:
        return _settle(notice, State.FAILED, BAD_ADDRESS, found.email)
    try:
        office.post.send(message)
    except NotTaken:
        return _settle(notice, State.FAILED, NOT_TAKEN, found.email)
    except NotNow:
        return _later(notice, found.email)
    return _settle(notice, State.SENT, "", found.email)


def _reader(actor: Actor, notice: Notice) -> Reach | None:
    if notice.account_id:
        return reach_owner(actor, notice.account_id)
    assert notice.patient_id
    return reach(actor, {notice.patient_id}).get(notice.patient_id)


def _alert(office: Office, actor: Actor, notice: Notice, found: Reach) -> Letter:
    """About the way into an account: what happened and when, and the portal's address in words, to be typed and not clicked."""
    clinic, about = accounts.clinic(notice.clinic_id), alert(actor, notice.about.partition(":")[2])
    at = (about.at if about else notice.made_at).astimezone(ZoneInfo(clinic.timezone))
    language = found.language if found.language in WORDS else "en"
    what = about.what if about else "changed"
    code = code_to_send(actor, str(notice.account_id)) if what == "code" else ""
    what = "link-made" if what == "code" and not code else what
    return Letter(
        id=notice.id,
        kind=Kind.SECURITY,
        to=found.email,
        language=language,
        clinic=clinic.name,
        phone=clinic.phone,
        link=office.base_url,
        stop="",
        sender=office.sender,
        said=HAPPENED[language][what].format(code=code),
        when=format_datetime(at, WHEN[language], locale=language),
    )


def _letter(office: Office, actor: Actor, notice: Notice, found: Reach) -> Letter:
    clinic = accounts.clinic(notice.clinic_id)
    kind = Kind(notice.kind)
    assert notice.patient_id
    path = "/visits"
    if kind is Kind.INVITATION:
        path = f"/join/{accounts.invite_by_link(actor, notice.patient_id, office.invitation_days)}"
    return Letter(
        id=notice.id,
        kind=kind,
        to=found.email,
        language=found.language,
        clinic=clinic.name,
        phone=clinic.phone,
        link=office.base_url + path,
        stop=f"{office.base_url}/messages/stop/{office.signed(notice.patient_id)}",
        sender=office.sender,
    )


def _later(notice: Notice, to: str) -> bool:
    if now() - notice.made_at > GIVE_UP:
        return _settle(notice, State.FAILED, TOO_LONG, to)
    with transaction():
        notice.due_at = now() + timedelta(minutes=PAUSES[min(notice.tries, len(PAUSES)) - 1])
        _change(notice, State.WAITING, STILL_TRYING, to)
    return False


def _settle(notice: Notice, state: State, why: str, to: str = "") -> bool:
    event = {State.SENT: Event.MESSAGE_SENT, State.FAILED: Event.MESSAGE_FAILED}.get(state)
    with transaction():
        _change(notice, state, why, to)
        if event:
            actor = system(notice.clinic_id)
            subject, detail = f"notices:{notice.id}", {"kind": notice.kind}
            audit.record(actor, event, subject=subject, patient_id=notice.patient_id, detail=detail)
    log.info("message", state=state.value, kind=notice.kind, notice=notice.id)
    return state is State.SENT


def _change(notice: Notice, state: State, why: str, to: str) -> None:
    notice.state, notice.changed_at = state.value, now()
    notice.detail = {"to": to, "why": why}
