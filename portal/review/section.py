"""What the record says now about one kind of thing, as the pure rules take it."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.fhir.resources import Json

KNOWN, NONE, COULD_NOT_LOOK = "known", "none", "could-not-look"


@dataclass(frozen=True)
class Section:
    """What the record says now about one kind of fact: known, none, or could not look (then `resources` is empty)."""

    state: str
    resources: tuple[Json, ...] = ()
    read_at: str = ""


Record = Mapping[str, Section]
NOT_LOOKED = Section(COULD_NOT_LOOK)
