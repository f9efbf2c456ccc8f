"""Numbers and quantities as records hold them: in words of the calendar, and as precise as they were written."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.fhirpath import FhirDate, FhirPathEvaluationError, compile

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def evaluated(expression: str, data: Any) -> list[Any]:
    return compile(expression).evaluate(data, now=NOW)


CALENDAR = "http://hl7.org/fhirpath/CodeSystem/calendar-units"


@pytest.mark.parametrize(
    ("age", "then"),
    [
        ({"value": 2, "unit": "years"}, "2024-11-21"),
        ({"value": 1, "unit": "month"}, "2026-10-21"),
        ({"value": 3, "unit": "Tage", "system": CALENDAR, "code": "day"}, "2026-11-18"),
        ({"value": 2, "system": "http://unitsofmeasure.org", "code": "a"}, "2024-11-21"),
    ],
)
def test_a_quantity_in_words_of_the_calendar_moves_a_date(age: dict[str, Any], then: str) -> None:
    answer = {"resourceType": "Observation", "valueQuantity": age}
    assert evaluated("today() - value", answer) == [FhirDate.parse(then)]


@pytest.mark.parametrize("age", [{"value": 2, "unit": "Jahre"}, {"value": 2, "system": "urn:x", "code": "year"}])
def test_a_quantity_in_other_words_moves_none(age: dict[str, Any]) -> None:
    with pytest.raises(FhirPathEvaluationError):
        evaluated("today() - value", {"resourceType": "Observation", "valueQuantity": age})


@pytest.mark.parametrize(
    ("number", "low", "high"), [("9.5E+2", "945", "955"), ("15E-1", "1.45", "1.55"), ("-2E+1", "-25", "-15")]
)
def test_a_number_is_as_precise_as_it_was_written(number: str, low: str, high: str) -> None:
    given = {"resourceType": "Observation", "valueQuantity": {"value": Decimal(number)}}
    assert evaluated("value.value.lowBoundary()", given) == [Decimal(low)]
    assert evaluated("value.value.highBoundary()", given) == [Decimal(high)]
