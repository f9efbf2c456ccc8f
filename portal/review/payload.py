"""What was accepted as one transaction Bundle: consent, answers, changes, and who said and who accepted each. Pure.

Every created resource carries an identifier derived (UUID version 5) from the submission and the proposal, so that building
it twice, on any machine, names the same things, and a server with conditional create makes them once. Several accepted
changes to one resource (the patient's phone and e-mail) become one PUT, with the version they were built on as If-Match.
Consent comes first, then the answers, then the changes (bar 70).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from portal.fhir import bundle
from portal.fhir.resources import Json, identifiers, type_of, version_of
from portal.questionnaire import signing
from portal.review import insurance_card
from portal.review.extracted import PREFIX
from portal.review.proposal import Change, Proposal
from portal.review.provenance import Person, provenance

NAMESPACE = UUID("6f0f2f5c-6a1e-5f57-9c0e-3d1f5a0b7c11")
IDENTIFIER_SYSTEM = "urn:previsit:proposal"
DERIVED = frozenset({"Observation", "MedicationStatement"})
"""The types that say what they were made of by themselves; of the others only the Provenance does."""


@dataclass(frozen=True)
class Accepted:
    """A proposal and the person who accepted it; `said` is what the patient said where it was accepted in other words."""

    proposal: Proposal
    by: Person
    said: str = ""


@dataclass(frozen=True)
class There:
    """A response of ours that is in the record already: its id and its version there now, and the identifier it has there."""

    id: str
    version: str | None
    identifier: Json


@dataclass(frozen=True)
class Sending:
    """What is to be delivered for one submission. `said_at` is when the patient sent it, `recorded` when it was finished
    (both ISO instants); `finished_by` accepted the answers as a whole."""

    submission_id: str
    subject: str
    said_at: str
    recorded: str
    author: Person
    finished_by: Person
    responses: Sequence[Json]
    consent: Json | None
    accepted: Sequence[Accepted]
    superseded: Sequence[tuple[Json, str | None]] = ()
    """Consents in the record that this one replaces, inactive, each with its version there"""
    there: Mapping[str, There] = field(default_factory=dict)
    """responses that are in the record since an earlier round, by "system|value": they are amended there"""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """the pictures of insurance cards as base64, by id"""
    insured: Mapping[str, str] = field(default_factory=dict)
    """where the insurance stands that earlier rounds added, by its fact"""
    replaced: Mapping[str, Json] = field(default_factory=dict)
    """documents in the record that a picture takes the place of, as they are there now, by the picture's id"""


@dataclass(frozen=True)
class _Part:
    entry: Json
    target: str
    verifiers: tuple[Person, ...]
    activity: str
    source: str = ""
    """the full URL of the response that says it"""
    worded: tuple[tuple[Person, str], ...] = ()
    """who put it into other words, and what the patient had said"""


def build(sending: Sending) -> Json:
    """The transaction Bundle; its `entry` is empty when there is nothing to deliver."""
    answers = list(_responses(sending))
    parts = [
        *_consent(sending),
        *answers,
        *_changes(sending, {_identifier(each.entry): each.target for each in answers}),
    ]
    entries = [part.entry for part in parts]
    return bundle.transaction([*entries, *(_provenance_entry(sending, part) for part in parts)])


def name_for(submission_id: str, what: str) -> str:
    """The UUID of one part of a submission's delivery; always the same for the same part."""
    return str(uuid5(NAMESPACE, f"{submission_id}|{what}"))


def _consent(sending: Sending) -> Iterable[_Part]:
    if sending.consent is not None:
        yield _created(sending, sending.consent, "consent", (sending.finished_by,))
    for old, version in sending.superseded:
        url, name = f"Consent/{old['id']}", name_for(sending.submission_id, f"Consent/{old['id']}")
        yield _Part(bundle.update_entry(old, f"urn:uuid:{name}", version), url, (sending.finished_by,), "UPDATE")


