"""Somebody answers for another: let in at the desk or by the patient, always visible, named at the desk, and out when it ends."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys import swift
from tests.journeys.conftest import Walker
from tests.journeys.steps import open_submission

Person = Callable[..., Walker]
CHILD, MOTHER = "Robin Vale", "Carla Vale"
BORN = ("3", "5", "1988")


def answering(person: Walker, whom: str) -> None:
    expect(person.page.locator(".pv-answering__who")).to_have_text(f"You are answering for {whom}")


def take_up(person: Walker, link: str, email: str) -> None:
    """Open the link, prove who one is, make an account."""
    person.open(link)
    assert CHILD not in person.page.content(), "before the proof nobody is told for whom it is"
    for label, part in zip(("Day", "Month", "Year"), BORN, strict=True):
        person.page.get_by_label(label, exact=True).fill(part)
    person.press("Continue")
    person.page.get_by_label("E-mail address").fill(email)
    person.page.get_by_label("Choose a password").fill(swift.SECRET)
    person.press("Make account and continue")


def test_a_mother_answers_for_her_child_until_the_desk_ends_it(walker: Person, staff: Person) -> None:
    sam = staff("desk")
    swift.link_for_new(sam, CHILD, "2019-01-02")
    sam.open("/desk/visits")
    sam.follow(f"Who may answer for {CHILD}")
    sam.page.get_by_label("Name of the person who will answer").fill(MOTHER)
    sam.page.get_by_label("Their own date of birth").fill("1988-05-03")
    sam.page.get_by_label("Parent", exact=True).check()
    for scope in ("forms", "results"):
        sam.page.locator(f"input[name=scope][value={scope}]").check()
    sam.page.get_by_label("What you saw, and why").fill("Birth certificate and passport shown")
    sam.press("Make a link")
    link = sam.page.locator("#link").input_value()
    carla = walker()
    take_up(carla, link, "carla@patient.example")
    answering(carla, CHILD)
    hub = swift.hub_of(carla)
    carla.open(hub)
    answering(carla, CHILD)
    carla.sees(f"You may not sign for {CHILD} or choose what may be shared")
    assert carla.page.get_by_role("link", name="Choose what may be shared").count() == 0
    swift.confirm(carla, hub)
    carla.open(f"{hub}/forms/paediatric-intake/about-you-and-the-visit")
    carla.page.get_by_label("The child's date of birth").fill("2 January 2019")
    carla.press("Save and come back later")
    swift.fill_in(carla, hub)
    assert swift.send(carla, f"{hub}/check") == f"{hub}/receipt"
    open_submission(sam, CHILD)
    sam.sees(MOTHER)
    sam.open("/desk/visits")
    sam.follow(f"Who may answer for {CHILD}")
    sam.page.get_by_label("Why", exact=True).first.fill("Custody changed")
    sam.page.get_by_role("button", name="End now").first.click()
    sam.sees("Custody changed")
    carla.page.goto(f"{carla.demo.url}{hub}")
    carla.sees("You do not answer for anybody here now")


def test_a_patient_lets_somebody_answer_and_ends_it(walker: Person, new_patient: Person) -> None:
    kim = new_patient("Kim Oakley")
    kim.open("/people-who-answer")
    kim.press("Let somebody answer for you")
    kim.page.get_by_label("Their name").fill("Carla Vale")
    for label, part in zip(("Day", "Month", "Year"), BORN, strict=True):
        kim.page.get_by_label(label, exact=True).fill(part)
    kim.page.get_by_label("Somebody who helps me").check()
    kim.page.locator("input[name=scope][value=consents]").check()
    kim.press("Make a link")
    carer = walker()
    take_up(carer, kim.page.locator("#link").input_value(), "carer@patient.example")
    answering(carer, "Kim Oakley")
    carer.open("/consent")
    kim.open("/people-who-answer")
    kim.page.get_by_role("button", name="End this now").first.click()
    kim.sees("Taken back")
    carer.page.goto(f"{carer.demo.url}/consent")
    carer.sees("You do not answer for anybody here now")
