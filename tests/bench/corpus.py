"""Public forms to measure on, where PORTAL_CORPUS names a folder of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.fhir import exact
from portal.questionnaire import FormRefused, load
from tests.bench.forms import expressions

CORPUS = os.environ.get("PORTAL_CORPUS", "")
MOST_BYTES = 3_000_000
Json = dict[str, Any]


def questionnaires() -> Iterator[tuple[str, Json]]:
    """Every Questionnaire in JSON, with its path in the corpus."""
    table = Path(CORPUS, "QUESTIONNAIRES.tsv")
    for line in table.read_text("utf-8").splitlines()[1:] if CORPUS and table.exists() else ():
        path = Path(CORPUS, line.partition("\t")[0])
        if path.suffix == ".json" and path.stat().st_size < MOST_BYTES:
            try:
                raw = exact.loads(path.read_bytes())
            except exact.UnreadableJson:
                continue
            if isinstance(raw, dict) and raw.get("resourceType") == "Questionnaire":
                yield str(path), raw


def most_expressions() -> tuple[str, Json] | None:
    """The form with most expressions that opens."""
    for path, raw in sorted(questionnaires(), key=lambda pair: -len(expressions(pair[1]))):
        try:
            load(raw)
        except FormRefused:
            continue
        return path, raw
    return None