def _responses(sending: Sending) -> Iterable[_Part]:
    for place, response in enumerate(sending.responses):
        person = {"reference": sending.subject}
        whole = {
            **signing.by(response, sending.subject),
            "status": "completed",
            "subject": person,
            "author": sending.author.who() if sending.author.for_patient else person,
            "source": sending.author.who() if sending.author.for_patient else person,
        }
        whole.setdefault("authored", sending.said_at)
        what, by = f"response-{place}", (sending.finished_by,)
        known = sending.there.get(
            f"{whole['identifier']['system']}|{whole['identifier']['value']}" if sending.there else ""
        )
        yield _amended(sending, whole, known, what) if known else _created(sending, whole, what, by)


def _amended(sending: Sending, response: Json, there: There, what: str) -> _Part:
    resource = {**response, "identifier": there.identifier, "status": "amended", "id": there.id}
    url = f"urn:uuid:{name_for(sending.submission_id, what)}"
    made = bundle.update_entry(resource, url, there.version)
    return _Part(made, f"QuestionnaireResponse/{there.id}", (sending.finished_by,), "UPDATE")


def _identifier(entry: Json) -> str:
    identifier = entry["resource"]["identifier"]
    return f"{identifier.get('system', '')}|{identifier.get('value', '')}"


def _changes(sending: Sending, answers: Mapping[str, str]) -> Iterable[_Part]:
    """`answers`: the full URL of each response in the delivery, by its identifier."""
    updates: dict[str, list[Accepted]] = {}
    placed = {
        each.proposal.fact: f"urn:uuid:{name_for(sending.submission_id, each.proposal.fact)}"
        for each in sending.accepted
    }
    for each in sending.accepted:
        change = each.proposal.change
        if change is None:
            continue
        source = answers.get(each.proposal.response, "")
        if each.proposal.picture:
            yield from _pictured(sending, each, change.resource)
        elif change.method == "POST":
            resource = attributed(derived(linked(change.resource, placed), source), sending)
            made = _created(sending, resource, each.proposal.fact, (each.by,))
            yield replace(made, source=source, worded=_worded([each]))
        else:
            updates.setdefault(change.url, []).append(each)
    for accepted in updates.values():
        sources = [answers[each.proposal.response] for each in accepted if each.proposal.response in answers]
        made = _updated(sending, accepted)
        yield replace(made, source=next(iter(sources), ""), worded=_worded(accepted))


def _pictured(sending: Sending, accepted: Accepted, document: Json) -> Iterable[_Part]:
    """A picture of a card, and the document that it takes the place of."""
    picture = accepted.proposal.picture
    added = {
        each.proposal.fact: f"urn:uuid:{name_for(sending.submission_id, each.proposal.fact)}"
        for each in sending.accepted
        if each.proposal.change and each.proposal.change.method == "POST"
    }
    made = attributed(insurance_card.bound(document, {**sending.insured, **added}, sending.pictures[picture]), sending)
    old = sending.replaced.get(picture)
    if old:
        url = f"DocumentReference/{old['id']}"
        name = f"urn:uuid:{name_for(sending.submission_id, url)}"
        entry = bundle.update_entry({**old, "status": "superseded"}, name, version_of(old))
        yield _Part(entry, url, (accepted.by,), "UPDATE")
        made = insurance_card.replaces(made, url)
    yield _created(sending, made, accepted.proposal.fact, (accepted.by,))


def _worded(accepted: Sequence[Accepted]) -> tuple[tuple[Person, str], ...]:
    return tuple((each.by, f"{each.proposal.title}: {each.said}") for each in accepted if each.said)


SAID_BY = ("asserter", "informationSource", "performer", "author")
"""Where a resource names who said it."""


