"""Pictures of every page: `python -m tests.pictures` starts a demo, walks the story and writes PNGs, phone and desktop.

All go into pictures/ (kept out of the repository); the README's two go into .ci/pictures/.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.browsing import CHROMIUM, chromium
from tests.journeys import steps, swift
from tests.journeys.conftest import (
    DESKTOP,
    PASSWORD,
    PHONE,
    STAFF,
    Demo,
    Walker,
    arrive,
    running_demo,
)
from tests.journeys.test_signing_in_safely import with_a_passkey

ROOT = Path(__file__).resolve().parent.parent
ALL, README = ROOT / "pictures", ROOT / ".ci" / "pictures"
SIZES = {"phone": PHONE, "desktop": DESKTOP}
CONFIRMED = "In your medical record since"


@dataclass
class Album:
    """Takes the pictures."""

    browser: Browser
    demo: Demo

    def person(self, email: str = "", password: str = PASSWORD) -> Walker:
        person = arrive(self.browser, self.demo)
        if email:
            swift.sign_in(person, email, password)
        return person

    def take(self, person: Walker, name: str, path: str = "") -> None:
        """The page as it stands, or the one at `path`, whole, in both sizes."""
        if path:
            person.page.goto(path if path.startswith("http") else f"{self.demo.url}{path}")
        for size, pixels in SIZES.items():
            person.page.set_viewport_size(pixels)  # type: ignore[arg-type]
            person.page.screenshot(path=ALL / f"{name}-{size}.png", full_page=True)
        person.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        print(f"  {name}", flush=True)

    def for_readme(self, person: Walker, name: str, size: dict[str, int]) -> None:
        """The first screen only, small enough for a repository."""
        person.page.set_viewport_size(size)  # type: ignore[arg-type]
        person.page.screenshot(path=README / f"{name}.png")


def the_front_door(album: Album) -> None:
    visitor = album.person()
    album.take(visitor, "sign-in", "/sign-in")
    visitor.page.get_by_label("E-mail address").fill("ana@demo.example")
    visitor.page.get_by_label("Password", exact=True).fill("not this one")
    visitor.page.get_by_role("button", name="Sign in", exact=True).click()
    album.take(visitor, "sign-in-error")
    album.take(visitor, "invitation", album.demo.invitation)
    album.take(visitor, "nothing-here", "/no-such-page")


def an_intake(album: Album) -> tuple[Walker, str]:
    """Ana, from her invitation to "sent" and the clerk's pages of it, while the clinic's server is down."""
    ana = album.person()
    swift.join(ana, album.demo.invitation, album.demo.birth_date, "ana@patient.example")
    hub = swift.hub_of(ana)
    album.take(ana, "visits", "/visits")
    for section in ("contact", "medication", "allergy", "condition", "coverage"):
        album.take(ana, f"confirm-{section}", f"{hub}/confirm/{section}")
    _change_two_things(ana, hub)
    ana.page.goto(f"{album.demo.url}{hub}/forms/health-history")
    ana.page.get_by_role("button", name="Save and continue").click()
    album.take(ana, "form-error")
    for page in ("about-you", "hospital-stays-and-operations", "how-you-have-been-feeling"):
        album.take(ana, f"form-{page}", f"{hub}/forms/health-history/{page}")
    album.take(ana, "hub", hub)
    album.for_readme(ana, "patient", PHONE)
    swift.fill_in(ana, hub)
    album.take(ana, "consent", f"{hub}/consent")
    swift.consent(ana, hub)
    album.take(ana, "check", f"{hub}/check")
    swift.send(ana, f"{hub}/check")
    album.take(ana, "receipt-sent", f"{hub}/receipt")
    return ana, hub


def _change_two_things(ana: Walker, hub: str) -> None:
    ana.page.goto(f"{ana.demo.url}{hub}")
    changed = {"Mobile phone": ("Changed", "+1 217 555 0177")}
    changed["Metformin 500 mg tablet"] = ("I take it differently", "Only in the evening")
    steps.confirm_everything(ana, changed)


def the_desk(album: Album, ana: Walker, hub: str) -> None:
    lee = album.person(STAFF["clinician"])
    album.take(lee, "queue", "/desk")
    steps.open_submission(lee, "Ana")
    album.take(lee, "submission")
    album.for_readme(lee, "desk", DESKTOP)
    album.demo.fault("down")
    steps.accept_everything(lee)
    album.take(lee, "submission-finished")
    album.take(ana, "receipt-waiting", f"{hub}/receipt")
    grace = album.person()
    swift.join(
        grace, swift.link_for(album.person(STAFF["desk"]), "Grace Bennett"), "1988-01-25", "grace@patient.example"
    )
    album.take(grace, "results-could-not-look", "/results")
    album.take(grace, "confirm-could-not-look", f"{swift.hub_of(grace)}/confirm/medication")
    album.demo.fault("none")
    ana.wait_for(f"{hub}/receipt", CONFIRMED, 120)
    album.take(ana, "receipt-confirmed")
    album.take(ana, "who-looked", "/who-looked")
    album.take(ana, "shared", "/consent")


def returned(album: Album) -> None:
    lucia, lee = album.person("lucia@demo.example"), album.person(STAFF["clinician"])
    hub = swift.hub_of(lucia)
    album.take(lucia, "hub-spanish", hub)
    album.take(lucia, "confirm-spanish", f"{hub}/confirm/medication")
    album.take(lucia, "form-spanish", f"{hub}/forms/health-history/your-visit")
    lucia.press("English")
    lucia.page.goto(f"{album.demo.url}{hub}/confirm/medication")
    fact = lucia.page.locator(".pv-fact").first
    fact.get_by_label("I take it differently", exact=True).check()
    fact.get_by_role("textbox").fill("Three times a day now")
    lucia.page.get_by_role("button", name="Save and continue").click()
    swift.confirm(lucia, hub)
    swift.fill_in(lucia, hub)
    swift.consent(lucia, hub)
    swift.send(lucia, f"{hub}/check")
    steps.open_submission(lee, "Lucía")
    group = lee.page.get_by_role("group", name=re.compile("Decision about Albuterol"))
    group.get_by_label("Ask the patient", exact=True).check()
    group.get_by_label("Your question to the patient").fill("Since when three times?")
    album.take(lee, "submission-asking")
    lee.press("Save and finish")
    album.take(lee, "submission-returned")
    album.take(lucia, "hub-returned", hub)


def held(album: Album) -> None:
    """Somebody who looks like two people, and a delivery that the clinic's server refuses."""
    maria, sam = album.person("maria@demo.example"), album.person(STAFF["desk"])
    swift.submit(maria)
    steps.open_submission(sam, "Maria Garcia")
    album.take(sam, "submission-held")
    sam.follow("Look at the candidates")
    album.take(sam, "match")
    mei, lee = album.person("mei@demo.example"), album.person(STAFF["clinician"])
    hub = swift.submit(mei)
    album.demo.fault("expired", method="POST", path="/fhir")
    steps.open_submission(lee, "Mei")
    steps.accept_everything(lee)
    for _ in range(60):
        lee.page.goto(f"{album.demo.url}/desk/held")
        if lee.page.locator("main table").count():
            break
        time.sleep(0.5)
    album.demo.fault("none")
    album.take(lee, "held")
    lee.page.locator("main table a").first.click()
    album.take(lee, "held-one")
    album.take(mei, "receipt-held", f"{hub}/receipt")


