"""A message to a patient, from the moment it was planned to what became of it; and who wants no reminders."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column


class Kind(StrEnum):
    INVITATION = "invitation"
    ASKED = "asked"
    REMINDER = "reminder"
    RETURNED = "returned"
    DELIVERED = "delivered"
    SECURITY = "security"


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


def _in(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


ABOUT_A_VISIT = "(patient_id IS NOT NULL AND visit_id IS NOT NULL AND kind <> 'security')"


class Notice(Base):
    """`about` names what it is about, once: a second one about the same is refused by the database.

    To a patient about a visit; or to the owner of an account, who may be staff, about their way in.
    """

    __tablename__ = "notices"
    __sealed_owner__ = "owner"
    __table_args__ = (
        UniqueConstraint("clinic_id", "about"),
        Index(None, "state", "due_at"),
        Index(None, "patient_id", "made_at"),
        CheckConstraint(_in("kind", Kind), name="kind"),
        CheckConstraint(_in("state", State), name="state"),
        CheckConstraint(f"{ABOUT_A_VISIT} OR (kind = 'security' AND account_id IS NOT NULL)", name="has_a_reader"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    visit_id: Mapped[str | None] = mapped_column(ForeignKey("visits.id"), index=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(12))
    about: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(Integer)
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"to": e-mail address or "", "language": str, "why": what became of it, a msgid}"""

    @property
    def owner(self) -> str:
        return self.patient_id or self.clinic_id


class NoReminders(Base):
    """A patient who said that they want no reminders."""

    __tablename__ = "no_reminders"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    said_at: Mapped[datetime]
