"""Builders: a clinic with a patient in the database, an accepted Bundle, a clock that tests turn, an arrow to a server."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.accounts.models import Clinic, Patient
from portal.actors import Actor, Role
from portal.db import new_id, session, transaction
from portal.delivery import service
from portal.delivery.models import DeliveryEvent, OutboxItem
from portal.delivery.timing import Timing
from portal.delivery.tools import Passage, Tools
from portal.fhir.bundle import create_entry, update_entry
from portal.fhir.bundle import transaction as bundle_of

URN = "urn:previsit:answers"
SWIFT = Timing(lease=3, send=1, bound=1, first=30, longest=3600)


@dataclass
class Place:
    """One clinic with its people, and who works there."""

    clinic_id: str
    patient_id: str
    clerk: Actor
    reviewer: Actor


def place(fhir_id: str = "pat-1") -> Place:
    with transaction() as current:
        clinic = Clinic(
            slug=new_id(), name="Hillside", timezone="Europe/London", language="en", phone="1", key_ring="k"
        )
        current.add(clinic)
        current.flush()
        patient_id = _patient(clinic.id, fhir_id)
        return Place(
            clinic.id,
            patient_id,
            Actor(Role.FRONT_DESK, clinic.id, account_id=new_id(), name="Sam Clerk"),
            Actor(Role.CLINICIAN, clinic.id, account_id=new_id(), name="Dr Ada"),
        )


def _patient(clinic_id: str, fhir_id: str) -> str:
    patient = Patient(clinic_id=clinic_id, connection_id=new_id(), fhir_id=fhir_id, person={"name": "Jo"})
    session().add(patient)
    session().flush()
    return patient.id


def another_patient(at: Place, fhir_id: str) -> str:
    with transaction():
        return _patient(at.clinic_id, fhir_id)


def response(fhir_id: str, key: str | None = None, **more: Any) -> dict[str, Any]:
    """A completed QuestionnaireResponse of ours about Patient/<fhir_id>."""
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": URN, "value": key or str(uuid.uuid4())},
        "questionnaire": "https://example.org/q/health-history|1",
        "status": "completed",
        "subject": {"reference": f"Patient/{fhir_id}"},
        "authored": "2026-11-21T10:00:00Z",
        "item": [{"linkId": "pain", "answer": [{"valueString": "left knee, “sharp” & hot"}]}],
        **more,
    }


def medication(fhir_id: str, key: str | None = None) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "identifier": [{"system": URN, "value": key or str(uuid.uuid4())}],
        "status": "active",
        "medicationCodeableConcept": {"text": "Ibuprofen 200 mg"},
        "subject": {"reference": f"Patient/{fhir_id}"},
    }


def created(resource: dict[str, Any]) -> dict[str, Any]:
    held = resource["identifier"]
    one = held[0] if isinstance(held, list) else held
    return create_entry(resource, f"urn:uuid:{uuid.uuid4()}", (one["system"], one["value"]))


def updated(resource: dict[str, Any], version: str | None) -> dict[str, Any]:
    return update_entry(resource, f"urn:uuid:{uuid.uuid4()}", version)


def bundle(*entries: dict[str, Any], fhir_id: str = "pat-1") -> dict[str, Any]:
    """A transaction of these entries; of a QuestionnaireResponse and a medication when none are given."""
    return bundle_of(list(entries) or [created(response(fhir_id)), created(medication(fhir_id))])


def queue(
    at: Place, payload: dict[str, Any] | None = None, *, patient_id: str | None = None, **more: Any
) -> OutboxItem:
    return service.enqueue(
        at.reviewer,
        clinic_id=at.clinic_id,
        patient_id=patient_id or at.patient_id,
        submission_id=more.pop("submission_id", None) or new_id(),
        bundle=payload or bundle(),
        **more,
    )


@dataclass
class Hands:
    """A clock that only the test moves, and a gate that the test opens and shuts."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=1))
    permitted: bool = True
    asked: int = 0

    def clock(self) -> datetime:
        return self.at

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def gate(self, _item: OutboxItem) -> Passage:
        self.asked += 1
        return Passage(self.permitted, "permit" if self.permitted else "deny")

    def tools(self, client: Any, **more: Any) -> Tools:
        clients = client if callable(client) else lambda _clinic: client
        return Tools(
            gate=self.gate, clients=clients, clock=self.clock, chance=lambda: 0.0, mark=lambda: ["", 0], **more
        )


@dataclass(frozen=True)
class Heard:
    """An answer, as the connection hands it over."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    sent: bool = True
    failure: str | None = None


def kinds(item: OutboxItem) -> list[str]:
    """What happened to an item, in order."""
    rows = session().query(DeliveryEvent).filter_by(item_id=item.id).order_by(DeliveryEvent.seq)
    return [row.kind for row in rows]


def lifted(item: OutboxItem) -> OutboxItem:
    """The item as it is stored now."""
    found = session().get(OutboxItem, item.id, populate_existing=True)
    assert found is not None
    return found
