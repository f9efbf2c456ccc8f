"""Somebody who uses a keyboard only fills in a page of the form and sends their answers."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys import swift
from tests.journeys.conftest import Walker

Person = Callable[..., Walker]


def test_a_page_is_filled_in_and_everything_sent_with_tab_space_and_enter(new_patient: Person) -> None:
    lou = new_patient("Lou Keys")
    hub = swift.hub_of(lou)
    lou.open(f"{hub}/forms/health-history/your-visit")
    _tab_to(lou, "What would you most like to talk about?")
    lou.page.keyboard.type("My hands")
    _tab_to(lou, "Yes, it is new")
    with lou.page.expect_response(lambda answer: answer.request.method == "POST"):
        lou.page.keyboard.press("Space")
    expect(lou.page.get_by_label("Roughly when did it start?")).to_be_visible()
    _tab_to(lou, "Roughly when did it start?")
    lou.page.keyboard.type("2026")
    with lou.page.expect_navigation(wait_until="load"):
        lou.page.keyboard.press("Enter")
    expect(lou.page.locator("h1")).to_have_text("About you")

    swift.confirm(lou, hub)
    swift.fill_in(lou, hub)
    swift.consent(lou, hub)
    lou.open(f"{hub}/check")
    lou.sees("My hands")
    _tab_to(lou, "Send to Springfield Family Clinic")
    with lou.page.expect_navigation(wait_until="load"):
        lou.page.keyboard.press("Enter")
    lou.sees("Your clinic has your answers.")


def test_the_first_tab_leads_past_the_header(new_patient: Person) -> None:
    lou = new_patient("Toni Skip")
    lou.open("/visits")
    lou.page.keyboard.press("Tab")
    assert _focused(lou) == "Skip to main content"
    lou.page.keyboard.press("Enter")
    expect(lou.page.locator("main")).to_be_focused()


def _tab_to(person: Walker, name: str) -> None:
    for _ in range(80):
        person.page.keyboard.press("Tab")
        if _focused(person).startswith(name):
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


def _focused(person: Walker) -> str:
    """The words of what has the focus."""
    found: str = person.page.evaluate(
        "() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
    )
    return found
