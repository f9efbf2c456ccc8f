"""What an answer is worth: status to error, media type, JSON, resourceType, id; nothing is believed before all of it passed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from portal.ehr.errors import EhrError, NotFhir, NotPermitted, NotReached, NotThere, Refused, TryLater
from portal.ehr.http import Answer
from portal.fhir import exact
from portal.fhir.resources import Json, id_of, type_of

FHIR_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
JSON = frozenset({"application/json"}) | FHIR_JSON
JWKS = frozenset({"application/jwk-set+json"})
UTF8 = frozenset({"utf-8", "utf8", "us-ascii", ""})
LEAST_WAIT, MOST_WAIT = 1.0, 3600.0

REFUSALS: dict[int, type[Refused]] = {
    403: NotPermitted,
    404: NotThere,
    410: NotThere,
    425: TryLater,
    429: TryLater,
    503: TryLater,
}


def resource(answer: Answer, *, kind: str, name: str | None = None, now: datetime) -> Json:
    """The resource of type `kind` (and id `name`) that a 2xx answer holds; raises the EhrError that tells why it holds none."""
    believed = _believed(answer, now)
    if type_of(believed) != kind or not isinstance(believed, dict):
        raise NotFhir("The clinic's system answered with something else than was asked for.")
    if name is not None and id_of(believed) != name:
        raise NotFhir("The clinic's system answered with another entry than was asked for.")
    return believed


def document(answer: Answer, now: datetime) -> Json:
    """A JSON object that is not FHIR (a discovery document)."""
    raise_for(answer, now)
    return _json(answer, JSON)


def json_object(answer: Answer) -> Json:
    """A JSON object of any media type that says json (key sets come as several); NotFhir for anything else."""
    return _json(answer, JSON | JWKS)


def raise_for(answer: Answer, now: datetime) -> None:
    """Raises for everything but a whole 2xx answer. Redirects count as refusals: they are never followed."""
    if not answer.whole or answer.status is None:
        raise NotReached(answer.failure or "reset", sent=answer.sent)
    if not 200 <= answer.status < 300:
        raise refusal(answer, now)


def refusal(answer: Answer, now: datetime) -> EhrError:
    status = answer.status or 0
    wait = retry_after(answer.headers, now)
    return REFUSALS.get(status, Refused)(status, outcome(answer), wait)


def outcome(answer: Answer) -> Json | None:
    """The OperationOutcome of an answer of any status, or None."""
    try:
        found = _json(answer, FHIR_JSON)
    except NotFhir:
        return None
    return found if type_of(found) == "OperationOutcome" else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, between 1 and 3600, from Retry-After as seconds or as a date; None when absent or garbage."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(max(float(text[:12]), LEAST_WAIT), MOST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max((at - now).total_seconds(), LEAST_WAIT), MOST_WAIT)


def age(headers: Mapping[str, str]) -> float:
    """How old a cache on the way says the answer is, in seconds (RFC 9111 Age); 0 when it says nothing sensible."""
    text = headers.get("Age", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _believed(answer: Answer, now: datetime) -> Any:
    raise_for(answer, now)
    return _json(answer, FHIR_JSON)


def _json(answer: Answer, types: frozenset[str]) -> Json:
    media, _, parameters = answer.headers.get("Content-Type", "").partition(";")
    charset = _charset(parameters)
    if media.strip().lower() not in types or charset not in UTF8:
        raise NotFhir("The clinic's system answered in a format that is not JSON.")
    try:
        value = exact.loads(answer.body)
    except exact.UnreadableJson as wrong:
        raise NotFhir(f"The clinic's system gave an answer that could not be read: {wrong}.") from wrong
    if not isinstance(value, dict):
        raise NotFhir
    return value


def _charset(parameters: str) -> str:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""
