"""Who has an account, in which clinic, and how they are signed in."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.actors import Role
from portal.db import Base, Sealed, key, sealed_column


class Clinic(Base):
    """One clinic of this installation; every other row belongs to one."""

    __tablename__ = "clinics"
    id: Mapped[str] = key()
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    timezone: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(10))
    phone: Mapped[str] = mapped_column(String(40))
    key_ring: Mapped[str] = mapped_column(String(64))


class Patient(Base):
    """A person the clinic expects. `fhir_id` ties them to exactly one Patient of `connection_id`, or is None: then a person must decide."""

    __tablename__ = "patients"
    __sealed_owner__ = "id"
    __table_args__ = (UniqueConstraint("connection_id", "fhir_id"), Index(None, "clinic_id"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str | None] = mapped_column(String(16))
    fhir_id: Mapped[str | None] = mapped_column(String(64))
    person_sealed: Mapped[bytes] = sealed_column()
    person = Sealed()
    """{"name": str, "birthDate": "YYYY-MM-DD", "email": str | None, "phone": str | None, "language": str}"""


class Account(Base):
    """One person's way in. Exactly the patients have a `patient_id`."""

    __tablename__ = "accounts"
    __sealed_owner__ = "owner"
    __table_args__ = (
        UniqueConstraint("clinic_id", "email_index"),
        Index(None, "clinic_id", "role"),
        CheckConstraint("(role = 'patient') = (patient_id IS NOT NULL)", name="patients_have_a_patient"),
        CheckConstraint(
            f"role IN ({', '.join(repr(r.value) for r in Role if r not in (Role.ANYONE, Role.SYSTEM))})", name="role"
        ),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    role: Mapped[str] = mapped_column(String(20))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"), index=True)
    email_index: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    profile_sealed: Mapped[bytes] = sealed_column()
    profile = Sealed()
    """{"name": str, "email": str, "language": str}"""

    @property
    def owner(self) -> str:
        return self.patient_id or self.clinic_id


class Invitation(Base):
    """A link for one person, used once; only the hash of its token is kept.

    It lets a patient in who has no account yet, or its owner back into an account (`account_id`): then it goes with a code
    that is told another way, and `factors_too` takes the second factors away that are lost. `code_sent`: the code is worked out
    from the row, and nobody but the owner is told it, by a message.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("patient_id IS NOT NULL OR account_id IS NOT NULL", name="is_for_somebody"),
        CheckConstraint("account_id IS NULL OR code_index IS NOT NULL", name="back_in_with_a_code"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    code_index: Mapped[str | None] = mapped_column(String(64))
    factors_too: Mapped[bool] = mapped_column(Boolean, default=False)
    code_sent: Mapped[bool] = mapped_column(Boolean, default=False)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer)


class JoiningCode(Base):
    """What a patient is told beside the link of an invitation, another way; a new one replaces it. Only its keyed index is kept."""

    __tablename__ = "joining_codes"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    code_index: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]


class SignIn(Base):
    """A session, kept here and opaque to the browser; `token_hash` is all we know of the cookie.

    `stage`: whether it opens every page, waits for the second factor, or only lets the second factor be set up.
    """

    __tablename__ = "sign_ins"
    __sealed_owner__ = "owner_id"
    __table_args__ = (CheckConstraint("stage IN ('full', 'code', 'set-up')", name="stage"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(20))
    owner_id: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(10))
    how: Mapped[str] = mapped_column(String(20))
    proved_at: Mapped[datetime]
    device_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    device = Sealed()
    """{"browser": str, "system": str, "place": str}: words and a part of the address, gone a month after the session ended"""


class Factor(Base):
    """A second way to prove who somebody is: an authenticator app or a passkey.

    `step` never goes back: the time step of the last accepted code, or the passkey's own counter.
    """

    __tablename__ = "factors"
    __sealed_owner__ = "owner_id"
    __table_args__ = (CheckConstraint("kind IN ('app', 'passkey')", name="kind"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    owner_id: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    step: Mapped[int] = mapped_column(BigInteger)
    credential_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    held_sealed: Mapped[bytes] = sealed_column()
    held = Sealed()
    """app: {"secret": base32}; passkey: {"name", "credential", "key"} (base64url)"""


class RecoveryCode(Base):
    """A code for the day the phone is lost, used once; only its keyed index is kept."""

    __tablename__ = "recovery_codes"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    code_index: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Challenge(Base):
    """What a passkey was asked to sign, for one answer within minutes. `account_id` is empty for somebody who signs in."""

    __tablename__ = "challenges"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    asked: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SecurityNote(Base):
    """What changed about somebody's way in without them, told when they sign in next."""

    __tablename__ = "security_notes"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(20))
    read_at: Mapped[datetime | None]


class Attempt(Base):
    """A failed guess, counted per account and per source by blind index."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "who", "at"),)
    id: Mapped[str] = key()
    who: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class KeptPost(Base):
    """What somebody had typed when their session ended; given back to the same account only, once."""

    __tablename__ = "kept_posts"
    __sealed_owner__ = "owner_id"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    owner_id: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(String(300))
    kept_at: Mapped[datetime]
    typed_sealed: Mapped[bytes] = sealed_column()
    typed = Sealed()
    """list of [name, value] pairs of the form post"""
