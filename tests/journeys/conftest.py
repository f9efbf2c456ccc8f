"""A browser and a whole running demo: the portal, the worker and the clinic as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from portal.sandbox.seeds import person
from tests.browsing import CHROMIUM
from tests.journeys import swift
from tests.ports import free_port

PASSWORD = "synthetic people only"
QUICK = {
    "PREVISIT_PROCESSING_BOUND_SECONDS": "2",  # how long the clinic's server may still be working on what it was sent
    "PREVISIT_DEMO_PAST": "0",  # nobody came before
}
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: install it to walk the journeys"))


@dataclass
class Demo:
    """A running `portal demo`: where it is, and the invitation it printed."""

    process: subprocess.Popen[str]
    url: str
    clinic: str
    instance: Path
    said: list[str] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)
    """the shapes of the pages that axe has looked at, and that were narrowed to 320 px"""

    joined: set[str] = field(default_factory=set)

    @property
    def invitation(self) -> str:
        """The link, with its code behind a #."""
        link = next(line.strip() for line in self.said if "/join/" in line)
        return f"{link}#{next(line.split(':')[1].strip() for line in self.said if line.strip().startswith('Code:'))}"

    @property
    def birth_date(self) -> str:
        return next(line.split(":")[1].strip() for line in self.said if "Date of birth" in line)

    def fault(self, mode: str, **more: object) -> None:
        body = json.dumps({"mode": mode, **more}).encode()
        with urlopen(Request(f"{self.clinic}/$fault", body, {"Content-Type": "application/json"}), timeout=5):
            pass

    def until_broken(self, mode: str, seconds: float = 30) -> None:
        """Wait until a request has met the fault that was switched on."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with urlopen(f"{self.clinic}/$requests", timeout=5) as answer:
                if any(each["fault"] == mode for each in json.load(answer)):
                    return
            time.sleep(0.3)
        raise AssertionError(f"nothing met {mode}")

    def patient(self, patient: str) -> dict[str, Any]:
        """A Patient resource as the clinic has it now."""
        return next(each for each in self._stored("Patient") if each["id"] == patient)

    def in_record(self, kind: str, patient: str) -> list[dict[str, Any]]:
        """The clinic's resources of one type that are about a patient, read past the portal from the clinic's own database."""
        subjects = [(each, each.get("subject") or each.get("patient") or {}) for each in self._stored(kind)]
        return [each for each, subject in subjects if subject.get("reference") == f"Patient/{patient}"]

    def _stored(self, kind: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self.instance}/sandbox/clinic.sqlite3?mode=ro", uri=True)) as clinic:
            rows = clinic.execute("SELECT body FROM resource WHERE type = ? AND body IS NOT NULL", (kind,)).fetchall()
        return [json.loads(body) for (body,) in rows]

    def time_runs_out(self) -> None:
        """Everybody who is signed in has not been heard of for an hour."""
        then = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
        with closing(sqlite3.connect(self.instance / "previsit.db", timeout=10)) as portal, portal:
            portal.execute("UPDATE sign_ins SET seen_at = ?", (then,))


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """`portal demo` in a folder of its own, as a newcomer starts it."""
    instance, port, clinic_port = folder / "instance", free_port(), free_port()
    ports = {"PREVISIT_PORT": str(port), "PREVISIT_CLINIC_PORT": str(clinic_port)}
    environ = {**os.environ, **QUICK, **ports, "PREVISIT_INSTANCE": str(instance), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "demo"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Demo(process, f"http://localhost:{port}", f"http://127.0.0.1:{clinic_port}", instance)
    try:
        _listen(running)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        ended = process.wait(60)
    assert ended == 0, "Ctrl-C stops all of it"
    for each in (port, clinic_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", each)) != 0, "nothing is left running"


def _listen(running: Demo) -> None:
    """Read what the demo prints until it is ready; the rest is read along, so that it never waits for us."""
    assert running.process.stdout is not None
    for line in running.process.stdout:
        running.said.append(line)
        if "Ctrl-C stops it all" in line:
            break
    assert running.process.poll() is None and any("/join/" in line for line in running.said), "".join(running.said)
    threading.Thread(target=running.said.extend, args=(running.process.stdout,), daemon=True).start()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@dataclass
class Walker:
    """One person at one browser. Every page they reach is looked at for what would shut somebody out."""

    page: Page
    demo: Demo
    strangers: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else f"{self.demo.url}{path}")
        self.look()

    def press(self, name: str) -> None:
        """Press a button and look at where it leads."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("button", name=name, exact=True).first.click()
        self.look()

    def follow(self, name: str | re.Pattern[str]) -> None:
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("link", name=name).first.click()
        self.look()

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.open("/sign-in")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.press("Sign in")

    def answer(self, question: str, choice: str) -> None:
        """Choose one of the answers of the group with this legend."""
        self.page.get_by_role("group", name=question).get_by_label(choice, exact=True).first.check()

    def look(self) -> None:
        """No server error, no request elsewhere, one heading; a shape of page not seen before is looked at closely."""
        self.page.wait_for_load_state()
        assert self.page.locator("h1").count() == 1, (
            f"{self.page.url} has {self.page.locator('h1').count()} main headings"
        )
        assert not self.strangers, self.strangers
        assert not self.broken, self.broken
        shape = self.page.evaluate(SHAPE) if self.scripted else ""
        if shape and shape not in self.demo.looked_at:
            self.demo.looked_at.add(shape)
            self.look_closely()

    def look_closely(self) -> None:
        """Nothing an axe rule calls serious, and at 320 px (400 per cent of 1280) nothing to scroll sideways."""
        serious = [
            f"{found['id']}: {node['html'][:160]}"
            for found in Axe().run(self.page).response["violations"]
            if found["impact"] in {"serious", "critical"}
            for node in found["nodes"]
            if not _known(found["id"], node["html"])
        ]
        assert not serious, f"{self.page.url}: {serious}"
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": 320, "height": 640})
        too_wide = self.page.evaluate(TOO_WIDE)
        self.page.set_viewport_size(size)
        assert not too_wide, f"{self.page.url} is wider than a narrow screen: {too_wide}"

    scripted: bool = True

    def wait_for(self, path: str, words: str, seconds: float = 30) -> None:
        """Open a page again and again until it says this."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.page.goto(f"{self.demo.url}{path}")
            if words in self.page.locator("main").inner_text():
                return
            time.sleep(0.5)
        expect(self.page.locator("main")).to_contain_text(words)


SHAPE = """() => location.pathname.replace(/[0-9a-f]{16}/g, "#") + document.documentElement.lang + innerWidth + [...new Set(
    [...document.querySelectorAll("main *")].map(each => each.tagName + each.className.toString()))].sort().join()"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= 320 ? [] : [...document.querySelectorAll("body *")].filter(
    each => each.getBoundingClientRect().right > 321 && !each.closest(".pv-scroll")).slice(0, 5).map(
    each => each.outerHTML.slice(0, 120))"""


def _known(rule: str, html: str) -> bool:
    """aria-expanded on a radio that opens a question: the design system's choice, tried with screen readers; axe dislikes it."""
    return (
        rule == "aria-allowed-attr"
        and "aria-expanded" in html
        and ("nhsuk-radios__input" in html or "nhsuk-checkboxes__input" in html)
    )


