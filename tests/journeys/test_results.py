"""Test results as the laboratory sent them, and a different sentence for each way in which there can be none.

What is said when the clinic cannot be reached is in test_when_the_clinic_is_down.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys import swift
from tests.journeys.conftest import PASSWORD, Arrive, Walker

Person = Callable[..., Walker]


def test_eight_years_of_one_test_are_a_picture_and_a_table_with_the_range_each_came_with(walker: Arrive) -> None:
    kwame = walker()
    swift.sign_in(kwame, "kwame@demo.example", PASSWORD)
    kwame.open("/results")
    kwame.follow(re.compile("Creatinine"))
    kwame.sees("(it changed)")
    expect(kwame.page.get_by_role("img", name=re.compile("Creatinine"))).to_be_visible()
    rows = kwame.page.get_by_role("table").get_by_role("row")
    assert rows.count() == 18
    ranges = {rows.nth(place).get_by_role("cell").last.inner_text() for place in range(1, 18)}
    assert len(ranges) == 2 and any("0.70 to 1.20" in each for each in ranges)


def test_a_corrected_result_says_that_it_was_corrected_and_what_was_reported_before(walker: Arrive) -> None:
    mei = walker()
    swift.sign_in(mei, "mei@demo.example", PASSWORD)
    mei.open("/results")
    mei.sees("Corrected")
    mei.follow(re.compile("etabolic"))
    mei.sees("4.1")
    mei.sees("Reported before as 6.8 mmol/L (high).")


def test_results_of_every_kind_have_words(walker: Arrive) -> None:
    priya = walker()
    swift.sign_in(priya, "priya@demo.example", PASSWORD)
    priya.open("/results")
    for link in [each.get_attribute("href") for each in priya.page.locator("main .pv-results__name a").all()]:
        assert link
        priya.open(link)


def test_none_and_not_wanted_are_different_sentences(patient: Person, new_patient: Person) -> None:
    oliver = patient("oliver-lindqvist")
    oliver.open("/results")
    oliver.sees("We looked and there are none.")

    noa = new_patient("Noa Keeps")
    noa.open("/consent")
    noa.press("Choose now")
    for question in noa.page.locator("fieldset:has(input[type=radio])").all():
        question.get_by_role("radio").first.check()
    noa.page.get_by_label("No, do not read them.").check()
    noa.press("Save my choices")
    noa.open("/results")
    noa.sees("You chose not to have your results read here")
