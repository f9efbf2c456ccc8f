"""The clinic's server is down, or answers nonsense, or loses its reply: everything goes on, and arrives exactly once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys import swift
from tests.journeys.conftest import PASSWORD, Demo, Walker
from tests.journeys.steps import accept_everything, choose_what_is_shared, open_submission

Person = Callable[..., Walker]
WAITING = "Your clinic has your answers. They are not yet in your medical record."


@pytest.fixture(autouse=True)
def _mended_afterwards(demo: Demo) -> Iterator[None]:
    yield
    demo.fault("none")


def test_with_the_clinic_down_everything_but_delivery_works_and_it_is_delivered_once_later(
    demo: Demo, patient: Person, staff: Person
) -> None:
    grace, lee = patient("grace-bennett"), staff("clinician")
    demo.fault("down")
    hub = swift.hub_of(grace)
    grace.open("/results")
    grace.sees("We could not look")
    grace.sees("This does not mean that there are no results.")
    grace.open(f"{hub}/confirm")
    grace.sees("We could not look at your record just now.")
    swift.confirm(grace, hub)
    swift.fill_in(grace, hub)
    grace.open(hub)
    choose_what_is_shared(grace)
    grace.open(f"{hub}/check")
    grace.press("Send to Springfield Family Clinic")
    grace.sees("Your clinic has your answers.")
    open_submission(lee, "Grace")
    lee.sees("We could not look.")
    accept_everything(lee)
    grace.open(f"{hub}/receipt")
    grace.sees(WAITING)
    assert not demo.in_record("QuestionnaireResponse", "grace-bennett")

    demo.fault("none")
    grace.wait_for(f"{hub}/receipt", "In your medical record since", 90)
    assert len(demo.in_record("QuestionnaireResponse", "grace-bennett")) == 1


def test_a_page_of_html_and_a_lost_reply_to_a_delivery_end_with_it_there_exactly_once(
    demo: Demo, patient: Person, staff: Person
) -> None:
    """The two wait out the time in which the clinic's server may still be working on what it was sent, together."""
    lee, hubs = staff("clinician"), []
    for mode, name, patient_id in (("html", "Fatima", "fatima-sayed"), ("lost_reply", "Oliver", "oliver-lindqvist")):
        person = patient(patient_id)
        hub = swift.submit(person)
        demo.fault(mode, method="POST", path="/fhir", times=1)
        open_submission(lee, name)
        accept_everything(lee)
        demo.until_broken(mode)
        hubs.append((person, f"{hub}/receipt"))
    for person, receipt in hubs:
        person.wait_for(receipt, "In your medical record since", 200)
    for patient_id in ("fatima-sayed", "oliver-lindqvist"):
        assert len(demo.in_record("QuestionnaireResponse", patient_id)) == 1
        assert len(demo.in_record("Consent", patient_id)) == 1


def test_results_read_before_stay_with_the_time_they_were_read(demo: Demo, walker: Person) -> None:
    kwame = walker()
    swift.sign_in(kwame, "kwame@demo.example", PASSWORD)
    kwame.open("/results")
    demo.fault("down")
    kwame.open("/results")
    expect(kwame.page.locator("main")).to_contain_text(re.compile(r"Read (today|on \d+ \w+ \d{4}) at \d\d:\d\d"))
    kwame.sees("HbA1c")
