"""Two devices, two tabs, double clicks, the back button, a session that ends: nothing typed or sent is lost or doubled."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys import swift
from tests.journeys.conftest import DESKTOP, PASSWORD, Arrive, Demo, Walker
from tests.journeys.steps import reference

Person = Callable[..., Walker]
TALK = "What would you most like to talk about?"


def test_another_device_goes_on_where_the_first_stopped(walker: Arrive, new_patient: Person) -> None:
    phone = new_patient("Dana Two")
    hub = swift.hub_of(phone)
    phone.open(f"{hub}/forms/health-history")
    phone.page.get_by_label(TALK).fill("My sleep")
    phone.answer("Is this something new?", "No, but it has changed")
    phone.page.get_by_label("Roughly when did it start?").fill("2025")
    phone.press("Save and continue")
    phone.page.get_by_label("What should we call you?").fill("Dani")
    phone.press("Save and come back later")
    phone.sees("Started")

    computer = walker(size=DESKTOP)
    computer.sign_in("Dana.Two@patient.example", swift.SECRET)
    computer.open(hub)
    computer.follow("Health history")
    expect(computer.page.locator("h1")).to_have_text("About you")
    expect(computer.page.get_by_label("What should we call you?")).to_have_value("Dani")
    computer.open(f"{hub}/forms/health-history/your-visit")
    expect(computer.page.get_by_label(TALK)).to_have_value("My sleep")
    expect(computer.page.get_by_label("Roughly when did it start?")).to_have_value("2025")


def test_two_tabs_of_one_page_are_merged_and_a_clash_is_shown_with_both_texts(new_patient: Person) -> None:
    mai = new_patient("Mai Clash")
    place = f"{swift.hub_of(mai)}/forms/health-history/your-visit"
    mai.open(place)
    _write(mai.page, "Dizzy in the morning")
    other = _second_tab(mai, place)
    _write(other.page, "Swollen legs")
    other.answer("Is this something new?", "Yes, it is new")
    other.press("Save and continue")

    mai.press("Save and continue")
    mai.sees("This page was saved somewhere else meanwhile")
    for words in ("Swollen legs", "Dizzy in the morning"):
        expect(mai.page.get_by_role("row").filter(has_text="most like to talk about")).to_contain_text(words)
    expect(mai.page.get_by_label(TALK)).to_have_value("Dizzy in the morning")
    mai.open(place)
    expect(mai.page.get_by_label(TALK)).to_have_value("Swollen legs")
    assert _chosen(mai, "Is this something new?") == "Yes, it is new"


def test_what_was_changed_in_one_tab_only_stays_when_the_other_is_saved(new_patient: Person) -> None:
    oliver = new_patient("Oliver Both")
    place = f"{swift.hub_of(oliver)}/forms/health-history/about-you"
    oliver.open(place)
    oliver.page.get_by_label("Your height").fill("184")
    other = _second_tab(oliver, place)
    other.page.get_by_label("What should we call you?").fill("Olle")
    other.answer("Do you need an interpreter?", "No")
    other.press("Save and continue")
    oliver.answer("Do you need an interpreter?", "No")
    oliver.press("Save and continue")
    oliver.open(place)
    expect(oliver.page.get_by_label("What should we call you?")).to_have_value("Olle")
    expect(oliver.page.get_by_label("Your height")).to_have_value("184")


def test_a_double_click_another_tab_and_the_back_button_send_once_under_one_reference(walker: Arrive) -> None:
    priya = walker(js=False)
    swift.sign_in(priya, "priya@demo.example", PASSWORD)
    hub = swift.prepare(priya)
    priya.open(f"{hub}/check")
    twice = _second_tab(priya, f"{hub}/check")
    priya.page.get_by_role("button", name="Send to Springfield Family Clinic").dblclick()
    expect(priya.page).to_have_url(re.compile(r"/receipt$"))  # the second click breaks the first one's way off
    first = reference(priya)
    twice.press("Send to Springfield Family Clinic")
    assert reference(twice) == first
    priya.page.go_back()
    priya.open(f"{hub}/receipt")
    assert reference(priya) == first
    priya.open(f"{hub}/forms/health-history/your-visit")
    expect(priya.page.locator("h1")).to_have_text("Your answers have been sent")


def test_what_was_typed_when_the_session_ended_comes_back_to_the_same_person_only(
    demo: Demo, walker: Arrive, new_patient: Person
) -> None:
    noa = new_patient("Noa Late")
    place = f"{swift.hub_of(noa)}/forms/health-history/your-visit"
    noa.open(place)
    _write(noa.page, "My skin is itchy at night")
    demo.time_runs_out()
    noa.press("Save and continue")
    noa.sees("Anything you had typed is kept for you.")
    sign_in_again = noa.page.url

    somebody_else = walker()
    somebody_else.open(sign_in_again)
    _sign_in_here(somebody_else, "kwame@demo.example", PASSWORD)
    assert "itchy" not in somebody_else.page.content()

    _sign_in_here(noa, "Noa.Late@patient.example", swift.SECRET)
    noa.sees("You typed this before you were signed out.")
    expect(noa.page.get_by_label(TALK)).to_have_value("My skin is itchy at night")
    noa.answer("Is this something new?", "No, it is a regular check")
    noa.press("Save and continue")
    noa.open(place)
    expect(noa.page.get_by_label(TALK)).to_have_value("My skin is itchy at night")
    assert "before you were signed out" not in noa.page.content()


def _write(page: Page, words: str) -> None:
    page.get_by_label(TALK).fill(words)


def _second_tab(person: Walker, path: str) -> Walker:
    """Another tab of the same browser."""
    page = person.page.context.new_page()
    page.set_default_timeout(15_000)
    tab = Walker(page, person.demo, scripted=person.scripted)
    tab.open(path)
    return tab


def _chosen(person: Walker, question: str) -> str:
    checked = person.page.get_by_role("group", name=question).locator("input:checked")
    return person.page.locator(f"label[for='{checked.get_attribute('id')}']").inner_text().strip()


def _sign_in_here(person: Walker, email: str, password: str) -> None:
    person.page.get_by_label("E-mail address").fill(email)
    person.page.get_by_label("Password", exact=True).fill(password)
    with person.page.expect_navigation(wait_until="load"):
        person.page.get_by_role("button", name="Sign in", exact=True).click()
