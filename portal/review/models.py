"""What staff decided: rows that are only ever appended."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column


class Verdict(StrEnum):
    """What a person said about one proposal. `EDIT` accepts it in other words; `REOPEN` takes the last one back."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    ASK = "ask"
    REOPEN = "reopen"


ACCEPTED = frozenset({Verdict.ACCEPT, Verdict.EDIT})


class Hand(StrEnum):
    """What happened to the work on a submission: somebody took it (perhaps over from somebody), or let it go."""

    TAKE = "take"
    LET_GO = "let-go"


class TieVerdict(StrEnum):
    """Which record a person is: this one, or none of those found. `UNDO` takes a tie back; `MENDED` says that the clinic has
    corrected what had gone to the wrong record."""

    LINK = "link"
    NONE = "none"
    UNDO = "undo"
    MENDED = "mended"


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
    """{"by": name, "role": role, "reason": str, "title": str, "fingerprint": str, "shown": the proposal as it was,
    "edit": {field: words} and "made": the rows as they read then, when it was accepted in other words}"""


class Claim(Base):
    """Somebody took a submission to work on it, or let it go. The last one stands, for a time."""

    __tablename__ = "claims"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("submission_id", "step"),
        Index(None, "patient_id"),
        CheckConstraint(_in("hand", Hand), name="hand"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    step: Mapped[int] = mapped_column(Integer)
    hand: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    account_id: Mapped[str] = mapped_column(String(16))
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"by": name, "from": the name of whoever had it before, or ""}"""


class TieDecision(Base):
    """A person (or a rule of matching) said which record a patient is."""

    __tablename__ = "tie_decisions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        Index(None, "patient_id"),
        Index(None, "clinic_id", "verdict", "at"),
        CheckConstraint(_in("verdict", TieVerdict), name="verdict"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    verdict: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    left: Mapped[int] = mapped_column(default=0)
    """of an UNDO: how many entries it left in the wrong record"""
    mends: Mapped[str | None] = mapped_column(String(16))
    """of a MENDED: the UNDO whose entries the clinic has corrected"""
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"by": name, "reason": str, "record": "Patient/7" | None, "fields": {field: level}, "seen": ["Patient/7", …],
    "grade": what the server's own matching said, "written": [{"type", "reference", "made", "what"}] of an UNDO}"""
