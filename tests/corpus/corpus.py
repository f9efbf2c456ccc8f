"""The public forms and cases named by PORTAL_CORPUS; the tests that need them are skipped without it."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from portal.questionnaire import Context
from tests.fhirpath import fhir_xml

ROOT = Path(os.environ.get("PORTAL_CORPUS") or "/nowhere")
needed = pytest.mark.skipif(not ROOT.is_dir(), reason="set PORTAL_CORPUS to the folder of public forms to run this")
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def context(**fields: Any) -> Context:
    return Context(**{"now": NOW, "language": "en", **fields})


def read(path: str) -> dict[str, Any]:
    """A resource of the corpus, JSON or XML, with exact decimals."""
    file = ROOT / path
    if file.suffix == ".xml":
        return fhir_xml.read(file)
    found: dict[str, Any] = json.loads(file.read_text("utf-8-sig"), parse_float=Decimal)
    return found


def table(name: str) -> list[dict[str, str]]:
    if not ROOT.is_dir():
        return []
    with (ROOT / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def forms() -> list[str]:
    return [row["path"] for row in table("QUESTIONNAIRES.tsv")]


def cases(suite: str, operation: str) -> list[dict[str, str]]:
    return [row for row in table("CASES.tsv") if row["suite"] == suite and row["operation"] == operation]


@lru_cache(maxsize=1)
def registry() -> dict[str, dict[str, Any]]:
    """Canonical -> the value sets and code systems of the corpus' terminology folder."""
    found: dict[str, dict[str, Any]] = {}
    for file in (ROOT / "terminology").rglob("*.json"):
        try:
            resource = json.loads(file.read_text("utf-8-sig"))
        except ValueError:
            continue
        inside = [entry.get("resource", {}) for entry in resource.get("entry", [])]
        for one in inside if resource.get("resourceType") == "Bundle" else [resource]:
            if isinstance(one.get("url"), str):
                found[one["url"]] = one
    return found
