"""Whether a Patient resource may be followed: active, or set aside, or replaced by another (bar 84). Pure."""

from dataclasses import dataclass
from enum import StrEnum

from portal.fhir.resources import Json, at, objects_at, parse_reference, text_at


class Standing(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    REPLACED = "replaced"
    DECEASED = "deceased"


@dataclass(frozen=True)
class Stand:
    """`replaced_by` is `Patient/id` when the record says so in a way that can be followed by a person, never by us."""

    standing: Standing
    replaced_by: str | None = None

    @property
    def sound(self) -> bool:
        return self.standing is Standing.ACTIVE


def standing(patient: Json) -> Stand:
    """Replaced before inactive before deceased: the first of them is what staff must look at."""
    for link in objects_at(patient, "link"):
        if text_at(link, "type") == "replaced-by":
            ref = parse_reference(at(link, "other", "reference"))
            return Stand(Standing.REPLACED, ref.key if ref else None)
    if patient.get("active") is False:
        return Stand(Standing.INACTIVE)
    died = patient.get("deceasedBoolean") is True or bool(patient.get("deceasedDateTime"))
    return Stand(Standing.DECEASED if died else Standing.ACTIVE)


def links(patient: Json) -> list[tuple[str, str]]:
    """(type, `Patient/id`) of every link to another record: replaced-by, replaces, refer, seealso; "" where it leads nowhere."""
    found = [
        (text_at(each, "type"), parse_reference(at(each, "other", "reference"))) for each in objects_at(patient, "link")
    ]
    return [(kind, ref.key if ref else "") for kind, ref in found if kind]


def related(name: str, reference: str, account_id: str) -> Json:
    """Somebody who answers for a patient, as a Reference: by where the record has them, else as who they are here."""
    if reference:
        return {"reference": reference, "display": name}
    return {
        "type": "RelatedPerson",
        "identifier": {"system": "urn:previsit:account", "value": account_id},
        "display": name,
    }
