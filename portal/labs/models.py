"""How good the results were that came from each source, as stored: counts only."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, key


class ResultQuality(Base):
    """How good the results were that came from one source on one day: counts only, of nobody in particular."""

    __tablename__ = "result_quality"
    __table_args__ = (UniqueConstraint("connection_id", "day"), Index(None, "clinic_id", "day"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    day: Mapped[date] = mapped_column(Date)
    measured_at: Mapped[datetime]
    readings: Mapped[int] = mapped_column(Integer)
    results: Mapped[int] = mapped_column(Integer)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
