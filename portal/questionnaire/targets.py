"""A resource being put together from definitions: of which type, at which of its elements, with what its profile fixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from portal.fhirpath.model import r4

from .answers import Entry
from .elements import Path, Place, Slices, found, nearest_list, put
from .extensions import Json
from .extraction import Extractor, copied

CORE = "http://hl7.org/fhir/StructureDefinition/"


class Target:
    """`opened`: the elements that repeating groups opened in the resource; `slices`: what was made for which slice."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.resource: Json = {"resourceType": kind}
        self.opened: dict[tuple[str, ...], Place] = {}
        self.slices: Slices = {}

    @classmethod
    def of(cls, kind: str, canonical: str) -> Target:
        """A resource that says which profile it follows, where it is not the plain type."""
        url = canonical.split("|", maxsplit=1)[0]
        made = cls(kind, url)
        if ":" in url and url not in (f"{CORE}{kind}", f"http://hl7.org/fhir/{kind}"):
            made.resource["meta"] = {"profile": [canonical]}
        return made

    def put(
        self,
        path: tuple[str, ...],
        value: tuple[str, Any] | None,
        *,
        new: bool,
        opened: dict[tuple[str, ...], Place] | None = None,
    ) -> Place:
        around = self.opened if opened is None else opened
        return put(self.kind, self.resource, around, path, value, new=new, slices=self.slices)

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

    def gathers(self, definitions: list[str]) -> Path:
        """Where a part that repeats without a definition of its own puts what is in it each time: the list that all of that
        belongs to. () where there is none, or it is open already. Raises ValueError for an element that R4 does not have."""
        paths = [path for definition in definitions if (path := self.takes(definition))]
        together = takewhile(lambda steps: len(set(steps)) == 1, zip(*(path[:-1] for path in paths), strict=False))
        listed = nearest_list(self.kind, tuple(steps[0] for steps in together))
        return () if listed in self.opened else listed


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
    """What the profile fixes joins, where nothing else was said: for elements of the resource itself, and for parts and
    slices that somebody said something of."""
    profile = work.form.value_sets.resource(target.url)
    for path, kind, value in _fixed_values(profile or {}):
        try:
            _fix(target, path, kind, value)
        except ValueError as error:
            work.trouble("", "definitionExtract", str(error))


def _fix(target: Target, path: tuple[str, ...], kind: str, value: Any) -> None:
    if ":" in path[-1] and not path[-1].startswith("value[x]"):
        for place in found(target.kind, target.resource, path, target.slices):
            place.element.update(
                {k: v for k, v in value.items() if k not in place.element} if isinstance(value, dict) else {}
            )
        return
    name = path[-1].partition(":")[0].removesuffix("[x]")
    for place in found(target.kind, target.resource, path[:-1], target.slices):
        if not any(key == name or (path[-1] != name and key.startswith(name)) for key in place.element):
            put(place.type_name, place.element, {}, path[-1:], (kind, copied(value)), new=False)


def _fixed_values(profile: Json) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    for path, element in _elements(profile):
        for key, value in element.items():
            for how in ("fixed", "pattern"):
                if key.startswith(how) and key != how:
                    yield path, f"value{key.removeprefix(how)}", copied(value)


def _elements(profile: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The elements of a profile by their path under the resource."""
    view = profile.get("snapshot") or profile.get("differential") or {}
    listed = view.get("element") if isinstance(view, dict) else None
    for element in listed if isinstance(listed, list) else ():
        if isinstance(element, dict):
            path = str(element.get("id") or element.get("path") or "")
            if "." in path:
                yield tuple(path.split(".")[1:]), element


def named(work: Extractor, entry: Entry, target: Target) -> None:
    """Every extension gets its url: the profile's of its slice, else, inside another one, the slice's name. One whose url
    nobody says is no extension and is left out; so is what stayed empty."""
    elements = _elements(work.form.value_sets.resource(target.url) or {})
    urls = {path: url for path, element in elements if (url := _profile(element))}
    for lost in _named(target, target.resource, (), urls):
        work.trouble(entry.item.link_id, "definitionExtract", f"{'.'.join(lost)}: nothing says its url")


def _profile(element: Json) -> str:
    types = element.get("type")
    first = types[0] if isinstance(types, list) and types and isinstance(types[0], dict) else {}
    profiles = first.get("profile")
    return str(profiles[0]).partition("|")[0] if isinstance(profiles, list) and profiles else ""


def _named(target: Target, element: Json, path: Path, urls: Mapping[Path, str]) -> Iterator[Path]:
    """The paths of the extensions that are left out."""
    inside = any(step.partition(":")[0] in EXTENSIONS for step in path)
    for key, part in list(element.items()):
        kept = list[Any]()
        for one in part if isinstance(part, list) else [part]:
            slice_ = target.slices.get(id(one), "") if isinstance(one, dict) else ""
            here = (*path, f"{key}:{slice_}" if slice_ else key)
            url = urls.get(here) or (slice_ if inside else "")
            if isinstance(one, dict):
                yield from _named(target, one, here, urls)
            if key in EXTENSIONS and one and "url" not in one and not url:
                yield here
            elif one not in ({}, []):
                kept.append({"url": url, **one} if key in EXTENSIONS else one)
        element[key] = kept if isinstance(part, list) else (kept or [None])[0]
        if not kept:
            del element[key]


EXTENSIONS = ("extension", "modifierExtension")
