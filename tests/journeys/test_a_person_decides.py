"""What a person at the clinic decides: whose record it is, a question back to the patient, a rejection with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys import swift
from tests.journeys.conftest import PASSWORD, Arrive, Demo, Walker
from tests.journeys.steps import accept_everything, open_submission

Person = Callable[..., Walker]


def test_somebody_who_looks_like_two_people_is_held_until_a_clerk_says_who_it_is(
    demo: Demo, walker: Arrive, staff: Person
) -> None:
    maria = walker()
    swift.sign_in(maria, "maria@demo.example", PASSWORD)
    hub = swift.submit(maria)
    sam = staff("desk")
    open_submission(sam, "Maria Garcia")
    sam.sees("Held: it is not certain whose record this is")
    assert not sam.page.get_by_role("button", name="Save and finish").count()
    assert not sam.page.get_by_role("radio", name="Accept").count()
    sam.follow("Look at the candidates")
    sam.press("Tie to the chosen record")
    sam.sees("There is a problem")
    expect(sam.page.locator("main")).to_contain_text(re.compile(r"\d records? could be this person"))
    assert not demo.in_record("QuestionnaireResponse", "maria-garcia-a")

    sam.page.locator("input[name=record]:enabled").first.check()
    sam.page.get_by_label("How do you know?").fill("Asked on the phone for the street she lives in")
    sam.press("Tie to the chosen record")
    lee = staff("clinician")
    open_submission(lee, "Maria Garcia")
    lee.sees("Asked on the phone for the street she lives in")
    accept_everything(lee)
    maria.wait_for(f"{hub}/receipt", "In your medical record since", 60)


def test_a_spanish_speaker_answers_in_spanish_is_asked_a_question_and_answers_again(
    demo: Demo, walker: Arrive, staff: Person
) -> None:
    lucia, lee = walker(language="es-MX"), staff("clinician")
    swift.sign_in(lucia, "lucia@demo.example", PASSWORD)
    hub = swift.hub_of(lucia)
    lucia.open(hub)
    _in_spanish(lucia)
    lucia.open(f"{hub}/forms/health-history/your-visit")
    expect(lucia.page.locator("html")).to_have_attribute("lang", "es")
    lucia.sees("¿De qué le gustaría hablar más?")
    _in_english(lucia)
    lucia.open(f"{hub}/confirm/medication")
    _differently(lucia, "Albuterol 90 mcg inhaler", "I take it differently", "Three times a day now")
    lucia.open(f"{hub}/confirm/condition")
    _differently(lucia, "Asthma", "I no longer have it", "")
    swift.confirm(lucia, hub)
    swift.fill_in(lucia, hub)
    swift.consent(lucia, hub)
    assert swift.send(lucia, f"{hub}/check") == f"{hub}/receipt"

    open_submission(lee, "Lucía")
    _decide(lee, "Albuterol", "Ask the patient", "Your question to the patient", "Since when three times?")
    _decide(
        lee, "Asthma", "Reject", "Why? The patient reads this.", "Asthma stays on the list while you have an inhaler."
    )
    lee.page.get_by_role("group", name=re.compile("Decision about PHQ-2 score")).get_by_label("Accept").check()
    lee.press("Save and finish")
    lee.sees("With the patient")

    lucia.open(hub)
    lucia.sees("Your clinic asked you to check 1 answer.")
    lucia.sees("Since when three times?")
    lucia.open(f"{hub}/confirm/medication")
    _differently(lucia, "Albuterol 90 mcg inhaler", "I take it differently", "Three times a day since May")
    lucia.open(f"{hub}/check")
    lucia.press("Send to Springfield Family Clinic")
    lucia.sees("Your clinic has your answers.")

    open_submission(lee, "Lucía")
    lee.sees("since May")
    accept_everything(lee)
    lucia.wait_for(f"{hub}/receipt", "In your medical record since", 60)
    assert len(demo.in_record("QuestionnaireResponse", "lucia-ortega")) == 1


def _in_spanish(person: Walker) -> None:
    if person.page.get_by_role("button", name="Español").count():
        person.press("Español")


def _in_english(person: Walker) -> None:
    if person.page.get_by_role("button", name="English").count():
        person.press("English")


def _differently(person: Walker, label: str, answer: str, change: str) -> None:
    for fact in person.page.locator(".pv-fact").all():
        asked = fact.locator("legend").inner_text().strip() == label
        fact.get_by_label(answer if asked else "Still right", exact=True).check()
        if asked and change:
            fact.get_by_role("textbox").fill(change)
    person.press("Save and continue")


def _decide(staff: Walker, what: str, verdict: str, label: str, words: str) -> None:
    group = staff.page.get_by_role("group", name=re.compile(f"Decision about {what}"))
    group.get_by_label(verdict, exact=True).check()
    group.get_by_label(label).fill(words)
