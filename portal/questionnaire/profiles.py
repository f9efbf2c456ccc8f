"""What profiles say of their elements: types, fixed values, addresses of extensions; those of the profiles they name included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .extensions import Json

Path = tuple[str, ...]
DEPTH = 4
"""How far the profiles of the elements of profiles are followed."""


class Profiles:
    """`resource` finds a StructureDefinition by its canonical."""

    def __init__(self, resource: Callable[[str], Json | None]) -> None:
        self._resource = resource
        self._read: dict[str, Mapping[Path, Json]] = {}

    def known(self, url: str) -> bool:
        return bool(url) and self._resource(url) is not None

    def elements(self, url: str) -> Mapping[Path, Json]:
        """The elements of a profile by their path under its type. What it says itself goes before what is said in the
        profile it names for an element, and its differential before its snapshot."""
        if url not in self._read:
            self._read[url] = self._merged(url, DEPTH)
        return self._read[url]

    def _merged(self, url: str, depth: int) -> dict[Path, Json]:
        made: dict[Path, Json] = {}
        for path, element in _listed(self._resource(url) or {}):
            made[path] = {**made.get(path, {}), **element}
        for path, element in list(made.items()) if depth else ():
            if named := profile(element):
                for inner, said in self._merged(named, depth - 1).items():
                    made[*path, *inner] = {**said, **made.get((*path, *inner), {})}
        return made

    def types(self, url: str, path: Path) -> list[str]:
        """The types that a profile leaves to a choice of types (value[x], a slice of it), written as in valueQuantity; []
        where it says nothing of it."""
        stem = path[-1].partition(":")[0].removesuffix("[x]") + "[x]"
        known = self.elements(url)
        for around in (path[:-1], tuple(map(unsliced, path[:-1]))):
            for last in dict.fromkeys((path[-1], stem)):
                found = known.get((*around, last), {}).get("type") if "[x]" in last else None
                if isinstance(found, list):
                    codes = [str(one.get("code") or "") for one in found if isinstance(one, dict)]
                    return [code[:1].upper() + code[1:] for code in codes if code]
        return []


def unsliced(step: str) -> str:
    return step.partition(":")[0]


def profile(element: Json) -> str:
    """The profile of the first type of an element, without its version; "" for none."""
    types = element.get("type")
    first = types[0] if isinstance(types, list) and types and isinstance(types[0], dict) else {}
    named = first.get("profile")
    return str(named[0]).partition("|")[0] if isinstance(named, list) and named else ""


def _listed(definition: Json) -> Iterator[tuple[Path, Json]]:
    for name in ("snapshot", "differential"):
        view = definition.get(name)
        listed = view.get("element") if isinstance(view, dict) else None
        for element in listed if isinstance(listed, list) else ():
            if isinstance(element, dict):
                path = str(element.get("id") or element.get("path") or "")
                if "." in path:
                    yield tuple(path.split(".")[1:]), element
