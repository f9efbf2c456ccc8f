"""People who come in through the clinic's own sign-in: whose account it is, and a session for them."""

from sqlalchemy import select

from portal import db
from portal.accounts import notes, sessions
from portal.accounts.models import Account
from portal.actors import STAFF, Actor, Permission
from portal.db import session
from portal.errors import NotAllowed, NotFound


def of_patient(clinic_id: str, patient_id: str) -> str | None:
    """The account of a patient of this clinic, or None when they have none yet."""
    wanted = select(Account.id).where(Account.patient_id == patient_id, Account.clinic_id == clinic_id)
    return session().scalar(wanted)


def staff_account(actor: Actor, email: str) -> str | None:
    """The account of the member of staff with this e-mail address, for an administrator who names somebody."""
    if not actor.may(Permission.MANAGE_CONNECTIONS):
        raise NotAllowed
    index = db.keys().blind("email", email.strip().casefold())
    wanted = select(Account.id).where(
        Account.clinic_id == actor.clinic_id,
        Account.email_index == index,
        Account.role.in_([role.value for role in STAFF]),
    )
    return session().scalar(wanted)


def staff_profiles(actor: Actor, account_ids: set[str]) -> dict[str, tuple[str, str]]:
    """(name, e-mail) of members of staff, by account."""
    if not actor.may(Permission.MANAGE_CONNECTIONS):
        raise NotAllowed
    rows = select(Account).where(
        Account.id.in_(account_ids), Account.clinic_id == actor.clinic_id, Account.patient_id.is_(None)
    )
    return {row.id: (row.profile["name"], row.profile["email"]) for row in session().scalars(rows)}


def tied(clinic_id: str, account_id: str) -> None:
    """Another way into this account there is now, because its owner said so; they are written to. Inside the caller's transaction."""
    account = session().get(Account, account_id)
    if account is None or account.clinic_id != clinic_id:
        raise NotFound
    notes.note(account, "tied", read=True)


def enter(clinic_id: str, account_id: str, means: frozenset[str] = frozenset()) -> str | None:
    """A session for an account whose owner the clinic's own system has signed in; None when the account is suspended or gone.

    The clinic's sign-in counts as ours, second factors included: it decides how its people prove who they are. `means` is what it
    says of that (acr, amr), which is written down.
    """
    account = session().get(Account, account_id)
    if account is None or account.clinic_id != clinic_id or account.suspended_at is not None:
        return None
    return sessions.begin(account, "clinic", told={"means": sorted(means)} if means else {})
