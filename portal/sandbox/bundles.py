"""`transaction` (all or nothing) and `batch` (each for itself): entries become the same interactions as requests.

A transaction first decides where every entry will live, so that `urn:uuid:` references and conditional references can be
rewritten whatever the order, then deletes, creates, updates and reads (R4 3.1.0.11.2).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from portal.fhir.structure import Problem
from portal.sandbox.access import Access
from portal.sandbox.errors import BadRequest, FhirError, NotOneMatch
from portal.sandbox.interactions import Ask, Reply, existing, perform
from portal.sandbox.parameters import TYPES
from portal.sandbox.store import Store, Unit

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3}
CONDITIONS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
}
URI_MEMBERS = frozenset(("reference", "url", "uri", "valueUri", "valueUrl", "valueCanonical", "valueUuid"))


@dataclass(frozen=True)
class Entry:
    """One entry; `home` is where its resource will live (`Type/id`), None for reads and deletions."""

    index: int
    full_url: str | None
    ask: Ask
    home: str | None = None


def process(store: Store, bundle: Any, access: Access, prefer: str) -> dict[str, Any]:
    """The response Bundle. Raises FhirError for a Bundle that is neither, and for whatever stops a transaction."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise BadRequest("Only a Bundle can be posted to the base of the server.")
    if bundle.get("type") not in ("transaction", "batch"):
        raise BadRequest("The Bundle must be a transaction or a batch.")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BadRequest("Bundle.entry must be a list.")
    run = _transaction if bundle["type"] == "transaction" else _batch
    return {
        "resourceType": "Bundle",
        "type": bundle["type"] + "-response",
        "entry": run(store, entries, access, prefer),
    }


def _batch(store: Store, entries: list[Any], access: Access, prefer: str) -> list[dict[str, Any]]:
    answers = []
    for index, written in enumerate(entries):
        try:
            read = _read(index, written, access, store.base_url)
            with store.writing() if read.ask.method != "GET" else store.reading() as unit:
                answers.append(_answer(unit, perform(unit, read.ask), prefer, read.ask.method))
        except FhirError as refused:
            status = f"{refused.status} {HTTPStatus(refused.status).phrase}"
            answers.append({"response": {"status": status, "outcome": refused.outcome()}})
    return answers


def _transaction(store: Store, entries: list[Any], access: Access, prefer: str) -> list[dict[str, Any]]:
    with store.writing() as unit:
        placed = list(_placed(unit, [_read(index, one, access, store.base_url) for index, one in enumerate(entries)]))
        _no_overlap(placed)
        homes = {entry.full_url: entry.home for entry in placed if entry.full_url and entry.home}
        answers: dict[int, dict[str, Any]] = {}
        for entry in sorted(placed, key=lambda entry: ORDER[entry.ask.method]):
            with _naming(entry.index):
                resource = _rewritten(unit, entry.ask.resource, homes)
                reply = perform(unit, replace(entry.ask, resource=resource))
            answers[entry.index] = _answer(unit, reply, prefer, entry.ask.method)
    return [answers[index] for index in range(len(entries))]


def _read(index: int, written: Any, access: Access, base_url: str) -> Entry:
    """An entry as an Ask. Raises BadRequest naming the entry."""
    request = written.get("request") if isinstance(written, dict) else None
    if not isinstance(request, dict) or request.get("method") not in ORDER or not isinstance(request.get("url"), str):
        raise BadRequest(f"Bundle.entry[{index}] needs a request with a method (GET, POST, PUT, DELETE) and a url.")
    address = urlsplit(request["url"].removeprefix(base_url).lstrip("/"))
    headers = {header: str(request[name]) for name, header in CONDITIONS.items() if name in request}
    ask = Ask(
        request["method"],
        tuple(part for part in address.path.split("/") if part),
        access,
        parse_qsl(address.query, keep_blank_values=True),
        headers,
        written.get("resource"),
    )
    full_url = written.get("fullUrl")
    return Entry(index, full_url if isinstance(full_url, str) else None, ask)


