"""A patient's results to take away: a FHIR Bundle of what was read, as it was sent, as far as their own choice lets it be shown."""

from datetime import timedelta
from typing import Any

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.ehr import service as ehr
from portal.errors import NotFound
from portal.fhir import exact
from portal.labs import service
from portal.labs.service import Json


def bundle(actor: Actor, max_age: timedelta = ehr.FRESH) -> str:
    """A collection Bundle as JSON, digit for digit as it was read. NotFound when the patient chose not to have results read."""
    patient_id = actor.patient_id
    if patient_id is None or not consent.shows_results(actor).permit:
        raise NotFound
    reading, allowed = service.readable(actor, patient_id, max_age)
    if not reading.looked:
        raise NotFound
    audit.seen(actor, Event.LABS_DOWNLOADED, subject=f"patients:{patient_id}", patient_id=patient_id)
    current, _earlier = service.versions(allowed)
    return exact.dumps(_bundle(current, reading))


def _bundle(resources: list[Json], reading: ehr.Reading) -> dict[str, Any]:
    """`timestamp` is when it was read, not when it was taken away; an incomplete reading says so in its tag."""
    made: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": (reading.read_at or now()).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "entry": [{"resource": dict(each)} for each in resources],
    }
    if not reading.complete:
        system = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
        made = {"resourceType": "Bundle", "meta": {"tag": [{"system": system, "code": "SUBSETTED"}]}, **made}
    if not made["entry"]:
        del made["entry"]
    return made
