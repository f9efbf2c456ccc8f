"""A round after one that has arrived: what is in the record already is brought up to date there, and only what is different."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.actors import Actor
from portal.db import session
from portal.delivery import service as delivery
from portal.ehr import service as ehr
from portal.fhir.resources import Json, text_at, version_of
from portal.intake import service as intake
from portal.review import renaming
from portal.review.payload import There
from portal.review.untying import undone


@dataclass(frozen=True)
class Amended:
    """`responses` to be delivered, and where those stand that are in the record already, by "system|value"."""

    responses: list[Json]
    there: Mapping[str, There]


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


def arrived_at(actor: Actor, submission: intake.Submission) -> datetime | None:
    """When the last round of this visit was accepted that the patient opened again since; None for any other."""
    before = [
        step.at
        for each in intake.submitted(actor, frozenset({intake.Status.CHANGING}))
        if each.visit_id == submission.visit_id
        for step in each.history
        if step.status == intake.Status.ACCEPTED
    ]
    return max(before, default=None)


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
