"""The audit trail as stored: append-only, enforced by the database itself."""

from datetime import datetime

from sqlalchemy import DDL, Boolean, Index, Integer, String, UniqueConstraint, event, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column

REFUSED = literal_column("outcome <> '0'", Boolean)
"""In the very words of the index, so that it is used."""


class AuditRow(Base):
    """One event. `hash` chains it to the row before it in the same clinic (`seq` has no gaps)."""

    __tablename__ = "audit_events"
    __sealed_owner__ = "owner"
    __table_args__ = (
        UniqueConstraint("clinic_id", "seq"),
        Index(None, "patient_id", "recorded_at"),
        Index(None, "account_id", "recorded_at"),
        Index(None, "clinic_id", "recorded_at"),
        Index(None, "clinic_id", "event", "recorded_at"),
        Index("ix_audit_events_refused", "clinic_id", "recorded_at", sqlite_where=REFUSED, postgresql_where=REFUSED),
    )

    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(String(16))
    seq: Mapped[int] = mapped_column(Integer)
    recorded_at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(1))
    role: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[str | None] = mapped_column(String(16))
    patient_id: Mapped[str | None] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(80))
    purpose: Mapped[str] = mapped_column(String(10))
    request_id: Mapped[str | None] = mapped_column(String(32))
    detail_sealed: Mapped[bytes] = sealed_column()
    hash: Mapped[str] = mapped_column(String(64))
    detail = Sealed()

    @property
    def owner(self) -> str:
        return self.patient_id or self.clinic_id


class AuditHead(Base):
    """The end of each clinic's chain; locked by whoever appends."""

    __tablename__ = "audit_heads"
    clinic_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))


SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER audit_events_no_{verb} BEFORE {verb.upper()} ON audit_events "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    for verb in ("update", "delete")
)
POSTGRES_GUARDS = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE TRIGGER audit_events_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
)
for dialect, guards in (("sqlite", SQLITE_GUARDS), ("postgresql", POSTGRES_GUARDS)):
    for guard in guards:
        ddl = DDL(guard.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(AuditRow.__table__, "after_create", ddl.execute_if(dialect=dialect))
