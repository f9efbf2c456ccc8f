"""What was done and what runs in the family, as facts: procedures, vaccinations, relatives. Pure."""

from collections.abc import Iterator

from portal.ehr.fact import Beside, Fact, made
from portal.ehr.reading import Kind
from portal.fhir.resources import Json, objects_at, text_at
from portal.fhir.values import Say, concept_text, onset

DONE = frozenset({"completed", "in-progress", "stopped", "unknown", ""})
"""Procedure: something was done, if not all of it."""


def immunization(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if text_at(resource, "status") in ("completed", ""):
        label = concept_text(resource.get("vaccineCode")) or say("A vaccine without a name")
        when = onset(resource, "occurrenceDateTime") or text_at(resource, "occurrenceString")
        yield made(Kind.IMMUNIZATIONS, resource, label, "", when)


def procedure(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if text_at(resource, "status") in DONE:
        label = concept_text(resource.get("code")) or say("A procedure without a name")
        sites = ", ".join(text for text in map(concept_text, objects_at(resource, "bodySite")) if text)
        when = onset(resource, "performedDateTime", "performedPeriod") or text_at(resource, "performedString")
        yield made(Kind.PROCEDURES, resource, label, sites, when)


def relative(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """One relative and what they had."""
    if text_at(resource, "status") in ("entered-in-error", "health-unknown"):
        return
    had = [concept_text(each.get("code")) for each in objects_at(resource, "condition")]
    who = concept_text(resource.get("relationship")) or text_at(resource, "name") or say("A relative")
    yield made(Kind.FAMILY, resource, who, ", ".join(text for text in had if text), "")
