"""A resource being put together from definitions: of which type, at which of its elements, with what its profile fixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portal.fhirpath.model import r4

from .answers import Entry
from .elements import Place, put
from .extensions import Json
from .extraction import Extractor, copied

CORE = "http://hl7.org/fhir/StructureDefinition/"


class Target:
    """`opened`: the elements that repeating groups opened in the resource."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.resource: Json = {"resourceType": kind}
        self.opened: dict[tuple[str, ...], Place] = {}

    @classmethod
    def of(cls, kind: str, canonical: str) -> Target:
        """A resource that says which profile it follows, where it is not the plain type."""
        url = canonical.split("|", maxsplit=1)[0]
        made = cls(kind, url)
        if ":" in url and url not in (f"{CORE}{kind}", f"http://hl7.org/fhir/{kind}"):
            made.resource["meta"] = {"profile": [canonical]}
        return made

    @property
    def filled(self) -> bool:
        """Whether anything was said of it, its type and profile apart."""
        return bool(self.resource.keys() - {"resourceType", "meta"})

    def takes(self, definition: str) -> tuple[str, ...] | None:
        """The path of an element definition of this resource (`…/Patient#Patient.name.given` -> name, given)."""
        url, _, path = definition.partition("#")
        pieces = tuple(path.split("."))
        if not path or (url.split("|", maxsplit=1)[0] != self.url and pieces[0] != self.kind):
            return None
        return pieces[1:] or None


def kind_of(work: Extractor, entry: Entry, canonical: str) -> str:
    """The type a canonical stands for: its last word, what its profile says, or what the items below it name; or ""."""
    url = canonical.split("|", maxsplit=1)[0]
    last = url.rsplit("/", 1)[-1]
    if last and _is_resource(last):
        return last
    profile = work.form.value_sets.resource(canonical) if url else None
    named = [str((profile or {}).get("type") or "")]
    for item in (entry.item, *entry.item.descendants()):
        definition, _, path = str(item.raw.get("definition") or "").partition("#")
        if url and definition.split("|", maxsplit=1)[0] == url:
            named.append(path.split(".", maxsplit=1)[0])
    return next((kind for kind in named if kind and _is_resource(kind)), "")


def _is_resource(kind: str) -> bool:
    known = r4().type(kind)
    return known is not None and "contained" in known.elements


def with_fixed(work: Extractor, target: Target) -> None:
    """What the profile fixes for elements of the resource itself joins it, where nothing else was said."""
    profile = work.form.value_sets.resource(target.url)
    for path, kind, value in _fixed_values(profile or {}):
        if path[0] not in target.resource and not any(key.startswith(path[0]) for key in target.resource):
            try:
                put(target.kind, target.resource, {}, path, (kind, value), new=False)
            except ValueError as error:
                work.trouble("", "definitionExtract", str(error))


def _fixed_values(profile: Json) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    view = profile.get("snapshot") or profile.get("differential") or {}
    listed = view.get("element") if isinstance(view, dict) else None
    for element in listed if isinstance(listed, list) else ():
        path = str(element.get("id") or element.get("path") or "") if isinstance(element, dict) else ""
        if path.count(".") != 1 or ":" in path:
            continue
        for key, value in element.items():
            for how in ("fixed", "pattern"):
                if key.startswith(how) and key != how:
                    yield (path.split(".")[1],), f"value{key.removeprefix(how)}", copied(value)
