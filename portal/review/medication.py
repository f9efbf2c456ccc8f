"""What a patient's answer about a medication would change. Pure.

A patient who says "I no longer take it" tells what they do, not what was ordered. So a prescriber's MedicationRequest is
never altered: the answer becomes a MedicationStatement of its own (R4: "a record of a medication that is being consumed by
a patient … the source can be the patient"), status `stopped`, `basedOn` and `derivedFrom` the request. The prescriber sees both and decides
about the order in their own system. A statement that the record already holds is itself such a report, and is brought up to
date in place, with If-Match.

What is said about a medication that the record codes keeps the record's own code only when it is about exactly that
medication (stopped). Changed and added ones carry text alone: drug codes often contain the strength, and a guessed one
would state a dose that nobody said.
"""

from portal.fhir.resources import Json, key_of, text_at, type_of
from portal.review.proposal import Answer, Risk
from portal.review.ruling import (
    ALREADY,
    GONE,
    NO_LONGER,
    SIMILAR,
    Case,
    Rules,
    Ruling,
    create,
    name_of,
    noted,
    nothing,
    partial_date,
    same,
    same_in,
    similar_in,
    unsure,
    update,
)

OVER = {"completed", "stopped", "cancelled", "entered-in-error", "not-taken"}
PRESCRIPTION_STAYS = "Adds that the patient no longer takes it. The prescription itself is not changed."
TAKES_DIFFERENTLY = "Adds how the patient takes it, in their words. The prescription itself is not changed."
STATEMENT_STOPPED = "Marks the record's entry as stopped."
STATEMENT_CHANGED = "Replaces how it is taken in the record's entry by the patient's words."
ADDS = "Adds a medicine the patient takes, in their words and without a code."


def stopped(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    said = {"Status": NO_LONGER}
    if case.now.get("status") in OVER:
        return Ruling(said=said, reasons=(ALREADY,))
    if type_of(case.now) == "MedicationStatement":
        change = update(case.now, status="stopped", note=noted(case, "Patient no longer takes it"))
        return Ruling(STATEMENT_STOPPED, change, said, Risk.LOOK)
    resource = {
        **_statement(case, "stopped", _exactly(case.now)),
        "note": noted_alone(case, "Patient no longer takes it"),
    }
    until = partial_date(case.also.get("when", ""))
    if until:
        resource["effectivePeriod"] = {"end": until}
    return Ruling(PRESCRIPTION_STAYS, create(resource), said, Risk.LOOK)


def changed(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    said = {"How to take it": case.text}
    if type_of(case.now) == "MedicationStatement":
        change = update(case.now, dosage=[{"text": case.text}], note=noted(case, "Patient takes it differently"))
        return Ruling(STATEMENT_CHANGED, change, said, Risk.LOOK)
    medicine = {"medicationCodeableConcept": {"text": name_of(case.now) or case.label}}
    resource = {**_statement(case, "active", medicine), "dosage": [{"text": case.text}]}
    return Ruling(TAKES_DIFFERENTLY, create(resource), said, Risk.LOOK)


def added(case: Case) -> Ruling:
    said = {"Medicine": case.text, "How to take it": case.more}
    same = same_in(case)
    if same is not None and same.get("status") not in OVER:
        return Ruling(said=said, reasons=(ALREADY,))
    similar = similar_in(case.text, case.listed)
    resource = _statement(case, "active", {"medicationCodeableConcept": {"text": case.text}})
    if case.more:
        resource["dosage"] = [{"text": case.more}]
    if similar is not None:
        return Ruling(ADDS, create(resource), said, Risk.LOOK, (SIMILAR,))
    return Ruling(ADDS, create(resource), said)


def _exactly(ordered: Json) -> Json:
    """The medication as the order names it; in words where the order only points to a part of itself."""
    if text_at(ordered, "medicationReference", "reference").startswith("#"):
        return {"medicationCodeableConcept": {"text": name_of(ordered) or "Medicine of the prescription"}}
    return {name: value for name, value in ordered.items() if name.startswith("medication")}


def noted_alone(case: Case, words_before: str) -> list[Json]:
    """The one note of a new resource: those of the order stay with the order."""
    return noted(case, words_before)[-1:]


def _statement(case: Case, status: str, medicine: Json) -> Json:
    about = [{"reference": key_of(case.now)}] if case.now else []
    resource: Json = {
        "resourceType": "MedicationStatement",
        "status": status,
        **medicine,
        "subject": {"reference": case.subject},
        "dateAsserted": case.said_at,
        "informationSource": {"reference": case.subject},
    }
    return {**resource, "basedOn": about, "derivedFrom": about} if about else resource


RULES: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: stopped,
    Answer.CHANGED: changed,
    Answer.ADDED: added,
}