def results(album: Album) -> None:
    kwame = album.person("kwame@demo.example")
    album.take(kwame, "results", "/results")
    kwame.page.get_by_role("link", name=re.compile("Creatinine")).first.click()
    album.take(kwame, "trend")
    kwame.page.goto(f"{album.demo.url}/results")
    kwame.page.get_by_role("link", name=re.compile("ipid")).first.click()
    album.take(kwame, "report")
    mei = album.person("mei@demo.example")
    mei.page.goto(f"{album.demo.url}/results")
    mei.page.get_by_role("link", name=re.compile("etabolic")).first.click()
    album.take(mei, "report-corrected")
    album.take(album.person("priya@demo.example"), "results-of-every-kind", "/results")


def the_rest_of_the_desk(album: Album) -> None:
    sam = album.person(STAFF["desk"])
    album.take(sam, "desk-visits", "/desk/visits")
    sam.page.get_by_role("button", name=re.compile("Make a link for Oliver")).click()
    album.take(sam, "desk-invited")
    jo = album.person(STAFF["administrator"])
    jo.page.goto(f"{album.demo.url}/desk")
    jo.page.get_by_role("link", name="Connections").click()
    album.take(jo, "connections")
    jo.page.locator("main table a").first.click()
    album.take(jo, "connection")


