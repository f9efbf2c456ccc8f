"""Where people who answer for one patient said different things, in words for the desk. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.fhir.resources import Json, objects_at

SAYS = {
    "same": "Still right",
    "changed": "Changed",
    "stopped": "No longer",
    "unsure": "Not sure",
    "yes": "Yes, there are some",
    "none": "None",
}
SECTIONS = {
    "contact": "How to reach the patient",
    "medication": "Medicines",
    "allergy": "Allergies",
    "condition": "Conditions",
    "person": "People to call",
    "procedure": "Operations and procedures",
    "immunization": "Vaccinations",
    "family": "Illness in the family",
    "coverage": "Insurance",
    "pharmacy": "Pharmacy",
    "careteam": "Care team",
    "consent": "Sharing",
}
ANY = {"any": "Whether there are any", "added": "What is missing in the record"}


@dataclass(frozen=True)
class Word:
    """What one person said, and when. `relation` is "" for the patient."""

    by: str
    relation: str
    at: datetime
    says: str


@dataclass(frozen=True)
class Contradiction:
    """One thing on which they differ; `section` and `title` are English."""

    section: str
    title: str
    words: tuple[Word, ...]


def contradictions(document: Json) -> list[Contradiction]:
    """Of a submission, as it was when it was sent."""
    return [_one(each) for each in objects_at(document, "conflicts")]


def _one(found: Json) -> Contradiction:
    key, section = str(found["key"]), str(found["section"])
    words = tuple(
        Word(str(each["by"]), str(each["relation"]), datetime.fromisoformat(each["at"]), _said(key, each["says"]))
        for each in found["said"]
    )
    return Contradiction(SECTIONS.get(section, section.capitalize()), str(found["label"]) or ANY.get(key, key), words)


def _said(key: str, says: Any) -> str:
    if key == "added":
        return ", ".join(says) or "Nothing"
    answer, change = (*says, {})[:2]
    more = str(change.get("text") or "") if isinstance(change, dict) else ""
    word = SAYS.get(str(answer), str(answer))
    return f"{word}: {more}" if more else word
