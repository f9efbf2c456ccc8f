"""Searches over what is at hand: amounts, words and what is missing; what is not understood is never answered with nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire.searching import Records

UCUM = "http://unitsofmeasure.org"


def observation(identity: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": identity, "status": "final", **fields}


def amount(value: str, unit: str = "mg") -> dict[str, Any]:
    return {"valueQuantity": {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}}


RECORDS = Records(
    [
        observation("five", **amount("5.4"), code={"text": "Iron in blood"}),
        observation("nine", **amount("9"), code={"coding": [{"code": "1", "display": "Zinc"}]}),
        observation("gram", **amount("9", "g")),
        observation("told", valueString="High", meta={"lastUpdated": "2026-03-27T10:00:00Z"}),
        {
            "resourceType": "Patient",
            "id": "p",
            "name": [{"family": "Østberg", "given": ["Ada"]}],
            "address": [{"city": "Bergen", "postalCode": "5003"}],
        },
        {"resourceType": "Encounter", "id": "e", "location": [{"location": {"reference": "Location/1"}}]},
    ]
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?value-quantity=gt5", ["five", "nine", "gram"]),
        ("Observation?value-quantity=le5.4", ["five"]),
        ("Observation?value-quantity=5.4", ["five"]),
        ("Observation?value-quantity=5", ["five"]),
        ("Observation?value-quantity=5.0", []),
        ("Observation?value-quantity=ne9", ["five"]),
        (f"Observation?value-quantity=9|{UCUM}|mg", ["nine"]),
        ("Observation?value-quantity=9||g", ["gram"]),
        ("Observation?value-quantity=9|urn:other|mg", []),
        ("Observation?value-quantity=many", []),
        ("Observation?value-string=hi", ["told"]),
        ("Observation?value-quantity:missing=true", ["told"]),
        ("Observation?value-quantity:missing=false", ["five", "nine", "gram"]),
        ("Observation?code:text=iron", ["five"]),
        ("Observation?code:text=zin", ["nine"]),
        ("Observation?_lastUpdated=ge2026", ["told"]),
        ("Patient?family:exact=Østberg", ["p"]),
        ("Patient?family:exact=østberg", []),
        ("Patient?family:contains=BERG", ["p"]),
        ("Patient?address-city=berg&address-postalcode=5003", ["p"]),
        ("Encounter?location=Location/1", None),
        ("Observation?code:in=urn:set", None),
        ("Observation?value-quantity:missing=perhaps", None),
        ("Observation?subject.name=x", None),
    ],
)
def test_a_search_is_answered_as_a_server_would_or_not_at_all(query: str, found: list[str] | None) -> None:
    bundle = RECORDS.fetch(query)
    assert (None if bundle is None else [entry["resource"]["id"] for entry in bundle["entry"]]) == found
