"""The clinic itself: its organisation, place, people who work there, laboratory and the insurers it knows."""

from __future__ import annotations

from portal.sandbox.seeds.pieces import HL7, SNOMED, Resource, coded, coding, concept, ref

NPI = "http://hl7.org/fhir/sid/us-npi"


def staff() -> list[Resource]:
    """Everything that belongs to nobody's chart."""
    return [
        _organization("clinic", "Springfield Family Clinic", "prov", "Healthcare Provider"),
        _organization("laboratory", "Capital Laboratory", "prov", "Healthcare Provider"),
        _organization("prairie-health", "Prairie Health Plan", "ins", "Insurance Company"),
        _organization("blue-river", "Blue River Insurance", "ins", "Insurance Company"),
        _organization("walnut-pharmacy", "Walnut Street Pharmacy", "prov", "Healthcare Provider"),
        {
            "resourceType": "Location",
            "id": "main-street",
            "status": "active",
            "name": "Springfield Family Clinic, Main Street",
            "telecom": [{"system": "phone", "value": "+12175550100", "use": "work"}],
            "address": {"line": ["100 Main Street"], "city": "Springfield", "state": "IL", "postalCode": "62701"},
            "managingOrganization": ref("Organization/clinic"),
        },
        *_practitioner("ifeoma-okoro", "Ifeoma", "Okoro", "Dr.", "1999999992", "General practice", "394814009"),
        *_practitioner("daniel-weiss", "Daniel", "Weiss", "Dr.", "1999999984", "Pediatrics", "394537008"),
        *_practitioner("sofia-lopez", "Sofía", "López", "NP", "1999999976", "General practice", "394814009"),
    ]


def _organization(id_: str, name: str, kind: str, words: str) -> Resource:
    return {
        "resourceType": "Organization",
        "id": id_,
        "active": True,
        "type": [concept(words, coding(f"{HL7}/organization-type", kind, words))],
        "name": name,
        "telecom": [{"system": "phone", "value": "+12175550100", "use": "work"}],
    }


def _practitioner(
    id_: str, given: str, family: str, prefix: str, npi: str, specialty: str, snomed: str
) -> list[Resource]:
    return [
        {
            "resourceType": "Practitioner",
            "id": id_,
            "identifier": [{"system": NPI, "value": npi}],
            "active": True,
            "name": [{"use": "official", "family": family, "given": [given], "prefix": [prefix]}],
        },
        {
            "resourceType": "PractitionerRole",
            "id": id_,
            "active": True,
            "practitioner": ref(f"Practitioner/{id_}", f"{prefix} {given} {family}"),
            "organization": ref("Organization/clinic"),
            "specialty": [coded(SNOMED, snomed, specialty)],
            "location": [ref("Location/main-street")],
        },
    ]
