"""Who works here: invite, give another role, suspend, bring back, let go. Administrators only, never about themselves."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from portal.accounts import factors, notes, renewing, sessions
from portal.accounts import service as accounts
from portal.accounts.models import Account, SignIn
from portal.accounts.renewing import STAFF_OPEN_FOR, WayBack
from portal.actors import STAFF, Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Issue, NotAllowed, NotFound


@dataclass(frozen=True)
class Member:
    """One member of staff as an administrator sees them. `state`: active, invited, suspended or left."""

    id: str
    name: str
    email: str
    role: Role
    state: str
    second_factor: bool
    last_seen: datetime | None
    me: bool


@dataclass(frozen=True)
class Hired:
    """An account and its way in, shown once; or what has to be mended."""

    way: WayBack | None
    issues: list[Issue]


def members(actor: Actor) -> list[Member]:
    """Everybody who works here, who left last."""
    rows = session().scalars(select(Account).where(*_staff_of(actor))).all()
    ids = [row.id for row in rows]
    seen = select(SignIn.account_id, func.max(SignIn.seen_at)).where(SignIn.account_id.in_(ids))
    last = {account_id: at for account_id, at in session().execute(seen.group_by(SignIn.account_id))}
    having = factors.having(ids)
    found = [_member(actor, row, row.id in having, last.get(row.id)) for row in rows]
    return sorted(found, key=lambda each: (each.state == "left", each.name.casefold()))


def member(actor: Actor, account_id: str) -> Member:
    row = _one(actor, account_id)
    return _member(actor, row, bool(factors.kinds(row.id)), None)


WATCHERS = {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER}
"""Who is told when somebody may do more than before: one administrator alone makes nobody unnoticed."""


def hire(actor: Actor, name: str, email: str, role: str, *, messages: bool = False) -> Hired:
    """A new account without a password; its way in is a link and a code, which with `messages` goes to their address only."""
    issues = _issues(name, email, role)
    if not actor.may(Permission.MANAGE_STAFF):
        raise NotAllowed
    if issues:
        return Hired(None, issues)
    with transaction() as current:
        if accounts.by_email(actor.clinic_id, email) is not None:
            return Hired(None, [Issue("email", "taken", "Somebody already signs in with this address.")])
        account = Account(
            clinic_id=actor.clinic_id,
            role=Role(role).value,
            patient_id=None,
            email_index=accounts.email_index(email),
            password_hash="",
            made_at=now(),
            profile={"name": " ".join(name.split()), "email": email.strip(), "language": "en"},
        )
        current.add(account)
        current.flush()
        _note(actor, Event.STAFF_ADDED, account, {"role": role})
        notes.tell(actor.clinic_id, WATCHERS, "staff-changed", but={actor.account_id, account.id})
        return Hired(_link(actor, account, messages), [])


def way_back(actor: Actor, account_id: str, *, messages: bool = False) -> WayBack:
    """A new link for somebody who cannot get in; using it takes their second factor away, and they set up another. With `messages`
    the code goes to their address only, so that who makes the link cannot come in as them."""
    with transaction():
        account = _other(actor, account_id)
        if account.suspended_at is not None:
            raise Conflict
        return _link(actor, account, messages)


def _link(actor: Actor, account: Account, messages: bool) -> WayBack:
    return renewing.offer(actor, account, factors_too=True, open_for=STAFF_OPEN_FOR, send=messages)


def give_role(actor: Actor, account_id: str, role: str) -> None:
    """Another role from the next request on; they sign in again."""
    with transaction():
        account = _other(actor, account_id)
        if role not in {each.value for each in STAFF}:
            raise NotAllowed
        if account.role == role:
            return
        was, account.role = account.role, role
        sessions.end_all(account, "role")
        notes.note(account, "role", read=False)
        notes.tell(actor.clinic_id, WATCHERS, "staff-changed", but={actor.account_id, account.id})
        _note(actor, Event.STAFF_CHANGED, account, {"role": role, "was": was})


def suspend(actor: Actor, account_id: str, *, left: bool) -> None:
    """Out on the next request. Who `left` keeps no way in: bringing them back takes a new link."""
    with transaction():
        account = _other(actor, account_id)
        account.suspended_at = account.suspended_at or now()
        sessions.end_all(account, "suspended")
        sessions.end_links(account)
        if left:
            account.left_at, account.password_hash = now(), ""
            factors.remove_all(account)
        _note(actor, Event.STAFF_SUSPENDED, account, {"left": left})


def restore(actor: Actor, account_id: str) -> None:
    with transaction():
        account = _other(actor, account_id)
        if account.suspended_at is None:
            return
        account.suspended_at = account.left_at = None
        _note(actor, Event.STAFF_RESTORED, account, {})


def _member(actor: Actor, row: Account, second_factor: bool, last_seen: datetime | None) -> Member:
    state = "left" if row.left_at else "suspended" if row.suspended_at else "active" if row.password_hash else "invited"
    profile = row.profile
    return Member(
        row.id,
        profile["name"],
        profile["email"],
        Role(row.role),
        state,
        second_factor,
        last_seen,
        row.id == actor.account_id,
    )


def _staff_of(actor: Actor) -> list[ColumnElement[bool]]:
    if not actor.may(Permission.MANAGE_STAFF):
        raise NotAllowed
    return [Account.clinic_id == actor.clinic_id, Account.role.in_([role.value for role in STAFF])]


def _one(actor: Actor, account_id: str) -> Account:
    found = session().scalars(select(Account).where(Account.id == account_id, *_staff_of(actor))).one_or_none()
    if found is None:
        raise NotFound
    return found


def _other(actor: Actor, account_id: str) -> Account:
    """Somebody else: so there is always an administrator left, and nobody raises themself."""
    if account_id == actor.account_id:
        raise NotAllowed("Ask another administrator to change your own account.")
    return _one(actor, account_id)


def _issues(name: str, email: str, role: str) -> list[Issue]:
    wrong = {
        "name": (not name.strip(), "Enter their name"),
        "email": ("@" not in email.strip("@ "), "Enter an e-mail address, like name@example.org"),
        "role": (role not in {each.value for each in STAFF}, "Choose what they do here"),
    }
    return [Issue(where, "wrong", words) for where, (is_wrong, words) in wrong.items() if is_wrong]


def _note(actor: Actor, event: Event, account: Account, detail: dict[str, object]) -> None:
    audit.record(actor, event, subject=f"accounts:{account.id}", detail=detail)
