"""The commands over a form and what belongs to it: validate, populate, extract, assemble, score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from portal.fhir import structure
from portal.questionnaire import (
    Context,
    Filling,
    Form,
    FormRefused,
    Trouble,
    extract,
    load,
    populated,
    releases,
    validate,
)
from portal.questionnaire.searching import Records

from . import asking, files, material, outcomes, writing
from .arguments import Arguments
from .checking import check
from .exits import FINE, PROBLEMS, CannotRead
from .files import Found, Json
from .scored import scored

RESPONSE = "QuestionnaireResponse"
PARAMETERS = "Parameters"


@dataclass(frozen=True, slots=True)
class Table:
    """A form that can be used, what was said about it, and the world around it."""

    form: Form
    response: Json
    context: Context
    records: Records


def _laid(given: Arguments, *, strict: bool) -> Table:
    """FORM… RESPONSE of the command line. `strict`: what is no response cannot be read."""
    response, beside = _response(given.files[-1])
    if strict and response.get("resourceType") != RESPONSE:
        raise CannotRead(f"{given.files[-1]} is not a {RESPONSE}.")
    found = [*_gathered(given.files[:-1]), *beside]
    if not material.forms(found):
        found += _contained(given.files[-1], response)
    if not found:
        raise CannotRead("Two things are needed: a FORM and a RESPONSE.")
    form = _loaded(material.chosen(found, given.form, response.get("questionnaire")), found)
    return Table(form, response, *_context(given, [], response))


def _response(file: str) -> tuple[Json, list[Found]]:
    """A response, and what came along with it where it stands in Parameters (of $extract) or in a Bundle."""
    raw = files.resource(file)
    inside = list(asking.resources([raw]) if raw.get("resourceType") == PARAMETERS else files.unpacked(raw))
    responses = [one for one in inside if one.get("resourceType") == RESPONSE]
    if len(responses) != 1:
        return releases.response_in_r4(raw), []
    beside = [Found(file, one) for one in inside if one is not responses[0]]
    return releases.response_in_r4(responses[0]), beside


def _contained(file: str, response: Json) -> list[Found]:
    """The form that an adaptive response carries in itself."""
    listed = response.get("contained")
    return [Found(file, one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _gathered(names: list[str]) -> list[Found]:
    return files.gathered(names, writing.sentence)


def _loaded(raw: Json, found: list[Found]) -> Form:
    return load(material.whole(raw, found), registry=material.registry(found))


def _context(given: Arguments, parameters: list[Json], response: Json | None = None) -> tuple[Context, Records]:
    """What `--context`, `--data`, `--now` and `--lang` say, and Parameters."""
    lang = getattr(given, "lang", "") or str((response or {}).get("language") or "")
    return asking.context(parameters, given.context, given.data, asking.moment(given.now), lang)


def validation(given: Arguments) -> int:
    table = _laid(given, strict=False)
    issues = validate(table.form, table.response, table.context)
    is_response = table.response.get("resourceType") == RESPONSE
    made = outcomes.findings(issues, structure.problems(table.response) if is_response else [])
    writing.line(made)
    return PROBLEMS if outcomes.has_errors(made) else FINE


def population(given: Arguments) -> int:
    """The last file holds the Parameters; it may be left out where `--context` says who it is about."""
    *others, last = given.files
    about = None if files.is_folder(last) else files.resource(last)
    parameters = [about] if about and about.get("resourceType") == PARAMETERS else []
    if others and not parameters and not given.context:
        raise CannotRead(f"{last} is not a {PARAMETERS} resource.")
    found = _gathered(others)
    if not parameters:
        found += [Found(last, raw) for raw in files.unpacked(about)] if about else _gathered([last])
    if not material.forms(found):
        found += [Found(last, raw) for raw in asking.resources(parameters)]
    form = _loaded(material.chosen(found, given.form, asking.form_of(parameters)), found)
    context, records = _context(given, parameters)
    draft, troubles = populated(form, context)
    writing.line(draft if given.origins else _published(form, draft, context, asking.subject_of(parameters)))
    return _ended(troubles, records)


def _ended(troubles: Iterable[Trouble], records: Records) -> int:
    """Says what could not be worked out or looked up; a result that lacks something is not fine."""
    looked = [Trouble("", query, "the records given do not answer this") for query in records.unanswered]
    return PROBLEMS if writing.troubles([*troubles, *looked]) else FINE


def _published(form: Form, draft: Json, context: Context, subject: Json | None) -> Json:
    """The draft as a response: without the notes we keep, without answers to questions that do not apply."""
    made = Filling(form, draft, context).response("in-progress")
    if not form.url and isinstance(form.raw.get("id"), str):
        made["questionnaire"] = f"Questionnaire/{form.raw['id']}"
    return made | ({"subject": subject} if subject else {})


def extraction(given: Arguments) -> int:
    table = _laid(given, strict=True)
    made = extract(table.form, table.response, table.context, identity=given.identity)
    writing.line(made.bundle)
    writing.troubles(made.lacking)
    return _ended([*_placeless(table), *made.troubles], table.records)


def _placeless(table: Table) -> Iterator[Trouble]:
    """Answers for which the form has no place: nothing can be made of them."""
    issues = Filling(table.form, table.response, table.context, settle=False).reading_issues
    return (Trouble(i.link_id, "answer", i.message) for i in issues if i.code in ("unknown-question", "misplaced"))


def assembly(given: Arguments) -> int:
    """The form is written also when it cannot be used as it is; what is wrong with it is said."""
    found = _gathered(given.files)
    raw = material.chosen(found, given.form)
    made = material.put_together(raw, material.modules(found))
    writing.line(made)
    try:
        load(made, registry=material.registry(found))
    except FormRefused as problem:
        for issue in problem.issues:
            writing.sentence(f"{issue.link_id or 'form'}: {issue.reason}")
        return PROBLEMS
    return FINE


def scoring(given: Arguments) -> int:
    table = _laid(given, strict=True)
    made, troubles = scored(table.form, table.response, table.context)
    writing.line(made)
    return _ended([*_placeless(table), *troubles], table.records)


VERBS: dict[str, Callable[[Arguments], int]] = {
    "check": check,
    "validate": validation,
    "populate": population,
    "extract": extraction,
    "assemble": assembly,
    "score": scoring,
}
