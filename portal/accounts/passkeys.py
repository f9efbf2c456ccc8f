"""Passkeys (WebAuthn level 3, by py_webauthn): made by somebody signed in, opening by themselves at the door.

A passkey is asked to check its owner (finger, face, PIN), so it counts as both factors.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from types import ModuleType
from typing import Any, cast
from urllib.parse import urlsplit

from sqlalchemy import CursorResult, delete, or_, select, update

from portal import db
from portal.accounts.models import Account, Challenge, Factor
from portal.clock import now
from portal.db import session, transaction

OPEN_FOR = timedelta(minutes=5)
MOST_BYTES = 16_384
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What the library lets through, beside what it raises itself, when an answer is no answer at all."""


@lru_cache(maxsize=1)
def _webauthn() -> ModuleType:
    """py_webauthn, from the first passkey on: six megabytes of certificate formats that a process does not need before."""
    import webauthn

    return webauthn


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


@dataclass(frozen=True)
class Site:
    """The address that passkeys are bound to."""

    origin: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def offered(self) -> bool:
        """Browsers bind a passkey to a name, never to a number."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False


@dataclass(frozen=True)
class Asked:
    """What the browser's passkey is asked: `id` comes back from the session, `options` is JSON for the script."""

    id: str
    options: str


def ask_to_make(account: Account, site: Site) -> Asked:
    """A new passkey for this account, on a device that has none of it yet."""
    webauthn = _webauthn()
    structs = webauthn.helpers.structs
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Previsit",
        user_id=account.id.encode(),
        user_name=account.profile["email"],
        user_display_name=account.profile["name"],
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=_bytes(each.held["credential"])) for each in of(account.id)
        ],
    )
    return _asked(account.clinic_id, account.id, options.challenge, webauthn.helpers.options_to_json(options))


def ask(clinic_id: str, site: Site, account_id: str | None = None) -> Asked:
    """Any passkey of this site; with `account_id` one of that account, which proves again who they are."""
    webauthn = _webauthn()
    structs = webauthn.helpers.structs
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
        allow_credentials=[
            structs.PublicKeyCredentialDescriptor(id=_bytes(each.held["credential"]))
            for each in (of(account_id) if account_id else [])
        ],
    )
    return _asked(clinic_id, account_id, options.challenge, webauthn.helpers.options_to_json(options))


def made(account: Account, challenge_id: str, answer: str, name: str, site: Site) -> bool:
    """Whether a new passkey answered what it was asked; from now on it opens this account."""
    challenge = _taken(challenge_id, account.clinic_id, account.id)
    if challenge is None or len(answer) > MOST_BYTES:
        return False
    webauthn = _webauthn()
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (*UNREADABLE, webauthn.helpers.exceptions.WebAuthnException):
        return False
    credential = _text(found.credential_id)
    with transaction() as current:
        if current.scalar(select(Factor.id).where(Factor.credential_index == _index(credential))) is not None:
            return False
        current.add(
            Factor(
                clinic_id=account.clinic_id,
                account_id=account.id,
                owner_id=account.owner,
                kind="passkey",
                made_at=now(),
                confirmed_at=now(),
                step=found.sign_count,
                credential_index=_index(credential),
                held={
                    "name": name,
                    "credential": credential,
                    "key": _text(found.credential_public_key),
                },
            )
        )
    return True


def answered(
    clinic_id: str, challenge_id: str, answer: str, site: Site, account_id: str | None = None
) -> Factor | None:
    """The passkey of this clinic (and of `account_id`, when one was asked for) that answered, or None whatever was wrong."""
    challenge = _taken(challenge_id, clinic_id, account_id)
    if challenge is None or len(answer) > MOST_BYTES:
        return None
    webauthn = _webauthn()
    try:
        said = webauthn.helpers.parse_authentication_credential_json(answer)
        factor = _by_credential(clinic_id, _text(said.raw_id))
        if factor is None or (account_id and factor.account_id != account_id):
            return None
        if said.response.user_handle not in {None, b"", factor.account_id.encode()}:
            return None
        found = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=_bytes(factor.held["key"]),
            credential_current_sign_count=factor.step,
            require_user_verification=True,
        )
    except (*UNREADABLE, webauthn.helpers.exceptions.WebAuthnException):
        return None
    return factor if _forward(factor, found.new_sign_count) else None


def of(account_id: str) -> list[Factor]:
    wanted = select(Factor).where(Factor.account_id == account_id, Factor.kind == "passkey").order_by(Factor.made_at)
    return list(session().scalars(wanted))


def _forward(factor: Factor, count: int) -> bool:
    """The counter of a passkey that counts goes up only: a copy of it is noticed."""
    with transaction() as current:
        newer = or_(Factor.step < count, (Factor.step == 0) & (count == 0))
        move = update(Factor).where(Factor.id == factor.id, newer).values(step=count, used_at=now())
        return cast(CursorResult[Any], current.execute(move)).rowcount == 1


def _asked(clinic_id: str, account_id: str | None, challenge: bytes, options: str) -> Asked:
    with transaction() as current:
        current.execute(delete(Challenge).where(Challenge.expires_at <= now()))
        row = Challenge(
            clinic_id=clinic_id,
            account_id=account_id,
            asked=_text(challenge),
            expires_at=now() + OPEN_FOR,
        )
        current.add(row)
    return Asked(row.id, options)


def _taken(challenge_id: str, clinic_id: str, account_id: str | None) -> bytes | None:
    """The challenge, which is gone now: whatever comes of it, it is never answered twice."""
    with transaction() as current:
        row = current.get(Challenge, challenge_id)
        if row is None or row.clinic_id != clinic_id or row.account_id != account_id or row.expires_at <= now():
            return None
        asked = _bytes(row.asked)
        current.delete(row)
        return asked


def _by_credential(clinic_id: str, credential: str) -> Factor | None:
    wanted = select(Factor).where(Factor.credential_index == _index(credential), Factor.clinic_id == clinic_id)
    return session().scalars(wanted).one_or_none()


def _index(credential: str) -> str:
    return db.keys().blind("passkey", credential)
