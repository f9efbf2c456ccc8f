"""The forms that come along: FHIR R4 Questionnaires with SDC in English and Spanish, one JSON file each, named by their slug. Pure."""

from pathlib import Path
from typing import Any

from portal.fhir import exact

FOLDER = Path(__file__).resolve().parent


def files() -> list[Path]:
    """Their files by name; the stem is the form's slug and the last part of its url."""
    return sorted(FOLDER.glob("*.json"))


def bundled() -> list[dict[str, Any]]:
    """Every form as raw JSON, numbers exact; read anew each time."""
    return [exact.loads(file.read_bytes()) for file in files()]
