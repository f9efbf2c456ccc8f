"""Is a response, wherever it comes from, a response to this form: its shape, its place, its answers, its rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from . import extensions as ext
from .addresses import name_of
from .answers import Entry
from .check_objects import type_of
from .checking import place_of
from .comparing import compare
from .context import Context
from .definition import Form
from .evaluation import Evaluation
from .extensions import Json
from .filling import Filling
from .issues import Issue
from .releases import response_in_r4
from .response import STATUSES
from .signing import needed
from .words import localised

UNFINISHED = frozenset({"in-progress", "stopped"})
INCOMPLETE = frozenset({"required", "group-required", "too-few"})
_LOCAL = re.compile(r"Questionnaire/[A-Za-z0-9\-.]{1,64}(?:\|\S*)?\Z")
"""No canonical: an id at the server that the response was made for, where this form may have another."""


def validate(form: Form, response: object, context: Context) -> list[Issue]:
    """Every issue of a QuestionnaireResponse against its form; what one that is not finished lacks is a warning."""
    if not isinstance(response, dict) or response.get("resourceType") != "QuestionnaireResponse":
        return [
            Issue("", "", "shape", "error", {"what": "this is not a QuestionnaireResponse"}, "QuestionnaireResponse")
        ]
    response = response_in_r4(response)
    filling = Filling(form, response, context, settle=False)
    evaluation, _ = filling.inside()
    evaluation.given, evaluation.contained = True, _contained(response)
    found = [*_head(form, response), *filling.reading_issues, *_other_texts(form, response)]
    found += [*filling.check(), *_not_enabled(filling), *_unread_rules(form, filling), *_modified(response)]
    if str(response.get("status")) not in UNFINISHED:
        found += _unsigned(form, filling, response)
    found = [replace(issue, severity="error") if issue.code == "display" else issue for issue in found]
    if str(response.get("status")) in UNFINISHED:
        found = [replace(issue, severity="warning") if issue.code in INCOMPLETE else issue for issue in found]
    return found


def _head(form: Form, response: Json) -> Iterator[Issue]:
    status = response.get("status")
    if str(status) not in STATUSES:
        yield Issue("", "", "status", "error", {"status": status}, "QuestionnaireResponse.status")
    other = str(response.get("questionnaire") or "")
    if not _same_form(form, other):
        severity = "warning" if _LOCAL.match(other) else "error"
        yield Issue("", "", "form-mismatch", severity, {"other": other}, "QuestionnaireResponse.questionnaire")
    elif "|" in other and form.url and other.partition("|")[2] != form.version:
        yield Issue("", "", "form-version", "warning", {"other": other}, "QuestionnaireResponse.questionnaire")
    if form.raw.get("status") == "draft":
        yield Issue("", "", "draft-form", "information", {}, "QuestionnaireResponse.questionnaire")
    elif form.raw.get("status") == "retired":
        yield Issue("", "", "retired-form", "warning", {}, "QuestionnaireResponse.questionnaire")
    yield from _pointed(form, response)
    if _out_of_period(form.raw.get("effectivePeriod"), response.get("authored")):
        yield Issue(
            "", "", "form-period", "warning", {"authored": response["authored"]}, "QuestionnaireResponse.authored"
        )


TARGETS: dict[str, tuple[str, ...]] = {
    "source": ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
    "author": ("Device", "Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Organization"),
    "encounter": ("Encounter",),
    "basedOn": ("CarePlan", "ServiceRequest"),
    "partOf": ("Observation", "Procedure"),
}
"""What each element of a response may point to (FHIR R4); its subject to what the form is about (Questionnaire.subjectType)."""


def _pointed(form: Form, response: Json) -> Iterator[Issue]:
    about = form.raw.get("subjectType")
    for name, kinds in {**TARGETS, "subject": tuple(about) if isinstance(about, list) else ()}.items():
        held = response.get(name)
        for reference in held if isinstance(held, list) else [held]:
            kind = _target(reference)
            if kinds and kind and kind not in kinds:
                said = {"kinds": ", ".join(map(str, kinds))}
                yield Issue("", "", "reference-kind", "error", said, f"QuestionnaireResponse.{name}")


def _target(reference: object) -> str:
    """The resource type that a reference names; "" where it names none."""
    said = reference if isinstance(reference, dict) else {}
    return type_of(said.get("reference")) or str(said.get("type") or "").rpartition("/")[2]


def _unread_rules(form: Form, filling: Filling) -> Iterator[Issue]:
    """Rules that nobody can read, of what was answered."""
    _, top = filling.inside()
    for missed in form.features.not_honoured:
        item = form.by_link.get(missed.link_id)
        entries = [one for one in top.below(item) if one.answered] if item else [top]
        if missed.feature == "targetConstraint" and entries:
            yield Issue("", missed.link_id, "rule-unchecked", "warning", {}, place_of(entries[0]))


def _modified(response: Json) -> Iterator[Issue]:
    """What changes the meaning of the response, or of an answer, in a way that nobody here knows (FHIR R4 2.4.2)."""
    places = [
        ("QuestionnaireResponse", response),
        *((place, one) for one, place in _elements(response, "QuestionnaireResponse")),
    ]
    for place, element in places:
        if element.get("modifierExtension"):
            what = "a modifierExtension is not known here"
            yield Issue("", str(element.get("linkId") or ""), "shape", "error", {"what": what}, place)


def _out_of_period(period: object, authored: object) -> bool:
    """Whether it was answered when the form was not in force; where a date is too vague to tell, it was."""
    moments = period if isinstance(period, dict) and isinstance(authored, str) else {}
    return (
        compare("DateTime", authored, moments.get("start")) == -1
        or compare("DateTime", authored, moments.get("end")) == 1
    )


def _same_form(form: Form, other: str) -> bool:
    """Whether a response's `questionnaire` may mean this form, in any version: a form without a url is named by its id."""
    url = other.partition("|")[0]
    if not other or not form.url or url.startswith("#"):
        return True
    own = {form.url, f"Questionnaire/{form.raw.get('id')}"}
    return url in own or url.partition("#")[0] in own or url.endswith(f"/Questionnaire/{form.raw.get('id')}")


