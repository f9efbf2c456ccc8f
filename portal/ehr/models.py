"""What is kept of a clinic's server: the connection, its states, our keys, its token, and each patient's last good readings."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column
from portal.ehr.reading import Kind


def one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


STATES = ("active", "paused", "changed")
ALGORITHMS = ("ES384", "RS384")
KINDS = tuple(kind.value for kind in Kind)


class Connection(Base):
    """One FHIR server that an administrator registered. Nothing in this row is about a patient.

    `endpoints` and `capabilities` are the last good words of the server about itself; `identity` is what an administrator
    confirmed (issuer, token endpoint, software). `failed_at`, `failure` and `not_before` are the breaker. `client_id` is our
    registration as a service of our own (backend services); it is empty where we are registered only for people who sign in.
    """

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("clinic_id", "base_url", "client_id"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    name: Mapped[str] = mapped_column(String(120))
    base_url: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(200))
    auth_origins: Mapped[list[str]] = mapped_column(JSON)
    made_at: Mapped[datetime]
    discovery: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    discovered_at: Mapped[datetime | None]
    capabilities: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    capabilities_at: Mapped[datetime | None]
    identity: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    jwks_at: Mapped[datetime | None]
    reached_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(40))
    not_before: Mapped[datetime | None]

    @property
    def only_people(self) -> bool:
        return not self.client_id


class ConnectionState(Base):
    """Whether a connection is used, from `at` on; the newest row holds."""

    __tablename__ = "connection_states"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), name="state"),
        UniqueConstraint("connection_id", "number"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    by: Mapped[str | None] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(Text)


class SigningKey(Base):
    """A key pair of ours for one connection. Dates alone say what it is for: published from `made_at`, signing from `signs_from`."""

    __tablename__ = "signing_keys"
    __table_args__ = (CheckConstraint(one_of("algorithm", ALGORITHMS), name="algorithm"), Index(None, "connection_id"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    algorithm: Mapped[str] = mapped_column(String(10))
    public: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    signs_until: Mapped[datetime | None]
    published_until: Mapped[datetime | None]
    private_sealed: Mapped[bytes] = sealed_column()
    private = Sealed()


class AccessToken(Base):
    """The one access token of a connection, and who is fetching the next one.

    `fingerprint` recognises a token without telling it. A fetcher holds the lease; everyone else waits for what it brings.
    """

    __tablename__ = "access_tokens"
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), unique=True)
    fingerprint: Mapped[str | None] = mapped_column(String(16))
    scope: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    lease_by: Mapped[str | None] = mapped_column(String(16))
    lease_until: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(60))
    terminal: Mapped[bool] = mapped_column(Boolean)
    not_before: Mapped[datetime | None]
    token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    token = Sealed()


class RecordReading(Base):
    """The last good reading of one kind for one patient, and how the newest try went; sealed for the patient."""

    __tablename__ = "readings"
    __sealed_owner__ = "patient_id"
    __table_args__ = (UniqueConstraint("patient_id", "kind"), CheckConstraint(one_of("kind", KINDS), name="kind"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    fhir_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    read_at: Mapped[datetime | None]
    complete: Mapped[bool] = mapped_column(Boolean)
    why: Mapped[str | None] = mapped_column(String(40))
    tried_at: Mapped[datetime]
    failure: Mapped[str | None] = mapped_column(String(40))
    document_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    document = Sealed()
    """{"resources": [matches], "beside": [what they refer to]}, as read"""


class RecordAlert(Base):
    """Something about a clinic's answers that staff must look at; holds no health data."""

    __tablename__ = "record_alerts"
    __table_args__ = (Index(None, "clinic_id", "at"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(40))
    count: Mapped[int] = mapped_column(Integer)
