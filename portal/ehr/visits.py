"""An Appointment as the portal's words for a visit: when, what, with whom, where, for whom. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from portal.fhir import codes
from portal.fhir.resources import Json, key_of, objects_at, parse_reference, resolve, text_at
from portal.fhir.values import concept_text, language_of, name_of, reference_text, telecom_value


@dataclass(frozen=True)
class Appointment:
    """`patient_id` is the Patient's id at that server; `person` what an account is expected to know of them."""

    connection_id: str
    id: str
    version_id: str | None
    patient_id: str
    person: dict[str, str | None]
    patient: Json
    starts_at: datetime
    status: str
    what: str
    with_whom: str
    where: str
    resource: Json

    @property
    def cancelled(self) -> bool:
        return self.status in codes.CANCELLED_VISIT

    def __repr__(self) -> str:
        return f"Appointment({self.id}, {self.status})"


def appointment(
    connection_id: str, resource: Json, patient: Json, starts_at: datetime, beside: Iterable[Json]
) -> Appointment:
    near = {key_of(each): each for each in beside}
    return Appointment(
        connection_id=connection_id,
        id=text_at(resource, "id"),
        version_id=text_at(resource, "meta", "versionId") or None,
        patient_id=text_at(patient, "id"),
        person=person(patient),
        patient=patient,
        starts_at=starts_at,
        status=text_at(resource, "status"),
        what=what(resource),
        with_whom=_participants(resource, near, ("Practitioner", "PractitionerRole")),
        where=_participants(resource, near, ("Location",)),
        resource=resource,
    )


def person(patient: Json) -> dict[str, str | None]:
    """{"name", "birthDate", "email", "phone", "language"} of a Patient resource; None where the record has none."""
    return {
        "name": name_of(patient) or None,
        "birthDate": text_at(patient, "birthDate") or None,
        "email": telecom_value(patient, "email") or None,
        "phone": telecom_value(patient, "phone", "sms") or None,
        "language": language_of(patient) or None,
    }


def what(resource: Json) -> str:
    """What the visit is for, as a patient may read it: the kind of service before the clinic's own note."""
    services = [concept_text(each) for each in objects_at(resource, "serviceType")]
    return (
        next((text for text in services if text), "")
        or concept_text(resource.get("appointmentType"))
        or text_at(resource, "description")
    )


def _participants(resource: Json, near: dict[str, Json], types: tuple[str, ...]) -> str:
    named = []
    for each in objects_at(resource, "participant"):
        ref = parse_reference(text_at(each, "actor", "reference"))
        if ref is not None and ref.type in types:
            named.append(reference_text(each["actor"], resolve(each["actor"], resource, near)))
    return ", ".join(text for text in named if text)
