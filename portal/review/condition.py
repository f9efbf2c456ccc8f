"""What a patient's answer about a health condition would change. Pure.

"I no longer have it" becomes, once a clinician accepts, `clinicalStatus` `inactive` (R4: "no longer experiencing the
symptoms"); `resolved` would also claim that they are not expected back, which a patient cannot know.
"""

from portal.fhir.resources import at
from portal.fhir.values import code_of
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
    dated,
    noted,
    nothing,
    onset,
    same,
    same_in,
    similar_in,
    status,
    unsure,
    update,
)

INACTIVE = "Marks the condition as inactive, with the patient's words as a note."
NOTES = "Adds the patient's words to the condition as a note."
ADDS = "Adds a condition as told by the patient: unconfirmed, in their words and without a code."
OVER = {"inactive", "resolved", "remission"}


def stopped(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    said = {"Status": NO_LONGER}
    if code_of(at(case.now, "clinicalStatus")) in OVER:
        return Ruling(said=said, reasons=(ALREADY,))
    others = dict.fromkeys((name for name in case.now if name.startswith("abatement")), None)
    change = update(
        case.now,
        **(others if case.also.get("when") else {}) | dated("abatement", case.also.get("when", "")),
        clinicalStatus=status("condition-clinical", "inactive"),
        note=noted(case, "Patient no longer has it"),
    )
    return Ruling(INACTIVE, change, said, Risk.LOOK)


def changed(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    change = update(case.now, note=noted(case, "Patient says something is different"))
    return Ruling(NOTES, change, {"Note": case.said}, Risk.LOOK)


def added(case: Case) -> Ruling:
    said = {"Condition": case.text, "Since": case.more}
    same = same_in(case)
    if same is not None and code_of(at(same, "clinicalStatus")) not in OVER:
        return Ruling(said=said, reasons=(ALREADY,))
    resource = {
        "resourceType": "Condition",
        "clinicalStatus": status("condition-clinical", "active"),
        "verificationStatus": status("condition-ver-status", "unconfirmed"),
        "code": {"text": case.text},
        "subject": {"reference": case.subject},
        **onset(case.more),
        "recordedDate": case.said_at,
        "asserter": {"reference": case.subject},
    }
    if similar_in(case.text, case.listed):
        return Ruling(ADDS, create(resource), said, Risk.LOOK, (SIMILAR,))
    return Ruling(ADDS, create(resource), said)


RULES: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: stopped,
    Answer.CHANGED: changed,
    Answer.ADDED: added,
}
