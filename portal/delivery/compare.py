"""What a server changed in what we sent: ours beside theirs, element by element (bar 75).  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

OWN_TO_SERVER = frozenset({"id", "meta", "text"})


@dataclass(frozen=True)
class Difference:
    """`kind` is changed, missing (we sent it, they do not hold it) or added. `ours` and `theirs` are JSON values."""

    path: str
    kind: str
    ours: Any = None
    theirs: Any = None

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "kind": self.kind, "ours": _told(self.ours), "theirs": _told(self.theirs)}


LONGEST = 2000


def _told(value: Any) -> Any:
    """A picture is told by its beginning: what was sent stands in the payload."""
    return f"{value[:100]}… ({len(value)})" if isinstance(value, str) and len(value) > LONGEST else value


def differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], placed: Mapping[str, str], base: str = ""
) -> list[Difference]:
    """Every element that is not as sent. `placed` maps our urn:uuid references to where the server put them, `base` is the
    server's address: a reference may come back absolute. What the server owns (id, meta, a narrative we sent none of) is
    not compared, but for tags, labels and profiles that we set."""
    return list(
        _walk(str(ours.get("resourceType", "")), _without_own(ours), _without_own(theirs, ours), placed, base)
    ) + list(_meta(ours, theirs, placed, base))


def _without_own(resource: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    sent = resource if beside is None else beside
    return {
        name: held
        for name, held in resource.items()
        if name not in OWN_TO_SERVER or (name == "text" and "text" in sent)
    }


def _meta(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], placed: Mapping[str, str], base: str
) -> Iterator[Difference]:
    sent, held = ours.get("meta") or {}, theirs.get("meta") or {}
    for name in ("profile", "security", "tag"):
        for one in sent.get(name, []):
            if not any(not list(_walk("", one, other, placed, base)) for other in held.get(name, [])):
                yield Difference(f"{ours.get('resourceType')}.meta.{name}", "missing", one)


def _walk(path: str, ours: Any, theirs: Any, placed: Mapping[str, str], base: str) -> Iterator[Difference]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        yield from _members(path, ours, theirs, placed, base)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _items(path, ours, theirs, placed, base)
    elif not _same(ours, theirs, placed, base):
        yield Difference(path, "changed", ours, theirs)


def _members(
    path: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], placed: Mapping[str, str], base: str
) -> Iterator[Difference]:
    for name in ours:
        if name in theirs:
            yield from _walk(f"{path}.{name}", ours[name], theirs[name], placed, base)
        else:
            yield Difference(f"{path}.{name}", "missing", ours[name])
    for name in theirs:
        if name not in ours:
            yield Difference(f"{path}.{name}", "added", None, theirs[name])


def _items(path: str, ours: list[Any], theirs: list[Any], placed: Mapping[str, str], base: str) -> Iterator[Difference]:
    for index in range(max(len(ours), len(theirs))):
        where = f"{path}[{index}]"
        if index >= len(theirs):
            yield Difference(where, "missing", ours[index])
        elif index >= len(ours):
            yield Difference(where, "added", None, theirs[index])
        else:
            yield from _walk(where, ours[index], theirs[index], placed, base)


def _same(ours: Any, theirs: Any, placed: Mapping[str, str], base: str) -> bool:
    if isinstance(ours, str) and isinstance(theirs, str):
        meant = placed.get(ours, ours)
        return theirs in (meant, f"{base.rstrip('/')}/{meant}") or theirs.split("/_history/")[0] == meant
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | Decimal) and isinstance(theirs, int | Decimal):
        return str(ours) == str(theirs)  # 1.10 that comes back as 1.1 has lost its precision
    return bool(ours == theirs)