Arrive = Callable[..., Walker]
STAFF = {"desk": "desk@demo.example", "clinician": "clinician@demo.example", "administrator": "admin@demo.example"}


def arrive(
    browser: Browser, demo: Demo, *, js: bool = True, size: dict[str, int] = PHONE, language: str = "en-GB"
) -> Walker:
    """A new person at a new browser."""
    context = browser.new_context(java_script_enabled=js, viewport=size, locale=language)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(15_000)
    person = Walker(page, demo, scripted=js)
    page.on("request", lambda request: _stranger(person, request.url, going=request.is_navigation_request()))
    page.on("response", lambda answer: _server_error(person, answer.status, answer.url))
    page.on("pageerror", lambda error: person.broken.append(str(error)))
    return person


@pytest.fixture
def walker(browser: Browser, demo: Demo) -> Iterator[Callable[..., Walker]]:
    """A new person at a new browser: walker(js=False) without script, walker(size=DESKTOP)."""
    people: list[Walker] = []

    def come(**options: Any) -> Walker:
        people.append(arrive(browser, demo, **options))
        return people[-1]

    yield come
    for one in people:
        one.page.context.close()


def _server_error(person: Walker, status: int, url: str) -> None:
    if status >= 500:
        person.broken.append(f"{status} {url}")


def _stranger(person: Walker, url: str, *, going: bool = False) -> None:
    """Nothing is fetched from elsewhere; a person may go to the clinic's own sign-in."""
    if going and url.startswith(person.demo.clinic):
        return
    if not url.startswith((person.demo.url, "data:", "blob:", "about:")):
        person.strangers.append(url)


@pytest.fixture
def patient(walker: Arrive, demo: Demo) -> Callable[..., Walker]:
    """Somebody of the appointment book, signed in: patient("grace-bennett"), with the options of walker."""

    def arrive(fhir_id: str, **options: Any) -> Walker:
        who, patient = person(fhir_id), walker(**options)
        email = f"{fhir_id}@patient.example"
        if fhir_id in demo.joined:
            swift.sign_in(patient, email, swift.SECRET)
            return patient
        desk = walker()
        swift.sign_in(desk, STAFF["desk"], PASSWORD)
        swift.join(patient, swift.link_for(desk, " ".join([*who.given, who.family])), who.born, email)
        demo.joined.add(fhir_id)
        return patient

    return arrive


@pytest.fixture
def new_patient(walker: Arrive, demo: Demo) -> Callable[..., Walker]:
    """Somebody whom the front desk invites though they are in no appointment book, signed in."""

    def arrive(name: str, **options: Any) -> Walker:
        desk, patient = walker(), walker(**options)
        swift.sign_in(desk, STAFF["desk"], PASSWORD)
        link = swift.link_for_new(desk, name, "1990-01-02")
        swift.join(patient, link, "1990-01-02", f"{name.replace(' ', '.')}@patient.example")
        return patient

    return arrive


@pytest.fixture
def staff(walker: Arrive) -> Callable[..., Walker]:
    """A member of staff at a desk, signed in: staff("clinician")."""

    def signed_in(role: str, **options: Any) -> Walker:
        person = walker(**{"size": DESKTOP, **options})
        swift.sign_in(person, STAFF[role], PASSWORD)
        return person

    return signed_in
