"""What a patient's answer about something done, a vaccination or a relative's illness would change. Pure.

All three are reports of the past. "Something is different" becomes a note, for which element is different nobody guesses.
"I did not have this" says that the entry is a mistake: once a clinician accepts that, its status is `entered-in-error` (R4:
"This event should never have existed"), which keeps it and takes it out of use. What is added is text alone, dated as exactly as
it was typed: a partial date, else the words.
"""

from collections.abc import Callable
from dataclasses import dataclass

from portal.fhir.resources import Json, type_of
from portal.review import shapes
from portal.review.alike import plain
from portal.review.proposal import Answer, Risk
from portal.review.ruling import (
    ALREADY,
    CLINICAL,
    GONE,
    SIMILAR,
    Case,
    Rules,
    Ruling,
    create,
    dated,
    noted,
    nothing,
    same,
    unsure,
    update,
)

NOTES = "Adds the patient's words to the entry as a note."
MISTAKE = "Marks the entry as entered in error, with the patient's words. It stays in the record, out of use."
NEVER_WAS = "The patient says that this never happened. Check before you take it out of use."
SAID = "A mistake"


@dataclass(frozen=True)
class Past:
    """One kind: what its lines are called, and what a new entry is made of besides status and patient."""

    lines: tuple[str, str]
    made: Callable[[Case], Json]
    kind: str


def _procedure(case: Case) -> Json:
    who = {"reference": case.subject}
    return {
        "status": "completed",
        "code": {"text": case.text},
        "subject": who,
        **dated("performed", case.more),
        "asserter": who,
    }


def _immunization(case: Case) -> Json:
    """`recall` says that somebody remembers it: a code of what kind of report this is, not of the vaccine."""
    recall = {"system": CLINICAL + "immunization-origin", "code": "recall", "display": "Parent/Guardian/Patient Recall"}
    return {
        "status": "completed",
        "vaccineCode": {"text": case.text},
        "patient": {"reference": case.subject},
        **(dated("occurrence", case.more) or {"occurrenceString": "Not said when"}),
        "primarySource": False,
        "reportOrigin": {"coding": [recall]},
    }


def _relative(case: Case) -> Json:
    """`partial`: nobody claims that this is all there is to say of that relative."""
    had = {"condition": [{"code": {"text": case.more}}]} if case.more else {}
    who = {"reference": case.subject}
    return {"status": "partial", "patient": who, "date": case.said_at, "relationship": {"text": case.text}, **had}


PAST: dict[str, Past] = {
    "procedure": Past(("Procedure", "Date"), _procedure, "Procedure"),
    "immunization": Past(("Vaccine", "Date"), _immunization, "Immunization"),
    "family": Past(("Relative", "Had"), _relative, "FamilyMemberHistory"),
}


def changed(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    change = update(case.now, note=noted(case, "Patient says something is different"))
    return Ruling(NOTES, change, {"Note": case.said}, Risk.LOOK)


def stopped(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    said = {"Status": SAID}
    if case.now.get("status") == "entered-in-error":
        return Ruling(said=said, reasons=(ALREADY,))
    change = update(case.now, status="entered-in-error", note=noted(case, "Patient says this is a mistake"))
    return Ruling(MISTAKE, change, said, Risk.LOOK, (NEVER_WAS,))


def added(case: Case) -> Ruling:
    past = PAST[case.kind]
    said = dict(zip(past.lines, (case.text, case.more), strict=True))
    resource = {"resourceType": past.kind, **past.made(case)}
    shape = shapes.SHAPES[past.kind]
    standing = [each for each in case.listed if type_of(each) == past.kind and shape.stands(each)]
    if any(shape.same(resource, each) for each in standing):
        return Ruling(said=said, reasons=(ALREADY,))
    if any(_alike(resource, each) for each in standing):
        return Ruling(shape.effect, create(resource), said, Risk.LOOK, (SIMILAR,))
    return Ruling(shape.effect, create(resource), said)


def _alike(one: Json, other: Json) -> bool:
    """Their names share the leading word: an appendix taken out twice is looked at."""
    words = plain(shapes.name_of(one)).split()
    return bool(words) and len(words[0]) > 3 and words[0] in plain(shapes.name_of(other)).split()


RULES: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: stopped,
    Answer.CHANGED: changed,
    Answer.ADDED: added,
}
