"""Consents that stand in the clinic's record and no longer hold: made inactive there, with what replaces them (PCF ITI-108)."""

from datetime import UTC, datetime
from typing import Any

from portal.accounts import service as accounts
from portal.actors import Actor
from portal.consent import resource
from portal.consent.models import ConsentVersion
from portal.delivery import service as delivery
from portal.delivery.placed import Placed
from portal.fhir import bundle, people

_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def superseded(clinic_id: str, patient_id: str, by: str) -> list[tuple[dict[str, Any], str | None]]:
    """Every care Consent of ours that the record still has as active and that is not of version `by`: inactive, with the id and
    the version it has there."""
    there = delivery.placed(clinic_id, patient_id, "Consent")
    return [(_inactive(each), each.version) for each in there if _stands(each) and not _is_of(each, by)]


def _stands(placed: Placed) -> bool:
    return placed.resource.get("status") == "active" and any(
        each.get("system") == resource.IDENTIFIER_SYSTEM for each in placed.resource.get("identifier", [])
    )


def _is_of(placed: Placed, version_id: str) -> bool:
    return any(str(each.get("value", "")).startswith(f"{version_id}-") for each in placed.resource["identifier"])


def _inactive(placed: Placed) -> dict[str, Any]:
    sent = {name: held for name, held in placed.resource.items() if name not in ("resourceType", "id", "status")}
    own_id = placed.reference.rpartition("/")[2]
    return {"resourceType": "Consent", "id": own_id, **sent, "status": "inactive"}


def tell_the_record(actor: Actor, made: ConsentVersion, new: dict[str, Any]) -> None:
    """After a withdrawal: the record learns at once that what it holds no longer holds, and what does. Nothing is told to a
    record that holds none of our Consents. In the caller's transaction; the worker delivers."""
    old = superseded(made.clinic_id, made.patient_id, made.id)
    fhir_id = accounts.patient(actor, made.patient_id).fhir_id
    if not old or not fhir_id:
        return
    identifier = (resource.IDENTIFIER_SYSTEM, str(new["identifier"][0]["value"]))
    created = f"urn:uuid:{_uuid(made.id)}"
    entries = [bundle.create_entry(new, created, identifier)]
    entries += [
        bundle.update_entry(each, f"urn:uuid:{_uuid(made.id, number)}", version)
        for number, (each, version) in enumerate(old, 1)
    ]
    targets = [created, *(f"Consent/{each['id']}" for each, _version in old)]
    written = _provenance(targets, _author(actor, f"Patient/{fhir_id}"), made.given_at)
    entries.append(
        {
            "fullUrl": f"urn:uuid:{_uuid(made.id, len(old) + 1)}",
            "resource": written,
            "request": {"method": "POST", "url": "Provenance"},
        }
    )
    delivery.enqueue(
        actor,
        clinic_id=made.clinic_id,
        patient_id=made.patient_id,
        submission_id=made.id,
        bundle=bundle.transaction(entries),
        consent_basis={"version": made.id, "withdrawal": True},
    )


def _uuid(version_id: str, number: int = 0) -> str:
    """A UUID of ours for one entry; always the same for the same version and place."""
    return f"{version_id[:8]}-{version_id[8:12]}-5{version_id[13:16]}-8000-{number:012x}"


def _author(actor: Actor, patient: str) -> dict[str, Any]:
    """The patient, or who withdraws on their behalf."""
    if actor.behalf is None:
        return {"who": {"reference": patient, "display": actor.name}}
    who = people.related(actor.name, actor.behalf.reference, actor.account_id or "")
    return {"who": who, "onBehalfOf": {"reference": patient}}


def _provenance(targets: list[str], author: dict[str, Any], at: datetime) -> dict[str, Any]:
    said = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    agents = [("author", author), ("assembler", {"who": {"display": "Previsit"}})]
    return {
        "resourceType": "Provenance",
        "target": [{"reference": each} for each in targets],
        "occurredDateTime": said,
        "recorded": said,
        "activity": {"coding": [{"system": _OPERATION, "code": "UPDATE"}]},
        "agent": [{"type": {"coding": [{"system": _PARTICIPANT, "code": code}]}, **held} for code, held in agents],
    }
