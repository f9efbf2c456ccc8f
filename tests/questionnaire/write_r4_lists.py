"""Writes portal/questionnaire/r4_lists.txt from the R4B models of fhir.resources: python -m tests.questionnaire.write_r4_lists."""

from __future__ import annotations

from pathlib import Path

from tests.fhirpath.write_r4_types import classes

TARGET = Path(__file__).parents[2] / "portal" / "questionnaire" / "r4_lists.txt"
HEADER = "# Elements of FHIR R4 that repeat, one type a line (Patient.contact is PatientContact). A script writes it."
EVERYWHERE = {"contained", "extension", "modifierExtension", "fhir_comments"}


def lines() -> list[str]:
    found = [HEADER]
    for name, model in sorted(classes().items()):
        lists = [
            field.alias or key
            for key, field in model.model_fields.items()
            if "list[" in str(field.annotation).lower() and not (field.alias or key).startswith("_")
        ]
        named = sorted(set(lists) - EVERYWHERE - {key for key in lists if key.endswith("__ext")})
        if named:
            found.append(" ".join([name, *named]))
    return found


if __name__ == "__main__":
    TARGET.write_text("\n".join(lines()) + "\n", encoding="utf-8")
