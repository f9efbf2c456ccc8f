"""What is kept of people's sign-ins at a clinic's server: our registration there, each launch, who is who, and patients' permissions."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column
from portal.ehr.models import one_of

METHODS = ("private_key_jwt", "client_secret_basic", "none")
CONNECT, SIGN_IN, FROM_EHR = "connect", "sign-in", "from-ehr"
KINDS = (CONNECT, SIGN_IN, FROM_EHR)


class LaunchClient(Base):
    """How we are registered at a connection's server for sign-ins of people, and who may come that way."""

    __tablename__ = "launch_clients"
    __table_args__ = (
        CheckConstraint(one_of("method", METHODS), name="method"),
        CheckConstraint("(method = 'client_secret_basic') = (secret_sealed IS NOT NULL)", name="secret"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), unique=True)
    client_id: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(20))
    for_patients: Mapped[bool] = mapped_column(Boolean)
    for_staff: Mapped[bool] = mapped_column(Boolean)
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret = Sealed()
    """{"secret": str}"""


class Launch(Base):
    """One way out to the clinic's sign-in, good for one way back: of this browser, at this server, within minutes.

    `state_hash` and `browser_hash` are all we know of the two secrets; `held` is the PKCE verifier and the nonce. `answered`
    is kept only for a member of staff who still has to say that it is them.
    """

    __tablename__ = "launches"
    __table_args__ = (CheckConstraint(one_of("kind", KINDS), name="kind"), Index(None, "source", "made_at"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    kind: Mapped[str] = mapped_column(String(10))
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    source: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    held_sealed: Mapped[bytes] = sealed_column()
    held = Sealed()
    """{"verifier": str, "nonce": str}"""
    answered_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered = Sealed()
    """{"issuer", "subject", "user": "Practitioner/…", "patient": id or None}"""


class EhrUser(Base):
    """Who of our staff a user of the clinic's server is. Never made by e-mail; ended, not deleted: then `live` is NULL, which
    is unlike any other, so that the user can be tied anew.

    `subject` is filled by the first sign-in where an administrator gave only the `user` (`Practitioner/…`).
    """

    __tablename__ = "ehr_users"
    __table_args__ = (
        UniqueConstraint("connection_id", "user", "live"),
        UniqueConstraint("connection_id", "issuer", "subject", "live"),
        CheckConstraint("(live IS NULL) = (ended_at IS NOT NULL) AND (live IS NULL OR live = 1)", name="live"),
        Index(None, "account_id"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    user: Mapped[str] = mapped_column(String(150))
    issuer: Mapped[str | None] = mapped_column(String(500))
    subject: Mapped[str | None] = mapped_column(String(300))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(16))
    live: Mapped[int | None] = mapped_column(Integer)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(16))


class Grant(Base):
    """A patient's own permission to read their record, sealed for them, with who is renewing it now.

    `broken` says since when the server no longer honours it: the patient is asked to connect again.
    """

    __tablename__ = "grants"
    __sealed_owner__ = "patient_id"
    __table_args__ = (UniqueConstraint("connection_id", "patient_id"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    fhir_id: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    lasts: Mapped[bool] = mapped_column(Boolean)
    asked: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    broken_at: Mapped[datetime | None]
    fingerprint: Mapped[str | None] = mapped_column(String(16))
    scope: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    lease_by: Mapped[str | None] = mapped_column(String(16))
    lease_until: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(60))
    terminal: Mapped[bool] = mapped_column(Boolean)
    not_before: Mapped[datetime | None]
    token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    token = Sealed()
    """{"token": str, "refresh": str | None}"""
