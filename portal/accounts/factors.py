"""The second factors of an account: what there is, what is added and removed, and that everything else is signed out then."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from portal.accounts import notes, passkeys, recovery_codes, sessions, totp
from portal.accounts.models import Account, Factor
from portal.accounts.passkeys import Asked, Site
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import session, transaction
from portal.errors import Conflict, NotFound

ADDED = {"app": "factor-added", "passkey": "passkey-added"}


@dataclass(frozen=True)
class Owned:
    """One factor as its owner reads it. `kind` is app or passkey."""

    id: str
    kind: str
    name: str
    made_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class Added:
    """A factor that counts from now on: the new token of this session, and the recovery codes when there were none."""

    token: str
    codes: list[str]


def of(account_id: str) -> list[Owned]:
    """The factors that count, the oldest first."""
    return [
        Owned(row.id, row.kind, row.held.get("name", ""), row.made_at, row.used_at) for row in _confirmed([account_id])
    ]


def kinds(account_id: str) -> set[str]:
    """Which kinds of second factor this account has; nothing is opened for it."""
    wanted = select(Factor.kind).where(Factor.account_id == account_id, Factor.confirmed_at.is_not(None))
    return set(session().scalars(wanted))


def having(account_ids: Iterable[str]) -> set[str]:
    """Those of these accounts that have a second factor."""
    wanted = select(Factor.account_id).where(Factor.account_id.in_(list(account_ids)), Factor.confirmed_at.is_not(None))
    return set(session().scalars(wanted))


def begin_app(actor: Actor) -> None:
    totp.begin(account_of(actor))


def confirm_app(actor: Actor, code: str) -> Added | None:
    """The app's first code: None when it is not right."""
    account = account_of(actor)
    waiting = totp.pending(account.id)
    if waiting is None:
        raise Conflict
    with transaction():
        return _added(actor, account, "app") if totp.confirm(waiting, code) else None


def ask_for_passkey(actor: Actor, site: Site) -> Asked:
    return passkeys.ask_to_make(account_of(actor), site)


def add_passkey(actor: Actor, challenge_id: str, answer: str, name: str, site: Site) -> Added | None:
    """A new passkey; None when it did not answer what it was asked."""
    account = account_of(actor)
    with transaction():
        right = passkeys.made(account, challenge_id, answer, name.strip()[:60] or "Passkey", site)
        return _added(actor, account, "passkey") if right else None


def remove(actor: Actor, factor_id: str, *, last_stays: bool) -> bool:
    """Take a factor away and end every other session; False when it is the last and has to stay. Anybody else's is left alone,
    like one that is gone already: both look the same."""
    account = account_of(actor)
    with transaction() as current:
        mine = _confirmed([account.id])
        row = next((each for each in mine if each.id == factor_id), None)
        if row is None:
            return True
        if last_stays and len(mine) == 1:
            return False
        current.delete(row)
        if len(mine) == 1:
            recovery_codes.drop(account.id)
        changed(actor, account, Event.FACTOR_REMOVED, "factor-removed", {"kind": row.kind})
        return True


def remove_all(account: Account) -> None:
    """Everything but the password is gone; for who lost it. Inside the caller's transaction, which audits it."""
    with transaction() as current:
        current.execute(delete(Factor).where(Factor.account_id == account.id))
        recovery_codes.drop(account.id)


def new_codes(actor: Actor) -> list[str]:
    """Ten new recovery codes; Conflict without a second factor that they could stand in for."""
    account = account_of(actor)
    with transaction():
        if not kinds(account.id):
            raise Conflict
        codes = recovery_codes.make(account)
        changed(actor, account, Event.RECOVERY_CODES_MADE, "codes-made", {})
        return codes


def account_of(actor: Actor) -> Account:
    found = session().get(Account, actor.account_id)
    if found is None:
        raise NotFound
    return found


def changed(actor: Actor, account: Account, event: Event, what: str, detail: dict[str, object]) -> None:
    """What every change of the way in brings: other sessions and open links end, it is written down and told."""
    sessions.end_all(account, "changed", but=actor.session_id)
    sessions.end_links(account)
    notes.note(account, what, read=True)
    audit.record(actor, event, subject=f"accounts:{account.id}", patient_id=account.patient_id, detail=detail)


def _added(actor: Actor, account: Account, kind: str) -> Added:
    codes = [] if recovery_codes.left(account.id) else recovery_codes.make(account)
    changed(actor, account, Event.FACTOR_ADDED, ADDED[kind], {"kind": kind})
    return Added(sessions.proved(actor, opened=True), codes)


def _confirmed(account_ids: Iterable[str]) -> list[Factor]:
    wanted = select(Factor).where(Factor.account_id.in_(list(account_ids)), Factor.confirmed_at.is_not(None))
    return list(session().scalars(wanted.order_by(Factor.made_at)))
