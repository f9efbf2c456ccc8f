"""The clinic's forms: read once from its own JSON files, compiled by the engine, found by slug or canonical."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from portal.errors import Misconfigured, NotFound
from portal.fhir import exact
from portal.questionnaire import Form, FormRefused, load

FOLDER = Path(__file__).resolve().parent / "questionnaires"


@dataclass(frozen=True)
class Entry:
    """One form in the library; `slug` is its file's name and stands in addresses."""

    slug: str
    form: Form


@lru_cache
def entries(folder: Path = FOLDER) -> dict[str, Entry]:
    """All forms of the folder by slug. Misconfigured names the file, the item and the reason."""
    return {path.stem: Entry(path.stem, _compiled(path)) for path in sorted(folder.glob("*.json"))}


def entry(slug: str) -> Entry:
    found = entries().get(slug)
    if found is None:
        raise NotFound
    return found


def assigned(service_type: str | None = None) -> list[Entry]:
    """The forms asked before a visit. One for every visit so far: the health history."""
    return [entry("health-history")]


def _compiled(path: Path) -> Form:
    try:
        return load(exact.loads(path.read_bytes()))
    except (exact.UnreadableJson, FormRefused) as wrong:
        raise Misconfigured(f"The form {path.name} cannot be used: {wrong}") from wrong
