"""The outbox, what happened to each item (append-only), the receipt, and how each clinic's server is doing."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Sealed, key, sealed_column
from portal.delivery.states import Kind, State


def _one_of(column: str, words: type[State] | type[Kind]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


class OutboxItem(Base):
    """One delivery. The payload never changes; `state` is lifted from the last event, `fence` rises with every claim."""

    __tablename__ = "outbox_items"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("patient_id", "position"),
        UniqueConstraint("submission_id", "round"),
        CheckConstraint(_one_of("state", State), name="state"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        Index(None, "state", "next_at"),
        Index(None, "clinic_id", "state"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    submission_id: Mapped[str] = mapped_column(String(16))
    round: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    queued_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(20))
    next_at: Mapped[datetime]
    fence: Mapped[int] = mapped_column(Integer)
    leased_until: Mapped[datetime | None]
    crashes: Mapped[int] = mapped_column(Integer)
    payload_sealed: Mapped[bytes] = sealed_column()
    payload = Sealed()
    """the canonical text of the Bundle; its UTF-8 bytes are what is sent and what `sha256` is of"""
    basis_sealed: Mapped[bytes | None] = sealed_column()
    basis = Sealed()
    """on which consent it was accepted: JSON or None"""
    events: Mapped[list["DeliveryEvent"]] = relationship(order_by="DeliveryEvent.seq", back_populates="item")


class DeliveryEvent(Base):
    """One fact about an item: when, who, what, why. Never changed; (item, seq) lets no two workers write the same place."""

    __tablename__ = "delivery_events"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        UniqueConstraint("item_id", "seq"),
        Index(None, "clinic_id", "kind", "at"),
        CheckConstraint(_one_of("kind", Kind), name="kind"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("outbox_items.id"))
    seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime]
    by: Mapped[str | None] = mapped_column(String(16))
    detail_sealed: Mapped[bytes] = sealed_column()
    detail = Sealed()
    """{"who", "said": [str], "entries": [{"index","type","state","references"}], "status", "up": [boot, seconds] …} as known"""
    item: Mapped[OutboxItem] = relationship(back_populates="events")


class Receipt(Base):
    """What the server verifiably holds: one for each confirmed item."""

    __tablename__ = "delivery_receipts"
    __sealed_owner__ = "patient_id"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("outbox_items.id"), unique=True)
    checked_at: Mapped[datetime]
    changed: Mapped[int] = mapped_column(Integer)
    entries_sealed: Mapped[bytes] = sealed_column()
    entries = Sealed()
    """[{"index", "type", "reference", "version", "checked": bool, "differences": [Difference]}]"""


class Endpoint(Base):
    """How one clinic's server is doing: the breaker, shared by every worker. A row appears with the first trouble."""

    __tablename__ = "delivery_endpoints"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), unique=True)
    silences: Mapped[int] = mapped_column(Integer)
    pauses: Mapped[int] = mapped_column(Integer)
    down_since: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    probing_until: Mapped[datetime | None]


class WorkerSeen(Base):
    """One worker process, and when it last gave a sign of life. Of no clinic: workers work for all."""

    __tablename__ = "delivery_workers"
    id: Mapped[str] = key()
    name: Mapped[str] = mapped_column(String(100))
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


class SharedJob(Base):
    """Something that one of all workers does every so often: which one is at it, and when it is due again."""

    __tablename__ = "delivery_jobs"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime]
    by: Mapped[str | None] = mapped_column(String(16))
