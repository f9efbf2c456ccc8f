"""Writes what stands around a chart: what was done, what runs in the family, who looks after somebody, who may be called."""

from __future__ import annotations

from portal.sandbox.seeds.chart import DOCTOR
from portal.sandbox.seeds.pieces import HL7, SNOMED, Resource, coded, coding, concept, of, ref

PREFERRED = "http://hl7.org/fhir/StructureDefinition/patient-preferredPharmacy"


def procedure(who: str, slug: str, text: str, snomed: str, when: str) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": f"{who}-{slug}",
        "status": "completed",
        "code": coded(SNOMED, snomed, text),
        "subject": of(who),
        "performedDateTime": when,
        "recorder": ref(*DOCTOR),
    }


def relative(who: str, slug: str, relation: tuple[str, str], text: str, snomed: str, told: str) -> Resource:
    """`relation` is (v3-RoleCode, words); what they had is one condition."""
    code, words = relation
    return {
        "resourceType": "FamilyMemberHistory",
        "id": f"{who}-{slug}",
        "status": "completed",
        "patient": of(who),
        "date": told,
        "relationship": concept(words, coding(f"{HL7}/v3-RoleCode", code, words.lower())),
        "condition": [{"code": coded(SNOMED, snomed, text)}],
    }


def team(who: str, *members: tuple[str, str, str]) -> Resource:
    """Each member is (id of a Practitioner, name, what they do)."""
    return {
        "resourceType": "CareTeam",
        "id": f"{who}-team",
        "status": "active",
        "name": "Care team",
        "subject": of(who),
        "participant": [
            {"role": [concept(role)], "member": ref(f"Practitioner/{id_}", name)} for id_, name, role in members
        ],
    }


def to_call(name: tuple[str, str], relation: str, number: str) -> Resource:
    """One entry of Patient.contact."""
    given, family = name
    emergency = concept("Emergency contact", coding(f"{HL7}/v2-0131", "C", "Emergency Contact"))
    return {
        "relationship": [{"coding": emergency["coding"]}, concept(relation)],
        "name": {"given": [given], "family": family},
        "telecom": [{"system": "phone", "value": number, "use": "mobile"}],
    }


def pharmacy(organization: str, name: str) -> Resource:
    """The extension of Patient for the pharmacy somebody prefers."""
    kind = {"url": "type", "valueCodeableConcept": concept("Community pharmacy")}
    return {
        "url": PREFERRED,
        "extension": [{"url": "pharmacy", "valueReference": ref(f"Organization/{organization}", name)}, kind],
    }
