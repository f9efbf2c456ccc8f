"""An ordinary intake is reviewed in a few clicks, and with keys alone; nothing is sent by a letter."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys import swift
from tests.journeys.conftest import PASSWORD, Walker

Person = Callable[..., Walker]
MOST_CLICKS = 6
"""open it, accept what needs no closer look, the two things that do need one, finish, and one to spare"""


@dataclass
class Hand:
    """Clicks, and counts them."""

    person: Walker
    clicks: int = 0

    def click(self, what: Locator, *, leads_on: bool = False) -> None:
        self.clicks += 1
        if not leads_on:
            what.click()
            return
        with self.person.page.expect_navigation(wait_until="load"):
            what.click()
        self.person.look()


def test_an_ordinary_intake_takes_a_few_clicks_and_less_than_a_minute(
    walker: Person, staff: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    kwame, lee = walker(), staff("clinician")
    swift.sign_in(kwame, "kwame@demo.example", PASSWORD)
    _send_with_two_changes(kwame)
    lee.open("/desk")
    hand, begun = Hand(lee), time.monotonic()
    page = lee.page
    hand.click(page.get_by_role("link", name=re.compile("Kwame")), leads_on=True)
    things = int(re.findall(r"(\d+) things? to decide", page.locator("main").inner_text())[0])
    _keys_do_the_same_and_send_nothing(lee)
    bulk = page.get_by_role("button", name=re.compile(r"Accept these \d+"))
    if bulk.count():
        hand.click(bulk.first, leads_on=True)
    if "Save and finish" in page.locator("main").inner_text():
        for card in page.locator("[data-card]").all():
            accept = card.locator("input[value=accept]")
            if not card.locator("input[type=radio]:checked").count():
                hand.click(accept)
        hand.click(page.get_by_role("button", name="Save and finish", exact=True), leads_on=True)
    expect(page.locator("main")).to_contain_text(re.compile("not in the record yet|In the record|no clear reply"))
    seconds = time.monotonic() - begun
    with capsys.disabled():
        print(f"\nAn ordinary intake: {things} things to decide, {hand.clicks} clicks, {seconds:.1f} seconds here")
    assert hand.clicks <= MOST_CLICKS


def _send_with_two_changes(kwame: Walker) -> None:
    hub = swift.hub_of(kwame)
    swift.confirm(kwame, hub)
    for section in ("medication", "condition"):
        swift.send(kwame, f"{hub}/confirm/{section}", _first_is_no_more())
    swift.fill_in(kwame, hub)
    swift.consent(kwame, hub)
    assert swift.send(kwame, f"{hub}/check") == f"{hub}/receipt"


def _first_is_no_more() -> Callable[[str, list[str]], str]:
    """The first thing asked about is no more; everything else is still right."""
    said: list[str] = []

    def choose(name: str, values: list[str]) -> str:
        if "stopped" in values and (not said or name in said):
            said.append(name)
            return "stopped"
        return swift.none_or_same(name, values)

    return choose


def _keys_do_the_same_and_send_nothing(lee: Walker) -> None:
    page, where = lee.page, lee.page.url
    expect(page.locator("body")).to_have_class(re.compile("pv-keys-on"))
    first = page.locator("[data-card]").first
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("a")
    expect(first.locator("input[value=accept]")).to_be_checked()
    page.keyboard.press("r")
    reason = first.locator("textarea").first
    expect(reason).to_be_focused()
    page.keyboard.type("a fjk?")
    expect(reason).to_have_value("a fjk?")
    expect(first.locator("input[value=reject]")).to_be_checked()
    first.locator("input[value=reject]").focus()
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Save and finish")).to_be_focused()
    assert page.url == where

    lee.open("/desk/keys")
    page.get_by_role("button", name="Turn keys off").click()
    lee.open(where)
    page.keyboard.press("j")
    expect(page.locator("[data-card]").first).not_to_be_focused()
    lee.open("/desk/keys")
    page.get_by_role("button", name="Turn keys on").click()
    lee.open(where)
