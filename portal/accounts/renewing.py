"""Back into an account: a link from the clinic, a code told another way, and what only its owner knows; or a new password.

A way back is never weaker than the way in: a second factor stays asked for, unless the clinic was told that it is lost.

Whoever makes a link must not be able to use it. Where messages are sent, the code goes to the owner's own address and is shown to nobody:
the link alone opens nothing, nor does the mailbox. Only the front desk can have a code shown, for a patient who has lost the mailbox too
and stands before them; it is written down, and the patient and the privacy officers are told.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from portal import db
from portal.accounts import factors, notes, passwords, recovery_codes, sessions, throttle
from portal.accounts import service as accounts
from portal.accounts.devices import NOWHERE, Arrival
from portal.accounts.models import Account, Invitation, Patient
from portal.actors import Actor, Permission, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Gone, Issue, NotAllowed, NotFound

GROUPS = 2
OPEN_FOR = timedelta(minutes=30)
STAFF_OPEN_FOR = timedelta(days=3)
"""A new member of staff may begin on Monday; without the code, which is told another way, the link is worth nothing."""


@dataclass(frozen=True)
class WayBack:
    """Shown once and kept nowhere: the link's token and the code that is told another way; "" when its owner alone is told."""

    token: str
    code: str
    name: str
    email: str
    open_for: timedelta


@dataclass(frozen=True)
class Asks:
    """What the page behind a link asks for, and whose clinic it is."""

    clinic_id: str
    birth_date: bool
    first_time: bool
    shortest: int


def of_patient(actor: Actor, patient_id: str) -> Account | None:
    """The account of a patient of the clinic, for who may invite. NotFound for anybody else's. Audited."""
    if not actor.may(Permission.INVITE):
        raise NotAllowed
    patient = accounts.patient(actor, patient_id)
    audit.seen(actor, Event.ACCOUNT_SEEN, subject=f"patients:{patient.id}", patient_id=patient.id)
    return session().scalars(select(Account).where(Account.patient_id == patient.id)).one_or_none()


def offer(
    actor: Actor, account: Account, *, factors_too: bool, open_for: timedelta = OPEN_FOR, send: bool = False
) -> WayBack:
    """A way back into this account; an older one ends. `send`: the code goes to the owner's address and to nobody else. The caller
    has asked whether the actor may. Inside a transaction."""
    token, row_id = secrets.token_urlsafe(32), db.new_id()
    code = _code_of(row_id) if send else recovery_codes.new_code(GROUPS)
    with transaction() as current:
        sessions.end_links(account)
        row = Invitation(
            id=row_id,
            clinic_id=account.clinic_id,
            account_id=account.id,
            patient_id=account.patient_id,
            code_index=_code(token, code),
            factors_too=factors_too,
            code_sent=send,
            token_hash=_hash(token),
            made_at=now(),
            expires_at=now() + open_for,
            failures=0,
        )
        current.add(row)
        throttle.forget(account.email_index)
        notes.note(account, "code" if send else "link-made", read=False)
        audit.record(
            actor,
            Event.RECOVERY_OFFERED,
            subject=f"invitations:{row.id}",
            patient_id=account.patient_id,
            detail={"factors": factors_too, "code": "sent" if send else "shown"},
        )
    return WayBack(token, "" if send else code, account.profile["name"], account.profile["email"], open_for)


def offer_patient(
    actor: Actor, patient_id: str, *, factors_too: bool, messages: bool = False, shown: bool = False
) -> WayBack:
    """For a patient who called or stands at the desk; with `messages` the code goes to their address, unless it is to be `shown`.
    NotFound without an account."""
    with transaction():
        account = of_patient(actor, patient_id)
        if account is None:
            raise NotFound
        if messages and shown:
            notes.tell(account.clinic_id, {Role.PRIVACY_OFFICER}, "code-shown")
        return offer(actor, account, factors_too=factors_too, send=messages and not shown)


def code_to_send(actor: Actor, account_id: str) -> str:
    """The code of the link that this account has now, for the message to its owner; "" when there is none any more."""
    if actor.role is not Role.SYSTEM:
        raise NotAllowed
    wanted = select(Invitation.id).where(
        Invitation.account_id == account_id,
        Invitation.clinic_id == actor.clinic_id,
        Invitation.code_sent,
        Invitation.used_at.is_(None),
        Invitation.expires_at > now(),
    )
    row_id = session().scalar(wanted)
    return _code_of(row_id) if row_id else ""


