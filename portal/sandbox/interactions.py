"""The interactions of FHIR's REST: read, vread, history, search, create, update, delete, operations, free of HTTP.

A route and an entry of a Bundle become the same `Ask` and get the same `Reply`; errors.py says what can be refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from portal.fhir.structure import problems
from portal.sandbox import matching, terminology
from portal.sandbox.access import Access
from portal.sandbox.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    NoSuchMethod,
    NotFound,
    NotOneMatch,
    NotSupported,
    StaleVersion,
    Unprocessable,
    issue,
    outcome,
)
from portal.sandbox.parameters import TYPES
from portal.sandbox.query import Pairs, parse
from portal.sandbox.search import entry, matches, searchset
from portal.sandbox.store import Stored, Unit

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True)
class Ask:
    """One request: `path` split at the slashes below the base, header names in lower case, `resource` the parsed body."""

    method: str
    path: tuple[str, ...]
    access: Access
    pairs: Pairs = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    resource: Any = None
    new_id: str | None = None

    @property
    def strict(self) -> bool:
        return "handling=strict" in self.headers.get("prefer", "").replace(" ", "")


@dataclass(frozen=True)
class Reply:
    """`stored` is the version that the reply is about: it gives ETag, Last-Modified and Location."""

    status: int
    body: Any = None
    stored: Stored | None = None
    written: bool = False


def perform(unit: Unit, ask: Ask) -> Reply:
    """Raises FhirError for everything that is refused."""
    if not ask.path or ask.path[0] not in TYPES:
        raise NotSupported("This clinic does not hold that kind of resource.")
    for shape, methods in SHAPES:
        if _fits(shape, ask.path):
            if ask.method not in methods:
                raise NoSuchMethod(f"{ask.method} is not possible here.", headers={"Allow": ", ".join(methods)})
            return methods[ask.method](unit, ask)
    raise NotFound("There is nothing at that address.")


def _fits(shape: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """`*` stands for an id; everything else is literal. The first part of the path is the type."""
    return len(shape) == len(path) - 1 and all(
        bool(_ID.fullmatch(part)) if wanted == "*" else wanted == part
        for wanted, part in zip(shape, path[1:], strict=True)
    )


def read(unit: Unit, ask: Ask) -> Reply:
    stored = _visible(unit, ask)
    if ask.headers.get("if-none-match") in (stored.etag, "*"):
        return Reply(304, None, stored)
    return Reply(200, stored.raw, stored)


def _visible(unit: Unit, ask: Ask, letter: str = "r") -> Stored:
    """The current version of what the path names, if the token may have it; else as if it were not there."""
    ask.access.require(ask.path[0], letter)
    stored = unit.get(ask.path[0], ask.path[1])
    _theirs(unit, ask.access, stored)
    return stored


def _theirs(unit: Unit, access: Access, stored: Stored) -> None:
    """Raises NotFound when a patient's token reaches for what is not theirs."""
    if access.held_to_patient(stored.type) and not access.may_see(unit, unit.key(stored.type, stored.id), stored.type):
        raise NotFound(f"There is no {stored.path} here.")


def vread(unit: Unit, ask: Ask) -> Reply:
    ask.access.require(ask.path[0], "r")
    versions = _versions(unit, ask)
    for stored in versions:
        if str(stored.version) == ask.path[3]:
            if stored.body is None:
                raise Gone(f"{stored.path} was deleted in this version.")
            return Reply(200, stored.raw, stored)
    raise NotFound(f"There is no such version of {ask.path[0]}/{ask.path[1]}.")


def _versions(unit: Unit, ask: Ask) -> list[Stored]:
    versions = unit.history(ask.path[0], ask.path[1])
    if not versions:
        raise NotFound(f"There is no {ask.path[0]}/{ask.path[1]} here.")
    _theirs(unit, ask.access, versions[0])
    return versions


