"""Signing in: a password and, where the account has one, a second factor; or a passkey, which is both."""

from dataclasses import dataclass
from typing import NoReturn

from portal.accounts import factors, notes, passkeys, passwords, recovery_codes, sessions, throttle, totp
from portal.accounts import service as accounts
from portal.accounts.devices import Arrival
from portal.accounts.models import Account
from portal.accounts.passkeys import Asked, Site
from portal.accounts.sessions import Stage
from portal.actors import STAFF, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.db import session, transaction
from portal.errors import Gone


@dataclass(frozen=True)
class Entered:
    """Somebody is in (`token`), or at the second step (`waits`: a token that opens nothing yet). `known` is a word for this
    browser's cookie, by which guessing from elsewhere does not shut it out."""

    token: str = ""
    waits: str = ""
    known: str = ""


def by_password(
    clinic_id: str,
    email: str,
    password: str,
    arrival: Arrival,
    *,
    staff_need_two: bool = False,
    patients_need_two: bool = False,
) -> Entered | None:
    """None for a wrong password, an unknown address and a suspended account: they look the same and take as long."""
    index = accounts.email_index(email)
    throttle.check(index, arrival)
    account = accounts.by_email(clinic_id, email)
    found = (
        account.id if account else None
    )  # read now: after the next commit it would be one statement more than for nobody
    right = passwords.matches(password, account.password_hash if account else None)
    if account is None or not right or account.suspended_at is not None:
        throttle.failed(index, arrival)
        _failed(clinic_id, found, "password")
        return None
    throttle.succeeded(index, arrival)
    if factors.kinds(account.id):
        return Entered(waits=sessions.begin(account, "password", arrival.device, Stage.CODE))
    confined = staff_need_two if Role(account.role) in STAFF else patients_need_two
    token = sessions.begin(account, "password", arrival.device, Stage.SET_UP if confined else Stage.FULL)
    return Entered(token, known=throttle.known_browser(index))


def second_step(waits: str | None) -> set[str]:
    """What the person at the second step can show: app, passkey. Gone when they took too long, or never came this far."""
    return factors.kinds(_waiting(waits)[1])


def clinic_of(waits: str | None) -> str:
    """The clinic of the person at the second step."""
    return session().get_one(Account, _waiting(waits)[1]).clinic_id


def by_code(waits: str | None, code: str, arrival: Arrival) -> Entered | None:
    """A code of the app or a recovery code after the right password; None when it is neither."""
    sign_in_id, account_id = _waiting(waits)
    throttle.check_factor(account_id)
    account = session().get_one(Account, account_id)
    with transaction():
        how = right_code(account, code)
        if how is None:
            if throttle.failed_factor(account.id):
                notes.note(account, "codes-tried", read=False)
            _failed(account.clinic_id, account.id, "code")
            return None
        sessions.went_on(sign_in_id)
        token = sessions.begin(account, f"password+{how}", arrival.device)
    return Entered(token, known=throttle.known_browser(account.email_index))


def right_code(account: Account, code: str) -> str | None:
    """app or recovery, whichever this code is of; it is used up now. Counting wrong ones is the caller's."""
    if totp.accept(account.id, code):
        return "app"
    if factors.kinds(account.id) and recovery_codes.use(account.id, code):
        notes.note(account, "code-used", read=True)
        return "recovery"
    return None


def ask_passkey(clinic_id: str, site: Site, arrival: Arrival) -> Asked:
    throttle.check_source(arrival)
    return passkeys.ask(clinic_id, site)


def by_passkey(clinic_id: str, challenge_id: str, answer: str, site: Site, arrival: Arrival) -> Entered | None:
    """A passkey opens by itself; None for one that is unknown here, of a suspended account or that did not answer right."""
    throttle.check_source(arrival)
    with transaction():
        factor = passkeys.answered(clinic_id, challenge_id, answer, site)
        account = session().get_one(Account, factor.account_id) if factor else None
        if account is None or account.suspended_at is not None:
            throttle.failed_source(arrival)
            _failed(clinic_id, account.id if account else None, "passkey")
            return None
        token = sessions.begin(account, "passkey", arrival.device)
    return Entered(token, known=throttle.known_browser(account.email_index))


def _waiting(waits: str | None) -> tuple[str, str]:
    found = sessions.waiting(waits)
    return (found[0].id, found[1].id) if found else _too_late()


def _too_late() -> NoReturn:
    raise Gone


def _failed(clinic_id: str, account_id: str | None, what: str) -> None:
    with transaction():
        audit.record(
            system(clinic_id, "Somebody"),
            Event.SIGN_IN_FAILED,
            subject=f"accounts:{account_id or 'unknown'}",
            detail={"what": what},
            outcome=Outcome.MINOR,
        )
