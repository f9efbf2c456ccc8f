"""Our own transaction Bundle, read: its entries, by what each is found again at the server, and whose record it is about.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Resource = dict[str, Any]

SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary")
CARRIED = frozenset({"Provenance"})
"""R4 gives these no identifier: in a transaction they arrive with the others or not at all."""


@dataclass(frozen=True)
class Entry:
    """One write. A POST is found by `search`; a PUT by its `target` ("Patient/7") and must rest on version `base`."""

    index: int
    method: str
    type: str
    resource: Resource
    full_url: str | None = None
    search: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    base: str | None = None

    @property
    def findable(self) -> bool:
        return bool(self.search or self.target)


@dataclass(frozen=True)
class Payload:
    entries: tuple[Entry, ...]

    @property
    def created(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.method == "POST")

    @property
    def updated(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.method == "PUT")

    def needs(self) -> dict[str, str]:
        """The letters of permission (SMART: c, u) that each type of entry takes."""
        letters = {"POST": "c", "PUT": "u"}
        found: dict[str, set[str]] = {}
        for entry in self.entries:
            found.setdefault(entry.type, set()).add(letters[entry.method])
        return {kind: "".join(sorted(wanted)) for kind, wanted in found.items()}

    def subjects(self) -> frozenset[str]:
        """References of every patient the bundle is about; one, or it may not be sent."""
        found = {subject(entry.resource) for entry in self.entries}
        found |= {entry.target for entry in self.entries if entry.type == "Patient" and entry.target}
        return frozenset(name for name in found if name)


def read(bundle: Mapping[str, Any]) -> Payload:
    """The entries of a transaction Bundle that `problems` has nothing against."""
    return Payload(tuple(_entry(index, entry) for index, entry in enumerate(bundle["entry"])))


def problems(bundle: Mapping[str, Any]) -> list[str]:
    """Why this Bundle cannot be delivered exactly once; [] when it can."""
    entries = bundle.get("entry")
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
        return ["it is not a transaction Bundle"]
    if not isinstance(entries, list) or not entries:
        return ["it has no entries"]
    found = [f"entry {index}: {why}" for index, entry in enumerate(entries) for why in _entry_problems(entry)]
    return found or _whole_problems(read(bundle))


def _entry_problems(entry: Mapping[str, Any]) -> list[str]:
    request, resource = entry.get("request") or {}, entry.get("resource") or {}
    method, kind = request.get("method"), resource.get("resourceType")
    if method not in ("POST", "PUT"):
        return ["only POST and PUT are delivered"]
    if not kind:
        return ["it has no resource"]
    if method == "POST" and request.get("url") != kind:
        return ["its url is not its resource type"]
    if method == "PUT" and request.get("url") != f"{kind}/{resource.get('id')}":
        return ["its url is not its resource type and id"]
    if method == "POST" and kind not in CARRIED and not _search(request, resource):
        return ["it has no identifier to be found by"]
    return []


def _whole_problems(payload: Payload) -> list[str]:
    if not any(entry.findable for entry in payload.entries):
        return ["nothing in it can be found again"]
    if len(payload.subjects()) > 1:
        return ["it is about more than one patient"]
    return []


def _entry(index: int, entry: Mapping[str, Any]) -> Entry:
    request, resource = entry["request"], entry["resource"]
    made = request["method"] == "POST"
    return Entry(
        index=index,
        method=request["method"],
        type=resource["resourceType"],
        resource=resource,
        full_url=entry.get("fullUrl"),
        search=_search(request, resource) if made else (),
        target=None if made else request["url"],
        base=None if made else version(request.get("ifMatch")),
    )


def _search(request: Mapping[str, Any], resource: Resource) -> tuple[tuple[str, str], ...]:
    """The query that finds what this entry creates: its ifNoneExist, else its first identifier with a system."""
    condition = request.get("ifNoneExist")
    if condition:
        return tuple(parse_qsl(str(condition).lstrip("?")))
    for identifier in identifiers(resource):
        if identifier.get("system") and identifier.get("value"):
            return (("identifier", f"{identifier['system']}|{identifier['value']}"),)
    return ()


def carries(resource: Resource, search: tuple[tuple[str, str], ...]) -> bool:
    """Whether a resource bears the identifier or the tag that `search` asks for; any other parameter is believed."""
    held = {
        "identifier": {f"{one.get('system')}|{one.get('value')}" for one in identifiers(resource)},
        "_tag": {f"{one.get('system')}|{one.get('code')}" for one in (resource.get("meta") or {}).get("tag", [])},
    }
    return all(value in held[name] for name, value in search if name in held)


def identifiers(resource: Resource) -> list[dict[str, Any]]:
    """Resource.identifier as a list (QuestionnaireResponse and Bundle have one, the others a list)."""
    held = resource.get("identifier") or []
    listed = held if isinstance(held, list) else [held]
    return [one for one in listed if isinstance(one, dict)]


def subject(resource: Resource) -> str | None:
    """The Patient reference a resource is about, or None when it names none."""
    for element in SUBJECT_ELEMENTS:
        held = resource.get(element)
        reference = held.get("reference") if isinstance(held, dict) else None
        if isinstance(reference, str) and "Patient/" in reference:
            return relative(reference)
    return None


def relative(reference: str) -> str:
    """`https://host/base/Patient/7/_history/2` → `Patient/7`."""
    parts = reference.split("/_history/", maxsplit=1)[0].split("/")
    return "/".join(parts[-2:])


def version(etag: object) -> str | None:
    """`W/"3"` → `3`."""
    if not isinstance(etag, str) or not etag:
        return None
    return etag.removeprefix("W/").strip('"') or None