def attributed(resource: Json, sending: Sending) -> Json:
    """Said by whoever answered: where a change names the patient as its source, and somebody answered for them, it is that person."""
    if not sending.author.for_patient:
        return resource
    patient, who = {"reference": sending.subject}, sending.author.who()
    named = {name: resource[name] for name in SAID_BY if name in resource}
    told = {
        name: [who if each == patient else each for each in held] if isinstance(held, list) else held
        for name, held in named.items()
    }
    return {**resource, **{name: who if held == patient else held for name, held in told.items()}}


def derived(resource: Json, source: str) -> Json:
    """With the response it was made of, where the type has a place for it."""
    if not source or type_of(resource) not in DERIVED:
        return resource
    others = [
        each for each in resource.get("derivedFrom", []) if "QuestionnaireResponse/" not in each.get("reference", "")
    ]
    return {**resource, "derivedFrom": [{"reference": source}, *others]}


def linked(value: Any, placed: Mapping[str, str]) -> Any:
    """References to other things of the same form lead to where those are in this delivery; to what was not accepted, nowhere."""
    if isinstance(value, list):
        return [each for each in (linked(one, placed) for one in value) if each != {}]
    if not isinstance(value, dict):
        return value
    reference = value.get("reference")
    if isinstance(reference, str) and reference.startswith("urn:uuid:"):
        to = placed.get(PREFIX + reference)
        return {**value, "reference": to} if to else {}
    made = {name: linked(held, placed) for name, held in value.items()}
    return {name: held for name, held in made.items() if held not in ({}, []) or value[name] in ({}, [])}


def _created(sending: Sending, resource: Json, what: str, verifiers: tuple[Person, ...]) -> _Part:
    known = next(iter(identifiers(resource)), None)
    name = name_for(sending.submission_id, what)
    system, value = known if known and known[0] else (IDENTIFIER_SYSTEM, name)
    url = f"urn:uuid:{name}"
    entry = bundle.create_entry(_identified(resource, system, value), url, (system, value))
    return _Part(entry, url, verifiers, "CREATE")


def _identified(resource: Json, system: str, value: str) -> Json:
    """With our identifier; a QuestionnaireResponse has room for one, the others for many. The server gives the id."""
    ours = {"system": system, "value": value}
    bare = {name: held for name, held in resource.items() if name not in ("id", "meta")}
    if type_of(resource) == "QuestionnaireResponse":
        return {**bare, "identifier": ours}
    others = [each for each in bare.get("identifier", []) if each != ours]
    return {
        "resourceType": bare["resourceType"],
        "identifier": [ours, *others],
        **_without(bare, "resourceType", "identifier"),
    }


def _without(resource: Json, *names: str) -> Json:
    return {name: held for name, held in resource.items() if name not in names}


def _updated(sending: Sending, accepted: list[Accepted]) -> _Part:
    changes = [each.proposal.change for each in accepted if each.proposal.change]
    resource = fold(changes)
    url = f"urn:uuid:{name_for(sending.submission_id, changes[0].url)}"
    entry = bundle.update_entry(resource, url, changes[0].if_match)
    verifiers = tuple(dict.fromkeys(each.by for each in accepted))
    return _Part(entry, changes[0].url, verifiers, "UPDATE")


def fold(changes: Sequence[Change]) -> Json:
    """One resource with all changes to it. Raises ValueError when they were built on different versions or cannot be combined."""
    first, *others = changes
    resource = first.resource
    for each in others:
        if each.edit is None or (each.url, each.if_match) != (first.url, first.if_match):
            raise ValueError(f"two changes to {first.url} that cannot become one")
        resource = each.edit.apply(resource)
    return resource


def _provenance_entry(sending: Sending, part: _Part) -> Json:
    resource = provenance(
        target=part.target,
        activity=part.activity,
        occurred=sending.said_at,
        recorded=sending.recorded,
        author=sending.author,
        verifiers=part.verifiers,
        source=part.source,
        worded=part.worded,
    )
    url = f"urn:uuid:{name_for(sending.submission_id, f'provenance|{part.target}')}"
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": "Provenance"}}
