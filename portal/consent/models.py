"""Consent versions as stored: one immutable row for every time a patient chose or took back; the newest one holds."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column


class Act(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class ConsentVersion(Base):
    """What was chosen, in front of which words, by whom. Never changed: (patient, number) lets no two be the same place."""

    __tablename__ = "consent_versions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("patient_id", "number"),
        CheckConstraint(f"act IN ({', '.join(repr(act.value) for act in Act)})", name="act"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    visit_id: Mapped[str | None] = mapped_column(String(16), index=True)
    number: Mapped[int] = mapped_column(Integer)
    act: Mapped[str] = mapped_column(String(10))
    given_at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"choices": {key: value}, "sheet": {"edition", "language", "sha256", "text"}, "by": {"name", "capacity"},
    "ends_on": "YYYY-MM-DD" | None, "consents": {"care": Consent, "research": Consent, "results": Consent}}"""
