"""Consent versions as stored: one immutable row for every time a patient chose or took back; the newest one holds."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Integer, String, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column


class Act(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class Capacity(StrEnum):
    """As whom somebody chose: the patient, or a person who acts for them."""

    SELF = "self"
    PROXY = "proxy"


class ConsentVersion(Base):
    """What was chosen, in front of which words, by whom. Never changed, the database refuses it: (patient, number) lets no
    two be the same place."""

    __tablename__ = "consent_versions"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("patient_id", "number"),
        CheckConstraint(f"act IN ({', '.join(repr(act.value) for act in Act)})", name="act"),
        CheckConstraint(f"capacity IN ({', '.join(repr(each.value) for each in Capacity)})", name="capacity"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    visit_id: Mapped[str | None] = mapped_column(String(16), index=True)
    number: Mapped[int] = mapped_column(Integer)
    act: Mapped[str] = mapped_column(String(10))
    capacity: Mapped[str] = mapped_column(String(10))
    given_at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"choices": {key: value}, "sheet": {"edition", "language", "sha256", "text"}, "by": {"name", "capacity"},
    "ends_on": "YYYY-MM-DD" | None, "consents": {"care": Consent, "research": Consent, "results": Consent}}"""

    @property
    def choices(self) -> Mapping[str, str]:
        chosen: dict[str, str] = self.document["choices"]
        return chosen


GUARDS = {
    "sqlite": (
        "CREATE TRIGGER consent_versions_no_update BEFORE UPDATE ON consent_versions "
        "BEGIN SELECT RAISE(ABORT, 'a consent version is never changed'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION consent_version_is_final() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a consent version is never changed'; END $$",
        "CREATE TRIGGER consent_versions_guard BEFORE UPDATE ON consent_versions "
        "FOR EACH STATEMENT EXECUTE FUNCTION consent_version_is_final()",
    ),
}
for dialect, guards in GUARDS.items():
    for guard in guards:
        ddl = DDL(guard.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(ConsentVersion.__table__, "after_create", ddl.execute_if(dialect=dialect))
