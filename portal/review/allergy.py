"""What a patient's answer about an allergy or intolerance would change. Pure.

Taking an allergy off the record can harm, so "I do not have this" changes nothing until a clinician accepts it, and even
then nothing is removed: `clinicalStatus` becomes `inactive` with the patient's words as a note. It does not become
`verificationStatus` `refuted`, which in R4 says that the reaction "has been ruled out with a high level of clinical
certainty": a patient's word is no such proof, and a clinician who has one records it in the record itself.
What a patient adds is `unconfirmed` and text only. "No known allergies" is only ever said by the patient.
"""

from portal.fhir.resources import Json, at
from portal.fhir.values import code_of, codes_of
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
    noted,
    nothing,
    same,
    same_in,
    similar_in,
    status,
    unsure,
    update,
)

SNOMED = "http://snomed.info/sct"
NO_KNOWN_ALLERGY = "716186003"
INACTIVE = "Marks the allergy as inactive, with the patient's words. It stays in the record."
NOTES = "Adds the patient's words to the allergy as a note."
ADDS = "Adds an allergy as told by the patient: unconfirmed, in their words and without a code."
ADDS_NONE = 'Adds "no known allergies" as told by the patient, unconfirmed.'
MAY_HARM = "An allergy that is no longer watched for can harm. Check before you accept."
NONE_INACTIVE = 'Marks "no known allergies" as inactive. It stays in the record.'
NONE_DENIED = "The patient says that it is not right that they have no allergies."
CHANGED = "Something about an allergy is different."
IS_TAKEN = "The record lists a medicine of this name. Check at once."
RECORD_HAS_SOME = "The record lists allergies, but the patient says they have none."
SAYS_NONE = "The record says that there are no known allergies. Correct that there too."
COULD_NOT_LOOK = "The record could not be read, so it is not known whether it lists allergies."


def stopped(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    said = {"Status": NO_LONGER}
    if code_of(at(case.now, "clinicalStatus")) in {"inactive", "resolved"}:
        return Ruling(said=said, reasons=(ALREADY,))
    change = update(
        case.now,
        clinicalStatus=status("allergyintolerance-clinical", "inactive"),
        note=noted(case, "Patient says they do not have this"),
    )
    if _is_none(case.now):
        return Ruling(NONE_INACTIVE, change, said, Risk.LOOK, (NONE_DENIED,))
    return Ruling(INACTIVE, change, said, Risk.LOOK, (MAY_HARM,))


def changed(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    change = update(case.now, note=noted(case, "Patient says something is different"))
    return Ruling(NOTES, change, {"Note": case.said}, Risk.LOOK, (CHANGED,))


def added(case: Case) -> Ruling:
    said = {"Allergy or intolerance": case.text, "Reaction": case.more}
    same = same_in(case)
    if same is not None and _stands(same):
        return Ruling(said=said, reasons=(ALREADY,))
    resource = _stated(case, {"text": case.text})
    if case.more:
        resource["reaction"] = [{"manifestation": [{"text": case.more}]}]
    if similar_in(case.text, case.taken):
        return Ruling(ADDS, create(resource), said, Risk.URGENT, (IS_TAKEN,))
    reasons = (SIMILAR,) if similar_in(case.text, case.listed) else (SAYS_NONE,) if _says_none(case) else ()
    return Ruling(ADDS, create(resource), said, Risk.LOOK, reasons)


def none_said(case: Case, *, looked: bool) -> Ruling:
    """The patient says that they have no allergies. Written only where the record, looked at now, says nothing at all."""
    said = {"Allergy or intolerance": "No known allergies"}
    standing = [each for each in case.listed if _stands(each)]
    if not looked:
        return Ruling(said=said, risk=Risk.LOOK, reasons=(COULD_NOT_LOOK,))
    if _says_none(case):
        return Ruling(said=said, reasons=(ALREADY,))
    if standing:
        return Ruling(said=said, risk=Risk.LOOK, reasons=(RECORD_HAS_SOME,))
    code = {
        "coding": [{"system": SNOMED, "code": NO_KNOWN_ALLERGY, "display": "No known allergy"}],
        "text": "No known allergies",
    }
    return Ruling(ADDS_NONE, create(_stated(case, code)), said)


def _says_none(case: Case) -> bool:
    """The record itself states that there are no known allergies."""
    return any(_is_none(each) for each in case.listed if _stands(each))


def _is_none(resource: Json) -> bool:
    return (SNOMED, NO_KNOWN_ALLERGY) in codes_of(resource.get("code"))


def _stands(resource: Json) -> bool:
    over = {"inactive", "resolved"}, {"refuted", "entered-in-error"}
    return not any(
        code_of(resource.get(name)) in done
        for name, done in zip(("clinicalStatus", "verificationStatus"), over, strict=True)
    )


def _stated(case: Case, code: Json) -> Json:
    """Active, as R4 asks for unless it is entered in error (ait-1), and unconfirmed."""
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": status("allergyintolerance-clinical", "active"),
        "verificationStatus": status("allergyintolerance-verification", "unconfirmed"),
        "code": code,
        "patient": {"reference": case.subject},
        "recordedDate": case.said_at,
        "asserter": {"reference": case.subject},
    }


RULES: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: stopped,
    Answer.CHANGED: changed,
    Answer.ADDED: added,
}
