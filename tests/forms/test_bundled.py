"""Every bundled form opens whole, is sound FHIR, is in both languages, and is filled with nothing that must start empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from portal.bundled import files
from portal.consent.redaction import item_labels
from portal.fhir.structure import problems
from portal.questionnaire import operation_outcome, report, validate
from tests.forms.filling import ADULT, RAW, SLUGS, Json, begun, context, everything, form, nodes

ALL = {
    "ahc-hrsn",
    "audit-c",
    "consent-to-treatment",
    "gad-7",
    "health-history",
    "medication-allergy-history",
    "paediatric-intake",
    "phq-9",
}
SPOKEN = ("title", "description", "purpose", "copyright", "text")
each_form = pytest.mark.parametrize("slug", SLUGS)


def test_these_forms_come_along_each_under_its_own_name() -> None:
    assert {file.stem for file in files()} == set(SLUGS) == ALL


@each_form
def test_a_form_opens_with_nothing_left_undone(slug: str) -> None:
    found = report(RAW[slug])
    assert (found["status"], found["not_honoured"], found["defects"]) == ("ok", [], [])
    assert problems(RAW[slug]) == []


@each_form
def test_a_form_says_what_it_is_for(slug: str) -> None:
    raw = RAW[slug]
    assert all(raw.get(name) for name in ("url", "version", "status", "title", "purpose", "publisher", "date"))


def spoken(element: Any, inside: str = "") -> Iterator[tuple[Json, str]]:
    """Every element with words for a person, and the name of the words. Displays count where a person chooses among them."""
    if isinstance(element, list):
        for each in element:
            yield from spoken(each, inside)
    elif isinstance(element, dict):
        for name in SPOKEN if inside != "contained" else ():
            if isinstance(element.get(name), str):
                yield element, name
        if "display" in element and inside in ("answerOption", "unitOption"):
            yield element, "display"
        for name, held in element.items():
            if not name.startswith("_") and name != "code":
                unit = str(element.get("url", "")).endswith("unitOption")
                yield from spoken(held, "unitOption" if unit else inside if name == "valueCoding" else name)


def spanish(element: Json, name: str) -> str:
    for translation in element.get(f"_{name}", {}).get("extension", []):
        parts = {each["url"]: each.get("valueCode") or each.get("valueString") for each in translation["extension"]}
        if parts["lang"] == "es":
            return str(parts["content"])
    return ""


@each_form
def test_everything_a_person_reads_is_there_in_spanish(slug: str) -> None:
    said = list(spoken(RAW[slug]))
    assert len(said) > 15
    assert [element[name] for element, name in said if not spanish(element, name).strip()] == []


@each_form
@pytest.mark.parametrize("option", [0, -1])
@pytest.mark.parametrize("language", ["en", "es-US"])
def test_a_form_filled_from_end_to_end_makes_a_sound_response(slug: str, option: int, language: str) -> None:
    filling = everything(begun(slug, ADULT, language), option)
    assert [issue for issue in filling.check(None) if issue.severity == "error"] == []
    response = filling.response("completed", authored="2026-11-22T12:00:00Z")
    outcome = operation_outcome(validate(form(slug), response, context(ADULT)))
    assert [issue for issue in outcome["issue"] if issue["severity"] in ("error", "fatal")] == []
    assert problems(response) == []
    assert filling.troubles == []


PREFILLED = {
    "health-history": {"called"},
    "paediatric-intake": {"born", "called"},
}


@each_form
def test_only_names_and_dates_of_birth_are_filled_in_beforehand(slug: str) -> None:
    """Never today's complaint, a consent, or a screening."""
    filled = {node.link_id for node in nodes(begun(slug, ADULT)) if node.answers and not node.calculated}
    assert filled == PREFILLED.get(slug, set())


LABELS = {
    "ahc-hrsn": {"SDV": {"page-safety", "safety-intro", "safety", "safety-1", "safety-4", "score", "unsafe"}},
    "audit-c": {"ETH": {"page", "audit-1", "audit-2", "audit-3", "score", "result"}},
    "gad-7": {"PSY": {"page", "problems", "gad-1", "gad-7", "difficulty", "score", "severity"}},
    "health-history": {
        "PSY": {"page-mood", "phq-1", "phq-2", "phq-score", "mood-more"},
        "ETH": {"alcohol", "drugs"},
        "SEX": {"pregnant"},
    },
    "paediatric-intake": {"PSY": {"page-teen", "alone", "mood"}},
    "phq-9": {"PSY": {"page", "problems", "phq-1", "phq-9", "difficulty", "score", "severity"}},
}


@each_form
def test_what_is_sensitive_is_labelled_and_nothing_else(slug: str) -> None:
    found: dict[str, set[str]] = {}
    for link_id, labels in item_labels(RAW[slug]).items():
        for label in labels:
            system, _, code = label.rpartition("|")
            if system.endswith("ActCode"):
                found.setdefault(code, set()).add(link_id)
    assert found.keys() == LABELS.get(slug, {}).keys()
    assert all(wanted <= found[code] for code, wanted in LABELS.get(slug, {}).items())
