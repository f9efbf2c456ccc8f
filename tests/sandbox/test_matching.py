"""Patient/$match: the one it is, the two it may be, the stranger."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.asking import Asking, patient


def matched(read: Asking, described: dict[str, Any], **parameters: Any) -> list[tuple[str, str]]:
    """(id, grade) of the candidates, best first."""
    parts = [{"name": "resource", "resource": described}]
    parts += [{"name": name, **value} for name, value in parameters.items()]
    answer = read("POST", "Patient/$match", {"resourceType": "Parameters", "parameter": parts})
    assert answer.status_code == 200, answer.text
    return [
        (entry["resource"]["id"], entry["search"]["extension"][0]["valueCode"])
        for entry in answer.json().get("entry", [])
    ]


MARIA = patient(name=[{"family": "García", "given": ["María"]}], birthDate="1990-03-04")
SEARCHED = [
    (
        "by identifier",
        patient(identifier=[{"system": "https://sandbox-clinic.example/mrn", "value": "100005"}]),
        [("kwame-mensah", "certain")],
    ),
    (
        "by everything",
        MARIA | {"telecom": [{"system": "phone", "value": "(217) 555-0107"}]},
        [("maria-garcia-a", "certain")],
    ),
    ("a stranger", patient(name=[{"family": "Zhou", "given": ["Yi"]}], birthDate="1950-01-01"), []),
    ("too little", patient(name=[{"family": "Garcia"}]), []),
]


@pytest.mark.parametrize(("name", "described", "expected"), SEARCHED, ids=[name for name, _, _ in SEARCHED])
def test_a_described_person_is_matched(
    read: Asking, name: str, described: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert matched(read, described) == expected


def test_two_who_look_alike_are_never_certain_by_name_and_year(read: Asking) -> None:
    found = matched(read, patient(name=[{"family": "Garcia", "given": ["Maria"]}], birthDate="1990"))
    assert found == [("maria-garcia-a", "possible"), ("maria-garcia-b", "possible")]


def test_only_certain_means_one_or_none(read: Asking) -> None:
    only = {"onlyCertainMatches": {"valueBoolean": True}}
    assert matched(read, MARIA, **only) == [("maria-garcia-a", "certain")]
    assert matched(read, patient(name=[{"family": "Garcia", "given": ["Maria"]}], gender="female"), **only) == []


@pytest.mark.parametrize("body", [{"resourceType": "Parameters"}, {"resourceType": "Patient"}])
def test_a_match_without_a_person_is_refused(read: Asking, body: dict[str, Any]) -> None:
    assert read("POST", "Patient/$match", body).status_code == 400
