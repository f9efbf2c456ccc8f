"""Patients' questions about a result, as stored: a list of what was asked, answered and closed; and counts of data quality."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Sealed, key, sealed_column


class State(StrEnum):
    """Whose turn it is: the clinic's, the patient's to read, or nobody's."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Act(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


AFTER: dict[Act, State] = {Act.ASKED: State.OPEN, Act.ANSWERED: State.ANSWERED, Act.CLOSED: State.CLOSED}
MOVES: dict[State, frozenset[Act]] = {
    State.OPEN: frozenset({Act.ASKED, Act.ANSWERED, Act.CLOSED}),
    State.ANSWERED: frozenset({Act.ASKED, Act.ANSWERED, Act.CLOSED}),
    State.CLOSED: frozenset(),
}


class ResultQuestion(Base):
    """One conversation about one result. `place` is the result's address on the patient's pages; `state` is lifted."""

    __tablename__ = "result_questions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in State)})", name="state"),
        Index(None, "clinic_id", "state", "asked_at"),
        Index(None, "patient_id"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    place: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"name", "value", "when", "flag", "report", "reference": "Observation/7", "labels": ["system|code"]}: the result as it stood"""
    steps: Mapped[list["ResultQuestionStep"]] = relationship(order_by="ResultQuestionStep.number", lazy="selectin")


class ResultQuestionStep(Base):
    """Who said what, when. Appended only: (question, number) lets no two take the same place."""

    __tablename__ = "result_question_steps"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint(f"act IN ({', '.join(repr(act.value) for act in Act)})", name="act"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    question_id: Mapped[str] = mapped_column(ForeignKey("result_questions.id"))
    number: Mapped[int] = mapped_column(Integer)
    act: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"text", "by": name}"""


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
