"""What a rule may look at, what it answers, and the small steps that all rules share. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from portal.fhir.resources import Json, text_at, version_of
from portal.fhir.values import concept_text
from portal.review import words
from portal.review.alike import plain
from portal.review.proposal import Answer, Change, Risk

CLINICAL = "http://terminology.hl7.org/CodeSystem/"
CORRECTS = "Corrects what the patient told before."
NOTHING_CHANGES = "Nothing changes in the record."
ALREADY = "The record already says this."
GONE = "The record no longer lists this."
SIMILAR = "The record lists something similar. Check that it is not the same."
COULD_BE_ANY = "This could be a phone number, an e-mail address or an address. Enter it by hand, or ask the patient."
NO_LONGER = "No longer"
NOT_SURE = "The patient is not sure. Ask them, or clear it up at the visit."
_PARTIAL_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


@dataclass(frozen=True)
class Case:
    """One fact with its answer. `then` is the resource as it was read for the patient, `now` as the record has it today
    (None: not there any more, or new). `label` and `detail` are the fact's words as the patient saw them, `text` and `more` what
    they wrote. `listed` is the whole section today, `taken` the medications of today. `said_at` is
    an ISO time; `subject` the reference of the patient ("Patient/7")."""

    kind: str
    answer: Answer
    label: str
    detail: str
    text: str
    more: str
    note: str
    then: Json | None
    now: Json | None
    listed: tuple[Json, ...]
    taken: tuple[Json, ...]
    subject: str
    said_at: str
    worded_by: str = ""
    written: str = ""
    """who put it into other words at the clinic, and then everything the patient wrote"""
    also: Mapping[str, str] = field(default_factory=dict)
    """everything that was typed, by the name of its field"""
    told: str = ""
    """what they called it when they added it in an earlier round that is in the record"""

    @property
    def said(self) -> str:
        """Everything the patient wrote, as one text."""
        return ". ".join(part.strip().rstrip(".") for part in (self.text, self.more, self.note) if part.strip())


@dataclass(frozen=True)
class Ruling:
    """What accepting would do (`effect`, msgid) and write (`change`), what the patient's column shows (`said`), why to look."""

    effect: str = NOTHING_CHANGES
    change: Change | None = None
    said: words.Lines | None = None
    risk: Risk = Risk.ROUTINE
    reasons: tuple[str, ...] = ()


Rules = dict[Answer, Callable[[Case], Ruling]]


def same(_case: Case) -> Ruling:
    """The patient confirms what the record says: there is nothing to write."""
    return Ruling()


def nothing(_case: Case, risk: Risk = Risk.ROUTINE, *reasons: str) -> Ruling:
    return Ruling(risk=risk, reasons=reasons)


def unsure(case: Case) -> Ruling:
    """Nothing is written for it; a person should know."""
    return nothing(case, Risk.LOOK, NOT_SURE)


def create(resource: Json) -> Change:
    return Change("POST", str(resource["resourceType"]), resource)


def update(now: Json, **elements: object) -> Change:
    """A PUT of what the record has now with these elements replaced; None takes one out."""
    made = {name: value for name, value in {**now, **elements}.items() if value is not None}
    return Change("PUT", f"{now['resourceType']}/{now['id']}", made, version_of(now))


def noted(case: Case, words_before: str) -> list[Json]:
    """The notes of the resource with one more: who said what, when. In English, as the record's staff read it.

    Words that somebody at the clinic chose are never put into the patient's mouth: the note is theirs, and gives the patient's.
    """
    before = case.now.get("note", []) if case.now else []
    text = f"{words_before}: {case.said}" if case.said else f"{words_before}."
    if case.worded_by:
        text = f"{text} (In the words of {case.worded_by}; the patient wrote: {case.written or 'nothing'})"
        return [*before, {"authorString": case.worded_by, "time": case.said_at, "text": text}]
    return [*before, {"authorReference": {"reference": case.subject}, "time": case.said_at, "text": text}]


def status(system: str, code: str) -> Json:
    return {"coding": [{"system": CLINICAL + system, "code": code}]}


def onset(text: str) -> Json:
    """When it began as R4 holds it: a partial date as typed, else the words."""
    return dated("onset", text)


def dated(element: str, text: str) -> Json:
    """A choice of dateTime and string: a partial date as typed, else the words; {} for nothing."""
    typed = text.strip()
    if not typed:
        return {}
    return {f"{element}DateTime": typed} if partial_date(typed) else {f"{element}String": typed}


def partial_date(text: str) -> str:
    """A date as FHIR writes it, as exact as it was typed; "" for words."""
    return text.strip() if _PARTIAL_DATE.fullmatch(text.strip()) else ""


def name_of(resource: Json) -> str:
    return words.medicine(resource) or concept_text(resource.get("code"))


def same_in(case: Case) -> Json | None:
    """What the record lists under exactly this name (letters and digits compared), if anything."""
    return named_in(case.text, case.listed)


def named_in(text: str, listed: tuple[Json, ...]) -> Json | None:
    """What is listed under exactly this name (letters and digits compared), if anything."""
    wanted = plain(text)
    return next((each for each in listed if wanted and wanted in _names(each)), None)


def similar_in(text: str, listed: tuple[Json, ...]) -> Json | None:
    """What the record lists under a name that shares its leading word: "Metformin" and "metformin 500 mg tablet"."""
    wanted = plain(text).split()
    if not wanted or len(wanted[0]) < 4:
        return None
    return next((each for each in listed if any(wanted[0] in name.split() for name in _names(each))), None)


def _names(resource: Json) -> set[str]:
    concepts = [resource.get("medicationCodeableConcept"), resource.get("code")]
    shown = [text_at(coding, "display") for held in concepts if held for coding in held.get("coding", [])]
    texts = [text_at(held, "text") for held in concepts if held]
    named = [*shown, *texts, text_at(resource, "medicationReference", "display")]
    return {plain(name) for name in named if plain(name)}
