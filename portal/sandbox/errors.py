"""What a FHIR request can be refused for, and the OperationOutcome that says so.

FhirError
├── BadRequest 400 · NotAuthorized 401 · Forbidden 403 · NotFound 404 · NotSupported 404 · NoSuchMethod 405
├── NotAcceptable 406 · Conflict 409 · Gone 410 · StaleVersion 412 · NotOneMatch 412 · WrongContentType 415
└── Unprocessable 422
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from portal.fhir.structure import Problem


class FhirError(Exception):
    """Refused: `status` for HTTP, `code` from the issue-type value set, the words for a person."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(self, words: str, problems: Iterable[Problem] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.problems = tuple(problems)
        self.headers = dict(headers or {})

    def outcome(self) -> dict[str, Any]:
        if not self.problems:
            return outcome(issue("error", self.code, self.words))
        return outcome(*(issue("error", found.code, found.words, found.path) for found in self.problems))


class BadRequest(FhirError):
    status, code = 400, "invalid"


class NotAuthorized(FhirError):
    status, code = 401, "login"


class Forbidden(FhirError):
    status, code = 403, "forbidden"


class NotFound(FhirError):
    status, code = 404, "not-found"


class NotSupported(FhirError):
    status, code = 404, "not-supported"


class NoSuchMethod(FhirError):
    status, code = 405, "not-supported"


class NotAcceptable(FhirError):
    status, code = 406, "not-supported"


class Conflict(FhirError):
    status, code = 409, "conflict"


class Gone(FhirError):
    status, code = 410, "deleted"


class StaleVersion(FhirError):
    status, code = 412, "conflict"


class NotOneMatch(FhirError):
    status, code = 412, "multiple-matches"


class WrongContentType(FhirError):
    status, code = 415, "not-supported"


class Unprocessable(FhirError):
    status, code = 422, "processing"


def issue(severity: str, code: str, words: str, path: str | None = None) -> dict[str, Any]:
    """One issue; `path` is a FHIRPath expression."""
    made: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": words}, "diagnostics": words}
    return made | ({"expression": [path]} if path else {})


def outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}
