"""When a form is asked: kinds of visit, ages, months since it was last answered, and the rule in a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from portal.library import rules
from portal.library.rules import Occasion, Rule

URL = "https://clinic.example/forms/a"
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def occasion(kind: str = "Check-up", age: int | None = 40, answered: datetime | None = None) -> Occasion:
    return Occasion(kind, age, NOW, {URL: answered} if answered else {})


@pytest.mark.parametrize(
    ("rule", "at", "asked"),
    [
        (Rule(), occasion(), True),
        (Rule(kinds=("check-UP ",)), occasion(), True),
        (Rule(kinds=("Check",)), occasion(), False),
        (Rule(kinds=("Check-up",)), occasion(kind=""), False),
        (Rule(from_age=40, to_age=40), occasion(), True),
        (Rule(from_age=41), occasion(), False),
        (Rule(to_age=39), occasion(), False),
        (Rule(from_age=18), occasion(age=None), True),
        (Rule(months=1), occasion(answered=datetime(2026, 2, 28, 11, tzinfo=UTC)), True),
        (Rule(months=1), occasion(answered=datetime(2026, 3, 1, tzinfo=UTC)), False),
        (Rule(), occasion(answered=NOW), True),
    ],
)
def test_a_rule_fits_a_visit_or_not(rule: Rule, at: Occasion, asked: bool) -> None:
    assert rules.applies(rule, URL, at) is asked


@pytest.mark.parametrize(
    ("months", "then"),
    [(1, date(2026, 2, 28)), (12, date(2025, 3, 31)), (13, date(2025, 2, 28)), (3, date(2025, 12, 31))],
)
def test_months_go_back_to_the_same_day_or_the_last_of_a_shorter_month(months: int, then: date) -> None:
    assert rules.months_before(NOW, months).date() == then


@pytest.mark.parametrize(
    ("born", "age"),
    [("2008-03-31", 18), ("2008-04-01", 17), ("2008-02-29", 18), ("2008", None), (None, None), ("odd", None)],
)
def test_age_is_counted_in_whole_years_and_unknown_for_a_partial_date(born: str | None, age: int | None) -> None:
    assert rules.age_on(born, NOW.date()) == age


def test_a_rule_is_kept_as_it_was_and_told_in_a_sentence() -> None:
    rule = Rule(False, 3, ("Check-up", "Follow-up"), 12, 17, 1)
    assert Rule.of(rule.stored()) == rule
    assert (
        rules.sentence(rule)
        == "Optional before “Check-up” and “Follow-up”, for people of 12 to 17 years, unless answered in the last month."
    )
    assert rules.sentence(Rule()) == "Required before every visit."
