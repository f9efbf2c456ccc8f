"""Server-side sessions: opaque, ended by sign-out, time or an administrator; time-outs are decided here only."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from portal.accounts.models import Account, Clinic, SignIn
from portal.actors import STAFF, Actor, Purpose, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction

_TOUCH = timedelta(seconds=60)


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: idle by kind of person, and absolutely."""

    staff_idle: timedelta
    patient_idle: timedelta
    absolute: timedelta

    def idle(self, role: Role) -> timedelta:
        return self.staff_idle if role in STAFF else self.patient_idle


@dataclass(frozen=True)
class Place:
    """What every page says of the clinic; values, so that an error page needs no database."""

    name: str
    phone: str
    timezone: str
    slug: str = ""


@dataclass(frozen=True)
class Resumed:
    """A live session: who is acting, and when it ends if nothing more happens."""

    actor: Actor
    clinic: Place
    ends_at: datetime


@dataclass(frozen=True)
class Lapsed:
    """A session that ran out of time by itself: whose it was, so that what they typed can be kept for them."""

    account_id: str


def begin(account: Account) -> str:
    """A new session for `account`; returns the token for the cookie (256 bits), of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    with transaction() as current:
        sign_in = SignIn(
            clinic_id=account.clinic_id, account_id=account.id, token_hash=_hash(token), began_at=now(), seen_at=now()
        )
        current.add(sign_in)
        actor = actor_of(account, sign_in.id)
        audit.record(actor, Event.SIGNED_IN, subject=f"sign_ins:{sign_in.id}", patient_id=account.patient_id)
    return token


_BEHIND = (
    select(SignIn, Account, Clinic)
    .join(Account, Account.id == SignIn.account_id)
    .join(Clinic, Clinic.id == SignIn.clinic_id)
    .where(SignIn.token_hash == bindparam("token_hash"))
)


def resume(token: str, limits: Limits) -> Resumed | Lapsed | None:
    """The session behind a cookie; None when it never was or was ended on purpose, Lapsed when its time ran out."""
    row = session().execute(_BEHIND, {"token_hash": _hash(token)}).one_or_none()
    if row is None:
        return None
    sign_in, account, clinic = row
    if sign_in.ended_at is not None or account.suspended_at is not None:
        return Lapsed(account.id) if sign_in.ended_why == "time-out" and account.suspended_at is None else None
    idle = limits.idle(Role(account.role))
    if now() >= min(sign_in.seen_at + idle, sign_in.began_at + limits.absolute):
        _end(sign_in, account, "time-out")
        return Lapsed(account.id)
    if now() - sign_in.seen_at > _TOUCH:
        with transaction():
            sign_in.seen_at = now()
    ends = min(sign_in.seen_at + idle, sign_in.began_at + limits.absolute)
    return Resumed(actor_of(account, sign_in.id), Place(clinic.name, clinic.phone, clinic.timezone, clinic.slug), ends)


def end(actor: Actor, why: str = "signed-out") -> None:
    sign_in = session().get(SignIn, actor.session_id)
    account = session().get(Account, actor.account_id)
    if sign_in is not None and account is not None and sign_in.ended_at is None:
        _end(sign_in, account, why)


def end_all(account: Account, why: str) -> None:
    """Every session of an account ends; inside the caller's transaction."""
    with transaction() as current:
        current.execute(
            update(SignIn)
            .where(SignIn.account_id == account.id, SignIn.ended_at.is_(None))
            .values(ended_at=now(), ended_why=why)
        )


def actor_of(account: Account, session_id: str | None) -> Actor:
    role = Role(account.role)
    return Actor(
        role=role,
        clinic_id=account.clinic_id,
        account_id=account.id,
        patient_id=account.patient_id,
        name=account.profile["name"],
        purpose=Purpose.PATIENT_REQUEST if role is Role.PATIENT else Purpose.TREATMENT,
        session_id=session_id,
        language=account.profile.get("language", "en"),
    )


def _end(sign_in: SignIn, account: Account, why: str) -> None:
    with transaction():
        sign_in.ended_at, sign_in.ended_why = now(), why
        event = Event.SIGNED_OUT if why == "signed-out" else Event.SESSION_ENDED
        actor = actor_of(account, sign_in.id)
        audit.record(actor, event, subject=f"sign_ins:{sign_in.id}", patient_id=account.patient_id, detail={"why": why})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
