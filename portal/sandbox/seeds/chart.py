"""Writes the entries of a chart: conditions, allergies, medicines, vaccines, insurance, visits."""

from __future__ import annotations

from portal.sandbox.seeds.person import BY_ID
from portal.sandbox.seeds.pieces import (
    CVX,
    HL7,
    ICD10,
    RXNORM,
    SNOMED,
    Days,
    Resource,
    coded,
    coding,
    concept,
    of,
    ref,
    status,
)

DOCTOR = ("Practitioner/ifeoma-okoro", "Dr. Ifeoma Okoro")


def condition(
    who: str, slug: str, text: str, snomed: str, since: str, icd10: str | None = None, clinical: str = "active"
) -> Resource:
    codes = [coding(SNOMED, snomed, text)] + ([coding(ICD10, icd10)] if icd10 else [])
    return {
        "resourceType": "Condition",
        "id": f"{who}-{slug}",
        "clinicalStatus": status("condition-clinical", clinical),
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "category": [status("condition-category", "problem-list-item")],
        "code": concept(text, *codes),
        "subject": of(who),
        "onsetDateTime": since,
        "recordedDate": since if len(since) > 7 else f"{since[:4]}-12-31",
        "recorder": ref(*DOCTOR),
    }


def allergy(
    who: str,
    slug: str,
    substance: str,
    snomed: str,
    category: str,
    recorded: str,
    reaction: tuple[str, str, str] | None = None,
    criticality: str = "unable-to-assess",
    verification: str = "confirmed",
) -> Resource:
    """`reaction` is (words, SNOMED code, severity). A refuted one has no clinical status (invariant ait-2)."""
    made: Resource = {
        "resourceType": "AllergyIntolerance",
        "id": f"{who}-{slug}",
        "verificationStatus": status("allergyintolerance-verification", verification),
        "type": "allergy",
        "category": [category],
        "criticality": criticality,
        "code": coded(SNOMED, snomed, substance),
        "patient": of(who),
        "recordedDate": recorded,
        "recorder": ref(*DOCTOR),
    }
    if verification != "entered-in-error":
        made["clinicalStatus"] = status(
            "allergyintolerance-clinical", "inactive" if verification == "refuted" else "active"
        )
    if reaction:
        words, code, severity = reaction
        made["reaction"] = [{"manifestation": [coded(SNOMED, code, words)], "severity": severity}]
    return made


def no_known_allergies(who: str, recorded: str) -> Resource:
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"{who}-no-known-allergies",
        "clinicalStatus": status("allergyintolerance-clinical", "active"),
        "verificationStatus": status("allergyintolerance-verification", "confirmed"),
        "code": coded(SNOMED, "716186003", "No known allergy"),
        "patient": of(who),
        "recordedDate": recorded,
        "recorder": ref(*DOCTOR),
    }


def medicine(
    who: str,
    slug: str,
    text: str,
    rxnorm: str | None,
    directions: str,
    since: str,
    state: str = "active",
    reason: str | None = None,
) -> Resource:
    """A prescription; `directions` are the words on the label."""
    made: Resource = {
        "resourceType": "MedicationRequest",
        "id": f"{who}-{slug}",
        "status": state,
        "intent": "order",
        "medicationCodeableConcept": coded(RXNORM, rxnorm, text) if rxnorm else concept(text),
        "subject": of(who),
        "authoredOn": since,
        "requester": ref(*DOCTOR),
        "dosageInstruction": [{"text": directions}],
    }
    return made | ({"reasonReference": [ref(f"Condition/{who}-{reason}")]} if reason else {})


def taken_anyway(who: str, slug: str, text: str, rxnorm: str | None, directions: str, since: str) -> Resource:
    """A medicine that the patient says they take, without a prescription here."""
    return {
        "resourceType": "MedicationStatement",
        "id": f"{who}-{slug}",
        "status": "active",
        "medicationCodeableConcept": coded(RXNORM, rxnorm, text) if rxnorm else concept(text),
        "subject": of(who),
        "effectivePeriod": {"start": since},
        "dateAsserted": since,
        "informationSource": of(who),
        "dosage": [{"text": directions}],
    }


def vaccine(who: str, slug: str, text: str, cvx: str, when: str) -> Resource:
    return {
        "resourceType": "Immunization",
        "id": f"{who}-{slug}",
        "status": "completed",
        "vaccineCode": coded(CVX, cvx, text),
        "patient": of(who),
        "occurrenceDateTime": when,
        "primarySource": True,
        "location": ref("Location/main-street"),
    }


def insurance(
    who: str, payer: str, plan: str, member: str, start: str, end: str | None = None, subscriber: str | None = None
) -> Resource:
    """`payer` is the id of an Organization; a child's `subscriber` is the parent."""
    family = {"relationship": status("subscriber-relationship", "child" if subscriber else "self")}
    return {
        "resourceType": "Coverage",
        "id": f"{who}-{payer}",
        "status": "cancelled" if end else "active",
        "type": concept("Health insurance", coding(f"{HL7}/v3-ActCode", "EHCPOL", "extended healthcare")),
        "subscriber": of(subscriber or who),
        "subscriberId": member,
        "beneficiary": of(who),
        **family,
        "period": {"start": start} | ({"end": end} if end else {}),
        "payor": [ref(f"Organization/{payer}")],
        "class": [{"type": status("coverage-class", "plan"), "value": plan.lower().replace(" ", "-"), "name": plan}],
    }


SERVICES = {
    "checkup": ("General check-up", "124", "CHECKUP", "A routine medical check-up"),
    "followup": ("Follow-up visit", "124", "FOLLOWUP", "A follow up visit from a previous appointment"),
    "child": ("Child health check", "58", "CHECKUP", "A routine medical check-up"),
}


def visit(who: str, days: Days, offset: int, time: str, service: str, state: str = "booked") -> Resource:
    """An appointment of half an hour; its id holds its day, so that a later start can book new ones."""
    text, code, kind, kind_words = SERVICES[service]
    hour, minute = (int(part) for part in time.split(":"))
    end = f"{hour + (minute + 30) // 60:02d}:{(minute + 30) % 60:02d}"
    made = {
        "resourceType": "Appointment",
        "id": f"{who}-{days.day(offset)}",
        "status": state,
        "serviceType": [concept(text, coding(f"{HL7}/service-type", code))],
        "appointmentType": concept(kind_words, coding(f"{HL7}/v2-0276", kind)),
        "description": text,
        "start": days.at(offset, time),
        "end": days.at(offset, end),
        "minutesDuration": 30,
        "created": days.day(offset - 21),
        "participant": [
            {"actor": ref(f"Patient/{who}", BY_ID[who].name), "required": "required", "status": "accepted"},
            {"actor": ref(*DOCTOR), "required": "required", "status": "accepted"},
            {"actor": ref("Location/main-street", "Springfield Family Clinic"), "status": "accepted"},
        ],
    }
    return made | ({"cancelationReason": concept("Patient asked to cancel")} if state == "cancelled" else {})
