"""What a filling knows from outside: the time, who it is about, the language, and whom to ask for terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from .extensions import Json


class Terminology(Protocol):
    """Whoever can expand value sets; must answer from a cache when a page is drawn."""

    def expand(self, value_set: str, *, filter: str = "", count: int = 0, server: str = "") -> list[Json] | None:
        """Codings of the value set at this canonical (display matching `filter`), or None: could not look."""
        ...

    def contains(self, value_set: str, coding: Json, *, server: str = "") -> bool | None:
        """Whether the coding is in the value set, or None: could not look."""
        ...


class Read(NamedTuple):
    """When and where something was read."""

    at: datetime
    where: str


@dataclass(frozen=True, slots=True)
class Context:
    """`now` must be aware. `launch`: patient, user, encounter … as raw resources. `variables`: further %names.

    `unread`: names in `launch` of resources of which no more is known than type and id.
    `fetch` answers an x-fhir-query (`Observation?code=…`) with a raw Bundle or resource, or None: could not look.
    `read` tells of what was given so far when and where it was read (the oldest counts); without it, or None: now.
    """

    now: datetime
    launch: Mapping[str, Json] = field(default_factory=dict)
    language: str = ""
    terminology: Terminology | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    fetch: Callable[[str], Json | None] | None = None
    unread: frozenset[str] = frozenset()
    read: Callable[[], Read | None] | None = None
