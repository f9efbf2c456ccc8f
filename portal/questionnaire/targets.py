"""A resource being put together from definitions: of which type, at which of its elements, with what its profile fixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from portal.fhirpath.model import r4

from .answers import Entry
from .elements import Path, Place, Slices, becomes, found, nearest_list, put
from .extensions import Json
from .extraction import Extractor, copied
from .profiles import Profiles, profile, unsliced

CORE = "http://hl7.org/fhir/StructureDefinition/"
EXTENSIONS = ("extension", "modifierExtension")
BASES = ("Resource", "DomainResource")
"""Types whose elements every resource has: Resource.id is its id."""


class Target:
    """`opened`: the elements that repeating groups opened in the resource; `slices`: what was made for which slice."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.resource: Json = {"resourceType": kind}
        self.opened: dict[tuple[str, ...], Place] = {}
        self.slices = Slices()

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

    def typed(self, profiles: Profiles, definition: str, path: Path, kind: str, value: Any) -> Path:
        """The path with a choice of types as the type that the profile leaves for this value; of an extension its value.
        Raises ValueError where the profile leaves none that it can become."""
        if unsliced(path[-1]) in EXTENSIONS:
            path = (*path, "value[x]")
        own = definition.partition("#")[0].partition("|")[0]
        types = profiles.types(own if profiles.known(own) else self.url, path)
        types = types or profiles.types(self.url, path)
        if not types:
            return path
        name = unsliced(path[-1]).removesuffix("[x]")
        fits = next((one for one in becomes(kind, value) if one in types), "")
        if not fits:
            raise ValueError(f"{name}[x] is {' or '.join(types)} in the profile, and takes no such answer")
        return (*path[:-1], f"{name}{fits}")

    @property
    def filled(self) -> bool:
        """Whether anything was said of it, its type and profile apart."""
        return bool(self.resource.keys() - {"resourceType", "meta"})

    def takes(self, definition: str) -> tuple[str, ...] | None:
        """The path of an element definition of this resource (`…/Patient#Patient.name.given` -> name, given); that of a type
        (`…/HumanName#HumanName.given`) is in the element of that type which is open."""
        url, _, path = definition.partition("#")
        pieces = tuple(path.split("."))
        around = [path for path, place in self.opened.items() if place.type_name == pieces[0]]
        if around and len(pieces) > 1:
            return (*around[-1], *pieces[1:])
        if not path or (url.split("|", maxsplit=1)[0] != self.url and pieces[0] not in (self.kind, *BASES)):
            return None
        return pieces[1:] or None

    def gathers(self, definitions: list[str]) -> Path:
        """Where a part that repeats without a definition of its own puts what is in it each time: the list that all of that
        belongs to. () where there is none, or it is open already. Raises ValueError for an element that R4 does not have."""
        paths = [path for definition in definitions if (path := self.takes(definition))]
        together = takewhile(lambda steps: len(set(steps)) == 1, zip(*(path[:-1] for path in paths), strict=False))
        listed = nearest_list(self.kind, tuple(steps[0] for steps in together))
        return () if listed in self.opened else listed


def taker(targets: list[Target], definition: str) -> Target | None:
    """The nearest resource that an element definition belongs to: one begun with its canonical, else one of its type."""
    taking = [target for target in targets if definition and target.takes(definition)]
    url = definition.partition("#")[0].partition("|")[0]
    return next((target for target in taking if target.url == url), taking[0] if taking else None)


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
    """What the profile fixes joins, where nothing else was said: for elements of the resource itself, for parts and slices
    that somebody said something of, and for those that the profile wants in any case."""
    known = work.profiles.elements(target.url)
    parts = {path: path if ":" in path[-1] else path[:-1] for path, _, _ in _fixed_values(known)}
    wanted = {path: part for path, part in parts.items() if _required(known, part)}
    missing = {path for path, part in wanted.items() if not found(target.kind, target.resource, part, target.slices)}
    for path, kind, value in _fixed_values(known):
        try:
            if path in missing and path != parts[path]:
                target.put(path, (kind, value), new=False, opened={})
            elif path in missing and isinstance(value, dict):
                target.put(path, None, new=True, opened={}).element.update(value)
            else:
                _fix(target, path, kind, value)
        except ValueError as error:
            work.trouble("", "definitionExtract", str(error))


def _required(known: Mapping[Path, Json], path: Path) -> bool:
    """Whether a profile wants this part, and all that it is in; no choice of types, of which it cannot be said which."""
    parts = [path[:number] for number in range(1, len(path) + 1)]
    return bool(parts) and all("[x]" not in part[-1] and bool(known.get(part, {}).get("min")) for part in parts)


def _fix(target: Target, path: tuple[str, ...], kind: str, value: Any) -> None:
    if ":" in path[-1] and not path[-1].startswith("value[x]"):
        for place in found(target.kind, target.resource, path, target.slices):
            place.element.update(
                {k: v for k, v in value.items() if k not in place.element} if isinstance(value, dict) else {}
            )
        return
    name = path[-1].partition(":")[0].removesuffix("[x]")
    for place in found(target.kind, target.resource, path[:-1], target.slices):
        held = next((k for k in place.element if k == name or (path[-1] != name and k.startswith(name))), None)
        if held is None:
            put(place.type_name, place.element, {}, path[-1:], (kind, copied(value)), new=False)
        elif held == name and isinstance(value, dict) and isinstance(place.element[held], dict):
            _joined(place.element[held], value)


def _joined(element: Json, fixed: Json) -> None:
    """What is fixed joins where nothing else was said, part by part."""
    for key, value in fixed.items():
        if isinstance(value, dict) and isinstance(element.get(key), dict):
            _joined(element[key], value)
        element.setdefault(key, copied(value))


def _fixed_values(elements: Mapping[Path, Json]) -> Iterator[tuple[Path, str, Any]]:
    for path, element in elements.items():
        for key, value in element.items():
            for how in ("fixed", "pattern"):
                if key.startswith(how) and key != how:
                    yield path, f"value{key.removeprefix(how)}", copied(value)


def named(work: Extractor, entry: Entry, target: Target) -> None:
    """Every extension gets its url: the profile's of its slice, else, inside another one, the slice's name. One whose url
    nobody says is no extension and is left out; so is what stayed empty."""
    urls = {path: url for path, element in work.profiles.elements(target.url).items() if (url := profile(element))}
    for lost in _named(target, target.resource, (), urls):
        work.trouble(entry.item.link_id, "definitionExtract", f"{'.'.join(lost)}: nothing says its url")


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
            elif one not in ({}, []) and not (key in EXTENSIONS and one.keys() <= {"url", "id"}):
                kept.append({"url": url, **one} if key in EXTENSIONS else one)
        element[key] = kept if isinstance(part, list) else (kept or [None])[0]
        if not kept:
            del element[key]