def history(unit: Unit, ask: Ask) -> Reply:
    ask.access.require(ask.path[0], "r")
    versions = _versions(unit, ask)
    entries = [_history_entry(unit.base_url, stored) for stored in versions]
    return Reply(200, {"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries})


def _history_entry(base_url: str, stored: Stored) -> dict[str, Any]:
    head = entry(base_url, stored) if stored.body is not None else {"fullUrl": f"{base_url}/{stored.path}"}
    url = stored.type if stored.method == "POST" else stored.path
    status = {"POST": "201 Created", "DELETE": "204 No Content"}.get(stored.method, "200 OK")
    return head | {
        "request": {"method": stored.method, "url": url},
        "response": {"status": status, "etag": stored.etag, "lastModified": stored.modified},
    }


def search(unit: Unit, ask: Ask) -> Reply:
    ask.access.require(ask.path[0], "s")
    return Reply(200, searchset(unit, parse(ask.path[0], _short(unit, ask.pairs), strict=ask.strict), ask.access))


def _short(unit: Unit, pairs: Pairs) -> Pairs:
    """Absolute references to this clinic as `Type/id`, the way they are kept."""
    return [(name, value.replace(unit.base_url + "/", "")) for name, value in pairs]


def create(unit: Unit, ask: Ask) -> Reply:
    """Create, or with If-None-Exist only when nothing matches (200 and the one that does, 412 when several do)."""
    ask.access.require(ask.path[0], "c")
    resource = sound(ask)
    there = existing(unit, ask.path[0], ask.headers.get("if-none-exist"))
    if there is not None:
        _theirs(unit, ask.access, there)
        return Reply(200, there.raw, there)
    return _written(unit, ask, unit.create(resource, ask.new_id), 201)


def update(unit: Unit, ask: Ask) -> Reply:
    """Update with If-Match, create under the client's own id when there is none, or only then (If-None-Match: *)."""
    resource_type, resource_id = ask.path
    ask.access.require(resource_type, "u")
    resource = sound(ask)
    if resource.get("id") != resource_id:
        raise BadRequest("The resource's id must be the id of the address.")
    before = unit.find(resource_type, resource_id)
    there = before is not None and before.body is not None
    if there and ask.headers.get("if-none-match") == "*":
        raise StaleVersion(f"{resource_type}/{resource_id} is there already.")
    if before is not None and there:
        _theirs(unit, ask.access, before)
    return _written(unit, ask, unit.update(resource, resource_id, ask.headers.get("if-match")), 200 if there else 201)


def conditional_update(unit: Unit, ask: Ask) -> Reply:
    """PUT Type?criteria: updates the one that matches, creates when none does, 412 when several do."""
    there = existing(unit, ask.path[0], "&".join(f"{name}={value}" for name, value in ask.pairs), of_pairs=ask.pairs)
    if there is None:
        ask.access.require(ask.path[0], "c")
        return _written(unit, ask, unit.create(sound(ask), ask.new_id), 201)
    if ask.resource.get("id", there.id) != there.id:
        raise BadRequest("The resource's id is not that of the one that matches.")
    return update(unit, replace(ask, path=(there.type, there.id), resource={**ask.resource, "id": there.id}))


def _written(unit: Unit, ask: Ask, stored: Stored, status: int) -> Reply:
    if ask.access.held_to_patient(stored.type):
        key = unit.key(stored.type, stored.id)
        if not replace(ask.access, scope="patient/*.r").may_see(unit, key, stored.type):
            raise Forbidden("A patient's token may only write what is about that patient.")
    return Reply(status, stored.raw, stored, written=True)


def delete(unit: Unit, ask: Ask) -> Reply:
    """Delete, unless another resource still points at it (409)."""
    resource_type, resource_id = ask.path
    ask.access.require(resource_type, "d")
    found = unit.find(resource_type, resource_id)
    if found is None or found.body is None:
        return Reply(204)
    _theirs(unit, ask.access, found)
    pointing = unit.pointing_at(found.path)
    if pointing:
        raise Conflict(f"{found.path} cannot be deleted while {pointing} points at it.")
    return Reply(204, None, unit.delete(resource_type, resource_id, ask.headers.get("if-match")), written=True)


def sound(ask: Ask) -> dict[str, Any]:
    """The resource of a request. Raises BadRequest when it is none of that type, Unprocessable for its shape."""
    if not isinstance(ask.resource, dict) or "resourceType" not in ask.resource:
        raise BadRequest("The body must be a FHIR resource in JSON.")
    if ask.resource["resourceType"] != ask.path[0]:
        raise BadRequest(f"The body is not a {ask.path[0]}, as the address says.")
    found = problems(ask.resource)
    if found:
        raise Unprocessable(f"The {ask.path[0]} has {len(found)} problem(s).", found)
    return ask.resource


def existing(unit: Unit, resource_type: str, criteria: str | None, of_pairs: Pairs | None = None) -> Stored | None:
    """The one resource that criteria (`identifier=…&…`) match. Raises NotOneMatch when there are more."""
    if criteria is None:
        return None
    pairs = of_pairs or parse_qsl(criteria.removeprefix(f"{resource_type}?").removeprefix("?"))
    if not pairs:
        raise BadRequest("A condition needs at least one search parameter.")
    found = matches(unit, parse(resource_type, _short(unit, pairs), strict=True), limit=2)
    if len(found) > 1:
        raise NotOneMatch(f"More than one {resource_type} matches the condition.")
    return found[0].stored if found else None


def validate(unit: Unit, ask: Ask) -> Reply:
    """$validate: 200 and an OperationOutcome either way. Shape only: no profiles, no invariants."""
    resource = _parameter(ask.resource, "resource") or ask.resource
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise BadRequest("The body must be a FHIR resource in JSON, or Parameters with one named resource.")
    if resource["resourceType"] != ask.path[0]:
        raise BadRequest(f"The resource is not a {ask.path[0]}, as the address says.")
    found = problems(resource)
    if not found:
        return Reply(200, outcome(issue("information", "informational", "No problems of shape were found.")))
    return Reply(200, outcome(*(issue("error", one.code, one.words, one.path) for one in found)))


def match(unit: Unit, ask: Ask) -> Reply:
    """Patient/$match: candidates with a score and a grade, best first."""
    ask.access.require("Patient", "s")
    patient = _parameter(ask.resource, "resource")
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        raise BadRequest("$match needs Parameters with a Patient named resource.")
    if ask.access.patient:
        raise Forbidden("A patient's token may not look for other patients.")
    certain_only = _parameter(ask.resource, "onlyCertainMatches") is True
    count = _parameter(ask.resource, "count")
    found = matching.candidates(unit, patient, certain_only, count if isinstance(count, int) else 10)
    return Reply(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})


def expand(unit: Unit, ask: Ask) -> Reply:
    """ValueSet/$expand or ValueSet/[id]/$expand."""
    if ask.path[0] != "ValueSet":
        raise NotFound("Only value sets can be expanded.")
    ask.access.require("ValueSet", "r")
    name = _visible(unit, ask).id if len(ask.path) == 3 else None
    return Reply(200, terminology.expand(unit, name, ask.pairs))


def _parameter(body: Any, name: str) -> Any:
    """The value of a parameter in a Parameters resource, or None."""
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        return None
    parts = body.get("parameter")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict) and part.get("name") == name:
            return next((value for key, value in part.items() if key == "resource" or key.startswith("value")), None)
    return None


Handler = Callable[[Unit, Ask], Reply]
SHAPES: list[tuple[tuple[str, ...], dict[str, Handler]]] = [
    ((), {"GET": search, "POST": create, "PUT": conditional_update}),
    (("_search",), {"POST": search}),
    (("$validate",), {"POST": validate}),
    (("$match",), {"POST": match}),
    (("$expand",), {"GET": expand}),
    (("*", "$expand"), {"GET": expand}),
    (("*",), {"GET": read, "PUT": update, "DELETE": delete}),
    (("*", "_history"), {"GET": history}),
    (("*", "_history", "*"), {"GET": vread}),
]
