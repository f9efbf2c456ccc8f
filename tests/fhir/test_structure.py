"""Structure checks: what is wrong is named with its path, what is right passes, nothing is changed."""

from __future__ import annotations

import copy
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.fhir.structure import MAX_DEPTH, problems

OBSERVATION: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
TWIN = {"extension": [{"url": "http://example.org/y", "valueCode": "z"}]}
WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"resourceType"}),
    ({"resourceType": 3}, {"resourceType"}),
    ({"resourceType": "HumanName", "family": "x"}, {"resourceType"}),
    ({"resourceType": "os"}, {"resourceType"}),
    ({"resourceType": "Patient", "gender": "robot"}, {"Patient.gender"}),
    ({"resourceType": "Patient", "active": "true"}, {"Patient.active"}),
    ({"resourceType": "Patient", "multipleBirthInteger": "5"}, {"Patient.multipleBirthInteger"}),
    ({"resourceType": "Patient", "multipleBirthInteger": True}, {"Patient.multipleBirthInteger"}),
    ({"resourceType": "Patient", "birthDate": "1980-13"}, {"Patient.birthDate"}),
    ({"resourceType": "Patient", "name": {"family": "x"}}, {"Patient.name"}),
    ({"resourceType": "Patient", "gender": ["male"]}, {"Patient.gender"}),
    ({"resourceType": "Patient", "name": []}, {"Patient.name"}),
    ({"resourceType": "Patient", "name": [{}]}, {"Patient.name[0]"}),
    ({"resourceType": "Patient", "name": [{"family": ""}]}, {"Patient.name[0].family"}),
    ({"resourceType": "Patient", "name": [{"famly": "x"}]}, {"Patient.name[0].famly"}),
    ({"resourceType": "Patient", "gender": None}, {"Patient.gender"}),
    ({"resourceType": "Patient", "contained": [{"resourceType": "Zebra"}]}, {"Patient.contained[0]", "Patient"}),
    (OBSERVATION | {"status": "guessed"}, {"Observation.status"}),
    (OBSERVATION | {"valueQuantity": {"value": "1.10"}}, {"Observation.valueQuantity.value"}),
    (OBSERVATION | {"valueString": "a", "valueBoolean": True}, {"Observation"}),
    ({"resourceType": "Observation", "code": {"text": "x"}}, {"Observation.status"}),
    (
        {"resourceType": "Questionnaire", "status": "active", "item": [{"linkId": "1", "type": "banana"}]},
        {"Questionnaire.item[0].type"},
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"resource": {"resourceType": "Patient", "gender": "x"}}],
        },
        {"Bundle.entry[0].resource.gender"},
    ),
]
RIGHT: list[dict[str, Any]] = [
    {"resourceType": "Patient", "gender": "male", "birthDate": "1980-02", "active": False, "multipleBirthInteger": 2},
    OBSERVATION | {"valueQuantity": {"value": Decimal("1.10")}, "status": "corrected"},
    OBSERVATION | {"valueQuantity": {"value": 1}, "effectiveDateTime": "2026-11-21T10:00:00.123+02:00"},
    {"resourceType": "Patient", "name": [{"given": ["a", None], "_given": [None, TWIN]}], "_birthDate": TWIN},
    {"resourceType": "Patient", "extension": [{"url": "http://example.org/x", "_valueString": TWIN}]},
    {"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}]},
]


@pytest.mark.parametrize(
    ("resource", "paths"), WRONG, ids=lambda value: json.dumps(value)[:70] if isinstance(value, dict) else ""
)
def test_what_is_wrong_is_named_with_its_path(resource: dict[str, Any], paths: set[str]) -> None:
    found = problems(resource)
    assert {problem.path for problem in found} == paths
    assert all(problem.words.endswith(".") for problem in found)


@pytest.mark.parametrize("resource", RIGHT)
def test_what_is_right_passes_and_is_not_touched(resource: dict[str, Any]) -> None:
    before = copy.deepcopy(resource)
    assert problems(resource) == []
    assert resource == before


def test_values_are_never_repeated_in_the_words() -> None:
    found = problems({"resourceType": "Patient", "gender": "secret-1", "birthDate": "secret-2", "active": "secret-3"})
    assert len(found) == 3
    assert "secret" not in str(found)


def test_what_is_nested_too_deep_is_said_at_once() -> None:
    item: dict[str, Any] = {"linkId": "1"}
    for _ in range(MAX_DEPTH + 2):
        item = {"linkId": "1", "item": [item]}
    (problem,) = problems({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]})
    assert "deeper" in problem.words


def test_the_published_examples_of_r4_are_sound() -> None:
    corpus = os.environ.get("PORTAL_CORPUS")
    if not corpus:
        pytest.skip("PORTAL_CORPUS names no folder of public examples")
    checked = 0
    for path in sorted(Path(corpus, "hl7-fhir-r4-spec").glob("*.json")):
        resource = json.loads(path.read_text("utf-8-sig"), parse_float=Decimal)
        if isinstance(resource, dict) and "resourceType" in resource:
            assert problems(resource) == [], path.name
            checked += 1
    assert checked > 100
