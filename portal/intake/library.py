"""The clinic's forms: read once from its own JSON files, compiled by the engine, found by slug or canonical."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from portal import bundled
from portal.errors import Misconfigured, NotFound
from portal.fhir import exact
from portal.questionnaire import Form, FormRefused, load

FOLDER = bundled.FOLDER
OWN = "health-history"
"""The form asked before every visit where the clinic brings no folder of its own."""
log = structlog.get_logger()


@dataclass(frozen=True)
class Entry:
    """One form in the library; `slug` is its file's name and stands in addresses."""

    slug: str
    form: Form


@dataclass(frozen=True)
class Refused:
    """A file that cannot be a form here: which, and why, item by item."""

    file: str
    reason: str


@dataclass(frozen=True)
class Library:
    """The forms of a clinic by slug, and those of its files that were refused."""

    entries: dict[str, Entry]
    refused: tuple[Refused, ...] = ()

    @property
    def assigned(self) -> list[Entry]:
        """The forms asked before a visit: all of the clinic's own, else the health history."""
        return [self.entries[OWN]] if OWN in self.entries else list(self.entries.values())


_open: list[Library] = []


def install(folder: Path | None) -> Library:
    """Open the library on a clinic's folder (None: on ours). Misconfigured when not one form of it can be used.

    A file that is refused is named in the log with item and reason; the others are used.
    """
    if folder is not None and not folder.is_dir():
        raise Misconfigured(f"PREVISIT_FORMS is not a folder: {folder}")
    files = sorted((folder or FOLDER).glob("*.json"))
    made = _kept(tuple((file, file.stat().st_mtime_ns) for file in files))
    for each in made.refused:
        log.error("form refused", file=each.file, reason=each.reason)
    if not made.entries:
        told = "; ".join(f"{each.file}: {each.reason}" for each in made.refused) or "there is no .json file in it"
        raise Misconfigured(f"No form in {folder or FOLDER} can be used: {told}")
    use(made)
    return made


@lru_cache(maxsize=8)
def _kept(files: tuple[tuple[Path, int], ...]) -> Library:
    """Compiled once while the files stay as they are."""
    return read(file for file, _ in files)


def use(library: Library) -> None:
    _open[:] = [library]


def opened() -> Library:
    if not _open:
        install(None)
    return _open[0]


def read(files: Iterable[Path]) -> Library:
    """Every Questionnaire of the files; the value sets and parts that other files of them hold are at hand for all."""
    raws: dict[str, Any] = {}
    refused: list[Refused] = []
    for path in sorted(files):
        try:
            raws[path.name] = exact.loads(path.read_bytes())
        except exact.UnreadableJson as wrong:
            refused.append(Refused(path.name, str(wrong)))
    registry = {raw["url"]: raw for raw in raws.values() if isinstance(raw, dict) and isinstance(raw.get("url"), str)}
    entries: dict[str, Entry] = {}
    for name, raw in raws.items():
        if isinstance(raw, dict) and raw.get("resourceType") in ("ValueSet", "CodeSystem"):
            continue
        try:
            slug = _slug(name, entries)
            entries[slug] = Entry(slug, load(raw, registry=registry))
        except FormRefused as wrong:
            refused.append(Refused(name, str(wrong)))
    return Library(entries, tuple(refused))


def _slug(file: str, taken: Iterable[str]) -> str:
    """A file's name for addresses: small letters, digits and hyphens, different from the others."""
    base = "-".join(re.findall(r"[a-z0-9]+", file.removesuffix(".json").lower()))[:60] or "form"
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def entries() -> dict[str, Entry]:
    return opened().entries


def entry(slug: str) -> Entry:
    found = entries().get(slug)
    if found is None:
        raise NotFound
    return found


def assigned(service_type: str | None = None) -> list[Entry]:
    """The forms asked before a visit."""
    return opened().assigned
