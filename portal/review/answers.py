"""The forms of a submission in words: what was asked and answered, as the patient saw it at the time."""

from dataclasses import dataclass
from datetime import datetime

from portal.fhir.resources import Json, objects_at, text_at
from portal.questionnaire import Context, Filling, FormRefused, Section, load


@dataclass(frozen=True)
class AnsweredForm:
    """One form. `problem` is an English msgid when it cannot be shown; the answers are kept whatever happens."""

    title: str
    sections: tuple[Section, ...] = ()
    problem: str = ""


def answered_forms(document: Json, language: str, at: datetime) -> list[AnsweredForm]:
    """Every response of the submission beside the very version of the form it answered."""
    forms = document.get("questionnaires") or {}
    return [_answered(response, forms, language, at) for response in objects_at(document, "responses")]


def _answered(response: Json, forms: dict[str, Json], language: str, at: datetime) -> AnsweredForm:
    raw = forms.get(text_at(response, "questionnaire"))
    if raw is None:
        return AnsweredForm(text_at(response, "questionnaire"), problem="The form that was answered is not kept here.")
    try:
        form = load(raw)
    except FormRefused:
        return AnsweredForm(text_at(raw, "title"), problem="This version of the form can no longer be shown.")
    filling = Filling(form, response, Context(now=at, language=language))
    return AnsweredForm(form.title(language), tuple(filling.summary(language)))
