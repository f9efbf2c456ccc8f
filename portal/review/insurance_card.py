"""A picture of an insurance card as a proposal: a DocumentReference of its own for each side, tied to the Coverage. Pure.

LOINC 64290-0 is what the document is. Two sides are two documents: R4 takes several contents of one document for the same
thing in other formats. The picture travels inside: a Binary has no identifier, so that nothing could make it exactly once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.fhir.resources import Json, key_of, objects_at, parse_reference, text_at, type_of
from portal.review.alike import plain
from portal.review.proposal import Answer, Change, Proposal, Risk, Row, key_for
from portal.review.section import NOT_LOOKED, Record, Section
from portal.review.taking_over import Writable
from portal.review.words import insurance, insurer
from portal.review.words import plan as plan_of

KIND = "card"
FILES = "Files this picture in the record, as a document of this insurance."
BY_HAND = "The clinic's system takes no documents from here. Save the picture and file it by hand."
LOINC = "http://loinc.org"
IDENTIFIER_SYSTEM = "urn:previsit:card"
OF = "urn:previsit:insurance:"
"""Stands for the insurance where it is added by the same submission; see `bound`."""
SIDES = {"front": "Front of the insurance card", "back": "Back of the insurance card"}


def proposals(document: Json, record: Record, *, subject: str, writable: Writable) -> Iterator[Proposal]:
    """One for each picture of an insurance that this person was asked about."""
    facts = {text_at(each, "key"): each for each in objects_at(document, "facts")}
    section = record.get("coverage", NOT_LOOKED)
    for card in objects_at(document, "cards"):
        if text_at(card, "of") in facts:
            yield _proposal(card, facts[text_at(card, "of")], section, subject, writable)


def _proposal(card: Json, fact: Json, section: Section, subject: str, writable: Writable) -> Proposal:
    now = _now(fact, section)
    may = writable("DocumentReference", "c")
    return Proposal(
        key=key_for(card["key"]),
        fact=card["key"],
        kind=KIND,
        answer=Answer.ADDED,
        title=text_at(card, "insurer"),
        rows=_rows(now, fact),
        note="",
        change=Change("POST", "DocumentReference", _document(card, fact, now, subject)) if may else None,
        base_version=None,
        stale=False,
        risk=Risk.ROUTINE if may else Risk.LOOK,
        effect=FILES,
        reasons=() if may else (BY_HAND,),
        read_at=section.read_at,
        picture=card["picture"],
        side=text_at(card, "side"),
    )


def _now(fact: Json, section: Section) -> Json | None:
    """The insurance as the record has it: the entry the patient was asked about, or one like what they added."""
    change = fact.get("change") or {}
    other = change.get("insurer") and plain(change["insurer"]) != plain(text_at(fact, "label"))
    if fact.get("answer") == Answer.ADDED or other:
        named = (change.get("insurer") or text_at(fact, "label"), change.get("member") or "")
        alike = [each for each in section.resources if type_of(each) == "Coverage" and _is(each, *named)]
        return next(iter(alike), None)
    return next((each for each in section.resources if key_of(each) == text_at(fact, "key")), None)


def _is(held: Json, name: str, member: str) -> bool:
    return plain(insurer(held)) == plain(name) and (not member or plain(text_at(held, "subscriberId")) == plain(member))


def _rows(now: Json | None, fact: Json) -> tuple[Row, ...]:
    """What the record says beside the picture; of an insurance that is not in it what the patient wrote."""
    if now:
        lines = insurance(insurer(now), plan_of(now), text_at(now, "subscriberId"))
        return tuple(Row(name, text, text, "") for name, text in lines.items() if text)
    change: Mapping[str, Any] = fact.get("change") or {}
    lines = insurance(change.get("insurer") or text_at(fact, "label"), change.get("plan", ""), change.get("member", ""))
    return tuple(Row(name, "", "", text) for name, text in lines.items() if text)


def _document(card: Json, fact: Json, now: Json | None, subject: str) -> Json:
    """Without the picture itself, which is put in when it is delivered."""
    side = SIDES[text_at(card, "side")]
    return {
        "resourceType": "DocumentReference",
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": card["picture"]}],
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": "64290-0", "display": "Health insurance card"}]},
        "category": [{"coding": [{"system": LOINC, "code": "48768-6", "display": "Payment sources Document"}]}],
        "subject": {"reference": subject},
        "date": text_at(card, "at"),
        "author": [{"reference": subject}],
        "description": side,
        "content": [
            {
                "attachment": {
                    "contentType": "image/jpeg",
                    "size": card["size"],
                    "hash": text_at(card, "hash"),
                    "title": side,
                    "creation": text_at(card, "at"),
                }
            }
        ],
        "context": {"related": [{"reference": key_of(now) if now else f"{OF}{text_at(fact, 'key')}"}]},
    }


def bound(resource: Json, placed: Mapping[str, str], data: str) -> Json:
    """With the picture in it and the insurance where it is: `placed` says where what this delivery adds will be, by its fact.

    An insurance that was not accepted is nowhere, and the document stands without it.
    """
    content = {"attachment": {**resource["content"][0]["attachment"], "data": data}}
    reference = resource["context"]["related"][0]["reference"]
    to = placed.get(reference.removeprefix(OF)) if reference.startswith(OF) else reference
    rest = {name: held for name, held in resource.items() if name != "context"}
    return {**rest, "content": [content], **({"context": {"related": [{"reference": to}]}} if to else {})}


def replaces(resource: Json, before: str) -> Json:
    """With the document that it takes the place of."""
    return {**resource, "relatesTo": [{"code": "replaces", "target": {"reference": before}}]}


def side_of(document: Json) -> tuple[str, str]:
    """Which side of which insurance's card a document of ours is."""
    related = next(iter(objects_at(document.get("context"), "related")), {})
    ref = parse_reference(text_at(related, "reference"))
    return ref.key if ref else text_at(related, "reference"), text_at(document, "description")
