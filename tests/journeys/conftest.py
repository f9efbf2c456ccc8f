"""A browser and a whole running demo: the portal, the worker and the clinic as processes of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PASSWORD = "synthetic people only"
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

    @property
    def invitation(self) -> str:
        return next(line.strip() for line in self.said if "/join/" in line)

    @property
    def birth_date(self) -> str:
        return next(line.split(":")[1].strip() for line in self.said if "Date of birth" in line)

    def fault(self, mode: str, **more: object) -> None:
        body = json.dumps({"mode": mode, **more}).encode()
        with urlopen(Request(f"{self.clinic}/$fault", body, {"Content-Type": "application/json"}), timeout=5):
            pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`portal demo` in a folder of its own, as a newcomer starts it."""
    instance, port, clinic_port = tmp_path_factory.mktemp("demo") / "instance", free_port(), free_port()
    ports = {"PREVISIT_PORT": str(port), "PREVISIT_CLINIC_PORT": str(clinic_port)}
    environ = {**os.environ, **ports, "PREVISIT_INSTANCE": str(instance), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "demo"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    running = Demo(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{clinic_port}", instance)
    assert process.stdout is not None
    for line in process.stdout:
        running.said.append(line)
        if "Ctrl-C stops it all" in line:
            break
    assert process.poll() is None and any("/join/" in line for line in running.said), "".join(running.said)
    yield running
    process.send_signal(signal.SIGINT)
    assert process.wait(45) == 0, "Ctrl-C stops all of it"
    for each in (port, clinic_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", each)) != 0, "nothing is left running"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@dataclass
class Walker:
    """One person at one browser. Every page they reach is looked at for what would shut somebody out."""

    page: Page
    demo: Demo
    pictures: Path | None = None
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
        """No server error, no request elsewhere, one heading, nothing an axe rule calls serious."""
        self.page.wait_for_load_state()
        assert self.page.locator("h1").count() == 1, f"{self.page.url} has {self.page.locator('h1').count()} main headings"
        if self.scripted:
            serious = [
                f"{found['id']}: {node['html'][:160]}"
                for found in Axe().run(self.page).response["violations"]
                if found["impact"] in {"serious", "critical"}
                for node in found["nodes"]
                if not _known(found["id"], node["html"])
            ]
            assert not serious, f"{self.page.url}: {serious}"
        assert not self.strangers, self.strangers
        assert not self.broken, self.broken

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


def _known(rule: str, html: str) -> bool:
    """aria-expanded on a radio that opens a question: the design system's choice, tried with screen readers; axe dislikes it."""
    return rule == "aria-allowed-attr" and "aria-expanded" in html and ("nhsuk-radios__input" in html or "nhsuk-checkboxes__input" in html)


@pytest.fixture
def walker(browser: Browser, demo: Demo) -> Iterator[Callable[..., Walker]]:
    """A new person at a new browser: walker(js=False) without script, walker(size=DESKTOP)."""
    contexts = []

    def arrive(*, js: bool = True, size: dict[str, int] = PHONE, language: str = "en-GB") -> Walker:
        context = browser.new_context(java_script_enabled=js, viewport=size, locale=language)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        person = Walker(page, demo, scripted=js)
        page.on("request", lambda request: _stranger(person, request.url))
        page.on("response", lambda answer: person.broken.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
        page.on("pageerror", lambda error: person.broken.append(str(error)))
        return person

    yield arrive
    for number, context in enumerate(contexts):
        if os.environ.get("PREVISIT_PICTURES"):
            context.pages[0].screenshot(path=f"{os.environ['PREVISIT_PICTURES']}/last-{number}.png", full_page=True)
        context.close()


def _stranger(person: Walker, url: str) -> None:
    if not url.startswith((person.demo.url, "data:", "blob:", "about:")):
        person.strangers.append(url)
