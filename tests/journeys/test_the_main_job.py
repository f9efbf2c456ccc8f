"""The main job, walked in a browser: from the invitation to the clinic's record, and what each side sees on the way."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.conftest import DESKTOP, Demo, Walker

Arrive = Callable[..., Walker]
SECRET = "four plain words and a fish"


def join(person: Walker, link: str, birth_date: str, email: str) -> None:
    year, month, day = birth_date.split("-")
    person.open(link)
    for label, part in (("Day", day), ("Month", month), ("Year", year)):
        person.page.get_by_label(label, exact=True).fill(part)
    person.press("Continue")
    person.page.get_by_label("E-mail address").fill(email)
    person.page.get_by_label("Choose a password").fill(SECRET)
    person.press("Make account and continue")


def confirm_everything(person: Walker, differently: dict[str, tuple[str, str]]) -> None:
    """Every fact is still right, but for those named: label → (answer, what changed)."""
    person.follow("Check what the clinic has on record")
    for _ in range(4):
        for fact in person.page.locator(".pv-fact").all():
            label = fact.locator("legend").inner_text().strip()
            answer, change = differently.get(label, ("Still right", ""))
            fact.get_by_label(answer, exact=True).check()
            if change:
                fact.get_by_role("textbox").fill(change)
        question = person.page.get_by_role("group", name=re.compile(r"^(Do you|Would you)"))
        if question.count():
            question.get_by_role("radio").nth(1).check()
        person.press("Save and continue")


def fill_health_history(person: Walker) -> None:
    person.follow("Health history")
    person.press("Save and continue")
    person.sees("There is a problem")
    person.page.get_by_label("What would you most like to talk about?").fill("My knee hurts when I climb stairs. K+ <3.5 & \"rash\"")
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
    person.answer("Little interest or pleasure", "Not at all")
    person.answer("Feeling down", "Several days")
    person.press("Save and continue")
    person.page.get_by_label("Diabetes").check()
    person.press("Save and continue")


def choose_what_is_shared(person: Walker) -> None:
    person.follow("Choose what may be shared")
    for question in person.page.locator("fieldset:has(input[type=radio])").all():
        question.get_by_role("radio").first.check()
    with person.page.expect_navigation(wait_until="load"):
        person.page.locator("main form button[type=submit]").first.click()
    person.look()


def test_an_intake_reaches_the_clinics_record(demo: Demo, walker: Arrive) -> None:
    ana = walker()
    join(ana, demo.invitation, demo.birth_date, "ana@demo.example")
    ana.follow(re.compile(r"\d{4}"))
    ana.sees("Prepare your visit")
    hub = ana.page.url.removeprefix(demo.url)
    confirm_everything(ana, {"Mobile phone": ("Changed", "+1 217 555 0177"), "Metformin 500 mg tablet": ("I take it differently", "Only in the evening")})
    fill_health_history(ana)
    choose_what_is_shared(ana)
    ana.open(hub)
    ana.follow("Check your answers and send them")
    ana.sees("K+ <3.5 & \"rash\"")
    ana.sees("23.7")
    ana.press("Send to Springfield Family Clinic")
    ana.sees("Your clinic has your answers.")
    reference = ana.page.locator(".pv-reference").inner_text()
    assert re.fullmatch(r"PV-\w{4}-\w{4}", reference)

    lee = walker(size=DESKTOP)
    lee.sign_in("clinician@demo.example")
    lee.sees("Ana")
    lee.follow(re.compile("Ana"))
    lee.sees("+1 217 555 0177")
    accept_everything(lee)
    ana.wait_for(f"{hub}/receipt", "In your medical record since")
    ana.open("/who-looked")
    ana.sees("Dr Lee opened your answers to prepare your visit.")


def accept_everything(staff: Walker) -> None:
    for proposal in staff.page.locator("fieldset:has(input[type=radio][value=accept])").all():
        proposal.locator("input[value=accept]").check()
    staff.press("Save and finish")
    expect(staff.page.locator("main")).to_contain_text("not in the record")
