"""FHIR over HTTP: a request becomes an Ask, a Reply or a FhirError becomes a response in application/fhir+json."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

from portal.fhir import exact
from portal.sandbox import bundles, capability, tickets
from portal.sandbox.access import Access
from portal.sandbox.clinic import clinic
from portal.sandbox.errors import (
    BadRequest,
    FhirError,
    NoSuchMethod,
    NotAcceptable,
    NotAuthorized,
    NotFound,
    WrongContentType,
    issue,
    outcome,
)
from portal.sandbox.interactions import Ask, Reply, perform
from portal.sandbox.query import Pairs

bp = Blueprint("fhir", __name__, url_prefix="/fhir")

FHIR_JSON = "application/fhir+json"
READABLE = (FHIR_JSON, "application/json", "text/json", "application/json+fhir")
FORMATS = (*READABLE, "json", "*/*", "application/*")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@bp.get("/metadata")
def metadata() -> Response:
    return _json(200, capability.statement(clinic().config))


@bp.route("", methods=METHODS)
@bp.route("/", methods=METHODS)
def base() -> Response:
    access = _access()
    _acceptable()
    if request.method != "POST":
        raise NoSuchMethod("Post a transaction or a batch here.", headers={"Allow": "POST"})
    return _json(200, bundles.process(clinic().store, _body(), access, request.headers.get("Prefer", "")))


@bp.route("/<path:path>", methods=METHODS)
def interaction(path: str) -> Response:
    access = _access()
    _acceptable()
    parts = tuple(path.split("/"))
    if parts == ("Patient", "$match") and not clinic().config.match:
        raise NotFound("This clinic has no such operation.")
    searching = parts[-1] == "_search"
    ask = Ask(
        "GET" if request.method == "HEAD" else request.method,
        parts,
        access,
        _pairs(searching),
        {name.lower(): value for name, value in request.headers.items()},
        _body() if request.method in ("POST", "PUT") and not searching else None,
    )
    writes = request.method in ("PUT", "DELETE") or (request.method == "POST" and len(parts) == 1)
    with clinic().store.writing() if writes else clinic().store.reading() as unit:
        return _respond(perform(unit, ask))


def _respond(reply: Reply) -> Response:
    """The response of one interaction, as Prefer asks for it."""
    prefer = request.headers.get("Prefer", "").replace(" ", "")
    body = reply.body
    if reply.written and "return=minimal" in prefer:
        body = None
    elif reply.written and "return=OperationOutcome" in prefer:
        body = outcome(issue("information", "informational", "Done."))
    response = _json(reply.status, body)
    if reply.stored:
        response.headers["ETag"] = reply.stored.etag
        modified = datetime.fromisoformat(reply.stored.modified)
        response.headers["Last-Modified"] = http_date(modified)
        if reply.stored.body is not None and request.method in ("POST", "PUT"):
            address = f"{clinic().config.base_url}/{reply.stored.path}/_history/{reply.stored.version}"
            response.headers["Location"] = response.headers["Content-Location"] = address
    return response


def _json(status: int, body: Any) -> Response:
    text = "" if body is None else exact.dumps(body)
    response = Response(text, status, content_type=f"{FHIR_JSON}; charset=utf-8" if text else None)
    response.headers["Cache-Control"] = "no-store"
    return response


def _access() -> Access:
    """What the bearer token allows. Raises NotAuthorized; the token in the address is never looked at."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    with clinic().store.reading() as unit:
        found = tickets.find(unit, secret.strip(), "access") if scheme.lower() == "bearer" else None
    if found is None:
        detail = ' error="invalid_token"' if secret else ""
        raise NotAuthorized(
            "A valid access token is needed; ask /token for one.", headers={"WWW-Authenticate": f"Bearer{detail}"}
        )
    return Access(found.client, found.scope, f"Patient/{found.patient}" if found.patient else None)


def _acceptable() -> None:
    """JSON is all there is: Accept and _format must allow it."""
    wanted = request.args.get("_format") or request.headers.get("Accept") or "*/*"
    kinds = {part.partition(";")[0].strip().replace(" ", "+") for part in wanted.split(",")}
    if not kinds & set(FORMATS):
        raise NotAcceptable("This clinic speaks application/fhir+json only.")


def _body() -> Any:
    if request.mimetype not in READABLE:
        raise WrongContentType("Send the resource as application/fhir+json.")
    try:
        return exact.loads(request.get_data())
    except exact.UnreadableJson as wrong:
        raise BadRequest(f"The body cannot be read: {wrong}.") from wrong


def _pairs(searching: bool) -> Pairs:
    """Search parameters in the order sent, of the address and, for _search, of the form."""
    pairs = list(request.args.items(multi=True))
    return pairs + list(request.form.items(multi=True)) if searching else pairs


@bp.app_errorhandler(FhirError)
def refused(error: FhirError) -> Response:
    response = _json(error.status, error.outcome())
    response.headers.update(error.headers)
    return response


@bp.app_errorhandler(HTTPException)
def not_found(error: HTTPException) -> Response:
    return _json(error.code or 500, outcome(issue("error", "processing", error.description or error.name)))
