"""Versions of one thing in order (Questionnaire.version and the like, which FHIR leaves to their authors). Pure."""

import re

_PART = re.compile(r"[0-9]+|[A-Za-z]+")


def age(version: object) -> list[tuple[int, int, str]]:
    """By what versions are put in order, the oldest first: 1.9 before 1.10-draft, that before 1.10 and 1.10.1."""
    parts = _PART.findall(version) if isinstance(version, str) else []
    return [*((1, int(part[:20]), "") if part.isdecimal() else (0, 0, part) for part in parts), (1, -1, "")]
