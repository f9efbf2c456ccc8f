"""One day of one clinic in numbers. No person, no answer, no id of anything: what it was counted from may go, this stays."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, key


class MeasuredDay(Base):
    """A whole day in the clinic's time zone, counted once after it was over and never changed."""

    __tablename__ = "measured_days"
    __table_args__ = (UniqueConstraint("clinic_id", "day"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    day: Mapped[date] = mapped_column(Date)
    counted_at: Mapped[datetime]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """{what: {of which thing: {value: [how many, from how many submissions, visits or patients]}}}"""
