"""The forms of a submission in words: what was asked and answered, as the patient saw it at the time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from portal.fhir.resources import Json, objects_at, text_at
from portal.intake import service as intake
from portal.questionnaire import Context, Filling, Form, Section, signing
from portal.questionnaire.signing import Signed
from portal.questionnaire.speaking import say
from portal.review.extracted import form_of


@dataclass(frozen=True)
class AnsweredForm:
    """One form. `problem` is an English msgid when it cannot be shown; the answers are kept whatever happens.

    `results` are what the form worked out and did not show to the patient: totals and what they mean, (name, words).
    """

    title: str
    version: str = ""
    sections: tuple[Section, ...] = ()
    problem: str = ""
    results: tuple[tuple[str, str], ...] = ()
    signatures: tuple["Signature", ...] = ()
    files: tuple[intake.Given, ...] = ()


@dataclass(frozen=True)
class Signature:
    """A signature on a form. `intact`: the answers are those that were signed. `part` is what was signed if not the whole."""

    signed: Signed
    at: datetime
    intact: bool
    part: str = ""


def answered_forms(document: Json, language: str, at: datetime) -> list[AnsweredForm]:
    """Every response of the submission beside the very version of the form it answered."""
    forms = document.get("questionnaires") or {}
    return [_answered(response, forms, language, at) for response in objects_at(document, "responses")]


def _answered(response: Json, forms: dict[str, Json], language: str, at: datetime) -> AnsweredForm:
    raw = forms.get(text_at(response, "questionnaire"))
    if raw is None:
        return AnsweredForm(text_at(response, "questionnaire"), problem="The form that was answered is not kept here.")
    form = form_of(raw)
    if form is None:
        return AnsweredForm(text_at(raw, "title"), problem="This version of the form can no longer be shown.")
    filling = Filling.as_sent(form, response, Context(now=at, language=language))
    sections = tuple(filling.summary(language))
    results, signatures = tuple(_results(form, response, language)), tuple(_signatures(form, response))
    files = tuple(intake.given(response))
    return AnsweredForm(
        form.title(language), form.version, sections, results=results, signatures=signatures, files=files
    )


def _signatures(form: Form, response: Json) -> Iterator[Signature]:
    for link_id, signed in signing.signatures(response):
        part = form.by_link[link_id].raw.get("text") if link_id in form.by_link else ""
        yield Signature(signed, datetime.fromisoformat(signed.at), signing.intact(response, signed), str(part or ""))


def _results(form: Form, response: Json, language: str) -> Iterator[tuple[str, str]]:
    """As they were sent: nothing is calculated anew."""
    unseen = {item.link_id: item for item in form.all_items if item.calculated and item.hidden}
    for item in _items(response):
        known = unseen.get(text_at(item, "linkId"))
        words = ", ".join(filter(None, (say(answer, language) for answer in objects_at(item, "answer"))))
        if known is not None and words:
            yield str(known.raw.get("text") or known.link_id), words


def _items(holder: Json) -> Iterator[Json]:
    for item in objects_at(holder, "item"):
        yield item
        for inside in (item, *objects_at(item, "answer")):
            yield from _items(inside)
