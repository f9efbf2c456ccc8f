"""The code of an authenticator app (RFC 6238): each code opens once, and an older one never again after a newer."""

import base64
import secrets
from datetime import timedelta
from typing import Any, cast

from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import CursorResult, delete, select, update

from portal.accounts.models import Account, Factor
from portal.accounts.service import email_index
from portal.clock import now
from portal.db import session, transaction

SECONDS, DIGITS = 30, 6
DRIFT = 1
OPEN_FOR = timedelta(hours=1)


def begin(account: Account) -> None:
    """A new secret for an app, which counts only once a code of it was given; replaces one that never was confirmed."""
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    with transaction() as current:
        current.execute(
            delete(Factor).where(Factor.account_id == account.id, Factor.kind == "app", Factor.confirmed_at.is_(None))
        )
        made = Factor(
            clinic_id=account.clinic_id,
            account_id=account.id,
            owner_id=account.owner,
            kind="app",
            made_at=now(),
            step=0,
            held={"secret": secret},
        )
        current.add(made)


def pending(account_id: str) -> Factor | None:
    """The app that is being set up, if any."""
    wanted = select(Factor).where(
        Factor.account_id == account_id,
        Factor.kind == "app",
        Factor.confirmed_at.is_(None),
        Factor.made_at > now() - OPEN_FOR,
    )
    return session().scalars(wanted).one_or_none()


def address(factor: Factor, email: str, issuer: str) -> str:
    """The otpauth:// address that a QR code holds. It is the secret: shown to its owner once, kept nowhere else."""
    return _totp(factor).get_provisioning_uri(email, issuer)


def accept(account_id: str, code: str) -> bool:
    """Whether a confirmed app of this account shows this code and it was not used before."""
    wanted = select(Factor).where(
        Factor.account_id == account_id, Factor.kind == "app", Factor.confirmed_at.is_not(None)
    )
    return any(_accepted(factor, code) for factor in session().scalars(wanted).all())


def confirm(factor: Factor, code: str) -> bool:
    """Whether the new app shows this code: from now on it counts."""
    if not _accepted(factor, code):
        return False
    with transaction():
        factor.confirmed_at = now()
    return True


def current_code(factor: Factor) -> str:
    """What the app shows now; for the demo's command and for tests."""
    return _totp(factor).generate(int(now().timestamp())).decode()


def shown(clinic_id: str, email: str) -> str | None:
    """What the newest app of this person shows now; for the demo's command."""
    wanted = (
        select(Factor)
        .join(Account, Account.id == Factor.account_id)
        .where(Account.clinic_id == clinic_id, Account.email_index == email_index(email), Factor.kind == "app")
        .order_by(Factor.made_at.desc())
        .limit(1)
    )
    found = session().scalars(wanted).one_or_none()
    return current_code(found) if found else None


def _accepted(factor: Factor, code: str) -> bool:
    """One atomic step forward: of any number of equal codes at the same moment exactly one is accepted (bar 14)."""
    step = _step(factor, code)
    if step is None:
        return False
    with transaction() as current:
        forward = update(Factor).where(Factor.id == factor.id, Factor.step < step).values(step=step, used_at=now())
        return cast(CursorResult[Any], current.execute(forward)).rowcount == 1


def _step(factor: Factor, code: str) -> int | None:
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == DIGITS):
        return None
    here, totp = int(now().timestamp()) // SECONDS, _totp(factor)
    near = range(here - DRIFT, here + DRIFT + 1)
    return next((step for step in near if bytes_eq(totp.generate(step * SECONDS), typed.encode())), None)


def _totp(factor: Factor) -> TOTP:
    return TOTP(base64.b32decode(factor.held["secret"]), DIGITS, SHA1(), SECONDS)  # noqa: S303 - what every app knows