def _unsigned(form: Form, filling: Filling, response: Json) -> Iterator[Issue]:
    """Parts that must be signed and are not: a warning, for the signature may lie apart (Provenance.signature)."""
    evaluation, top = filling.inside()
    for part in needed(form):
        item = form.by_link.get(part.link_id)
        entries = [one for one in top.below(item) if one.answered and evaluation.enabled(one)] if item else [top]
        if entries and not _signed(response, part.link_id):
            yield Issue(
                "", part.link_id, "signature", "warning", {}, place_of(entries[0]) if item else "QuestionnaireResponse"
            )


def _contained(response: Json) -> dict[str, str]:
    listed = response.get("contained")
    resources = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {str(one.get("id")): str(one.get("resourceType")) for one in resources}


def _other_texts(form: Form, response: Json) -> Iterator[Issue]:
    """Questions that were asked in other words than the form's, in any of its languages: a warning, for the answer may mean
    something else. Words that the form works out are believed."""
    for element, place in _elements(response, "QuestionnaireResponse"):
        item, said = form.by_link.get(str(element.get("linkId") or "")), element.get("text")
        if (
            item is None
            or not isinstance(said, str)
            or "text" in item.text_formulas
            or not isinstance(item.raw.get("text"), str)
        ):
            continue
        known = [item.raw["text"], *(localised(item.raw, "text", language) for language in form.languages)]
        if " ".join(said.split()) not in [" ".join(text.split()) for text in known]:
            yield Issue("", item.link_id, "text-differs", "warning", {}, place)


def _elements(element: Json, place: str) -> Iterator[tuple[Json, str]]:
    """Every item and answer of a response and where it stands."""
    for name in ("item", "answer"):
        listed = element.get(name)
        for index, one in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(one, dict):
                inner = f"{place}.{name}[{index}]"
                yield one, inner
                yield from _elements(one, inner)


def _signed(response: Json, link_id: str) -> bool:
    """Whether the response, or the part of it with this linkId, holds a signature."""
    places = [response, *(element for element, _ in _elements(response, ""))] if link_id else [response]
    wanted = (one for one in places if str(one.get("linkId") or "") == link_id)
    return any(ext.of(one).get("questionnaireresponse-signature") for one in wanted)


def _not_enabled(filling: Filling) -> Iterator[Issue]:
    evaluation, top = filling.inside()
    yield from _disabled(evaluation, top)


def _disabled(evaluation: Evaluation, entry: Entry) -> Iterator[Issue]:
    for child in entry.item.children:
        for inner in entry.existing(child):
            if inner.answered and not evaluation.enabled(inner):
                yield Issue(name_of(inner), child.link_id, "not-enabled", "error", {}, place_of(inner))
            else:
                yield from _disabled(evaluation, inner)


def operation_outcome(issues: list[Issue]) -> dict[str, Any]:
    """The issues as a FHIR OperationOutcome."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [_outcome_issue(issue) for issue in issues]
        or [{"severity": "information", "code": "informational", "details": {"text": "No issues"}}],
    }


_KINDS = {"required": "required", "group-required": "required", "shape": "structure", "rule": "invariant"}


def _outcome_issue(issue: Issue) -> Json:
    place = f" (linkId {issue.link_id})" if issue.link_id else ""
    made: Json = {
        "severity": issue.severity,
        "code": _KINDS.get(issue.code, "value"),
        "details": {"coding": [{"code": issue.code}], "text": f"{issue.message}{place}"},
    }
    return {**made, "expression": [issue.expression]} if issue.expression else made
