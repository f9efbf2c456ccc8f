"""What went wrong as an OperationOutcome: a refused form, the findings about a response, an expression that fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portal.fhir import structure
from portal.fhirpath import FhirPathBudgetExceeded, FhirPathError, FhirPathSyntaxError
from portal.questionnaire import FormRefused, Issue, operation_outcome

from .files import Json

CODES: dict[str, str] = {
    "required": "required", "group-required": "required", "too-few": "required",
    "shape": "structure", "unknown-question": "structure", "misplaced": "structure", "order": "structure",
    "duplicate": "structure", "display-answer": "structure", "group-answer": "structure", "no-value": "structure",
    "type": "structure", "too-many": "structure", "not-repeating": "structure", "status": "code-invalid",
    "option": "code-invalid", "option-off": "code-invalid", "display": "code-invalid", "unit": "code-invalid",
    "option-unknown": "not-found",
    "too-long": "too-long", "rule": "invariant", "rule-unchecked": "processing", "form-mismatch": "not-found",
    "form-version": "business-rule",
    "not-enabled": "business-rule", "exclusive": "business-rule", "read-only": "business-rule",
    "draft-form": "informational", "signature": "required",
}  # fmt: skip
"""What FHIR calls each kind of finding; the rest are `value`."""
SYSTEM = "urn:previsit:finding"


def refused(problem: FormRefused) -> Json:
    """Why a form is not taken, an issue for each reason."""
    return outcome(
        _issue(
            one.severity,
            "not-supported" if one.code in ("modifier-extension", "fhir-version") else "invalid",
            one.code,
            f"{one.reason} (linkId {one.link_id})" if one.link_id else one.reason,
            "Questionnaire"
            if not one.link_id
            else f"Questionnaire.descendants().where(linkId = {_quoted(one.link_id)})",
        )
        for one in problem.issues
    )


def unreadable(words: str) -> Json:
    """What could not be read, or understood of the command line."""
    return outcome([_issue("fatal", "structure", "unreadable", words)])


def broken(words: str) -> Json:
    return outcome([_issue("fatal", "exception", "fault", words)])


def failed(problem: FhirPathError) -> Json:
    """Why an expression has no result."""
    costly = isinstance(problem, FhirPathBudgetExceeded)
    code = "too-costly" if costly else "invalid" if isinstance(problem, FhirPathSyntaxError) else "exception"
    return outcome([_issue("error", code, type(problem).__name__, str(problem))])


def findings(issues: list[Issue], problems: Sequence[structure.Problem]) -> Json:
    """What the form says of a response, and what FHIR says of its shape where the form has not said it already."""
    places = [issue.expression for issue in issues if issue.expression.count(".") and issue.blocks]
    extra: list[Json] = []
    for problem in problems:
        if not any(_about(place, problem.path) for place in places):
            extra.append(_issue("error", problem.code, "structure", problem.words, problem.path))
            places.append(problem.path)
    made = operation_outcome(issues)
    named = [_named(one) for one in made["issue"]]
    return {**made, "issue": [*(named if issues or not extra else ()), *extra]}


def _named(issue: Json) -> Json:
    """The issue with FHIR's word for its kind."""
    codes = [coding["code"] for coding in issue["details"].get("coding", ())]
    return issue if not codes else _of_kind(issue, codes[0])


def _of_kind(issue: Json, detail: str) -> Json:
    details = {"coding": [{"system": SYSTEM, "code": detail}], "text": issue["details"]["text"]}
    return {**issue, "code": CODES.get(detail, "value"), "details": details}


def _about(place: str, path: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}[")) or place.startswith(f"{path}.")


def has_errors(made: Json) -> bool:
    return any(issue["severity"] in ("error", "fatal") for issue in made["issue"])


def outcome(issues: Iterable[Json]) -> Json:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def _issue(severity: str, code: str, detail: str, text: str, expression: str = "") -> Json:
    made: Json = {
        "severity": severity,
        "code": code,
        "details": {"coding": [{"system": SYSTEM, "code": detail}], "text": text},
    }
    return {**made, "expression": [expression]} if expression else made


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
