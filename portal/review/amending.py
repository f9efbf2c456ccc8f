"""A round after one that has arrived: what is in the record already is brought up to date there, and only what is different."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.actors import Actor
from portal.db import session
from portal.delivery import service as delivery
from portal.ehr import service as ehr
from portal.fhir.resources import Json, text_at, version_of
from portal.intake import service as intake
from portal.review import insurance_card, renaming, words
from portal.review.alike import plain
from portal.review.payload import There, name_for
from portal.review.proposal import Proposal
from portal.review.untying import undone


@dataclass(frozen=True)
class Amended:
    """`responses` to be delivered, and where those stand that are in the record already, by "system|value"."""

    responses: list[Json]
    there: Mapping[str, There]
    insured: Mapping[str, str] = field(default_factory=dict)
    """where the insurance stands that earlier rounds added, by its fact"""
    replaced: Mapping[str, Json] = field(default_factory=dict)
    """documents in the record that the picture of a card takes the place of, by the picture's id"""


def amended(actor: Actor, submission: intake.Submission, responses: Sequence[Json]) -> Amended:
    """Without the answers that are in the record word for word. Asks the clinic for versions: never inside a transaction."""
    if arrived_at(actor, submission) is None:
        return Amended(list(responses), {})
    held = delivery.placed(submission.clinic_id, submission.patient_id, "QuestionnaireResponse")
    mark = str(undone(actor, submission.patient_id) or "")
    placed = {_about(each.resource): each for each in held}
    known = {_name(each): placed.get(_about(each)) or placed.get(_about(each, mark)) for each in responses}
    new = [each for each in responses if not _same(each, known[_name(each)])]
    return Amended(new, {_name(each): _there(actor, found) for each in new if (found := known[_name(each)])})


def pictured(actor: Actor, submission: intake.Submission, made: Sequence[Proposal], told: Amended) -> Amended:
    """With what the pictures of cards belong to, and take the place of, in the record. Asks the clinic."""
    if not any(each.picture for each in made):
        return told
    insured = _insured(actor, submission, made)
    return replace(told, insured=insured, replaced=_replaced(actor, submission, made, insured))


def _insured(actor: Actor, submission: intake.Submission, made: Sequence[Proposal]) -> dict[str, str]:
    """Where the insurance stands that earlier rounds of this visit have added, by its fact."""
    before = rounds(actor, submission)
    placed = delivery.placed(submission.clinic_id, submission.patient_id, "Coverage") if before else []
    named = {str(name.get("value")): each for each in placed for name in each.resource.get("identifier", ())}
    titles = {each.fact: plain(each.title) for each in made if each.kind == "coverage"}
    found = [(fact, named[name]) for one in before for fact in titles if (name := name_for(one, fact)) in named]
    return {fact: each.reference for fact, each in found if plain(words.insurer(each.resource)) == titles[fact]}


def _replaced(
    actor: Actor, submission: intake.Submission, made: Sequence[Proposal], insured: Mapping[str, str]
) -> dict[str, Json]:
    """What the record has of the same side of the same card, by the picture that is newer."""
    new = {
        each.picture: insurance_card.bound(each.change.resource, insured, "")
        for each in made
        if each.picture and each.change
    }
    placed = delivery.placed(submission.clinic_id, submission.patient_id, "DocumentReference") if new else []
    known = {str(name.get("value")) for each in placed for name in each.resource.get("identifier", ())}
    there = _current(actor, placed) if new.keys() - known else {}
    found = {picture: there.get(insurance_card.side_of(each)) for picture, each in new.items() if picture not in known}
    return {picture: each for picture, each in found.items() if each}


def _current(actor: Actor, placed: Sequence[delivery.Placed]) -> dict[tuple[str, str], Json]:
    """Our documents as they are in the record now, by side and insurance, the newest of each; {} where nobody answers."""
    connection = ehr.connection_for(actor.clinic_id) if placed else None
    if connection is None:
        return {}
    try:
        client = ehr.client_for(connection, ehr.BRISK)
        session().commit()  # nothing is held open in the database while we wait for the network
        held = [client.read("DocumentReference", each.reference.rpartition("/")[2]) for each in placed[-MOST_CARDS:]]
    except ehr.EhrError:
        return {}
    return {insurance_card.side_of(each): each for each in held if text_at(each, "status") == "current"}


MOST_CARDS = 8
"""Documents of ours that are looked at for one that a new picture replaces."""


def arrived_at(actor: Actor, submission: intake.Submission) -> datetime | None:
    """When the last round of this visit was accepted that the patient opened again since; None for any other."""
    before = [
        step.at
        for each in _earlier(actor, submission)
        for step in each.history
        if step.status == intake.Status.ACCEPTED
    ]
    return max(before, default=None)


def rounds(actor: Actor, submission: intake.Submission) -> dict[str, Json]:
    """What the earlier submissions of this visit that are in the record said, by their ids, the newest first."""
    found = sorted(_earlier(actor, submission), key=lambda each: each.round, reverse=True)
    return {each.id: each.document for each in found}


def _earlier(actor: Actor, submission: intake.Submission) -> list[intake.Submission]:
    """The rounds of this visit that arrived and were opened again."""
    return intake.submitted(actor, frozenset({intake.Status.CHANGING}), visit_id=submission.visit_id)


def consent_there(submission: intake.Submission, version: str) -> bool:
    """Whether the record has the Consent of this version already."""
    held = delivery.placed(submission.clinic_id, submission.patient_id, "Consent")
    return any(
        str(name.get("value", "")).startswith(f"{version}-") for each in held for name in each.resource["identifier"]
    )


def _about(response: Json, mark: str = "") -> tuple[str, str]:
    """One form of one visit, also where it had to go under another name (`mark`); a later version of a form is the same form."""
    value = text_at(response, "identifier", "value")
    return text_at(response, "questionnaire").partition("|")[0], renaming.name(value, mark) if mark else value


def _same(response: Json, placed: delivery.Placed | None) -> bool:
    parts = ("questionnaire", "item")
    return placed is not None and all(placed.resource.get(part) == response.get(part) for part in parts)


def _name(response: Json) -> str:
    return f"{text_at(response, 'identifier', 'system')}|{text_at(response, 'identifier', 'value')}"


def _there(actor: Actor, placed: delivery.Placed) -> There:
    """Where it stands and in which version now; as we read it back last, where nobody answers."""
    name, identifier = placed.reference.rpartition("/")[2], placed.resource["identifier"]
    connection = ehr.connection_for(actor.clinic_id)
    last = There(name, placed.version, identifier)
    if connection is None:
        return last
    try:
        client = ehr.client_for(connection, ehr.BRISK)
        session().commit()  # nothing is held open in the database while we wait for the network
        return There(name, version_of(client.read("QuestionnaireResponse", name)), identifier)
    except ehr.EhrError:
        return last
