"""One thing the record says, as a person can confirm it: its words, its parts, who wrote it down and when. Pure."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from portal.ehr.reading import Kind
from portal.fhir.resources import Json, key_of, objects_at, text_at, version_of
from portal.fhir.values import Say, parse_date, reference_text

Beside = dict[str, Json]


@dataclass(frozen=True)
class Source:
    """Where a fact stands: `reference` is `Type/id`."""

    reference: str
    version_id: str | None


@dataclass(frozen=True)
class Fact:
    """One thing the record says. `key` names it for as long as it says the same thing; `since` is a partial FHIR date or "".

    `absence` marks a fact that says something is not there ("No known allergies"). `parts` are what a person may correct,
    by the name of the field; `by` is who wrote it down ("" where the record does not say), `own` that it was the patient,
    `written` the partial date of it. `over` is the day on which it ended, where that has passed.
    """

    key: str
    kind: Kind
    label: str
    detail: str
    since: str
    source: Source
    resource: Json
    absence: bool = False
    parts: dict[str, str] = field(default_factory=dict)
    by: str = ""
    own: bool = False
    written: str = ""
    over: str = ""

    def __repr__(self) -> str:
        return f"Fact({self.key})"


Maker = Callable[[Json, Beside, Say], Iterator[Fact]]

WRITTEN_BY = ("recorder", "asserter", "requester", "informationSource", "performer")
WRITTEN_ON = ("recordedDate", "dateAsserted", "authoredOn", "recorded", "date")


def made(kind: Kind, resource: Json, label: str, detail: str, since: str, part: str = "") -> Fact:
    """A fact of this resource, or of a `part` of it."""
    key = key_of(resource)
    source = Source(key, version_of(resource))
    fact = Fact(f"{key}#{part}" if part else key, kind, label, detail, since, source, resource)
    return fact if part else _signed(fact)


def _signed(fact: Fact) -> Fact:
    """With who wrote it down, and when, where the record says so."""
    resource = fact.resource
    held = next((resource[name] for name in WRITTEN_BY if resource.get(name)), None)
    if isinstance(held, list):
        held = next((each.get("actor", each) for each in objects_at(resource, "performer")), None)
    day = next((parse_date(resource.get(name)) for name in WRITTEN_ON if parse_date(resource.get(name))), None)
    own = (
        text_at(held, "reference").startswith("Patient/")
        or text_at(resource, "reportOrigin", "coding", 0, "code") == "recall"
    )
    return replace(fact, by="" if own else reference_text(held), own=own, written=str(day) if day else "")


def part_of(name: str, value: str) -> str:
    """The name of one part of a resource; it holds a fingerprint, so that an answer to one never counts for another."""
    return f"{name}-{hashlib.sha256(value.encode()).hexdigest()[:8]}"
