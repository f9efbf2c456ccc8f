"""Safe looks into raw FHIR JSON: any shape may come in, only the asked shape comes out; references and identities."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE = re.compile(
    r"(?:(?P<base>https?://[^\s#?]{1,500})/)?(?P<type>[A-Z][A-Za-z]{1,60})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)


def at(value: Any, *path: str | int) -> Any:
    """What stands at `path` (names and positions), or None where the way ends early."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """The trimmed text at `path`, or ""."""
    found = at(value, *path)
    return found.strip() if isinstance(found, str) else ""


def object_at(value: Any, *path: str | int) -> Json:
    """The object at `path`, or {}."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def objects_at(value: Any, *path: str | int) -> list[Json]:
    """The objects in the list at `path`, or []; members that are no objects are left out."""
    found = at(value, *path)
    return [member for member in found if isinstance(member, dict)] if isinstance(found, list) else []


def type_of(resource: Any) -> str:
    return text_at(resource, "resourceType")


def id_of(resource: Any) -> str:
    """The resource's id when it follows the grammar of FHIR's id, else ""."""
    found = at(resource, "id")
    return found if isinstance(found, str) and ID.fullmatch(found) else ""


def key_of(resource: Any) -> str:
    """`Type/id`, the name by which the portal speaks of a resource; "" without both."""
    kind, name = type_of(resource), id_of(resource)
    return f"{kind}/{name}" if kind and name else ""


def version_of(resource: Any) -> str | None:
    return text_at(resource, "meta", "versionId") or None


@dataclass(frozen=True, slots=True)
class Ref:
    """A literal reference taken apart; `base` is None for a relative one."""

    base: str | None
    type: str
    id: str
    version: str | None

    @property
    def key(self) -> str:
        return f"{self.type}/{self.id}"


def parse_reference(text: Any) -> Ref | None:
    """`Patient/1`, `Patient/1/_history/2` or their absolute forms; None for `#part`, urn: and anything else."""
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    return Ref(found["base"], found["type"], found["id"], found["version"]) if found else None


def points_to(reference: Any, key: str, base: str) -> bool:
    """Whether a Reference (object) means the resource `key` of the server at `base`, and cannot mean another's."""
    ref = parse_reference(at(reference, "reference"))
    if ref is None or ref.key != key:
        return False
    return ref.base is None or ref.base.rstrip("/") == base.rstrip("/")


def contained(resource: Any) -> dict[str, Json]:
    """Contained resources by their local id."""
    return {
        text_at(part, "id").removeprefix("#"): part for part in objects_at(resource, "contained") if text_at(part, "id")
    }


def resolve(reference: Any, holder: Json, beside: dict[str, Json]) -> Json:
    """The resource a Reference means: contained in `holder`, or among `beside` (by `Type/id`); {} when it is at neither."""
    text = text_at(reference, "reference")
    if text.startswith("#"):
        return contained(holder).get(text[1:], {})
    ref = parse_reference(text)
    return beside.get(ref.key, {}) if ref else {}


def identifiers(resource: Any) -> Iterator[tuple[str, str]]:
    """(system, value) of each business identifier that has a value; Bundle and QuestionnaireResponse have just one."""
    held = at(resource, "identifier")
    for each in [held] if isinstance(held, dict) else objects_at(resource, "identifier"):
        if text_at(each, "value"):
            yield text_at(each, "system"), text_at(each, "value")
