"""Server-side sessions: opaque, ended by sign-out, time or an administrator; time-outs are decided here only."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import bindparam, delete, exists, func, select, update

from portal import columns
from portal.accounts.models import Account, Clinic, Invitation, KeptPost, SignIn
from portal.accounts.proxy_models import ProxyGrant, State
from portal.actors import STAFF, Actor, Purpose, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import DataKey, know_key, session, transaction
from portal.settings import Settings

_TOUCH = timedelta(seconds=60)
KEPT = timedelta(days=30)
"""How long it is known from which device and place somebody was signed in."""
WAITS = timedelta(minutes=10)
"""How long somebody may take to find their second factor."""
PURPOSES = {Role.PATIENT: Purpose.PATIENT_REQUEST, Role.AUDITOR: Purpose.OPERATIONS}


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: idle by kind of person, and absolutely."""

    staff_idle: timedelta
    patient_idle: timedelta
    absolute: timedelta

    @classmethod
    def of(cls, config: Settings) -> Self:
        return cls(
            staff_idle=timedelta(minutes=config.staff_idle_minutes),
            patient_idle=timedelta(minutes=config.patient_idle_minutes),
            absolute=timedelta(hours=config.absolute_hours),
        )

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
    proved_at: datetime
    """when this person last proved who they are"""
    confined: bool = False
    """a member of staff who has to set up a second factor first, and may do nothing else"""
    answers: bool = False
    """whether this account was granted to answer for somebody: what of that holds now is looked up then"""
    kept: bool = False
    """whether something that came too late is kept for this account"""


@dataclass(frozen=True)
class Lapsed:
    """A session that ran out of time by itself: whose it was, so that what they typed can be kept for them."""

    account_id: str


class Stage(StrEnum):
    """How far a sign-in is."""

    FULL = "full"
    CODE = "code"
    SET_UP = "set-up"


def first_stage(*, need_two: bool) -> Stage:
    """Of somebody who has a password and nothing else."""
    return Stage.SET_UP if need_two else Stage.FULL


def begin(
    account: Account,
    how: str = "password",
    device: Mapping[str, str] | None = None,
    stage: Stage = Stage.FULL,
    told: Mapping[str, object] | None = None,
) -> str:
    """A new session for `account`; returns the token for the cookie (256 bits), of which only the hash is kept.

    `told` is what else the trail is to know of how they came in.

    One that waits for its second factor is no sign-in yet: it is not audited as one and opens no page.
    """
    token = secrets.token_urlsafe(32)
    with transaction() as current:
        _tidy(account)
        sign_in = SignIn(
            clinic_id=account.clinic_id,
            account_id=account.id,
            owner_id=account.owner,
            token_hash=_hash(token),
            began_at=now(),
            seen_at=now(),
            proved_at=now(),
            stage=stage.value,
            how=how,
            device=dict(device) if device else None,
        )
        current.add(sign_in)
        if stage is not Stage.CODE:
            audit.record(
                actor_of(account, sign_in.id),
                Event.SIGNED_IN,
                subject=f"sign_ins:{sign_in.id}",
                patient_id=account.patient_id,
                detail={"how": how, **(told or {})},
            )
    return token


def seen_from(token: str, device: Mapping[str, str]) -> None:
    """Where the session behind this token was begun, when whoever began it could not say."""
    with transaction() as current:
        current.scalars(select(SignIn).where(SignIn.token_hash == _hash(token))).one().device = dict(device)


def _tidy(account: Account) -> None:
    """Second steps that nobody took are gone, and after a month so is where somebody was signed in from."""
    mine = SignIn.account_id == account.id
    with transaction() as current:
        current.execute(delete(SignIn).where(mine, SignIn.stage == Stage.CODE.value, SignIn.began_at < now() - WAITS))
        current.execute(update(SignIn).where(mine, SignIn.seen_at < now() - KEPT).values(device_sealed=None))


def waiting(token: str | None) -> tuple[SignIn, Account] | None:
    """The sign-in behind this token that waits for its second factor, for ten minutes at most."""
    row = session().execute(_BEHIND, {"token_hash": _hash(token or "")}).one_or_none()
    if row is None:
        return None
    sign_in, account = row
    open_still = sign_in.stage == Stage.CODE and sign_in.ended_at is None and now() < sign_in.began_at + WAITS
    return (sign_in, account) if open_still and account.suspended_at is None else None


