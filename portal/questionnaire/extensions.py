"""The extensions of an element by short name, whichever release of the SDC guide wrote their address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
Extensions = Mapping[str, list[Json]]

_HOMES = ("http://hl7.org/fhir/", "https://hl7.org/fhir/")
_PREFIXES = ("sdc-questionnaire-", "questionnaire-", "sdc-")
NONE: Extensions = {}


def short_name(url: str) -> str:
    """`…/sdc-questionnaire-variable` -> `variable`; an address outside hl7.org stays whole."""
    if not url.startswith(_HOMES):
        return url
    tail = url.rsplit("/", 1)[-1]
    for prefix in _PREFIXES:
        if tail.startswith(prefix):
            return tail[len(prefix) :]
    return tail


def of(element: object) -> Extensions:
    """Short name -> the extensions of that name on a FHIR element (any JSON value)."""
    if not isinstance(element, dict):
        return NONE
    listed = element.get("extension")
    if not isinstance(listed, list) or not listed:
        return NONE
    found: dict[str, list[Json]] = {}
    for extension in listed:
        if isinstance(extension, dict) and isinstance(extension.get("url"), str):
            found.setdefault(short_name(extension["url"]), []).append(extension)
    return found


def value_of(extension: Json) -> Any:
    """The value[x] of one extension, or None."""
    for key, value in extension.items():
        if key.startswith("value"):
            return value
    return None


def value(extensions: Extensions, name: str) -> Any:
    """The first value[x] under that name, or None."""
    for extension in extensions.get(name, ()):
        return value_of(extension)
    return None


def values(extensions: Extensions, name: str) -> list[Any]:
    return [value_of(extension) for extension in extensions.get(name, ())]


def inner(extension: Json) -> list[Json]:
    """The extensions of an element as they stand; what is none, a null in the list for example, is left out."""
    listed = extension.get("extension")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def part(extension: Json, name: str) -> Any:
    """The value[x] of a complex extension's part, or None."""
    return next((value_of(each) for each in inner(extension) if each.get("url") == name), None)


def parts(extension: Json, name: str) -> list[Any]:
    return [value_of(each) for each in inner(extension) if each.get("url") == name]


def codes(extensions: Extensions, names: Iterable[str]) -> frozenset[str]:
    """The codes of every CodeableConcept or code under these names (itemControl and its kin)."""
    found: set[str] = set()
    for name in names:
        for concept in values(extensions, name):
            if isinstance(concept, str):
                found.add(concept)
            elif isinstance(concept, dict):
                found.update(
                    coding["code"]
                    for coding in concept.get("coding") or ()
                    if isinstance(coding, dict) and isinstance(coding.get("code"), str)
                )
    return frozenset(found)
