"""A submission beside the record of today: everything it would change, as one list of proposals. Pure.

    proposals(document, record, subject="Patient/7", said_at=…, told=…) -> list[Proposal]

`document` is Submission.document; `record` says for each section (contact, medication, allergy, condition …) what the
record holds now; `told` is what its forms say (portal/review/extracted.py). Rules are a table: kind × answer → what
accepting would write. Nothing here decides; every change waits for a person, and is built on the record of today, so
that If-Match refuses it when the record moves on once more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from portal.fhir.resources import Json, key_of, objects_at, text_at, type_of, version_of
from portal.fhir.values import address_text
from portal.review import (
    allergy,
    condition,
    contact,
    coverage,
    history,
    insurance_card,
    medication,
    people,
    taking_over,
    told_before,
    words,
)
from portal.review.alike import plain
from portal.review.authority import weighed
from portal.review.extracted import Told
from portal.review.proposal import Answer, Proposal, Risk, Row, Wording, key_for
from portal.review.ruling import NOTHING_CHANGES, Case, Rules, Ruling
from portal.review.section import COULD_NOT_LOOK, NOT_LOOKED, Record, Section
from portal.review.taking_over import Writable
from portal.review.together import Around, judged
from portal.review.told_before import Earlier

CHANGED_SINCE = "The record was changed after the patient was asked."
UNCHECKED = "The record could not be read now, so it is not known whether it was changed."
DISPUTED = "People who answer for the patient said different things about this."
BESIDE_URGENT = "It comes with an answer that needs a clinician today."
SAID_ABOVE = "The patient said the same on another page."
UNKNOWN_KIND = "This kind of fact cannot be prepared for the record. Enter it by hand if it matters."
_OWN_TO_SERVER = ("meta", "text")


RULES: dict[str, Rules] = {
    "contact": contact.RULES,
    "medication": medication.RULES,
    "allergy": allergy.RULES,
    "condition": condition.RULES,
    "procedure": history.RULES,
    "immunization": history.RULES,
    "family": history.RULES,
    "person": people.PERSON,
    "coverage": coverage.RULES,
    "pharmacy": people.PHARMACY,
    "careteam": people.CARETEAM,
}
PLACES: dict[str, tuple[str, ...]] = {
    "person": ("person", "contact"),
    "pharmacy": ("contact", "medication"),
    "careteam": ("careteam", "contact"),
}
"""The sections in which a kind stands, where it has not one of its own."""
IN: dict[str, str] = {"Patient": "contact", "MedicationRequest": "medication"}
"""The section that a resource of this type was read in."""
PARTS = {"contact": contact, "person": people, "pharmacy": people, "careteam": people}
"""Kinds that are parts of a resource: who says whether the part moved, and what its lines are."""
ORDER = {Risk.URGENT: 0, Risk.LOOK: 1, Risk.ROUTINE: 2}


def proposals(
    document: Json,
    record: Record,
    *,
    subject: str,
    said_at: str,
    told: Sequence[Told] = (),
    writable: Writable = lambda kind, verb: True,
    authority: Mapping[str, str] | None = None,
    around: Around = Around(),
    rounds: Mapping[str, Json] = MappingProxyType({}),
) -> list[Proposal]:
    """Everything the submission would change: first what is urgent, then what needs a look, in the patient's order.

    `rounds` are the documents of the visit's earlier submissions that are in the record, by id, the newest first.
    """
    before = told_before.earlier(document, rounds)
    made = [_proposal(fact, record, subject, said_at, before) for fact in objects_at(document, "facts")]
    made += _none_said(document, record, subject, said_at)
    made += insurance_card.proposals(document, record, subject=subject, writable=writable)
    for each in told:
        if type_of(each.resource) == "Patient":
            made += [_of_form(_proposal(fact, record, subject, said_at), each) for fact in _contacts(each)]
            made += filter(None, [taking_over.person(each, record)])
        else:
            beside = taking_over.proposal(each, record, subject=subject, said_at=said_at, writable=writable)
            made.append(_once(beside, made))
    doubted = (_contested(weighed(each, authority or {}), document) for each in made)
    return sorted(judged(doubted, document, around), key=lambda each: (not each.open, ORDER[each.risk]))


def _contested(made: Proposal, document: Json) -> Proposal:
    """What people disagree about, and what a form says beside an answer that cannot wait, is decided one by one."""
    disputed = {(text_at(each, "section"), text_at(each, "key")) for each in objects_at(document, "conflicts")}
    about = {(made.kind, made.fact), (made.kind, made.answer.value)}
    reasons = ((DISPUTED,) if disputed & about else ()) + (
        (BESIDE_URGENT,) if made.form and document.get("urgent") else ()
    )
    if not made.open or not reasons:
        return made
    risk = made.risk if made.risk is Risk.URGENT else Risk.LOOK
    again = made.reworded
    return replace(
        made,
        contested=True,
        risk=risk,
        reasons=(*reasons, *made.reasons),
        reworded=again and (lambda wording: _contested(again(wording), document)),
    )


def _contacts(told: Told) -> Iterator[Json]:
    """How to reach the patient, as a form says it: each as if they had added it."""
    telecoms = [text_at(each, "value") for each in objects_at(told.resource, "telecom")]
    addresses = [address_text(each) for each in objects_at(told.resource, "address")]
    for place, text in enumerate(filter(None, [*telecoms, *addresses]), 1):
        key = f"{told.fact}#{place}"
        yield {"key": key, "kind": "contact", "label": text, "answer": Answer.ADDED, "change": {"text": text}}


def _of_form(made: Proposal, told: Told) -> Proposal:
    again = made.reworded
    return replace(
        made,
        form=told.form,
        response=told.response,
        labels=told.labels,
        reworded=again and (lambda wording: _of_form(again(wording), told)),
    )


def _once(made: Proposal, others: Iterable[Proposal]) -> Proposal:
    """Said twice in one submission, it is decided once."""
    same = [
        each for each in others if each.change and each.kind == made.kind and plain(each.title) == plain(made.title)
    ]
    if made.change is None or made.kind == "observation" or not same:
        return made
    return replace(made, change=None, risk=Risk.ROUTINE, effect=NOTHING_CHANGES, reasons=(SAID_ABOVE,), open=False)


def _proposal(
    fact: Json,
    record: Record,
    subject: str,
    said_at: str,
    before: Earlier = Earlier(),
    wording: Wording | None = None,
) -> Proposal:
    kind = text_at(fact, "kind")
    section = _looked(fact, record)
    case = _case(fact, section, record.get("medication", NOT_LOOKED), subject, said_at)
    case = replace(case, told=before.texts.get(text_at(fact, "key"), ""))
    case = _worded(case, wording) if wording else case
    ruling = told_before.ruled(RULES.get(kind, {}), case, text_at(fact, "key"), before.rounds)
    ruling = ruling or Ruling(risk=Risk.LOOK, reasons=(UNKNOWN_KIND,))
    made = _beside(fact, case, _with_doubts(ruling, case, section), section)
    again = partial(_proposal, fact, record, subject, said_at, before)
    return replace(made, words=_words(case), reworded=again if wording is None else None)


def kinds(document: Json) -> set[str]:
    """The sections of the record that what was confirmed is compared with."""
    said = {text_at(fact, "kind") for fact in objects_at(document, "facts")}
    said |= {"coverage"} if objects_at(document, "cards") else set()
    return {place for kind in said for place in PLACES.get(kind, (kind,))}


def _looked(fact: Json, record: Record) -> Section:
    """Every place in which the kind stands; known, or not, as the one is in which this fact would be changed."""
    kind = text_at(fact, "kind")
    places = PLACES.get(kind, (kind,))
    then = fact["source"].get("resource") if isinstance(fact.get("source"), dict) else None
    home = IN.get(type_of(then), places[0] if then or kind != "person" else "contact")
    own = record.get(home, NOT_LOOKED)
    beside = [each for place in places if place != home for each in record.get(place, NOT_LOOKED).resources]
    return replace(own, resources=(*own.resources, *beside)) if beside else own


def _words(case: Case) -> tuple[tuple[str, str], ...]:
    """What the patient wrote of it that may be put into other words: where they wrote nothing, there is nothing to put."""
    fields = PARTED.get((case.kind, case.answer))
    if fields:
        said = {"text": case.text, **case.also}
        written = tuple((name, said.get(name, "")) for name in fields)
        return tuple(each for each in written if each[1] or case.answer is Answer.ADDED)
    if case.answer not in WORDED or not case.text:
        return ()
    more = case.answer is Answer.ADDED and (case.kind not in ("contact", "pharmacy") or case.more)
    return (("text", case.text), ("more", case.more)) if more else (("text", case.text),)


WORDED = frozenset({Answer.CHANGED, Answer.ADDED})
PARTED: Mapping[tuple[str, Answer], tuple[str, ...]] = {
    ("person", Answer.CHANGED): ("name", "relation", "phone"),
    ("person", Answer.ADDED): ("text", "relation", "phone"),
    ("coverage", Answer.CHANGED): ("insurer", "plan", "member"),
    ("coverage", Answer.ADDED): ("text", "plan", "member"),
}
"""What is written in parts, and by which names."""


def _worded(case: Case, wording: Wording) -> Case:
    words = wording.words
    text, more = words.get("text", case.text), words.get("more", case.more)
    also = {**case.also, **words}
    return replace(case, text=text, more=more, also=also, worded_by=wording.by, written=case.said)


def _case(fact: Json, section: Section, taken: Section, subject: str, said_at: str) -> Case:
    then = fact.get("source", {}).get("resource") if isinstance(fact.get("source"), dict) else None
    change = fact.get("change") if isinstance(fact.get("change"), dict) else {}
    return Case(
        kind=text_at(fact, "kind"),
        answer=Answer(fact["answer"]),
        label=text_at(fact, "label"),
        detail=text_at(fact, "detail"),
        text=text_at(change, "text") or (text_at(fact, "label") if fact["answer"] == Answer.ADDED else ""),
        more=text_at(change, "more") or ". ".join(filter(None, (text_at(change, "when"), text_at(change, "why")))),
        note=text_at(fact, "note"),
        then=then,
        now=_now(then, section),
        listed=section.resources,
        taken=taken.resources,
        subject=subject,
        said_at=said_at,
        also={name: text_at(change, name) for name in change or ()},
    )


def _now(then: Json | None, section: Section) -> Json | None:
    """The same resource as the record has it today; as it was when we cannot look; the Patient itself for a new contact."""
    if section.state == COULD_NOT_LOOK:
        return then
    wanted = key_of(then)
    patients = [each for each in section.resources if each.get("resourceType") == "Patient"]
    same = [each for each in section.resources if key_of(each) == wanted]
    return next(iter(same if wanted else patients[:1]), None)


def _with_doubts(ruling: Ruling, case: Case, section: Section) -> Ruling:
    """A base that moved, or could not be looked at, is said and takes a change out of the routine."""
    if _moved(case):
        risk = ruling.risk if ruling.risk is Risk.URGENT else Risk.LOOK
        return replace(ruling, risk=risk, reasons=(CHANGED_SINCE, *ruling.reasons))
    if section.state == COULD_NOT_LOOK and ruling.change is not None and case.then is not None:
        risk = ruling.risk if ruling.risk is Risk.URGENT else Risk.LOOK
        return replace(ruling, risk=risk, reasons=(UNCHECKED, *ruling.reasons))
    return ruling


def moved(fact: Json, record: Record) -> bool:
    """Whether the record has something else today than when the patient was asked about this fact; False where not all of the
    places in which it stands have been read."""
    kind = text_at(fact, "kind")
    if not set(PLACES.get(kind, (kind,))) <= record.keys():
        return False
    return _moved(_case(fact, _looked(fact, record), NOT_LOOKED, "", ""))


def _moved(case: Case) -> bool:
    if case.kind in PARTS:
        return bool(PARTS[case.kind].moved(case))
    return case.then is not None and _content(case.then) != _content(case.now)


def _content(resource: Json | None) -> Json | None:
    return resource and {name: value for name, value in resource.items() if name not in _OWN_TO_SERVER}


def _beside(fact: Json, case: Case, ruling: Ruling, section: Section) -> Proposal:
    return Proposal(
        key=key_for(text_at(fact, "key")),
        fact=text_at(fact, "key"),
        kind=case.kind,
        answer=case.answer,
        title=case.label or case.text,
        rows=PARTS[case.kind].rows(case) if case.kind in PARTS else _rows(case, ruling),
        note=case.note,
        change=ruling.change,
        base_version=version_of(case.then),
        stale=_moved(case),
        risk=ruling.risk,
        effect=ruling.effect,
        reasons=ruling.reasons,
        reference=key_of(case.now) or key_of(case.then),
        read_at=section.read_at,
        open=ruling.change is not None or ruling.risk is not Risk.ROUTINE,
    )


def _rows(case: Case, ruling: Ruling) -> tuple[Row, ...]:
    then, now, said = words.lines(case.then, case.label), words.lines(case.now, case.label), ruling.said or {}
    names = dict.fromkeys([*then, *now, *said])
    made = (Row(name, then.get(name, ""), now.get(name, ""), said.get(name, "")) for name in names)
    return tuple(row for row in made if row.then or row.now or row.said)


def _none_said(document: Json, record: Record, subject: str, said_at: str) -> list[Proposal]:
    """ "No known allergies", which only the patient can say."""
    sections = document.get("sections")
    said = sections.get("allergy", {}).get("none_said_by_patient") if isinstance(sections, dict) else False
    if not said:
        return []
    fact = {"key": "none-allergy", "kind": "allergy", "label": "No known allergies", "answer": Answer.ADDED}
    section = record.get("allergy", NOT_LOOKED)
    case = _case(fact, section, record.get("medication", NOT_LOOKED), subject, said_at)
    ruling = allergy.none_said(case, looked=section.state != COULD_NOT_LOOK)
    return [_beside(fact, replace(case, text=""), ruling, section)]