def asks(token: str, *, staff_need_two: bool) -> Asks:
    """What the page behind this link asks for; looking never uses it up. Gone for any other token, whatever the reason."""
    _, account = _open(token)
    shortest = passwords.shortest(Role(account.role), staff_need_two=staff_need_two)
    return Asks(account.clinic_id, account.patient_id is not None, not account.password_hash, shortest)


def renew(
    token: str,
    code: str,
    birth_date: str | None,
    password: str,
    *,
    staff_need_two: bool,
    arrival: Arrival = NOWHERE,
) -> list[Issue]:
    """Set a new password: every session ends, the link too, and the person signs in with it.

    Five wrong answers end the link, and sixty in a quarter of an hour from one source stop that source (TooMany).
    """
    throttle.check_source(arrival)
    with transaction():
        row, account = _open(token)
        if not _right(row, token, code, birth_date):
            throttle.failed_source(arrival)
            row.failures += 1
            audit.record(
                system(row.clinic_id, "Somebody with the link"),
                Event.INVITATION_FAILED,
                subject=f"invitations:{row.id}",
                patient_id=row.patient_id,
                outcome=Outcome.MINOR,
            )
            return [Issue("code", "wrong", WRONG_WITH_DAY if row.patient_id else WRONG)]
        found = _issues(account, password, staff_need_two)
        if found:
            return found
        if row.factors_too:
            factors.remove_all(account)
            notes.note(account, "factors-gone", read=False)
        row.used_at = now()
        _set(account, password, "renewed")
        audit.record(
            sessions.actor_of(account, None),
            Event.RECOVERED,
            subject=f"accounts:{account.id}",
            patient_id=account.patient_id,
            detail={"factors": row.factors_too},
        )
        return []


def change(actor: Actor, password: str, *, staff_need_two: bool) -> list[Issue]:
    """A new password by somebody who has just proved that it is them; their other sessions end."""
    account = factors.account_of(actor)
    found = _issues(account, password, staff_need_two)
    if not found:
        with transaction():
            account.password_hash = passwords.hashed(password)
            factors.changed(actor, account, Event.PASSWORD_SET, "password", {})
    return found


WRONG = "The code is not right. Check it and try again."
WRONG_WITH_DAY = "The code or the date of birth is not right. Check both and try again."


def _set(account: Account, password: str, why: str) -> None:
    account.password_hash = passwords.hashed(password)
    sessions.end_all(account, why)
    sessions.end_links(account)
    throttle.forget(account.email_index)
    notes.note(account, why, read=False)


def _issues(account: Account, password: str, staff_need_two: bool) -> list[Issue]:
    known = (account.profile["name"], account.profile["email"], accounts.clinic(account.clinic_id).name)
    return passwords.issues(password, known, passwords.shortest(Role(account.role), staff_need_two=staff_need_two))


def _open(token: str) -> tuple[Invitation, Account]:
    """In one statement, whatever comes of it."""
    wanted = select(Invitation, Account).join(Account, Account.id == Invitation.account_id)
    found = session().execute(wanted.where(Invitation.token_hash == _hash(token))).one_or_none()
    if found is None:
        raise Gone
    row, account = found
    over = row.used_at or row.expires_at <= now() or row.failures >= accounts.MOST_FAILURES
    if over or account.suspended_at is not None:
        raise Gone
    return row, account


def _right(row: Invitation, token: str, code: str, birth_date: str | None) -> bool:
    """Both are looked at, so that a wrong code and a wrong date of birth take as long and look the same."""
    code_right = secrets.compare_digest(row.code_index or "", _code(token, code))
    if row.patient_id is None:
        return code_right
    known = session().get_one(Patient, row.patient_id).person.get("birthDate") or ""
    return secrets.compare_digest(known.encode(), (birth_date or "-").encode()) and code_right


def _code(token: str, code: str) -> str:
    return db.keys().blind("way-back", f"{token}|{recovery_codes.plain(code)}")


def _code_of(row_id: str) -> str:
    """Eight letters that only who has the keys can work out."""
    number, letters = int(db.keys().blind("way-back-code", row_id), 16), []
    for _ in range(GROUPS * recovery_codes.GROUP):
        number, at = divmod(number, len(recovery_codes.LETTERS))
        letters.append(recovery_codes.LETTERS[at])
    return "-".join(
        "".join(letters[at : at + recovery_codes.GROUP]) for at in range(0, len(letters), recovery_codes.GROUP)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
