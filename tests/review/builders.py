"""Resources and submissions for the tests of review, as small as they may be."""

from typing import Any

from portal.review.proposals import proposals
from portal.review.section import Record, Section

SUBJECT = "Patient/7"
SAID_AT = "2026-11-20T09:30:00Z"
Json = dict[str, Any]

PATIENT: Json = {
    "resourceType": "Patient",
    "id": "7",
    "meta": {"versionId": "3"},
    "name": [{"family": "Okafor", "given": ["Adaeze"]}],
    "telecom": [
        {"system": "phone", "use": "mobile", "value": "555 0100"},
        {"system": "email", "value": "ada@example.org"},
    ],
    "address": [{"use": "home", "line": ["4 Mill Lane"], "city": "Riverton", "postalCode": "12345"}],
    "birthDate": "1985-03-27",
}
METFORMIN: Json = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "meta": {"versionId": "2"},
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {
        "coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "861007", "display": "metformin 500 MG"}
        ],
        "text": "Metformin 500 mg tablet",
    },
    "subject": {"reference": SUBJECT},
    "dosageInstruction": [{"text": "1 tablet twice a day"}],
}
STATEMENT: Json = {
    "resourceType": "MedicationStatement",
    "id": "s1",
    "meta": {"versionId": "1"},
    "status": "active",
    "medicationCodeableConcept": {"text": "Vitamin D"},
    "subject": {"reference": SUBJECT},
}
PENICILLIN: Json = {
    "resourceType": "AllergyIntolerance",
    "id": "a1",
    "meta": {"versionId": "5"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "verificationStatus": {"coding": [{"code": "confirmed"}]},
    "code": {"text": "Penicillin"},
    "patient": {"reference": SUBJECT},
    "note": [{"text": "seen in 2010"}],
}
NO_KNOWN: Json = {
    **PENICILLIN,
    "id": "a0",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}], "text": "No known allergy"},
}
ASTHMA: Json = {
    "resourceType": "Condition",
    "id": "c1",
    "meta": {"versionId": "9"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Asthma"},
    "subject": {"reference": SUBJECT},
    "onsetDateTime": "1999",
}
HELD: dict[str, tuple[Json, ...]] = {
    "contact": (PATIENT,),
    "medication": (METFORMIN, STATEMENT),
    "allergy": (PENICILLIN,),
    "condition": (ASTHMA,),
}


def record(**sections: tuple[Json, ...] | None) -> Record:
    """The record of today: HELD with some sections replaced; None is one that could not be looked at."""
    wanted = {**HELD, **sections}
    return {
        name: Section("could-not-look") if held is None else Section("known" if held else "none", held)
        for name, held in wanted.items()
    }


def fact(kind: str, resource: Json, answer: str, label: str, text: str = "", detail: str = "", part: str = "") -> Json:
    """A fact of the record with what the patient said of it, as intake freezes it."""
    key = f"{resource['resourceType']}/{resource['id']}"
    return {
        "key": f"{key}#{part}" if part else key,
        "kind": kind,
        "label": label,
        "detail": detail,
        "source": {
            "reference": key,
            "versionId": resource["meta"]["versionId"],
            "readAt": SAID_AT,
            "resource": resource,
        },
        "answer": answer,
        "change": {"text": text} if text else {},
        "note": "",
    }


def new(kind: str, text: str, more: str = "", place: int = 1) -> Json:
    return {
        "key": f"new-{kind}-{place}",
        "kind": kind,
        "label": text,
        "detail": more,
        "source": None,
        "answer": "added",
        "change": {"text": text, "more": more},
        "note": "",
    }


def phone(answer: str, text: str = "") -> Json:
    return fact("contact", PATIENT, answer, "Mobile phone", text, "555 0100", "telecom-1")


def email(answer: str, text: str = "") -> Json:
    return fact("contact", PATIENT, answer, "E-mail", text, "ada@example.org", "telecom-2")


def address(answer: str, text: str = "") -> Json:
    return fact("contact", PATIENT, answer, "Address", text, "4 Mill Lane, Riverton 12345", "address-1")


def document(*facts: Json, none_allergy: bool = False) -> Json:
    return {"facts": list(facts), "sections": {"allergy": {"none_said_by_patient": none_allergy}}}


def one(fact: Json, now: Record | None = None) -> Any:
    """The proposal for a single fact."""
    (made,) = proposals(document(fact), record() if now is None else now, subject=SUBJECT, said_at=SAID_AT)
    return made
