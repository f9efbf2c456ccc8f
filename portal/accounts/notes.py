"""What changed about somebody's way in: told once when they sign in next, and kept for them to read for ninety days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update

from portal.accounts.models import Account, SecurityNote
from portal.actors import Actor, Role
from portal.clock import now
from portal.db import session, transaction

KEPT = timedelta(days=90)
WORDS = {
    "link-made": "The clinic made a link to get back into your account.",
    "code": "The clinic made a link to get into your account, and its code was sent to your e-mail address.",
    "code-shown": "The front desk saw the code for a patient's account, because that patient had lost the mailbox too. Look at the trail.",
    "staff-changed": "An administrator gave somebody an account here, or another role. Look at the list of staff or the audit trail.",
    "renewed": "A new password was set with a link from the clinic.",
    "factors-gone": "Your second steps were removed, because the clinic was told that you had lost them.",
    "role": "What you may do here was changed by an administrator.",
    "tied": "Your account was connected to a person of the clinic's own system: whoever signs in there as that person is you here.",
    "helper": "Somebody took up the link with which they answer for you. Who may do so, you find at People who answer for you.",
    "helping-ends": "Your time to answer for somebody ends soon. The page about whom you answer for says when.",
    "helping-over": "Your time to answer for somebody is over.",
    "password": "You changed your password.",
    "factor-added": "You added a second step.",
    "factor-removed": "You removed a second step.",
    "codes-made": "You made new recovery codes.",
    "code-used": "A recovery code was used to sign in.",
    "passkey-added": "You added a passkey.",
    "codes-tried": "Ten wrong codes were given at the second step, after the right password.",
    "locked": "Very many wrong passwords were tried for your account.",
}
"""What is told, as English msgids."""


@dataclass(frozen=True)
class Told:
    at: datetime
    sentence: str


def note(account: Account, what: str, *, read: bool) -> None:
    """Inside the caller's transaction; `read` when the person has just done it themself."""
    with transaction() as current:
        current.execute(delete(SecurityNote).where(SecurityNote.at < now() - KEPT))
        current.add(
            SecurityNote(
                clinic_id=account.clinic_id, account_id=account.id, at=now(), what=what, read_at=now() if read else None
            )
        )
        assert what in WORDS


def tell(clinic_id: str, roles: set[Role], what: str, but: set[str | None] | None = None) -> None:
    """The same to everybody of these roles who works here now. Inside the caller's transaction."""
    wanted = select(Account).where(
        Account.clinic_id == clinic_id,
        Account.role.in_([role.value for role in roles]),
        Account.suspended_at.is_(None),
        Account.password_hash != "",
    )
    for account in session().scalars(wanted):
        if account.id not in (but or set()):
            note(account, what, read=False)


def lately(account: Account, what: str, since: timedelta) -> bool:
    """Whether this was noted already within this time."""
    wanted = select(SecurityNote.id).where(
        SecurityNote.account_id == account.id, SecurityNote.what == what, SecurityNote.at > now() - since
    )
    return session().scalar(wanted.limit(1)) is not None


def unread(actor: Actor) -> list[Told]:
    """What happened since they were last here and they do not know yet."""
    return _told(actor, SecurityNote.read_at.is_(None))


def every(actor: Actor) -> list[Told]:
    return _told(actor)


def read(actor: Actor) -> None:
    with transaction() as current:
        mine = SecurityNote.account_id == actor.account_id
        current.execute(update(SecurityNote).where(mine, SecurityNote.read_at.is_(None)).values(read_at=now()))


def _told(actor: Actor, *more: ColumnElement[bool]) -> list[Told]:
    wanted = select(SecurityNote).where(SecurityNote.account_id == actor.account_id, *more)
    return [Told(row.at, WORDS[row.what]) for row in session().scalars(wanted.order_by(SecurityNote.at.desc()))]
