"""The clinic's own sign-in: a patient comes in by it and connects their record; staff come from the record system."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.conftest import DESKTOP, PASSWORD, STAFF, Demo, Walker

SYSTEM = "Springfield record system"


def allow(person: Walker, name: str) -> None:
    """On the clinic's pages: sign in as somebody and allow what is asked."""
    person.page.get_by_label(name).first.check()
    person.press("Sign in")
    person.press("Allow")


def test_a_patient_signs_in_at_the_clinic_connects_the_record_and_ends_it(walker: Callable[..., Walker]) -> None:
    kwame = walker()
    kwame.open("/sign-in")
    kwame.press(f"Sign in with {SYSTEM}")
    kwame.press(f"Continue to {SYSTEM}")
    allow(kwame, "Kwame Mensah")
    kwame.sees("Hello, Kwame Mensah")
    kwame.follow("Your record at the clinic")
    kwame.press("Connect my record")
    kwame.press(f"Continue to {SYSTEM}")
    allow(kwame, "Kwame Mensah")
    kwame.sees("Your record is connected.")
    kwame.open("/results")
    kwame.open("/connect")
    kwame.press("End my permission")
    kwame.sees("Your permission has ended.")
    kwame.sees("confirmed that it ended it too")


def test_a_patient_who_chooses_another_persons_record_connects_nothing(walker: Callable[..., Walker]) -> None:
    mei = walker(js=False)
    mei.sign_in("mei@demo.example")
    mei.open("/connect")
    mei.press("Connect my record")
    mei.press(f"Continue to {SYSTEM}")
    allow(mei, "Ana Morales")
    mei.sees("is not the one of this account")
    mei.open("/connect")
    expect(mei.page.get_by_role("button", name="Connect my record")).to_be_visible()


def test_a_clinician_opens_the_desk_from_the_record_system(walker: Callable[..., Walker], demo: Demo) -> None:
    """The first time they say who they are; from then on it signs them in, with the patient who was open."""
    lee = walker(size=DESKTOP)
    _open_for(lee, "Kwame Mensah")
    lee.page.get_by_label("E-mail address").fill(STAFF["clinician"])
    lee.page.get_by_label("Password", exact=True).fill(PASSWORD)
    lee.press("Sign in")
    lee.sees("Is this you?")
    lee.sees("Practitioner/")
    lee.press("Yes, both are me")
    lee.sees("Only what this patient sent is shown")
    again = walker(size=DESKTOP)
    _open_for(again, "Kwame Mensah")
    again.sees("Kwame Mensah")
    again.follow("Show everybody")


def _open_for(person: Walker, patient: str) -> None:
    """On the page that plays the record system; it opens a window of its own, here the same one."""
    person.open(f"{person.demo.clinic}/ehr")
    person.page.evaluate("document.forms[0].removeAttribute('target')")
    person.page.get_by_role("group", name="The patient who is open").get_by_label(patient).check()
    person.press("Open previsit for this patient")
