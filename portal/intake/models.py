"""Visits, drafts and submissions as stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Sealed, key, sealed_column


class Status(StrEnum):
    """Where a submission is. What happens to it at the clinic's record is delivery's to tell."""

    SUBMITTED = "submitted"
    IN_REVIEW = "in-review"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    CHANGING = "changing"
    """accepted, and opened again by the patient: the next round says what is different"""


MOVES: dict[Status, frozenset[Status]] = {
    Status.SUBMITTED: frozenset({Status.IN_REVIEW, Status.RETURNED, Status.ACCEPTED, Status.WITHDRAWN}),
    Status.IN_REVIEW: frozenset({Status.RETURNED, Status.ACCEPTED, Status.WITHDRAWN}),
    Status.RETURNED: frozenset(),
    Status.ACCEPTED: frozenset({Status.IN_REVIEW, Status.CHANGING}),  # the record refused it, and it is reviewed again
    Status.WITHDRAWN: frozenset(),
    Status.CHANGING: frozenset(),
}


def _in(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


class VisitState(StrEnum):
    EXPECTED = "expected"
    CANCELLED = "cancelled"


class Visit(Base):
    """An Appointment and what is asked before it. Only the time is lifted; what it is about is sealed."""

    __tablename__ = "visits"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("connection_id", "appointment_id"),
        Index(None, "clinic_id", "starts_at"),
        CheckConstraint(_in("state", VisitState), name="state"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), index=True)
    connection_id: Mapped[str | None] = mapped_column(String(16))
    appointment_id: Mapped[str | None] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"what": str, "with": str | None, "where": str | None}"""


class Draft(Base):
    """One task's work in progress: the facts, or one form in one version of the library. `version` counts its saves."""

    __tablename__ = "drafts"
    __sealed_owner__ = "patient_id"
    __table_args__ = (UniqueConstraint("visit_id", "task"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    task: Mapped[str] = mapped_column(String(200))
    form_version_id: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    saved_at: Mapped[datetime]
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    response_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    response = Sealed()
    """of a form: everything typed so far, read only where it is needed"""


class Submission(Base):
    """What the patient sent, frozen. One per visit and round; a returned one is followed by the next round."""

    __tablename__ = "submissions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("visit_id", "round"),
        Index(None, "clinic_id", "status", "sent_at"),
        Index(None, "clinic_id", "sent_at"),
        CheckConstraint(_in("status", Status), name="status"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), index=True)
    round: Mapped[int] = mapped_column(Integer)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    sent_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(12))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    visit: Mapped[Visit] = relationship(lazy="joined")
    history: Mapped[list["SubmissionStatus"]] = relationship(
        order_by="SubmissionStatus.step", back_populates="submission"
    )


class SubmissionStatus(Base):
    """One step of a submission: who moved it, when and why. Never changed."""

    __tablename__ = "submission_statuses"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("submission_id", "step"),
        Index(None, "clinic_id", "status", "at"),
        CheckConstraint(_in("status", Status), name="status"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    step: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    why_sealed: Mapped[bytes] = sealed_column()
    why = Sealed()
    """{"by": name, "questions": [{"key", "title", "question"}], …}"""
    submission: Mapped[Submission] = relationship(back_populates="history")


class CardPicture(Base):
    """One side of an insurance card as a patient photographed it, drawn anew. `sent_at`: when it was first sent to the clinic."""

    __tablename__ = "card_pictures"
    __sealed_owner__ = "patient_id"
    __table_args__ = (Index(None, "patient_id", "sent_at"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.id"), index=True)
    given_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    about_sealed: Mapped[bytes] = sealed_column()
    about = Sealed()
    """{"side": front or back, "by": name, "size": bytes, "hash": SHA-1 as base64; once sent also "of", "insurer", "member"}"""
    picture_sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    picture = Sealed()
    """the JPEG as base64, read only where it is looked at or delivered"""


class Confirmation(Base):
    """What somebody said about the record in one submission, block by block, so that it need not be asked again soon."""

    __tablename__ = "confirmations"
    __sealed_owner__ = "patient_id"
    __table_args__ = (UniqueConstraint("submission_id"), Index(None, "patient_id", "at"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    at: Mapped[datetime]
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{block: {"at": ISO, "by": name, "any": str | None, "lines": [{"key", "label", "detail", "answer", "change"}], "added": […]}}"""


class AskedRules(Base):
    """What a clinic asks its patients to confirm, how often, and whose word counts: nothing about any patient."""

    __tablename__ = "asked_rules"
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    """see portal/intake/asking.py"""
