"""Each emergency somebody said there was: who, about whom, why, from when to when, and what the privacy officer found."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column


class Emergency(Base):
    """Open from `began_at` until `until` at the latest, in one session of one person, for one patient."""

    __tablename__ = "emergencies"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        Index(None, "clinic_id", "began_at"),
        Index(None, "clinic_id", "checked_at"),
        Index(None, "ended_at", "until"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    session_id: Mapped[str] = mapped_column(String(16), index=True)
    began_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"who": str, "reason": str, "checked_by": str | None, "finding": str | None}"""
