"""What a FHIR resource is to a consent: its names, authors, relations, dates and labels, inside ones included. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from portal.consent import codes
from portal.consent.decision import Resource
from portal.consent.provisions import identities

_AUTHORS = ("author", "performer", "recorder", "asserter", "requester", "source", "enterer", "participant")
_CLINICAL_DATES = ("effective", "occurrence", "performed", "onset")
_RECORDED_DATES = ("authored", "authoredOn", "recordedDate", "recorded", "dateAsserted", "date", "issued", "created")
REDACTED = {"system": codes.OBSERVATION_VALUE, "code": "REDACTED"}


def describe(resource: Mapping[str, Any], base: str, default: frozenset[str] = frozenset()) -> Resource:
    """A resource as read from `base`. `default` are the labels of whoever answers for it, when it carries none itself."""
    kind = str(resource.get("resourceType", ""))
    own = {"reference": f"{kind}/{resource['id']}"} if resource.get("id") else {}
    names = frozenset(identities(own, base)) | _business(resource)
    return Resource(
        type=kind,
        identities=names,
        authors=frozenset(_named(resource, base, _AUTHORS)),
        related=frozenset(_references(resource, base)),
        dates=tuple(_dates(resource)),
        labels=labels_of(resource) or default,
    )


def labels_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """The labels in meta.security that say how sensitive it is or what about; markers such as HTEST do not."""
    meta = resource.get("meta")
    listed = _mappings(meta.get("security")) if isinstance(meta, Mapping) else []
    found = {codes.code(each.get("system"), each.get("code")) for each in listed}
    return frozenset(label for label in found if codes.is_level(label)) | codes.sensitivities(found)


def sift(
    resources: Iterable[Mapping[str, Any]], allowed: Callable[[Mapping[str, Any]], bool]
) -> list[Mapping[str, Any]]:
    """Those that are allowed, each without the contained resources that are not, and then tagged REDACTED.

    Everything made from the answer (counts, sums, order, pages) is made from this list, so nothing left out shows.
    """
    return [_without_hidden(resource, allowed) for resource in resources if allowed(resource)]


def _without_hidden(resource: Mapping[str, Any], allowed: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    contained = _mappings(resource.get("contained"))
    kept = [each for each in contained if not labels_of(each) or allowed(each)]
    if len(kept) == len(contained):
        return resource
    gone = {f"#{each.get('id')}" for each in contained if each not in kept}
    bare = {name: _unlinked(held, gone) for name, held in resource.items() if name not in ("contained", "text")}
    return tagged({**bare, **({"contained": kept} if kept else {})})


def _unlinked(value: Any, gone: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _unlinked(held, gone) for name, held in value.items()}
    if isinstance(value, list):
        return [
            _unlinked(each, gone)
            for each in value
            if not (isinstance(each, Mapping) and str(each.get("reference")) in gone)
        ]
    return value


def tagged(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource marked as having had something taken out."""
    held = resource.get("meta")
    meta = dict(held) if isinstance(held, Mapping) else {}
    marks = [each for each in _mappings(meta.get("security")) if each != REDACTED]
    return {**resource, "meta": {**meta, "security": [*marks, REDACTED]}}


def _business(resource: Mapping[str, Any]) -> frozenset[str]:
    listed = resource.get("identifier")
    each = listed if isinstance(listed, list) else [listed]
    return frozenset(name for one in each for name in identities({"identifier": one}, ""))


def _named(resource: Mapping[str, Any], base: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        held = resource.get(name)
        for each in held if isinstance(held, list) else [held]:
            inner = each.get("actor", each) if isinstance(each, Mapping) else each
            yield from identities(inner, base)


def _references(value: Any, base: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from identities(value, base) if "reference" in value else ()
        for name, held in value.items():
            if name != "contained":
                yield from _references(held, base)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each, base)


def _dates(resource: Mapping[str, Any]) -> list[str]:
    clinical = [held for name, held in resource.items() if name.startswith(_CLINICAL_DATES)]
    found = [date for held in clinical for date in _texts(held)]
    return found or [date for name in _RECORDED_DATES for date in _texts(resource.get(name))]


def _mappings(held: Any) -> list[Any]:
    """The objects of a list; what a server sent in another shape is none."""
    return [each for each in held if isinstance(each, Mapping)] if isinstance(held, list) else []


def _texts(held: Any) -> list[str]:
    if isinstance(held, str):
        return [held]
    if isinstance(held, Mapping):
        return [held[side] for side in ("start", "end") if isinstance(held.get(side), str)]
    return []
