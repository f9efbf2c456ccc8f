"""SMART scopes: what we ask for, in the server's spelling, and whether what was granted reaches. Pure."""

import re
from collections.abc import Iterable, Mapping

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
    "Observation": "crs",
    "DiagnosticReport": "rs",
    "Immunization": "rs",
    "Practitioner": "r",
    "QuestionnaireResponse": "crus",
    "Consent": "crus",
    "Provenance": "crs",
}
"""Letters a type needs (create read update delete search). No wildcards: the minimum, by name (SMART 46, 148)."""

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


def permits(granted: str, kind: str, letter: str) -> bool:
    """Whether a granted scope lets the whole of `kind` be used so. A scope narrowed by a filter (`?…`) does not count."""
    for text in granted.split():
        found = _SCOPE.fullmatch(text)
        if found and not found[4] and found[2] in ("*", kind) and letter in _V1.get(found[3], found[3]):
            return True
    return False


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
