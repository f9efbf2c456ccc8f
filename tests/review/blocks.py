"""A record with something in every block, and what a patient says about it: for the tests of proposals."""

from __future__ import annotations

from portal.review.proposal import Proposal
from portal.review.proposals import proposals
from tests.review.builders import (
    METFORMIN,
    PATIENT,
    SAID_AT,
    SUBJECT,
    Json,
    document,
    fact,
    new,
    record,
)

OURS = {"reference": SUBJECT}
PHARMACY = "http://hl7.org/fhir/StructureDefinition/patient-preferredPharmacy"
EMERGENCY = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "C", "display": "Emergency Contact"}]
}
DIEGO = {
    "relationship": [EMERGENCY, {"text": "Husband"}],
    "name": {"text": "Diego Morales"},
    "telecom": [{"system": "phone", "value": "555 0116"}],
}
CHOSEN = {
    "url": PHARMACY,
    "extension": [
        {"url": "pharmacy", "valueReference": {"display": "Walnut Pharmacy"}},
        {"url": "type", "valueCodeableConcept": {"text": "Community"}},
    ],
}
HERE: Json = {
    **PATIENT,
    "contact": [DIEGO],
    "extension": [CHOSEN, {"url": "urn:else", "valueString": "x"}],
    "generalPractitioner": [{"display": "Dr Weiss"}],
}
SON: Json = {
    "resourceType": "RelatedPerson",
    "id": "r1",
    "meta": {"versionId": "4"},
    "active": True,
    "patient": OURS,
    "name": [{"text": "Minh Tran"}],
    "relationship": [{"text": "Son"}],
    "telecom": [{"system": "phone", "value": "555 0115"}],
}
COVER: Json = {
    "resourceType": "Coverage",
    "id": "k1",
    "meta": {"versionId": "6"},
    "status": "active",
    "beneficiary": OURS,
    "payor": [{"display": "Prairie Health"}],
    "subscriberId": "PH-1",
    "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "gold", "name": "Gold"}],
    "period": {"start": "2020"},
}
APPENDIX: Json = {
    "resourceType": "Procedure",
    "id": "o1",
    "meta": {"versionId": "1"},
    "status": "completed",
    "subject": OURS,
    "code": {"text": "Removal of the appendix"},
    "performedDateTime": "2003-07",
}
TDAP: Json = {
    "resourceType": "Immunization",
    "id": "i1",
    "meta": {"versionId": "1"},
    "status": "completed",
    "patient": OURS,
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "115"}], "text": "Tdap"},
    "occurrenceDateTime": "2021-06-14",
}
MOTHER: Json = {
    "resourceType": "FamilyMemberHistory",
    "id": "f1",
    "meta": {"versionId": "1"},
    "status": "completed",
    "patient": OURS,
    "relationship": {"text": "Mother"},
    "condition": [{"code": {"text": "Diabetes"}}],
}
TEAM: Json = {
    "resourceType": "CareTeam",
    "id": "t1",
    "meta": {"versionId": "2"},
    "status": "active",
    "subject": OURS,
    "participant": [{"member": {"display": "Dr Okoro"}, "role": [{"text": "Family doctor"}]}],
}
ALL: dict[str, tuple[Json, ...]] = {
    "contact": (HERE,),
    "person": (SON,),
    "coverage": (COVER,),
    "procedure": (APPENDIX,),
    "immunization": (TDAP,),
    "family": (MOTHER,),
    "careteam": (TEAM,),
}
FACTS: dict[str, tuple[str, Json, str, str, str]] = {
    "person": ("person", SON, "Minh Tran", "Son, 555 0115", ""),
    "contact person": ("person", HERE, "Diego Morales", "Husband, 555 0116", "contact-1"),
    "coverage": ("coverage", COVER, "Prairie Health", "Gold, PH-1", ""),
    "procedure": ("procedure", APPENDIX, "Removal of the appendix", "", ""),
    "immunization": ("immunization", TDAP, "Tdap", "", ""),
    "family": ("family", MOTHER, "Mother", "Diabetes", ""),
    "pharmacy": ("pharmacy", HERE, "Walnut Pharmacy", "", "pharmacy-1"),
    "careteam": ("careteam", TEAM, "Dr Okoro", "Family doctor", "member-1"),
    "own doctor": ("careteam", HERE, "Dr Weiss", "Your regular doctor", "doctor-1"),
    "dispenser": ("pharmacy", METFORMIN, "Main Pharmacy", "", "dispenser-1"),
}


def about(which: str, answer: str, /, **typed: str) -> Json:
    kind, resource, label, detail, part = FACTS[which]
    return {**fact(kind, resource, answer, label, detail=detail, part=part), "change": typed}


def added(kind: str, text: str, /, **typed: str) -> Json:
    made = new(kind, text, typed.get("more", ""))
    return {**made, "change": {**made["change"], **typed}}


def one(said: Json, **now: tuple[Json, ...] | None) -> Proposal:
    (made,) = proposals(document(said), record(**{**ALL, **now}), subject=SUBJECT, said_at=SAID_AT)
    return made
