"""Where a patient can be written to: their own account, else who answers for them, else the address the clinic has of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from portal.accounts import notes, proxies, service, throttle
from portal.accounts.models import Account, SecurityNote
from portal.actors import Actor, Scope
from portal.db import session, transaction


@dataclass(frozen=True)
class Reach:
    """`email` may be empty: then nobody can write. `has_account`: somebody can sign in for this patient already."""

    email: str
    language: str
    has_account: bool


def reach(actor: Actor, patient_ids: set[str]) -> dict[str, Reach]:
    """By patient id, for the clinic's staff and the system."""
    people = service.patients(actor, patient_ids)
    helped = {key: account for key, account in proxies.helpers(actor.clinic_id, Scope.FORMS).items() if key in people}
    accounts = session().scalars(
        select(Account).where(
            Account.clinic_id == actor.clinic_id,
            Account.suspended_at.is_(None),
            Account.patient_id.in_(people) | Account.id.in_(helped.values()),
        )
    )
    known = {account.id: account for account in accounts}
    own = {account.patient_id: account for account in known.values() if account.patient_id}
    return {key: _reach(own.get(key) or known.get(helped.get(key, "")), row.person) for key, row in people.items()}


@dataclass(frozen=True)
class Alert:
    """Something about the way into an account that its owner is told by e-mail; `what` as in notes.WORDS."""

    id: str
    account_id: str
    patient_id: str | None
    what: str
    at: datetime


def alerts(actor: Actor, since: datetime) -> list[Alert]:
    """What happened to the clinic's accounts since then. First it is noted who is shut out by guessing."""
    _note_shut(actor)
    return _alerts(actor, SecurityNote.at >= since, (Account.password_hash != "") | (SecurityNote.what == "code"))


def alert(actor: Actor, alert_id: str) -> Alert | None:
    return next(iter(_alerts(actor, SecurityNote.id == alert_id)), None)


def reach_owner(actor: Actor, account_id: str) -> Reach | None:
    """Where the owner of an account is written to; None for one that is not of this clinic, or of somebody who has left."""
    wanted = select(Account).where(
        Account.id == account_id, Account.clinic_id == actor.clinic_id, Account.left_at.is_(None)
    )
    found = session().scalars(wanted).one_or_none()
    return _reach(found, {}) if found else None


def _alerts(actor: Actor, *more: ColumnElement[bool]) -> list[Alert]:
    wanted = (
        select(SecurityNote.id, SecurityNote.account_id, Account.patient_id, SecurityNote.what, SecurityNote.at)
        .join(Account, Account.id == SecurityNote.account_id)
        .where(SecurityNote.clinic_id == actor.clinic_id, *more)
    )
    return [Alert(*row) for row in session().execute(wanted.order_by(SecurityNote.at))]


def _note_shut(actor: Actor) -> None:
    """Once a day at most for each account."""
    known = select(Account.email_index).where(Account.clinic_id == actor.clinic_id)
    if not throttle.much():
        return
    for index in throttle.shut(session().scalars(known)):
        with transaction() as current:
            account = current.scalars(
                select(Account).where(Account.clinic_id == actor.clinic_id, Account.email_index == index)
            ).one()
            if not notes.lately(account, "locked", throttle.DAY):
                notes.note(account, "locked", read=False)


def _reach(account: Account | None, person: Any) -> Reach:
    said = account.profile if account else person
    return Reach(str(said.get("email") or ""), str(said.get("language") or "en"), account is not None)
