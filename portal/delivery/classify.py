"""What the answer to a write means (bar 3.2): one table from status to class, and the proof a 2xx needs before it is believed.  Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Protocol

from portal.delivery.bundle import Entry, Payload, carries, relative, subject, version
from portal.delivery.states import Reason
from portal.fhir import exact


class Seen(StrEnum):
    """The classes of bar 3.2."""

    NOT_SENT = "not-sent"
    SENT = "sent"
    IN_DOUBT = "in-doubt"
    BUSY = "busy"
    CREDENTIAL = "credential"
    PERMISSION = "permission"
    CONFLICT = "conflict"
    DUPLICATES = "duplicates"
    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"


class Answer(Protocol):
    """What came back for one request. `sent` is False only when certainly no byte of the request left this machine;
    `failure` names what cut the exchange short (`connect`, `timeout`, `reset`, `truncated`, `too-large`, …), else None."""

    @property
    def status(self) -> int | None: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes | None: ...
    @property
    def sent(self) -> bool: ...
    @property
    def failure(self) -> str | None: ...


@dataclass(frozen=True)
class Landed:
    """One entry of a believed answer: where the server says it put it ("Patient/7") and as which version."""

    index: int
    reference: str
    version: str | None


@dataclass(frozen=True)
class Verdict:
    """`said`: the server's own words from its OperationOutcome (for staff's eyes, sealed); `retry_after` in seconds, clamped."""

    seen: Seen
    reason: Reason = Reason.NONE
    landed: tuple[Landed, ...] = ()
    said: tuple[str, ...] = ()
    retry_after: int | None = None
    alert: bool = False


DOUBT = (Seen.IN_DOUBT, Reason.SERVER_FAULT)
BUSY = (Seen.BUSY, Reason.SERVER_BUSY)
STATUS: dict[int, tuple[Seen, Reason]] = {
    401: (Seen.CREDENTIAL, Reason.RECONNECT),
    403: (Seen.PERMISSION, Reason.NO_PERMISSION),
    407: (Seen.MISCONFIGURED, Reason.REDIRECTED),
    408: (Seen.IN_DOUBT, Reason.NO_REPLY),
    409: (Seen.CONFLICT, Reason.CHANGED_MEANWHILE),
    412: (Seen.CONFLICT, Reason.CHANGED_MEANWHILE),
    425: BUSY,
    429: BUSY,
    503: BUSY,
}
HUNDREDS: dict[int, tuple[Seen, Reason]] = {
    1: DOUBT,
    3: (Seen.MISCONFIGURED, Reason.REDIRECTED),
    4: (Seen.REJECTED, Reason.REFUSED),
    5: DOUBT,
}
FAILURES: dict[str, Reason] = {"truncated": Reason.CUT_OFF, "too-large": Reason.TOO_LARGE}
NO_CREDENTIAL = Verdict(Seen.CREDENTIAL, Reason.RECONNECT)
RETRY_LEAST, RETRY_MOST = 1, 3600


def classify(answer: Answer, payload: Payload, at: datetime) -> Verdict:
    """The class of an answer to `payload` sent as one transaction; total: every answer has one."""
    return _judged(answer, at, lambda body: _transaction(body, payload), updates=bool(payload.updated))


def classify_one(answer: Answer, entry: Entry, at: datetime) -> Verdict:
    """The class of an answer to one entry written by itself, to a server that has no transactions."""
    return _judged(answer, at, lambda body: _single(body, entry, answer.headers), updates=entry.method == "PUT")


def _judged(answer: Answer, at: datetime, believe: Callable[[Any], Verdict], *, updates: bool) -> Verdict:
    if answer.status is None:
        return _silence(answer)
    if 200 <= answer.status < 300:
        return _read(answer, believe)
    seen, reason = STATUS.get(answer.status) or HUNDREDS.get(answer.status // 100, DOUBT)
    if answer.status == 412 and not updates:
        seen, reason = Seen.DUPLICATES, Reason.DUPLICATE_UPSTREAM
    return Verdict(seen, reason, said=said(answer.body), retry_after=retry_after(answer.headers, at))


def _silence(answer: Answer) -> Verdict:
    if not answer.sent:
        return NO_CREDENTIAL if answer.failure == "credential" else Verdict(Seen.NOT_SENT, Reason.NOT_REACHED)
    return Verdict(Seen.IN_DOUBT, FAILURES.get(answer.failure or "", Reason.NO_REPLY))


def _read(answer: Answer, believe: Callable[[Any], Verdict]) -> Verdict:
    """A 2xx is believed only when it is whole, is JSON, and says what we need."""
    if answer.failure:
        return Verdict(Seen.IN_DOUBT, FAILURES.get(answer.failure, Reason.NO_REPLY))
    if answer.status not in (200, 201):
        return Verdict(Seen.IN_DOUBT, Reason.NO_REPLY)
    try:
        return believe(exact.loads(answer.body) if answer.body else None)
    except exact.UnreadableJson:
        return Verdict(Seen.IN_DOUBT, Reason.NOT_FHIR)


def _transaction(body: Any, payload: Payload) -> Verdict:
    kind = body.get("resourceType") if isinstance(body, dict) else None
    if not isinstance(kind, str):
        return Verdict(Seen.IN_DOUBT, Reason.NOT_FHIR)
    if kind == "OperationOutcome":
        return Verdict(Seen.IN_DOUBT, Reason.SERVER_FAULT, said=issues(body))
    if kind != "Bundle" or body.get("type") != "transaction-response":
        return Verdict(Seen.IN_DOUBT, Reason.WRONG_ANSWER, alert=True)
    answers = body.get("entry")
    return _landed(answers if isinstance(answers, list) else [], payload)


def _landed(answers: list[Any], payload: Payload) -> Verdict:
    if len(answers) != len(payload.entries):
        return Verdict(Seen.IN_DOUBT, Reason.PARTLY_THERE)
    landed = []
    for entry, held in zip(payload.entries, answers, strict=True):
        one = entry_landed(entry, held)
        if isinstance(one, Reason):
            return _disbelieved(one)
        landed.append(one)
    return Verdict(Seen.SENT, landed=tuple(landed))


def _single(body: Any, entry: Entry, headers: Mapping[str, str]) -> Verdict:
    """The resource itself, or nothing but its Location (Prefer: return=minimal)."""
    if body is not None and not (isinstance(body, dict) and isinstance(body.get("resourceType"), str)):
        return Verdict(Seen.IN_DOUBT, Reason.NOT_FHIR)
    response = {"status": "200", "location": header(headers, "Location"), "etag": header(headers, "ETag")}
    one = entry_landed(entry, {"response": response, "resource": body})
    return _disbelieved(one) if isinstance(one, Reason) else Verdict(Seen.SENT, landed=(one,))


def _disbelieved(why: Reason) -> Verdict:
    return Verdict(Seen.IN_DOUBT, why, alert=why in (Reason.WRONG_PATIENT, Reason.WRONG_ANSWER))


def entry_landed(entry: Entry, held: Any) -> Landed | Reason:
    """Where an entry went, or why the answer about it cannot be believed."""
    response = held.get("response") if isinstance(held, dict) else None
    if not isinstance(response, dict) or str(response.get("status", ""))[:3] not in ("200", "201"):
        return Reason.PARTLY_THERE
    location = response.get("location")
    resource = held.get("resource")
    if isinstance(resource, dict) and resource.get("resourceType") not in (entry.type, "OperationOutcome"):
        return Reason.WRONG_ANSWER
    if isinstance(resource, dict) and resource.get("resourceType") == entry.type:
        wrong = resource_wrong(entry, resource)
        if wrong:
            return wrong
        location = location or f"{entry.type}/{resource.get('id')}"
    if not isinstance(location, str):
        return entry_without_location(entry)
    reference = relative(location)
    if not reference.startswith(f"{entry.type}/") or (entry.target and reference != entry.target):
        return Reason.WRONG_ANSWER
    return Landed(entry.index, reference, version(response.get("etag")) or _history(location))


def entry_without_location(entry: Entry) -> Landed | Reason:
    """R4 asks for a location on create only; an update is where it was."""
    return Landed(entry.index, entry.target, None) if entry.target else Reason.WRONG_ANSWER


def resource_wrong(entry: Entry, resource: dict[str, Any]) -> Reason | None:
    """Whether a resource that should be ours is about someone else, or does not carry our identifier."""
    ours, theirs = subject(entry.resource), subject(resource)
    if ours and theirs != ours:
        return Reason.WRONG_PATIENT
    if entry.target and f"{entry.type}/{resource.get('id')}" != entry.target:
        return Reason.WRONG_ANSWER
    return None if carries(resource, entry.search) else Reason.WRONG_ANSWER


def _history(location: str) -> str | None:
    return location.partition("/_history/")[2] or None


def retry_after(headers: Mapping[str, str], at: datetime) -> int | None:
    """Retry-After as seconds from `at`, clamped to 1 s–1 h (bar 44); None when absent or garbage."""
    text = (header(headers, "Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return min(max(int(text[:9]), RETRY_LEAST), RETRY_MOST)
    try:
        seconds = (parsedate_to_datetime(text) - at).total_seconds()
    except (ValueError, TypeError):
        return None
    return int(min(max(seconds, RETRY_LEAST), RETRY_MOST))


def header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


SAID_MOST, SAID_LENGTH = 10, 300


def said(body: bytes | None) -> tuple[str, ...]:
    """Up to ten issues of an OperationOutcome as plain printable lines of at most 300 characters; () for anything else."""
    try:
        outcome = exact.loads(body or b"")
    except exact.UnreadableJson:
        return ()
    return issues(outcome)


def issues(outcome: Any) -> tuple[str, ...]:
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        return ()
    held = outcome.get("issue")
    listed = [issue for issue in held if isinstance(issue, dict)] if isinstance(held, list) else []
    return tuple(line for line in map(_issue, listed[:SAID_MOST]) if line)


def _issue(issue: dict[str, Any]) -> str:
    details = issue.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    where = issue.get("expression")
    parts = [issue.get("code"), text or issue.get("diagnostics"), *(where if isinstance(where, list) else [])]
    line = " · ".join(part for part in parts if isinstance(part, str))
    return "".join(letter if letter.isprintable() else " " for letter in line)[:SAID_LENGTH].strip()
