"""Thousands of odd bodies: each is answered with an OperationOutcome, never a 500, and nothing is half stored."""

from __future__ import annotations

import random
from typing import Any

from tests.sandbox.asking import Asking

ODD: list[Any] = [
    None, 1, -1, 1.5, True, "", "x", "Patient", "Patient/1", "http://[bad", "é" * 50, [], {}, [[]], [None], {"a": None},
    "urn:uuid:1", "Patient?x=y", "?", "//", "/$match", "Patient/$everything", "..", "%00", "Patient/1/_history/1",
]  # fmt: skip
NAMES = [
    "resourceType", "id", "meta", "name", "request", "resource", "method", "url", "fullUrl", "type", "entry", "ifMatch",
    "ifNoneExist", "parameter", "family", "valueString", "identifier", "telecom", "birthDate", "extension", "contained",
    "address", "link", "_birthDate",
]  # fmt: skip


def odd(chance: random.Random, depth: int = 0) -> Any:
    drawn = chance.random()
    if drawn < 0.6 or depth > 3:
        return chance.choice(ODD)
    if drawn < 0.8:
        return [odd(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return {chance.choice(NAMES): odd(chance, depth + 1) for _ in range(chance.randint(0, 4))}


def entry(chance: random.Random) -> dict[str, Any]:
    resource = chance.choice([odd(chance), {"resourceType": "Patient", chance.choice(NAMES): odd(chance)}])
    request = {
        "method": chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH", 3]),
        "url": chance.choice(["Patient", "Patient/1", "Patient?family=x", "Observation?subject=1", odd(chance)]),
        chance.choice(["ifMatch", "ifNoneExist", "ifNoneMatch"]): odd(chance),
    }
    return {"fullUrl": odd(chance), "resource": resource, "request": request}


def body(chance: random.Random) -> tuple[str, Any]:
    if chance.random() < 0.5:
        kind = chance.choice(["batch", "transaction"])
        entries = chance.choice([[entry(chance), entry(chance)], odd(chance)])
        return "", {"resourceType": "Bundle", "type": kind, "entry": entries}
    patient = {"resourceType": "Patient"} | {chance.choice(NAMES): odd(chance) for _ in range(2)}
    return chance.choice(["Patient", "Patient/$match", "Patient/$validate"]), chance.choice([patient, odd(chance)])


def test_nothing_odd_breaks_the_clinic(ask: Asking) -> None:
    chance = random.Random(20261121)
    refused = 0
    for _ in range(300):
        path, sent = body(chance)
        answer = ask("POST", path, sent)
        assert answer.status_code < 500, (sent, answer.text)
        if answer.status_code >= 400:
            refused += 1
            assert answer.json()["resourceType"] == "OperationOutcome"
    assert refused > 100
    assert ask.get("Patient?_count=500").status_code == 200


def test_odd_addresses_are_answered_too(ask: Asking) -> None:
    for path in (
        "%00", "Patient/%00", "Patient?family=%00", "Patient?family=%ED%A0%80", "Patient/..", "Patient//", "/",
        "Patient?birthdate=gt9999-12-31", "Patient?birthdate=0000", "Patient?birthdate=lt0001-01-01T00:00:00%2B14:00",
        "Patient?identifier=|", "Patient?identifier=a|b|c", "Patient?_sort=-", "Patient?_include=a:b:c:d",
        "Patient?family=" + "a" * 50_000, "Patient?:=x", "Patient?_offset=999999999", "Patient/1/_history/x",
    ):  # fmt: skip
        answer = ask.get(path)
        assert answer.status_code < 500, path
        assert answer.json()["resourceType"] in ("Bundle", "OperationOutcome")
