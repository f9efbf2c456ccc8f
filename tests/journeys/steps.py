"""What people do again and again on their way, in the browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.conftest import Walker
from tests.journeys.swift import SECRET


def join(person: Walker, link: str, birth_date: str, email: str) -> None:
    year, month, day = birth_date.split("-")
    person.open(link)
    person.page.get_by_label("The code from the clinic").fill(link.partition("#")[2])
    for label, part in (("Day", day), ("Month", month), ("Year", year)):
        person.page.get_by_label(label, exact=True).fill(part)
    person.press("Continue")
    person.page.get_by_label("E-mail address").fill(email)
    person.page.get_by_label("Choose a password").fill(SECRET)
    person.press("Make account and continue")


def confirm_everything(person: Walker, differently: dict[str, tuple[str, str]]) -> None:
    """Every fact is still right, but for those named: label → (answer, what changed)."""
    person.follow("Check what the clinic has on record")
    while "/confirm/" in person.page.url:
        for fact in person.page.locator(".pv-fact").all():
            label = fact.locator("legend").inner_text().strip()
            answer, change = differently.get(label, ("Still right", ""))
            fact.get_by_label(answer, exact=True).check()
            if change:
                fact.get_by_role("textbox").fill(change)
        for question in person.page.locator("fieldset:has(input[type=radio][value=none])").all():
            question.get_by_role("radio").nth(1).check()
        person.press("Save and continue")


def fill_health_history(person: Walker) -> None:
    person.follow("Health history")
    person.press("Save and continue")
    person.sees("There is a problem")
    person.page.get_by_label("What would you most like to talk about?").fill(
        'My knee hurts when I climb stairs. K+ <3.5 & "rash"'
    )
    person.answer("Is this something new?", "Yes, it is new")
    if not person.scripted:
        person.press("Update this page")
    person.page.get_by_label("Roughly when did it start?").fill("March 2026")
    person.press("Save and continue")
    person.answer("Do you need an interpreter?", "No")
    person.page.get_by_label("Your height").fill("170")
    person.page.get_by_label("Your weight").fill("68.5")
    person.press("Save and continue")
    person.answer("Have you ever stayed in a hospital", "Yes")
    if not person.scripted:
        person.press("Update this page")
    person.page.get_by_label("What was it for?").fill("Appendix")
    person.page.get_by_label("Roughly when?").fill("2019")
    person.press("Save and continue")
    person.answer("Do you smoke?", "No, never")
    person.answer("How often do you have a drink with alcohol?", "Never")
    person.press("Save and continue")
    person.press("Save and continue")  # vaccines: none of them
    person.answer("Little interest or pleasure", "Not at all")
    person.answer("Feeling down", "Several days")
    person.press("Save and continue")
    person.page.get_by_label("Diabetes").check()
    person.press("Save and continue")


def choose_what_is_shared(person: Walker) -> None:
    person.follow("Choose what may be shared")
    for question in person.page.locator("fieldset:has(input[type=radio])").all():
        question.get_by_role("radio").first.check()
    person.press("Save my choices")


def open_submission(staff: Walker, name: str) -> None:
    staff.open("/desk")
    staff.follow(re.compile(name))


def accept_everything(staff: Walker) -> None:
    for proposal in staff.page.locator("fieldset:has(input[type=radio][value=accept])").all():
        proposal.locator("input[value=accept]").check()
    staff.press("Save and finish")
    expect(staff.page.locator("main")).to_contain_text(re.compile("not in the record yet|In the record|no clear reply"))


def reference(person: Walker) -> str:
    found: str = person.page.locator(".pv-reference").inner_text()
    assert re.fullmatch(r"PV-\w{4}-\w{4}", found)
    return found
