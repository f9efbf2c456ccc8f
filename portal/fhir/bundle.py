"""Bundles: what a search answered, and the entries of a transaction that stores each thing once."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from portal.fhir.resources import Json, at, objects_at, text_at, type_of


def entries(bundle: Any) -> Iterator[tuple[str, Json]]:
    """(search mode, resource) of each entry of a searchset; an entry without a mode is a match, without a resource nothing."""
    for entry in objects_at(bundle, "entry"):
        resource = entry.get("resource")
        if isinstance(resource, dict):
            outcome = "outcome" if type_of(resource) == "OperationOutcome" else "match"
            yield text_at(entry, "search", "mode") or outcome, resource


def link(bundle: Any, relation: str) -> str | None:
    """The address of a Bundle's link (`self`, `next`), or None; R4 and R5 spell "previous" alike for what we use."""
    for each in objects_at(bundle, "link"):
        if text_at(each, "relation") == relation and text_at(each, "url"):
            return text_at(each, "url")
    return None


def transaction(parts: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": parts}


def create_entry(resource: Json, full_url: str, identifier: tuple[str, str]) -> Json:
    """POST that a server with conditional create makes once: `identifier` (system, value) is the resource's own."""
    system, value = identifier
    kind = type_of(resource)
    condition = f"identifier={quote(system, safe='')}|{quote(value, safe='')}"
    request = {"method": "POST", "url": kind, "ifNoneExist": condition}
    return {"fullUrl": full_url, "resource": resource, "request": request}


def update_entry(resource: Json, full_url: str, version: str | None) -> Json:
    """PUT of a known resource, refused by the server when its version is not the one we saw."""
    request = {"method": "PUT", "url": f"{type_of(resource)}/{resource['id']}"}
    if version:
        request["ifMatch"] = f'W/"{version}"'
    return {"fullUrl": full_url, "resource": resource, "request": request}


def outcome_texts(outcome: Any) -> list[str]:
    """What an OperationOutcome says, in its order: details.text, else diagnostics, else its code. May hold health data."""
    return [
        text_at(issue, "details", "text") or text_at(issue, "diagnostics") or text_at(issue, "code")
        for issue in objects_at(outcome, "issue")
    ]


def outcome_codes(outcome: Any) -> list[str]:
    """The codes of an OperationOutcome's issues: a closed list of FHIR's, safe to log."""
    return [str(at(issue, "code")) for issue in objects_at(outcome, "issue") if isinstance(at(issue, "code"), str)]
