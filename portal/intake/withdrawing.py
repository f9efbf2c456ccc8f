"""A tie that was wrong: what a form in work had been filled in with from somebody else's record. What nobody confirmed goes; what
the patient confirmed is their own word and stays, marked, so that they and the desk look at it again."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from portal.actors import Actor
from portal.clock import now
from portal.db import transaction
from portal.fhir import exact
from portal.fhir.resources import objects_at, text_at
from portal.intake import filling
from portal.intake.confirming import TASK as FACTS_TASK
from portal.intake.library import task as of_form
from portal.intake.models import Draft
from portal.intake.pace import values
from portal.library import service as library
from portal.questionnaire import Context, Filling, Form, Node, origin, populate
from portal.questionnaire.searching import Records

Json = dict[str, Any]
NOTE = "withdrawn"
"""In a draft's document: {linkId: {"text", "answers"}} of what was confirmed beside a record that was not theirs."""


def forget_filled_in(actor: Actor, patient_id: str, wrong: Sequence[Json]) -> None:
    """Of every form of this patient that is in work: what nobody has confirmed still bears the mark that it came from the record;
    what was confirmed is known by saying what the wrong record (its resources, the Patient among them) says. In the caller's
    transaction."""
    with transaction() as current:
        wanted = select(Draft).where(
            Draft.patient_id == patient_id,
            Draft.clinic_id == actor.clinic_id,
            Draft.task != FACTS_TASK,
            Draft.form_version_id.is_not(None),
        )
        _, as_of = library.asked_now(str(actor.clinic_id))
        for row in current.scalars(wanted):
            _forget(row, library.compiled(row.clinic_id, str(row.form_version_id), as_of), wrong)


def _forget(row: Draft, form: Form, wrong: Sequence[Json]) -> None:
    patient = next((each for each in wrong if each.get("resourceType") == "Patient"), None)
    context = Context(
        now=now(),
        launch={"patient": patient, "user": patient} if patient else {},
        terminology=library.KeptLists(row.clinic_id),
        fetch=Records(wrong).fetch,
    )
    said = {link: _said(each) for link, each in _answers(populate(form, context))} if wrong else {}
    filled_in = {
        link: each
        for link, each in _answers(row.response or {})
        if any(map(origin, each)) or said.get(link) == _said(each)
    }
    if not filled_in:
        return
    here = Filling(form, row.response, context)
    pages = [_questions(here.nodes(key)) for key in row.document["touched"] if key in here.keys]
    seen = {node.item.link_id for page in pages for node in page if not node.read_only}
    marked = {
        link: {"text": str(form.by_link[link].raw.get("text") or link), "answers": _said(filled_in[link])}
        for link in sorted(seen & filled_in.keys())
    }
    row.response = _without(row.response, filled_in.keys() - seen)
    row.document = {**row.document, "complete": False, NOTE: {**(row.document.get(NOTE) or {}), **marked}}
    row.version += 1


def standing(rows: Mapping[str, Any], works: Iterable[filling.Work]) -> list[str]:
    """The questions whose answers still are what a wrong record said, as sent: for the desk. `rows`: the drafts by task."""
    found: list[str] = []
    for work in works:
        row = rows.get(of_form(work.entry.slug))
        marked = (row.document.get(NOTE) or {}) if row is not None else {}
        if marked:
            sent = {link: _said(each) for link, each in _answers(work.filling.response("completed"))}
            found += [each["text"] for link, each in marked.items() if sent.get(link) == each["answers"]]
    return found


def _questions(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.type not in {"group", "display"}:
            yield node
        yield from _questions(node.children)


def _answers(holder: Json) -> Iterator[tuple[str, list[Json]]]:
    """(linkId, its answers) of every question that has any, however deep."""
    for item in objects_at(holder, "item"):
        answers = objects_at(item, "answer")
        if answers:
            yield text_at(item, "linkId"), answers
        for inside in (item, *answers):
            yield from _answers(inside)


def _said(answers: list[Json]) -> str:
    return exact.dumps(values(answers))


def _without(holder: Json, gone: Collection[str]) -> Json:
    """The same without the answers to these questions."""
    made: Json = {}
    for name, held in holder.items():
        if name in ("item", "answer") and isinstance(held, list):
            kept = [_without(each, gone) for each in held if isinstance(each, dict)]
            if not (name == "answer" and holder.get("linkId") in gone):
                made[name] = kept
        else:
            made[name] = held
    return made
