"""FHIR values in words: nothing invented, nothing lost, and no JSON however odd that brings the words down."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.fhir import values
from portal.fhir.dosage import dosage_text, timing_text
from portal.fhir.people import Standing, standing
from portal.fhir.values import PartialDate, parse_date


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2026", (2026, None, None)),
        ("2026-02", (2026, 2, None)),
        ("2026-02-28", (2026, 2, 28)),
        ("2024-02-29", (2024, 2, 29)),
        ("2026-02-28T23:59:59Z", (2026, 2, 28)),
        ("2026-02-28T23:59:59.123+01:00", (2026, 2, 28)),
    ],
)
def test_a_date_is_as_exact_as_it_was_given(text: str, parts: tuple[int, int | None, int | None]) -> None:
    found = parse_date(text)
    assert found is not None
    assert (found.year, found.month, found.day) == parts
    assert str(found) == text.partition("T")[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "26", "2026-", "2026-13", "2026-02-30", "2023-02-29", "2026-2-3", "0000", "0000-01-01", "2026-02-28T10:00:00",
        "2026-02-28T", "2026-02-28T25:00:00Z", "2026-02-28 10:00", "٢٠٢٦", "yesterday", None, 2026, 20.5, True, [], {},
    ],
)  # fmt: skip
def test_what_is_no_date_is_no_date(text: Any) -> None:
    assert parse_date(text) is None


def test_dates_of_different_exactness_can_be_put_in_order() -> None:
    found = sorted(
        [PartialDate(2026), PartialDate(2025, 12, 31), PartialDate(2026, 2)], key=lambda each: each.first_day
    )
    assert [str(each) for each in found] == ["2025-12-31", "2026", "2026-02"]
    assert PartialDate(2026).first_day == date(2026, 1, 1)


NAMES: list[tuple[list[dict[str, Any]], str]] = [
    ([{"text": "Ana María de la Cruz"}], "Ana María de la Cruz"),
    ([{"given": ["Ana", "María"], "family": "de la Cruz", "prefix": ["Dr"]}], "Dr Ana María de la Cruz"),
    ([{"use": "nickname", "text": "Annie"}, {"use": "official", "text": "Anna Berg"}], "Anna Berg"),
    ([{"use": "old", "text": "Anna Alt"}, {"use": "usual", "text": "Anna Berg"}], "Anna Berg"),
    ([{"use": "maiden", "text": "Anna Alt"}, {"text": "Anna Berg"}], "Anna Berg"),
    ([{"family": "Sukarno"}], "Sukarno"),
    ([], ""),
]


@pytest.mark.parametrize(("names", "called"), NAMES)
def test_a_person_is_called_by_the_name_in_use(names: list[dict[str, Any]], called: str) -> None:
    assert values.name_of({"name": names}) == called


def test_an_address_is_one_line_in_the_order_of_an_envelope() -> None:
    address = {"line": ["5 Long Lane", "Flat 2"], "city": "Leeds", "postalCode": "LS1 1AA", "country": "GB"}
    assert values.address_text(address) == "5 Long Lane, Flat 2, Leeds LS1 1AA, GB"
    assert values.address_text({"text": "5 Long Lane\n Leeds\n"}) == "5 Long Lane, Leeds"


CONCEPTS: list[tuple[Any, str]] = [
    ({"text": "Water pill", "coding": [{"display": "Furosemide"}]}, "Water pill"),
    ({"coding": [{"display": "A"}, {"display": "B", "userSelected": True}]}, "B"),
    ({"coding": [{"code": "x"}, {"display": "B"}]}, "B"),
    ({"coding": [{"code": "x"}]}, "x"),
    ({"text": "  "}, ""),
    (None, ""),
    ("text", ""),
    ({"coding": {"display": "A"}}, ""),
]


@pytest.mark.parametrize(("concept", "words"), CONCEPTS)
def test_a_concept_says_its_own_text_before_its_codes(concept: Any, words: str) -> None:
    assert values.concept_text(concept) == words


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ({"value": Decimal("1.10"), "unit": "mg"}, "1.10 mg"),
        ({"value": Decimal("5.0"), "comparator": "<", "unit": "mmol/L"}, "< 5.0 mmol/L"),
        ({"value": Decimal("1E+3"), "unit": "x"}, "1000 x"),
        ({"value": 7, "code": "mg"}, "7 mg"),
        ({"value": 7}, "7"),
        ({"value": True, "unit": "mg"}, ""),
        ({"unit": "mg"}, ""),
    ],
)
def test_a_quantity_keeps_every_digit_and_its_unit(quantity: Any, words: str) -> None:
    assert values.quantity_text(quantity) == words


def test_a_range_says_both_ends_or_the_one_it_has() -> None:
    low, high = {"value": 1, "unit": "tablet"}, {"value": 2, "unit": "tablets"}
    assert values.range_text({"low": low, "high": high}) == "1 to 2 tablets"
    assert values.range_text({"low": low}) == "at least 1 tablet"
    assert values.range_text({"high": high}) == "up to 2 tablets"
    assert values.range_text({}) == ""


@pytest.mark.parametrize(
    ("dosage", "words"),
    [
        ({"text": "1 tablet by mouth"}, "1 tablet by mouth"),
        ({"patientInstruction": "With a meal"}, "With a meal"),
        (
            {
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
                "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
            },
            "1 tablet, twice a day",
        ),
        ({"timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}}, "3 times a day"),
        ({"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, "once a day"),
        ({"timing": {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}}, "every 8 hours"),
        ({"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}}, "every week"),
        ({"timing": {"repeat": {"frequency": 2, "period": 3, "periodUnit": "d"}}}, "twice every 3 days"),
        (
            {"timing": {"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}}},
            "1 to 2 times a day",
        ),
        ({"timing": {"repeat": {"when": ["HS"]}}}, "at bedtime"),
        ({"timing": {"repeat": {"dayOfWeek": ["mon", "thu"]}}}, "on Monday, Thursday"),
        ({"timing": {"code": {"coding": [{"code": "BID"}]}}}, "twice a day"),
        ({"timing": {"code": {"text": "as the clinic says"}}}, "as the clinic says"),
        ({"asNeededBoolean": True}, "when needed"),
        ({"asNeededCodeableConcept": {"text": "pain"}}, "when needed for pain"),
        ({}, ""),
    ],
)
def test_a_dosage_is_said_as_written_or_put_together(dosage: dict[str, Any], words: str) -> None:
    assert dosage_text({"dosageInstruction": [dosage]}) == words


def test_several_instructions_keep_their_sequence() -> None:
    steps = [{"sequence": 2, "text": "then half"}, {"sequence": 1, "text": "2 tablets"}]
    assert dosage_text({"dosage": steps}) == "2 tablets; then then half"


def test_words_pass_through_the_readers_language() -> None:
    spanish = {"twice": "dos veces", "day": "día", "%(times)s a %(span)s": "%(times)s al %(span)s"}
    repeat = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
    assert timing_text(repeat, lambda text: spanish.get(text, text)) == "dos veces al día"


@pytest.mark.parametrize(
    ("patient", "stands"),
    [
        ({}, Standing.ACTIVE),
        ({"active": True}, Standing.ACTIVE),
        ({"active": False}, Standing.INACTIVE),
        ({"deceasedBoolean": True}, Standing.DECEASED),
        ({"deceasedDateTime": "2020"}, Standing.DECEASED),
        ({"deceasedBoolean": False}, Standing.ACTIVE),
        ({"active": False, "link": [{"type": "replaced-by", "other": {"reference": "Patient/2"}}]}, Standing.REPLACED),
        ({"link": [{"type": "seealso", "other": {"reference": "Patient/2"}}]}, Standing.ACTIVE),
        ({"link": [{"type": "replaces", "other": {"reference": "Patient/2"}}]}, Standing.ACTIVE),
    ],
)
def test_bar_84_a_record_that_was_set_aside_is_recognised_and_not_followed(patient: Any, stands: Standing) -> None:
    found = standing(patient)
    assert found.standing is stands
    assert found.replaced_by == ("Patient/2" if stands is Standing.REPLACED else None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["text", "coding", "code", "display", "value", "unit", "low", "high", "name", "given", "family", "use", "line",
             "timing", "repeat", "when", "dayOfWeek", "frequency", "period", "periodUnit", "doseAndRate", "sequence",
             "dosage", "dosageInstruction", "telecom", "system", "rank", "communication", "language", "link", "other"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(JSON, JSON)
def test_words_are_found_in_any_json_without_falling(one: Any, two: Any) -> None:
    holder = {"name": one, "telecom": two, "dosage": one, "dosageInstruction": two, "communication": one, "link": two}
    for text in (
        values.concept_text(one), values.quantity_text(one), values.range_text(one), values.reference_text(one),
        values.name_of(holder), values.language_of(holder), values.telecom_value(holder, "phone"),
        dosage_text(holder), timing_text(one),
    ):  # fmt: skip
        assert isinstance(text, str)
    assert standing(holder)
