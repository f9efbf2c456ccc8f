"""What a server changed in what we sent, element by element."""

from decimal import Decimal
from typing import Any

import pytest

from portal.delivery.compare import differences

OURS: dict[str, Any] = {
    "resourceType": "MedicationStatement",
    "status": "active",
    "subject": {"reference": "Patient/7"},
    "derivedFrom": [{"reference": "urn:uuid:1"}],
    "dosage": [{"text": "1 a day", "doseAndRate": [{"doseQuantity": {"value": Decimal("1.10")}}]}],
    "meta": {"tag": [{"system": "s", "code": "c"}]},
}
PLACED = {"urn:uuid:1": "QuestionnaireResponse/9"}
BASE = "https://h/fhir"
SAME: dict[str, Any] = {
    **OURS,
    "id": "5",
    "derivedFrom": [{"reference": "QuestionnaireResponse/9"}],
    "text": {"status": "generated", "div": "<div/>"},
    "meta": {
        "versionId": "1",
        "lastUpdated": "2026-11-21T10:00:00Z",
        "tag": [{"system": "s", "code": "c"}, {"code": "x"}],
    },
}


def test_what_the_server_owns_and_where_it_put_things_is_no_difference() -> None:
    assert differences(OURS, SAME, PLACED, BASE) == []
    absolute = {**SAME, "subject": {"reference": "https://h/fhir/Patient/7"}}
    assert differences(OURS, absolute, PLACED, BASE) == []
    versioned = {**SAME, "derivedFrom": [{"reference": "QuestionnaireResponse/9/_history/1"}]}
    assert differences(OURS, versioned, PLACED, BASE) == []


@pytest.mark.parametrize(
    ("change", "path", "kind"),
    [
        ({"status": "completed"}, "MedicationStatement.status", "changed"),
        ({"subject": {"reference": "https://evil/fhir/Patient/7"}}, "MedicationStatement.subject.reference", "changed"),
        ({"dosage": [{"text": "1 a day"}]}, "MedicationStatement.dosage[0].doseAndRate", "missing"),
        ({"dosage": []}, "MedicationStatement.dosage[0]", "missing"),
        ({"note": [{"text": "x"}]}, "MedicationStatement.note", "added"),
        ({"derivedFrom": [*SAME["derivedFrom"], {"display": "x"}]}, "MedicationStatement.derivedFrom[1]", "added"),
        ({"meta": {}}, "MedicationStatement.meta.tag", "missing"),
        (
            {"dosage": [{"text": "1 a day", "doseAndRate": [{"doseQuantity": {"value": Decimal("1.1")}}]}]},
            "MedicationStatement.dosage[0].doseAndRate[0].doseQuantity.value",
            "changed",
        ),
    ],
)
def test_each_difference_is_named_with_its_place(change: dict[str, Any], path: str, kind: str) -> None:
    found = differences(OURS, {**SAME, **change}, PLACED, BASE)
    assert [(one.path, one.kind) for one in found] == [(path, kind)]


def test_true_is_not_one() -> None:
    assert differences({"resourceType": "X", "a": True}, {"resourceType": "X", "a": 1}, {})


def test_a_picture_that_was_moved_elsewhere_is_told_by_its_beginning() -> None:
    ours = {"resourceType": "Basic", "data": "A" * 100_000, "size": 3}
    [moved, there] = differences(ours, {"resourceType": "Basic", "size": 3, "url": "Binary/1"}, {})
    assert (moved.path, moved.kind, there.kind) == ("Basic.data", "missing", "added")
    assert len(str(moved.as_json())) < 300 and "(100000)" in str(moved.as_json()["ours"])
    assert there.as_json()["theirs"] == "Binary/1"
