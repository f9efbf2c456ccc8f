"""Who has an account, in which clinic, and how they are signed in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
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
        CheckConstraint("(role = 'patient') = (patient_id IS NOT NULL)", name="patients_have_a_patient"),
        CheckConstraint(
            f"role IN ({', '.join(repr(r.value) for r in Role if r not in (Role.ANYONE, Role.SYSTEM))})", name="role"
        ),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    role: Mapped[str] = mapped_column(String(20))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    email_index: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    profile_sealed: Mapped[bytes] = sealed_column()
    profile = Sealed()
    """{"name": str, "email": str, "language": str}"""

    @property
    def owner(self) -> str:
        return self.patient_id or self.clinic_id


class Invitation(Base):
    """A link sent to one patient, once; only the hash of its token is kept."""

    __tablename__ = "invitations"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer)


class SignIn(Base):
    """A session, kept here and opaque to the browser; `token_hash` is all we know of the cookie."""

    __tablename__ = "sign_ins"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(20))


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
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    owner_id: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(String(300))
    kept_at: Mapped[datetime]
    typed_sealed: Mapped[bytes] = sealed_column()
    typed = Sealed()
    """list of [name, value] pairs of the form post"""
