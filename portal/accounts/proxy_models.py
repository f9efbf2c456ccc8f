"""Who may answer for a patient, as stored: a grant, its steps that are never changed, and whom a session answers for."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Sealed, key, sealed_column


class Relation(StrEnum):
    """As what somebody answers. The first two end when the patient is old enough."""

    PARENT = "parent"
    GUARDIAN = "guardian"
    CARER = "carer"
    REPRESENTATIVE = "representative"


OF_A_CHILD = frozenset({Relation.PARENT, Relation.GUARDIAN})


class Basis(StrEnum):
    """Why the clinic lets them: the record names them, staff saw a document, or the patient wants it."""

    RECORD = "record"
    STAFF = "staff"
    PATIENT = "patient"


class Act(StrEnum):
    """What happens to a grant."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    GIVEN_UP = "given-up"
    ENDED = "ended"


class State(StrEnum):
    OFFERED = "offered"
    ACTIVE = "active"
    OVER = "over"


AFTER = {
    Act.OFFERED: State.OFFERED,
    Act.ACCEPTED: State.ACTIVE,
    Act.REVOKED: State.OVER,
    Act.GIVEN_UP: State.OVER,
    Act.ENDED: State.OVER,
}
MOVES: dict[State, frozenset[Act]] = {
    State.OFFERED: frozenset({Act.ACCEPTED, Act.REVOKED}),
    State.ACTIVE: frozenset({Act.REVOKED, Act.GIVEN_UP, Act.ENDED}),
    State.OVER: frozenset(),
}


def _in(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


class ProxyGrant(Base):
    """Somebody may answer for a patient, from a day until a day, within a scope. What was granted never changes; only its
    `state` is lifted from the newest step. `account_id` is whoever used the link; of the link only the hash is kept."""

    __tablename__ = "proxy_grants"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        Index(None, "account_id", "state"),
        Index(None, "patient_id"),
        CheckConstraint(_in("relation", Relation), name="relation"),
        CheckConstraint(_in("basis", Basis), name="basis"),
        CheckConstraint(_in("state", State), name="state"),
        CheckConstraint("state <> 'active' OR account_id IS NOT NULL", name="somebody_holds_what_is_active"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    relation: Mapped[str] = mapped_column(String(20))
    basis: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    scope: Mapped[str] = mapped_column(String(60))
    starts_on: Mapped[str] = mapped_column(String(10))
    ends_on: Mapped[str | None] = mapped_column(String(10))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token_until: Mapped[datetime]
    failures: Mapped[int] = mapped_column(Integer)
    person_sealed: Mapped[bytes] = sealed_column()
    person = Sealed()
    """{"name", "birthDate", "email": str | None, "record": {"reference", "connection_id", "fhir_id"} | None}"""
    steps: Mapped[list["ProxyStep"]] = relationship(order_by="ProxyStep.number", back_populates="grant")


class ProxyStep(Base):
    """One step of a grant: who did what, when and why. Never changed, the database refuses it."""

    __tablename__ = "proxy_steps"
    __sealed_owner__ = "patient_id"
    __table_args__ = (UniqueConstraint("grant_id", "number"), CheckConstraint(_in("act", Act), name="act"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    grant_id: Mapped[str] = mapped_column(ForeignKey("proxy_grants.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    number: Mapped[int] = mapped_column(Integer)
    act: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    why_sealed: Mapped[bytes] = sealed_column()
    why = Sealed()
    """{"by": name, "reason": str}"""
    grant: Mapped[ProxyGrant] = relationship(back_populates="steps")


class Answering(Base):
    """Whom a session answers for: "self", or a grant."""

    __tablename__ = "answering"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    sign_in_id: Mapped[str] = mapped_column(ForeignKey("sign_ins.id"), unique=True)
    subject: Mapped[str] = mapped_column(String(16))


class ProxyAge(Base):
    """The age from which patients of a clinic answer for themselves, where it is not 18."""

    __tablename__ = "proxy_ages"
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    years: Mapped[int] = mapped_column(Integer)


GUARDS = {
    "sqlite": (
        "CREATE TRIGGER proxy_steps_no_update BEFORE UPDATE ON proxy_steps "
        "BEGIN SELECT RAISE(ABORT, 'a step of a grant is never changed'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION proxy_step_is_final() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a step of a grant is never changed'; END $$",
        "CREATE TRIGGER proxy_steps_guard BEFORE UPDATE ON proxy_steps "
        "FOR EACH STATEMENT EXECUTE FUNCTION proxy_step_is_final()",
    ),
}
for dialect, guards in GUARDS.items():
    for guard in guards:
        ddl = DDL(guard.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(ProxyStep.__table__, "after_create", ddl.execute_if(dialect=dialect))