def signing_in(album: Album) -> None:
    """A passkey made and used, the list of sessions, a page of one's own that says what protects it."""
    priya = album.person("priya@demo.example")
    with_a_passkey(priya)
    album.take(priya, "security-password-only", "/security")
    priya.press("Add a passkey")
    priya.page.get_by_label("What do you call this device?").fill("My phone")
    album.take(priya, "passkey-new")
    priya.press("Make the passkey")
    album.take(priya, "recovery-codes")
    priya.press("I have kept them")
    priya.press("Sign out")
    album.take(priya, "sign-in-passkey", "/sign-in")
    priya.press("Sign in with a passkey")
    album.take(priya, "sessions", "/security")


def answering(album: Album) -> None:
    """A father who answers for his son: on every page it says for whom."""
    tom = album.person("tom@demo.example")
    album.take(tom, "answering-visits", "/visits")
    album.take(tom, "answering-hub", swift.hub_of(tom))
    album.take(tom, "answering-for", "/answering-for")


def auditing(album: Album) -> None:
    alex = album.person("auditor@demo.example")
    album.take(alex, "audit-trail", "/audit")
    album.take(alex, "audit-standing", "/audit/standing")


def trust(album: Album) -> None:
    """Breaking the glass and its banner, the patient's question about who looked, and the privacy officer's pages."""
    lee, ana = album.person(STAFF["clinician"]), album.person("ana@patient.example", swift.SECRET)
    lee.page.goto(f"{album.demo.url}/desk/visits")
    lee.page.locator("tr", has_text="Ana").locator("a[href*='/emergency/']").first.click()
    lee.page.get_by_label("What is the emergency?").fill("Found unconscious at home: need to know what was taken")
    album.take(lee, "emergency-asked")
    lee.page.get_by_role("button", name=re.compile("^Open for")).click()
    album.take(lee, "emergency-banner")
    lee.page.get_by_role("button", name="Close it now").click()
    ana.page.goto(f"{album.demo.url}/who-looked")
    ana.page.locator(".pv-log__ask").first.click()
    ana.page.get_by_role("textbox").fill("Why did somebody look at my answers on a Sunday?")
    ana.press("Send my question")
    album.take(ana, "who-looked-asked")
    album.take(ana, "who-looked-emergency", "/who-looked")
    pat = album.person()
    swift.send(pat, "/sign-in", email="privacy@demo.example", password=PASSWORD)
    album.take(pat, "audit", "/audit")
    album.take(pat, "audit-search", "/audit?event=emergency-begun")
    album.take(pat, "audit-standing", "/audit/standing")
    album.take(pat, "audit-questions", "/audit/questions")
    pat.page.locator("main table a").first.click()
    album.take(pat, "audit-question")
    album.take(pat, "emergencies", "/emergencies")


def main() -> int:
    if CHROMIUM is None:
        print("No Chromium on this machine: install it (Debian: apt-get install chromium) to take the pictures.")
        return 1
    for folder in (ALL, README):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, running_demo(Path(place)) as demo, chromium() as browser:
        album = Album(browser, demo)
        the_front_door(album)
        results(album)
        returned(album)
        the_desk(album, *an_intake(album))
        rest: tuple[Callable[[Album], None], ...] = (held, the_rest_of_the_desk, signing_in, answering, auditing)
        for part in rest:
            part(album)
    print(f"Pictures: {ALL} and {README}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
