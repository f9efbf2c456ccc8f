"""What people type, in their language, becomes exact FHIR answers, or an issue they can act on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Node, parse
from tests.questionnaire.make import every, filling, form, hl7, option, q


def node(kind: str, **fields: Any) -> Node:
    return every(filling(form(q("a", kind, **fields))))["a"]


DATES: list[tuple[Any, str, str]] = [
    ("2019", "en-GB", "2019"),
    ("3 2019", "en-GB", "2019-03"),
    ("03/2019", "en-US", "2019-03"),
    ("march 2019", "en", "2019-03"),
    ("Mar 2019", "en", "2019-03"),
    ("27 3 2019", "en-GB", "2019-03-27"),
    ("27/3/2019", "en", "2019-03-27"),
    ("3/27/2019", "en-US", "2019-03-27"),
    ("4/3/2019", "en-GB", "2019-03-04"),
    ("4/3/2019", "en-US", "2019-04-03"),
    ("4/4/2019", "en", "2019-04-04"),
    ("27th March 2019", "en-GB", "2019-03-27"),
    ("March 27, 2019", "en-US", "2019-03-27"),
    ("2019-03-27", "es", "2019-03-27"),
    ("27 de marzo de 2019", "es", "2019-03-27"),
    ("marzo 2019", "es", "2019-03"),
    ("27 mars 2019", "fr", "2019-03-27"),
    ("27. März 2019", "de", "2019-03-27"),
    ({"day": "27", "month": "3", "year": "2019"}, "en-GB", "2019-03-27"),
    ({"day": "", "month": "3", "year": "2019"}, "en-GB", "2019-03"),
    ({"day": "", "month": "march", "year": "2019"}, "en-GB", "2019-03"),
    ({"day": "", "month": "", "year": "2019"}, "en-GB", "2019"),
    ("29 2 2020", "en-GB", "2020-02-29"),
    ("3 de mayo de 2019", "en-US", "2019-05-03"),
    ("5 de setiembre de 2019", "es", "2019-09-05"),
]


@pytest.mark.parametrize(("typed", "language", "expected"), DATES)
def test_dates_are_read_as_people_say_them(typed: Any, language: str, expected: str) -> None:
    assert parse.answer(node("date"), typed, language) == ([{"valueDate": expected}], [])


BAD: list[tuple[str, Any, str, str]] = [
    ("date", "4/3/2019", "en", "date-ambiguous"),
    ("date", "29 2 2019", "en-GB", "date-real"),
    ("date", "31/4/2019", "en-GB", "date-real"),
    ("date", "yesterday", "en-GB", "date"),
    ("date", "1 2 19", "en-GB", "date"),
    ("date", "3 May", "en-GB", "date-year"),
    ("date", "mayo", "es", "date-year"),
    ("dateTime", "May 3", "en-US", "date-year"),
    ("date", "31 5 May", "en-GB", "date"),
    ("date", "٢٠١٩", "en-GB", "date"),
    ("date", {"day": "3", "month": "", "year": "2019"}, "en-GB", "date"),
    ("date", "0000", "en-GB", "date-real"),
    ("dateTime", "27 3 2019 25:00", "en-GB", "datetime"),
    ("time", "half past two", "en-GB", "time"),
    ("time", "24:00", "en-GB", "time"),
    ("integer", "1.5", "en", "whole-number"),
    ("integer", "three", "en", "whole-number"),
    ("integer", "٣", "en", "whole-number"),
    ("integer", "99999999999", "en", "number-size"),
    ("decimal", "1e400", "en", "number"),
    ("decimal", "1" * 19, "en", "number-size"),
    ("decimal", "1.500", "es", "number-ambiguous"),
    ("decimal", "1.2.3", "en", "number"),
    ("boolean", "maybe", "en", "yesno"),
    ("url", "not an address", "en", "url"),
    ("url", "javascript:alert(1)", "en", "url"),
    ("string", "nul\x00", "en", "characters"),
    ("string", "\ud800", "en", "characters"),
    ("string", "x" * 100_001, "en", "too-long"),
]


@pytest.mark.parametrize(("kind", "typed", "language", "code"), BAD)
def test_what_cannot_be_read_is_said_and_not_guessed(kind: str, typed: Any, language: str, code: str) -> None:
    answers, issues = parse.answer(node(kind), typed, language)
    assert answers == []
    assert [(issue.name, issue.link_id, issue.code) for issue in issues] == [("q1", "a", code)]
    assert issues[0].message


def test_an_ambiguous_date_is_given_back_with_an_example_of_how_to_write_it() -> None:
    _, (issue,) = parse.answer(node("date"), "4/3/2019", "en")
    assert issue.message == "We cannot tell the day from the month. Write the month as a word, like 4 March 2019"


NUMBERS = [
    ("1.10", "en", "1.10"),
    ("1,10", "es", "1.10"),
    ("1,10", "en", "1.10"),
    ("1,500", "en", "1500"),
    ("1.234,50", "de", "1234.50"),
    ("1 234,5", "fr", "1234.5"),
    ("-0.5", "en", "-0.5"),
    (".5", "en", "0.5"),
    (",5", "de", "0.5"),
    ("5.", "en", "5"),
    ("-0", "en", "0"),
    ("-0.00", "en", "0.00"),
    ("−3", "en", "-3"),
    ("0", "en", "0"),
    ("72.0", "en", "72.0"),
]


@pytest.mark.parametrize(("typed", "language", "expected"), NUMBERS)
def test_decimals_keep_every_digit(typed: str, language: str, expected: str) -> None:
    (answer,), issues = parse.answer(node("decimal"), typed, language)
    assert issues == []
    assert str(answer["valueDecimal"]) == expected


TIMES = [
    ("14:30", "14:30:00"),
    ("2:30 pm", "14:30:00"),
    ("2pm", "14:00:00"),
    ("12 am", "00:00:00"),
    ("9.05", "09:05:00"),
]


@pytest.mark.parametrize(("typed", "expected"), TIMES)
def test_times_are_read_with_or_without_am_and_pm(typed: str, expected: str) -> None:
    assert parse.answer(node("time"), typed, "en-GB") == ([{"valueTime": expected}], [])


def test_a_date_and_time_may_lack_the_time() -> None:
    asked = node("dateTime")
    assert parse.answer(asked, "27 3 2019 2:30 pm", "en-GB", zone="+01:00")[0] == [
        {"valueDateTime": "2019-03-27T14:30:00+01:00"}
    ]
    assert parse.answer(asked, {"day": "27", "month": "3", "year": "2019", "time": ""}, "en-GB")[0] == [
        {"valueDateTime": "2019-03-27"}
    ]


def test_options_come_by_key_and_only_open_choices_take_other_words() -> None:
    closed = node("choice", answerOption=[option("a", "Apple")])
    assert parse.answer(closed, closed.options[0].key)[0] == [
        {"valueCoding": {"system": "https://example.org/cs", "code": "a", "display": "Apple"}}
    ]
    assert parse.answer(closed, "Pear")[1][0].code == "option"
    opened = node("open-choice", answerOption=[option("a", "Apple")])
    assert parse.answer(opened, {"key": "", "open": "Pear"})[0] == [{"valueString": "Pear"}]


def test_quantities_take_one_of_their_units() -> None:
    units = [
        hl7("questionnaire-unitOption", valueCoding={"system": "http://unitsofmeasure.org", "code": c, "display": c})
        for c in ("kg", "g")
    ]
    asked = node("quantity", ext=units)
    (answer,), _ = parse.answer(asked, {"number": "72,50", "unit": asked.units[0].key}, "es")
    assert answer == {
        "valueQuantity": {"value": Decimal("72.50"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    }
    assert parse.answer(asked, {"number": "72", "unit": ""})[1][0].code == "unit-missing"
    assert parse.answer(asked, {"number": "72", "unit": "stone"})[1][0].code == "unit"


def test_empty_inputs_are_no_answers() -> None:
    assert parse.answer(node("string", repeats=True), ["a", " ", "", "b"])[0] == [
        {"valueString": "a"},
        {"valueString": "b"},
    ]
