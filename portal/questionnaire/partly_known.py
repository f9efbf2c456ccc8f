"""What is known of a value set that is at hand only in part: what it may lack, what it cannot hold, what its codes are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import extensions as ext
from .concepts import placed
from .extensions import Json
from .shape import problem

if TYPE_CHECKING:
    from .definition import Form

Sources = list[tuple[Json, str]]
"""A value set first, then each set and code system it takes something of, with the version of which all is asked for; "*" for
any, "" where only what is listed is."""


def may_lack_some(form: Form, canonical: str) -> bool:
    """Whether what is at hand of a value set is not all of it: only some codes of a code system (CodeSystem.content), those of
    another version, or the first of a long expansion."""
    known: dict[str, bool] = form.cache("sets in part")
    if canonical not in known:
        known[canonical] = any(_in_part(one, asked) for one, asked in _sources(form, canonical))
    return known[canonical]


def rules_out(form: Form, canonical: str, coding: Json) -> bool:
    """Whether a coding cannot be in a value set that cannot be worked out: none of its parts can hold it, or it is left out."""
    stated = isinstance(coding.get("system"), str) and bool(coding["system"])
    return stated and not may_lack_some(form, canonical) and not _may_hold(form, canonical, coding, set())


def _may_hold(form: Form, canonical: str, coding: Json, seen: set[str]) -> bool:
    resource = next((one for one, _ in _sources(form, canonical)), {})
    compose = resource.get("compose")
    if canonical in seen or resource.get("resourceType") != "ValueSet" or not isinstance(compose, dict):
        return True
    seen.add(canonical)
    left_out = (form.value_sets.part(part) for part in compose.get("exclude") or () if isinstance(part, dict))
    if any(_among(coding, listed) for listed in left_out if listed):
        return False
    parts = [part for part in compose.get("include") or () if isinstance(part, dict)]
    return not parts or any(_part_may_hold(form, part, coding, seen) for part in parts)


def _part_may_hold(form: Form, part: Json, coding: Json, seen: set[str]) -> bool:
    listed = form.value_sets.part(part)
    if listed is not None:
        return _among(coding, listed)
    if part.get("system") and part["system"] != coding["system"]:
        return False
    return all(_may_hold(form, str(inner), coding, seen) for inner in part.get("valueSet") or ())


def _among(coding: Json, listed: list[Json]) -> bool:
    return any((one.get("system"), one.get("code")) == (coding.get("system"), coding.get("code")) for one in listed)


def names(form: Form, canonical: str, coding: Json) -> Iterator[str]:
    """Whatever a code is called: by the value set, by its code system, in any language (display and designations)."""
    for resource, _ in _sources(form, canonical):
        for system, concept in _concepts(resource):
            if (system, concept.get("code")) == (coding.get("system"), coding.get("code")):
                told = [each.get("value") for each in concept.get("designation") or () if isinstance(each, dict)]
                yield from (str(text) for text in (concept.get("display"), *told) if text)


def _concepts(resource: Json) -> Iterator[tuple[object, Json]]:
    """Every concept that a value set lists, or a code system defines, with its system."""
    if _is_system(resource):
        yield from ((resource.get("url"), concept) for concept, _ in placed(resource))
        return
    expansion, compose = resource.get("expansion"), resource.get("compose")
    for part in (compose.get("include") or ()) if isinstance(compose, dict) else ():
        listed = part.get("concept") if isinstance(part, dict) else ()
        yield from ((part.get("system"), concept) for concept in listed or () if isinstance(concept, dict))
    for entry in _flat(expansion.get("contains") if isinstance(expansion, dict) else ()):
        yield entry.get("system"), entry


def _sources(form: Form, canonical: str) -> Sources:
    """What a value set is made of, each once; nothing for one that is not at hand."""
    known: dict[str, Sources] = form.cache("sources of sets")
    if canonical not in known:
        made: dict[str, tuple[Json, str]] = {}
        waiting = [(canonical, True)]
        while waiting:
            name, whole = waiting.pop()
            resource = form.value_sets.resource(name) if name not in made else None
            if resource and not problem(resource):
                made[name] = (resource, (name.partition("|")[2] or "*") if whole else "")
                waiting.extend(_named(resource))
        known[canonical] = list(made.values())
    return known[canonical]


def _named(resource: Json) -> Iterator[tuple[str, bool]]:
    """What a value set takes something of, and whether all of it."""
    compose = resource.get("compose")
    for part in (compose.get("include") or ()) if isinstance(compose, dict) else ():
        if isinstance(part, dict):
            version = f"|{part['version']}" if part.get("version") else ""
            if part.get("system"):
                yield f"{part['system']}{version}", not part.get("concept")
            yield from ((str(inner), True) for inner in part.get("valueSet") or ())


def _in_part(resource: Json, asked: str) -> bool:
    if asked not in ("", "*", resource.get("version") or asked):
        return True
    if _is_system(resource):
        return bool(asked) and resource.get("content") in ("fragment", "example")
    expansion = resource.get("expansion")
    listed = expansion.get("contains") if isinstance(expansion, dict) else None
    if not isinstance(expansion, dict) or not isinstance(listed, list):
        return False
    total = expansion.get("total")
    return "valueset-unclosed" in ext.of(expansion) or (isinstance(total, int) and total > len(list(_flat(listed))))


def _is_system(resource: Json) -> bool:
    return resource.get("resourceType") == "CodeSystem"


def _flat(entries: object) -> Iterator[Json]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield entry
            yield from _flat(entry.get("contains"))
