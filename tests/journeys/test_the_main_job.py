"""The main job, walked in a browser: from the invitation to the clinic's record, and what each side sees on the way."""

from __future__ import annotations

import re

from portal.sandbox.seeds import person
from tests.journeys.conftest import DESKTOP, PASSWORD, STAFF, Arrive, Demo
from tests.journeys.steps import (
    accept_everything,
    choose_what_is_shared,
    confirm_everything,
    fill_health_history,
    join,
    open_submission,
    reference,
)


def test_an_intake_reaches_the_clinics_record(demo: Demo, walker: Arrive) -> None:
    ana = walker()
    join(ana, demo.invitation, demo.birth_date, "ana@demo.example")
    ana.follow(re.compile(r"\d{4}"))
    ana.sees("Prepare your visit")
    hub = ana.page.url.removeprefix(demo.url)
    changed = ("I take it differently", "Only in the evening")
    confirm_everything(ana, {"Mobile phone": ("Changed", "+1 217 555 0177"), "Metformin 500 mg tablet": changed})
    fill_health_history(ana)
    choose_what_is_shared(ana)
    ana.open(hub)
    ana.follow("Check your answers and send them")
    ana.sees('K+ <3.5 & "rash"')
    ana.sees("23.7")
    ana.press("Send to Springfield Family Clinic")
    ana.sees("Your clinic has your answers.")
    assert reference(ana)

    lee = walker(size=DESKTOP)
    lee.sign_in(STAFF["clinician"])
    lee.sees("Ana")
    lee.follow(re.compile("Ana"))
    lee.sees("+1 217 555 0177")
    accept_everything(lee)
    ana.wait_for(f"{hub}/receipt", "In your medical record since", 60)
    ana.look()
    ana.open("/who-looked")
    ana.sees("Dr Lee opened your answers to prepare your visit.")
    assert len(demo.in_record("QuestionnaireResponse", "ana-morales")) == 1
    phones = [each["value"] for each in demo.patient("ana-morales")["telecom"] if each["system"] == "phone"]
    assert "+1 217 555 0177" in phones or "+12175550177" in phones


def test_an_intake_reaches_the_clinics_record_without_javascript(demo: Demo, walker: Arrive) -> None:
    sam = walker(js=False, size=DESKTOP)
    sam.sign_in(STAFF["desk"])
    sam.follow("Visits")
    sam.press("Make a link for Robert Hughes")
    sam.sees("Link and code are shown only now")
    code = sam.page.locator(".pv-reference").inner_text()
    link = f"{sam.page.get_by_label('1. The link').input_value()}#{code}"

    robert = walker(js=False)
    join(robert, link, person("robert-hughes").born, "robert@patient.example")
    robert.follow(re.compile(r"\d{4}"))
    hub = robert.page.url.removeprefix(demo.url)
    confirm_everything(robert, {"Ibuprofen 200 mg tablet": ("I no longer take it", "")})
    fill_health_history(robert)
    choose_what_is_shared(robert)
    robert.open(f"{hub}/check")
    robert.press("Send to Springfield Family Clinic")
    robert.sees("Your clinic has your answers.")

    lee = walker(js=False, size=DESKTOP)
    lee.sign_in(STAFF["clinician"], PASSWORD)
    open_submission(lee, "Robert")
    accept_everything(lee)
    robert.wait_for(f"{hub}/receipt", "In your medical record since", 60)
    assert len(demo.in_record("QuestionnaireResponse", "robert-hughes")) == 1
