"""What lies on the table: forms, what they refer to, and which form is meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.fhir.versions import age
from portal.questionnaire import FormRefused, admission, assemble

from .exits import CannotRead
from .files import Found, Json

TERMS = ("ValueSet", "CodeSystem")
PROFILE = "StructureDefinition"
FORM = "Questionnaire"


def is_form(raw: Json) -> bool:
    return raw.get("resourceType") == FORM


def forms(found: Iterable[Found]) -> list[Found]:
    return [one for one in found if is_form(one.resource)]


def registry(found: Iterable[Found]) -> dict[str, Json]:
    """Canonical (with and without version) -> value set, code system, profile or form. Without a version the newest is
    meant (FHIR, References to canonical URLs); of two of the same version what was given first wins."""
    made: dict[str, Json] = {}
    for one in sorted(found, key=lambda each: age(each.resource.get("version")), reverse=True):
        raw = one.resource
        if raw.get("resourceType") in (*TERMS, PROFILE) or is_form(raw):
            for name in canonicals(raw):
                made.setdefault(name, raw)
    return made


def modules(found: Iterable[Found]) -> dict[str, Json]:
    """The forms by every name that a subQuestionnaire may use: canonical, reference, id; and profiles by canonical."""
    made: dict[str, Json] = {}
    for one in found:
        if one.resource.get("resourceType") == PROFILE:
            for name in canonicals(one.resource):
                made.setdefault(name, one.resource)
    for one in forms(found):
        identity = one.resource.get("id")
        own = [f"{FORM}/{identity}", identity] if isinstance(identity, str) and identity else []
        for name in (*canonicals(one.resource), *own):
            made.setdefault(name, one.resource)
    return made


def items_in(raw: Json) -> int:
    """How many items a form has, at any depth, whatever else is wrong with it."""
    count, stack = 0, [raw]
    while stack:
        listed = stack.pop().get("item")
        inner = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        count += len(inner)
        stack.extend(inner)
    return count


def canonicals(raw: Json) -> list[str]:
    url, version = raw.get("url"), raw.get("version")
    if not isinstance(url, str) or not url:
        return []
    return [f"{url}|{version}", url] if isinstance(version, str) and version else [url]


def names(raw: Json) -> list[str]:
    """Everything a form may be called on the command line or in a response."""
    return [*canonicals(raw), *(str(raw[key]) for key in ("id", "name") if isinstance(raw.get(key), str))]


def chosen(found: list[Found], wanted: str, called: object = "") -> Json:
    """The form that is meant: named by `wanted`, the only one, the one that is `called` so by a response or by Parameters,
    or the whole of its modules. A form that is given twice counts once.

    Raises CannotRead with the choices.
    """
    listed = forms(found)
    if not listed:
        raise CannotRead(f"There is no Questionnaire in {_files(found)}.")
    if wanted:
        listed = [one for one in listed if wanted in names(one.resource)]
        if not listed:
            raise CannotRead(f"There is no Questionnaire called {wanted} in what was given.")
    listed = [one for at, one in enumerate(listed) if all(one.resource != other.resource for other in listed[:at])]
    if len(listed) > 1:
        listed = _called(listed, called) or _wholes(listed) or listed
    if len(listed) > 1:
        known = ", ".join((names(one.resource) or [one.file])[0] for one in listed[:5])
        raise CannotRead(f"There are {len(listed)} forms ({known} …): say which with --form.")
    return listed[0].resource


def _files(found: list[Found]) -> str:
    return ", ".join(dict.fromkeys(one.file for one in found[:3])) or "what was given"


def _called(listed: list[Found], canonical: object) -> list[Found]:
    bare = canonical.removeprefix(f"{FORM}/") if isinstance(canonical, str) else ""
    exactly = [one for one in listed if bare and bare in names(one.resource)]
    exactly.sort(key=lambda one: age(one.resource.get("version")), reverse=True)
    return exactly[:1] or [one for one in listed if bare.partition("|")[0] in names(one.resource)]


def _wholes(listed: list[Found]) -> list[Found]:
    """Of forms made of one another, those that are part of no other."""
    parts = {name.partition("|")[0] for one in listed for name in parts_of(one.resource)}
    bare = {part.removeprefix(f"{FORM}/") for part in parts} | parts
    return [one for one in listed if not bare & set(names(one.resource))] if parts else []


def parts_of(raw: Json) -> list[str]:
    """The modules that a form names (subQuestionnaire), at any depth."""
    found: list[str] = []
    stack: list[object] = [raw.get("item")]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(current)
        elif isinstance(current, dict):
            extensions = current.get("extension")
            for extension in extensions if isinstance(extensions, list) else ():
                url = extension.get("url") if isinstance(extension, dict) else None
                if isinstance(url, str) and url.endswith("subQuestionnaire"):
                    found.append(str(extension.get("valueCanonical") or ""))
            stack.append(current.get("item"))
    return found


def without_nulls(value: Any) -> Any:
    """A copy without members that are null (no value in FHIR), and without nulls among objects."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        objects = all(one is None or isinstance(one, dict) for one in value)
        return [without_nulls(one) for one in value if one is not None or not objects]
    return value


def whole(raw: Json, found: list[Found]) -> Json:
    """The form with its modules put in where they are at hand, else as it is (its report names what lacks)."""
    at_hand = modules(found)
    wanted = parts_of(raw)
    if not wanted or not all(name in at_hand or name.partition("|")[0] in at_hand for name in wanted):
        return raw
    try:
        return put_together(raw, at_hand)
    except FormRefused:
        return raw


def _used(raw: Json, at_hand: dict[str, Json]) -> list[Json]:
    """The form and the modules it is made of, and forms that its items refer to."""
    found, stack, seen = list[Json](), [raw], set[int]()
    while stack:
        one = stack.pop()
        if id(one) in seen or not is_form(one):
            continue
        seen.add(id(one))
        found.append(one)
        for name in (*parts_of(one), *_libraries(one)):
            bare = name.partition("|")[0]
            stack.extend(at_hand[key] for key in (name, bare, bare.rpartition("/")[2]) if key in at_hand)
    return found


def _libraries(raw: Json) -> list[str]:
    """The canonicals of what items say they are defined in."""
    found: list[str] = []
    stack: list[object] = [raw.get("item")]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(current)
        elif isinstance(current, dict):
            definition = current.get("definition")
            found += [definition.partition("#")[0]] if isinstance(definition, str) and "#" in definition else []
            stack.append(current.get("item"))
    return found


def put_together(raw: Json, at_hand: dict[str, Json]) -> Json:
    """The assembled form. Raises FormRefused for a module that lacks, goes in a circle or is no sound form."""
    for one in _used(raw, at_hand):
        if wrong := admission.refusals(one):
            raise FormRefused(wrong)
    return assemble(without_nulls(raw), {name: without_nulls(one) for name, one in at_hand.items()})