def _placed(unit: Unit, entries: list[Entry]) -> Iterator[Entry]:
    """Every entry with its home: an existing match, the address it names, or a new id."""
    conditional: dict[tuple[str, str], str] = {}
    for entry in entries:
        ask, kind = entry.ask, entry.ask.path[0] if entry.ask.path else ""
        if kind not in TYPES or ask.method in ("GET", "DELETE"):
            yield entry
        elif ask.method == "PUT" and len(ask.path) == 2:
            yield replace(entry, home="/".join(ask.path))
        else:
            condition = ask.headers.get("if-none-exist") if ask.method == "POST" else "&".join(map("=".join, ask.pairs))
            with _naming(entry.index):
                found = existing(unit, kind, condition, of_pairs=ask.pairs or None) if condition else None
            fresh = conditional.get((kind, condition or ""), f"{kind}/{uuid.uuid4()}")
            if condition:
                conditional[kind, condition] = fresh
            home = found.path if found else fresh
            yield replace(entry, home=home, ask=replace(ask, new_id=home.split("/")[1]))


def _no_overlap(entries: list[Entry]) -> None:
    """One resource may not be written twice in a transaction, unless by the same condition (then once)."""
    homes = [
        entry.home or "/".join(entry.ask.path)
        for entry in entries
        if entry.ask.method != "GET" and "if-none-exist" not in entry.ask.headers
    ]
    for home in homes:
        if homes.count(home) > 1:
            raise BadRequest(f"{home} is written more than once in this transaction.")


def _rewritten(unit: Unit, value: Any, homes: Mapping[str, str], member: str = "") -> Any:
    """References to entries become references to where they live; nothing else is touched."""
    if isinstance(value, dict):
        return {name: _rewritten(unit, held, homes, name) for name, held in value.items()}
    if isinstance(value, list):
        return [_rewritten(unit, held, homes, member) for held in value]
    if isinstance(value, str) and member in URI_MEMBERS:
        if value in homes:
            return homes[value]
        if member == "reference" and "?" in value:
            return _found(unit, value)
    return value


def _found(unit: Unit, reference: str) -> str:
    """A conditional reference (`Patient?identifier=…`) as `Type/id`; raises NotOneMatch unless exactly one matches."""
    kind, _, criteria = reference.partition("?")
    if kind not in TYPES:
        return reference
    found = existing(unit, kind, criteria)
    if found is None:
        raise NotOneMatch(f"No {kind} matches a conditional reference.")
    return found.path


class _naming:
    """Errors inside are told with the entry they are about."""

    def __init__(self, index: int) -> None:
        self.where = f"Bundle.entry[{index}]"

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, refused: BaseException | None, trace: object) -> None:
        if isinstance(refused, FhirError) and not refused.words.startswith(self.where):
            found = refused.problems or (Problem("", refused.words, refused.code),)
            named = [
                Problem(
                    f"{self.where}.resource.{one.path}".rstrip(".") if one.path else self.where, one.words, one.code
                )
                for one in found
            ]
            raise type(refused)(f"{self.where}: {refused.words}", named, refused.headers) from refused


def _answer(unit: Unit, reply: Reply, prefer: str, method: str) -> dict[str, Any]:
    status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
    response: dict[str, Any] = {"status": status}
    if reply.stored:
        if reply.stored.body is not None and method in ("POST", "PUT"):
            response["location"] = f"{reply.stored.path}/_history/{reply.stored.version}"
        response |= {"etag": reply.stored.etag, "lastModified": reply.stored.modified}
    wanted = reply.body is not None and (method == "GET" or "return=representation" in prefer or not reply.stored)
    full_url = {"fullUrl": f"{unit.base_url}/{reply.stored.path}"} if reply.stored else {}
    return full_url | ({"resource": reply.body} if wanted else {}) | {"response": response}
