"""Step-up: before something that cannot be undone by its owner alone, a person proves again that it is still them."""

from portal.accounts import entering, factors, notes, passkeys, passwords, sessions, throttle
from portal.accounts.devices import Arrival
from portal.accounts.models import Account
from portal.accounts.passkeys import Asked, Site
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.db import transaction


def by_password(actor: Actor, password: str, code: str, arrival: Arrival) -> str | None:
    """The session's new token when the password (and, where there is a second factor, the code) is right; else None."""
    account = factors.account_of(actor)
    throttle.check(account.email_index, arrival)
    throttle.check_factor(account.id)
    with transaction():
        if not passwords.matches(password, account.password_hash):
            throttle.failed(account.email_index, arrival)
            _refused(actor, account, "password")
            return None
        if factors.kinds(account.id) and entering.right_code(account, code) is None:
            if throttle.failed_factor(account.id):
                notes.note(account, "codes-tried", read=False)
            _refused(actor, account, "code")
            return None
        return _proved(actor, account, "password")


def ask_passkey(actor: Actor, site: Site) -> Asked:
    return passkeys.ask(actor.clinic_id, site, actor.account_id)


def by_passkey(actor: Actor, challenge_id: str, answer: str, site: Site) -> str | None:
    account = factors.account_of(actor)
    with transaction():
        found = passkeys.answered(actor.clinic_id, challenge_id, answer, site, actor.account_id)
        if found is None:
            _refused(actor, account, "passkey")
            return None
        return _proved(actor, account, "passkey")


def _proved(actor: Actor, account: Account, how: str) -> str:
    audit.record(
        actor,
        Event.PROVED_AGAIN,
        subject=f"accounts:{account.id}",
        patient_id=account.patient_id,
        detail={"how": how},
    )
    return sessions.proved(actor)


def _refused(actor: Actor, account: Account, how: str) -> None:
    audit.record(
        actor,
        Event.PROVED_AGAIN,
        subject=f"accounts:{account.id}",
        patient_id=account.patient_id,
        detail={"how": how},
        outcome=Outcome.MINOR,
    )
