"""What staff decided: rows that are only ever appended."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column


class Verdict(StrEnum):
    """What a person said about one proposal. `REOPEN` takes the last one back."""

    ACCEPT = "accept"
    REJECT = "reject"
    ASK = "ask"
    REOPEN = "reopen"


class TieVerdict(StrEnum):
    """Which record a person is: this one, or none of those found."""

    LINK = "link"
    NONE = "none"


def _in(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


class Decision(Base):
    """One verdict on one proposal. `round` counts the decisions on it within one submission; the last one stands."""

    __tablename__ = "decisions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("submission_id", "proposal_key", "round"),
        Index(None, "visit_id"),
        CheckConstraint(_in("verdict", Verdict), name="verdict"),
        CheckConstraint("round > 0", name="round"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    proposal_key: Mapped[str] = mapped_column(String(16))
    round: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    account_id: Mapped[str] = mapped_column(String(16))
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"by": name, "role": role, "reason": str, "title": str, "fingerprint": str, "shown": the proposal as it was}"""


class TieDecision(Base):
    """A person (or a rule of matching) said which record a patient is."""

    __tablename__ = "tie_decisions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (Index(None, "patient_id"), CheckConstraint(_in("verdict", TieVerdict), name="verdict"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    verdict: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"by": name, "reason": str, "record": "Patient/7" | None, "fields": {field: level}, "seen": ["Patient/7", …]}"""
