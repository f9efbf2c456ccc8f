"""The record of today, section by section, as proposals are compared with it."""

from collections.abc import Iterable
from datetime import timedelta

from portal.actors import Actor
from portal.ehr import service as ehr
from portal.review.section import Record, Section

KINDS = {
    "contact": ehr.Kind.PATIENT,
    "medication": ehr.Kind.MEDICATIONS,
    "allergy": ehr.Kind.ALLERGIES,
    "condition": ehr.Kind.CONDITIONS,
}


MORE = {
    "surveys": ehr.Kind.SURVEYS,
    "vitals": ehr.Kind.VITALS,
    "labs": ehr.Kind.LABS,
    "immunization": ehr.Kind.IMMUNIZATIONS,
    "procedure": ehr.Kind.PROCEDURES,
    "family": ehr.Kind.FAMILY,
    "person": ehr.Kind.RELATED,
    "coverage": ehr.Kind.COVERAGE,
    "careteam": ehr.Kind.TEAM,
}
"""Sections that are looked at only when the submission says something of their kind."""
WORDS: dict[str, str] = {
    "contact": "Contact",
    "medication": "Medicines",
    "allergy": "Allergies",
    "condition": "Conditions",
    "surveys": "Screenings and habits",
    "vitals": "Measurements",
    "labs": "Test results",
    "immunization": "Vaccines",
    "procedure": "Procedures",
    "family": "Family history",
    "person": "People to call",
    "coverage": "Insurance",
    "careteam": "Care team",
}
"""What each section is called at the desk."""


def record_now(
    actor: Actor, patient_id: str, *, max_age: timedelta, fetch: bool = True, more: Iterable[str] = ()
) -> dict[str, ehr.Reading]:
    """Every section that proposals touch. With `fetch` it may ask the clinic's server, so never inside a transaction."""
    kinds = KINDS | {section: MORE[section] for section in sorted(set(more)) if section in MORE}
    found = ehr.read_several(actor, patient_id, kinds.values(), max_age=max_age, fetch=fetch)
    return {section: found[kind] for section, kind in kinds.items()}


def as_record(readings: dict[str, ehr.Reading]) -> Record:
    """The readings as the pure rules take them."""
    return {name: _section(reading) for name, reading in readings.items()}


def _section(reading: ehr.Reading) -> Section:
    read_at = reading.read_at.isoformat() if reading.read_at else ""
    return Section(reading.state.value, tuple(reading.resources), read_at)
