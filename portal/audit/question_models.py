"""Patients' questions about an entry of "who looked", as stored: what was asked, answered and closed, appended only."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Sealed, key, sealed_column


class State(StrEnum):
    """Whose turn it is: the privacy officer's, the patient's to read, or nobody's."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Act(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


AFTER: dict[Act, State] = {Act.ASKED: State.OPEN, Act.ANSWERED: State.ANSWERED, Act.CLOSED: State.CLOSED}
MOVES: dict[State, frozenset[Act]] = {
    State.OPEN: frozenset(Act),
    State.ANSWERED: frozenset(Act),
    State.CLOSED: frozenset(),
}


class AuditQuestion(Base):
    """One conversation about one entry of the trail (`entry_id`: its row's id); `state` is lifted."""

    __tablename__ = "audit_questions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in State)})", name="state"),
        Index(None, "clinic_id", "state", "asked_at"),
        UniqueConstraint("patient_id", "entry_id"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    entry_id: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"at": ISO time, "who", "role", "sentence": the msgid the patient read}: the entry as it stood on their page"""
    steps: Mapped[list["AuditQuestionStep"]] = relationship(order_by="AuditQuestionStep.number", lazy="selectin")


class AuditQuestionStep(Base):
    """Who said what, when. Appended only: (question, number) lets no two take the same place."""

    __tablename__ = "audit_question_steps"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint(f"act IN ({', '.join(repr(act.value) for act in Act)})", name="act"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    question_id: Mapped[str] = mapped_column(ForeignKey("audit_questions.id"))
    number: Mapped[int] = mapped_column(Integer)
    act: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"text", "by": name}"""
