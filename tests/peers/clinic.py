"""What a clinic's own staff put into a peer before a test, and what the portal sends there: each with names of its own."""

import uuid
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from portal.actors import Actor
from portal.delivery import service as delivery
from portal.delivery.models import OutboxItem
from portal.ehr.models import Connection
from portal.review import insurance_card
from portal.review.proposals import proposals
from portal.review.section import Section
from tests.delivery.make import Place as Delivering
from tests.delivery.make import bundle, created, queue, response, updated
from tests.ehr.make import Place
from tests.peers.running import Peer

Json = dict[str, Any]
URN = "urn:previsit:peers"


@dataclass
class Person:
    """One patient at the server, and the same person here. `stored` is the Patient as the server last gave it."""

    stored: Json
    actor: Actor
    place: Delivering

    @property
    def name(self) -> str:
        return str(self.stored["id"])

    @property
    def reference(self) -> str:
        return f"Patient/{self.name}"

    @property
    def version(self) -> str:
        return str(self.stored["meta"]["versionId"])

    def queue(self, *entries: Json) -> OutboxItem:
        return queue(self.place, bundle(*entries, fhir_id=self.name))


def person(peer: Peer, clinic: Place, connection: Connection, **more: Any) -> Person:
    """A new patient, born at the server and tied to it here."""
    stored = peer.put(
        {
            "resourceType": "Patient",
            "identifier": [{"system": URN, "value": str(uuid.uuid4())}],
            "name": [{"family": "Peer", "given": ["Jo"]}],
            "birthDate": "1980-01-02",
            **more,
        }
    )
    actor = clinic.patient(connection, stored["id"])
    place = Delivering(clinic.clinic_id, actor.patient_id or "", clinic.clerk, clinic.admin)
    return Person(stored, actor, place)


def condition(of: Person, text: str = "Asthma", **more: Any) -> Json:
    return {"resourceType": "Condition", "subject": {"reference": of.reference}, "code": {"text": text}, **more}


def allergy(of: Person, **more: Any) -> Json:
    """One of the record, born at the server."""
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        },
        "patient": {"reference": of.reference},
        "code": {"text": "Penicillin"},
        **more,
    }


def answers(of: Person) -> Json:
    return created(response(of.name))


def ours(of: Person) -> Json:
    """An allergy that the patient told us of."""
    return created(allergy(of, identifier=[{"system": URN, "value": str(uuid.uuid4())}], code={"text": "Latex"}))


def insured(of: Person, picture: bytes) -> tuple[Json, Json]:
    """Insurance that the patient told us of, and the front of its card, as the desk sends them."""
    fact: Json = {
        "key": "new-coverage-1",
        "kind": "coverage",
        "label": "Acme",
        "answer": "added",
        "change": {"text": "Acme"},
    }
    name, at = uuid.uuid4().hex[:16], "2026-11-20T09:00:00Z"
    card: Json = {"key": f"card-{name}", "picture": name, "of": fact["key"], "side": "front", "at": at}
    card |= {
        "insurer": "Acme",
        "size": len(picture),
        "hash": b64encode(sha1(picture, usedforsecurity=False).digest()).decode(),
    }
    record = {"coverage": Section("none"), "medication": Section("none")}
    made = proposals({"facts": [fact], "cards": [card]}, record, subject=of.reference, said_at=at)
    cover, paper = sorted((each.change.resource for each in made if each.change), key=lambda each: each["resourceType"])
    first = created({**cover, "identifier": [{"system": URN, "value": str(uuid.uuid4())}]})
    placed = {fact["key"]: first["fullUrl"]}
    return first, created(insurance_card.bound(paper, placed, b64encode(picture).decode()))


def new_phone(of: Person, number: str = "+44 20 7946 0000") -> Json:
    """The patient's record with another telephone number, on the version that was seen."""
    resource = {name: value for name, value in of.stored.items() if name not in ("meta", "text")}
    return updated({**resource, "telecom": [{"system": "phone", "value": number}]}, of.version)


def key_of(entry: Json) -> tuple[str, str]:
    """The identifier under which what an entry creates is found again."""
    held = entry["resource"]["identifier"]
    one = held[0] if isinstance(held, list) else held
    return one["system"], one["value"]


def many(peer: Peer, entry: Json) -> int:
    """How often the server holds what this entry creates."""
    return len(peer.held(entry["resource"]["resourceType"], key_of(entry)))


def state_of(item: OutboxItem) -> Any:
    status = delivery.status_of(item.submission_id)
    assert status is not None
    return status