_BEHIND = (
    select(SignIn, Account)
    .join(Account, Account.id == SignIn.account_id)
    .where(SignIn.token_hash == bindparam("token_hash"))
)
_OWNER = func.coalesce(Account.patient_id, Account.clinic_id)
_LIVE = (
    select(
        SignIn.id,
        SignIn.stage,
        SignIn.began_at,
        SignIn.seen_at,
        SignIn.proved_at,
        SignIn.ended_at,
        SignIn.ended_why,
        Account.id.label("account_id"),
        Account.clinic_id,
        Account.role,
        Account.patient_id,
        Account.suspended_at,
        Account.profile_sealed,
        Clinic.name,
        Clinic.phone,
        Clinic.timezone,
        Clinic.slug,
        _OWNER.label("owner"),
        select(DataKey.wrapped).where(DataKey.owner == _OWNER).scalar_subquery().label("data_key"),
        exists().where(ProxyGrant.account_id == Account.id, ProxyGrant.state == State.ACTIVE.value).label("answers"),
        exists().where(KeptPost.account_id == Account.id).label("kept"),
    )
    .join(Account, Account.id == SignIn.account_id)
    .join(Clinic, Clinic.id == SignIn.clinic_id)
    .where(SignIn.token_hash == bindparam("token_hash"))
)
"""Everything that a request wants to know of who asks, in one statement."""


def resume(token: str, limits: Limits) -> Resumed | Lapsed | None:
    """The session behind a cookie; None when it never was or was ended on purpose, Lapsed when its time ran out."""
    row = columns.ask(_LIVE, token_hash=_hash(token)).one_or_none()
    if row is None or row.stage == Stage.CODE:
        return None
    if row.ended_at is not None or row.suspended_at is not None:
        return Lapsed(row.account_id) if row.ended_why == "time-out" and row.suspended_at is None else None
    at, idle = now(), limits.idle(Role(row.role))
    if at >= min(row.seen_at + idle, row.began_at + limits.absolute):
        _end(session().get_one(SignIn, row.id), session().get_one(Account, row.account_id), "time-out")
        return Lapsed(row.account_id)
    seen_at = row.seen_at
    if at - seen_at > _TOUCH:
        seen_at = at
        with transaction() as current:
            current.execute(update(SignIn).where(SignIn.id == row.id).values(seen_at=at))
    ends = min(seen_at + idle, row.began_at + limits.absolute)
    place = Place(row.name, row.phone, row.timezone, row.slug)
    confined = row.stage == Stage.SET_UP
    return Resumed(_actor(row), place, ends, row.proved_at, confined, bool(row.answers), bool(row.kept))


def _actor(row: Any) -> Actor:
    know_key(row.owner, row.data_key)
    profile = Account.profile.opened(row.account_id, row.owner, row.profile_sealed)
    return _made(Role(row.role), row.clinic_id, row.account_id, row.patient_id, profile, row.id)


def went_on(sign_in_id: str) -> None:
    """The second step was taken: this one opens nothing any more, a new session does."""
    with transaction() as current:
        current.execute(delete(SignIn).where(SignIn.id == sign_in_id))


def end(actor: Actor, why: str = "signed-out") -> None:
    sign_in = session().get(SignIn, actor.session_id)
    account = session().get(Account, actor.account_id)
    if sign_in is not None and account is not None and sign_in.ended_at is None:
        _end(sign_in, account, why)


def end_all(account: Account, why: str, but: str | None = None) -> None:
    """Every session of an account ends, `but` this one; inside the caller's transaction."""
    with transaction() as current:
        current.execute(
            update(SignIn)
            .where(SignIn.account_id == account.id, SignIn.ended_at.is_(None), SignIn.id != (but or ""))
            .values(ended_at=now(), ended_why=why)
        )


def end_links(account: Account) -> None:
    """Links back into this account that are still open lead nowhere from now on; inside the caller's transaction."""
    with transaction() as current:
        current.execute(
            update(Invitation)
            .where(Invitation.account_id == account.id, Invitation.used_at.is_(None))
            .values(expires_at=now())
        )


def proved(actor: Actor, *, opened: bool = False) -> str:
    """They proved again who they are: the session goes on under a new token. `opened`: and it opens every page now."""
    token = secrets.token_urlsafe(32)
    with transaction() as current:
        sign_in = current.get_one(SignIn, actor.session_id)
        sign_in.token_hash, sign_in.proved_at = _hash(token), now()
        if opened:
            sign_in.stage = Stage.FULL.value
    return token


def actor_of(account: Account, session_id: str | None) -> Actor:
    role = Role(account.role)
    return _made(role, account.clinic_id, account.id, account.patient_id, account.profile, session_id)


def _made(
    role: Role,
    clinic_id: str,
    account_id: str,
    patient_id: str | None,
    profile: Mapping[str, str],
    session_id: str | None,
) -> Actor:
    return Actor(
        role=role,
        clinic_id=clinic_id,
        account_id=account_id,
        patient_id=patient_id,
        name=profile["name"],
        purpose=PURPOSES.get(role, Purpose.TREATMENT),
        session_id=session_id,
        language=profile.get("language", "en"),
    )


def _end(sign_in: SignIn, account: Account, why: str) -> None:
    with transaction():
        sign_in.ended_at, sign_in.ended_why = now(), why
        event = Event.SIGNED_OUT if why == "signed-out" else Event.SESSION_ENDED
        actor = actor_of(account, sign_in.id)
        audit.record(actor, event, subject=f"sign_ins:{sign_in.id}", patient_id=account.patient_id, detail={"why": why})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
