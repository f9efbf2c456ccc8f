"""SMART scopes: what we ask for, in the server's spelling, and whether what was granted reaches. Pure."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

NEEDS: dict[str, str] = {
    "Patient": "rus",
    "MedicationRequest": "rs",
    "MedicationStatement": "crus",
    "Medication": "r",
    "AllergyIntolerance": "crus",
    "Condition": "crus",
    "Coverage": "crus",
    "RelatedPerson": "crus",
    "Appointment": "rs",
    "Observation": "crus",
    "DiagnosticReport": "rs",
    "Binary": "r",
    "Immunization": "crus",
    "Procedure": "crus",
    "FamilyMemberHistory": "crus",
    "CareTeam": "crus",
    "Practitioner": "r",
    "Organization": "r",
    "Questionnaire": "rs",
    "QuestionnaireResponse": "crus",
    "ValueSet": "r",
    "Consent": "crus",
    "DocumentReference": "crus",
    "Provenance": "crs",
}
"""Letters a type needs (create read update delete search). No wildcards: the minimum, by name (SMART 46, 148)."""

READS: dict[str, str] = {
    "Patient": "r",
    "MedicationRequest": "rs",
    "MedicationStatement": "rs",
    "Medication": "r",
    "AllergyIntolerance": "rs",
    "Condition": "rs",
    "Coverage": "rs",
    "RelatedPerson": "rs",
    "Appointment": "rs",
    "Observation": "rs",
    "DiagnosticReport": "rs",
    "Binary": "r",
    "Immunization": "rs",
    "Procedure": "rs",
    "FamilyMemberHistory": "rs",
    "CareTeam": "rs",
    "Practitioner": "r",
    "Organization": "r",
}
"""What a patient who connects their record lets us read with their own permission. Nothing is written with it."""
IDENTITY = "openid fhirUser"

_SCOPE = re.compile(r"(system|patient|user)/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|c?r?u?d?s?)(\?.+)?")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


def asked(needs: Mapping[str, str], *, v2: bool, context: str = "system") -> str:
    """The scope parameter for these needs, spelled as SMART v2 (`.rs`) or v1 (`.read`, `.write`)."""
    spell = _spell_v2 if v2 else _spell_v1
    return " ".join(text for kind, letters in needs.items() for text in spell(f"{context}/{kind}", letters))


def _spell_v2(what: str, letters: str) -> list[str]:
    return [f"{what}.{''.join(letter for letter in 'cruds' if letter in letters)}"]


def _spell_v1(what: str, letters: str) -> list[str]:
    read = [f"{what}.read"] if set(letters) & set("rs") else []
    return read + ([f"{what}.write"] if set(letters) & set("cud") else [])


def for_connecting(*, v2: bool, identity: bool) -> str:
    """What a patient is asked to allow who connects their record: to read it, also later, and to say who they are."""
    who = f"{IDENTITY} " if identity else ""
    return f"{who}launch/patient offline_access {asked(READS, v2=v2, context='patient')}"


SIGN_IN = f"{IDENTITY} launch/patient"
"""A patient's sign-in: who they are and whose record; nothing is read."""
FROM_EHR = f"launch {IDENTITY}"
"""A member of staff who comes from the EHR: who they are and which patient was open; nothing is read."""


def permits(granted: str, kind: str, letter: str, category: str | None = None) -> bool:
    """Whether a granted scope lets `kind` be used so. One narrowed by a filter counts only for a question about just that
    `category` (its code, with or without its system)."""
    for text in granted.split():
        found = _SCOPE.fullmatch(text)
        if found and found[2] in ("*", kind) and letter in _V1.get(found[3], found[3]) and _reaches(found[4], category):
            return True
    return False


def _reaches(narrowed: str | None, category: str | None) -> bool:
    if not narrowed:
        return True
    name, _, value = unquote(narrowed[1:]).partition("=")
    return name == "category" and category is not None and value.rpartition("|")[2] == category.rpartition("|")[2]


def missing(granted: str, needs: Mapping[str, str]) -> list[str]:
    """The needs that were not granted, as `Type.letters`, for an administrator to read."""
    lacks = {
        kind: "".join(each for each in letters if not permits(granted, kind, each)) for kind, letters in needs.items()
    }
    return [f"{kind}.{letters}" for kind, letters in lacks.items() if letters]


def speaks_v2(capabilities: Iterable[str]) -> bool:
    """Whether a server says it understands v2 scopes; one that says nothing of either is taken to."""
    said = set(capabilities)
    return "permission-v2" in said or "permission-v1" not in said
