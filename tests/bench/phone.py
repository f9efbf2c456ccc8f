"""The first question of the large form on a phone, and how soon an answer changes what is asked, beside LHC-Forms and Smart Forms.

A phone: Chromium with the processor slowed four times, 1.6 Mbit/s and 150 ms on the way there and back. Medians of a few visits.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from portal.fhir import exact
from tests.bench import peers, running
from tests.bench.figures import goal, told
from tests.bench.forms import INITIAL, Json, items, large
from tests.bench.serving import served
from tests.browsing import CHROMIUM, FLAGS

ROUNDS = 3
PHONE = {"width": 390, "height": 844}
SLOWER = 4
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
FIRST, ASKED_THEN = "Question 1 about topic 1?", "Question 5 about topic 1?"
PATIENCE = 180_000
"""Milliseconds to wait for a first question."""


@dataclass
class Visit:
    """Milliseconds to the first question and from an answer to the question that follows from it; bytes to the first."""

    first: float
    bytes: float
    reaction: float


@dataclass
class Meter:
    """Counts what a page transfers."""

    bytes: float = 0
    requests: list[str] = field(default_factory=list)


def run() -> None:
    if CHROMIUM is None:
        told("the first question on a phone: there is no Chromium here")
        return
    form = large(40, 2)
    with running.running({"large": form}) as portal, chromium() as browser:
        signed = running.signed_in(portal.url, running.PATIENT)
        page = signed.get(portal.form("large")).url  # compiled by somebody's visit, as on any day
        ours = visits(browser, page, signed)
        again = second_visit(browser, page, signed)
        peer = {name: beside(browser, form, name, *made) for name, made in PEERS.items()}
    told(f"first question {ours.first:.0f} ms (second visit {again.first:.0f} ms), reaction {ours.reaction:.0f} ms")
    goal("bytes to the first question, first visit", ours.bytes / 1000, 40, unit="kB")
    goal("bytes to the first question, second visit", again.bytes / 1000, 15, unit="kB")
    goal("reaction to an answer on the phone", ours.reaction, 250, unit="ms")
    for name, theirs in peer.items():
        if theirs is None:
            continue
        told(
            f"{name}: first question {theirs.first:.0f} ms, {theirs.bytes / 1000:.0f} kB, reaction {theirs.reaction:.0f} ms"
        )
        goal(f"first question on the phone: sooner than {name}", theirs.first / ours.first, 10, least=True)
        goal(f"bytes to it: fewer than {name}", theirs.bytes / ours.bytes, 20, least=True)
        goal(f"reaction: sooner than {name}", theirs.reaction / ours.reaction, 1, least=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


PEERS: dict[str, tuple[Callable[[], Path], str]] = {
    "LHC-Forms": (peers.lforms, "lhc.html"),
    "Smart Forms": (peers.smart, "smart/smart.html"),
}
"""Where the files of each come from, and the page that shows it."""


def beside(browser: Browser, form: Json, name: str, files: Callable[[], Path], page: str) -> Visit | None:
    """Another renderer with the same form; LHC-Forms refuses one that wants a patient's record where there is no server."""
    plain = without_record(form)
    try:
        folder = files()
        own = (peers.HERE / page).read_bytes()
        with served(folder, {"/": own, "/form.json": exact.dumps(plain).encode()}) as url:
            return visits(browser, url, None)
    except (peers.Missing, Error) as why:
        told(f"{name}: {str(why).splitlines()[0]}")
        return None


def without_record(form: Json) -> Json:
    """A copy that is not prefilled."""
    copy: Json = exact.loads(exact.dumps(form))
    del copy["extension"]
    for item in items(copy):
        if "extension" in item:
            item["extension"] = [each for each in item["extension"] if each["url"] != INITIAL]
    return copy


def visits(browser: Browser, url: str, signed: requests.Session | None) -> Visit:
    return middle([visit(browser, url, signed) for _ in range(ROUNDS)])


def middle(found: list[Visit]) -> Visit:
    return Visit(*(statistics.median(getattr(one, name) for one in found) for name in ("first", "bytes", "reaction")))


def visit(browser: Browser, url: str, signed: requests.Session | None) -> Visit:
    context = phone(browser, signed)
    try:
        page, meter = slowed(context)
        first = opened(page, url)
        return Visit(first, meter.bytes, reaction(page))
    finally:
        context.close()


def second_visit(browser: Browser, url: str, signed: requests.Session) -> Visit:
    """With style sheet and script still in the browser's keeping."""
    context = phone(browser, signed)
    try:
        before, _ = slowed(context)
        opened(before, url)
        before.close()
        page, meter = slowed(context)
        return Visit(opened(page, url), meter.bytes, 0)
    finally:
        context.close()


def phone(browser: Browser, signed: requests.Session | None) -> BrowserContext:
    context = browser.new_context(viewport=PHONE, locale="en-GB", is_mobile=True, has_touch=True)  # type: ignore[arg-type]
    for cookie in signed.cookies if signed else ():
        context.add_cookies(
            [{"name": cookie.name, "value": str(cookie.value), "domain": "127.0.0.1", "path": cookie.path}]
        )
    return context


def slowed(context: BrowserContext) -> tuple[Page, Meter]:
    page, meter = context.new_page(), Meter()
    page.set_default_timeout(PATIENCE)
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", NETWORK)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

    def loaded(event: Json) -> None:
        meter.bytes += event["encodedDataLength"]

    wire.on("Network.loadingFinished", loaded)
    return page, meter


def opened(page: Page, url: str) -> float:
    """Milliseconds until the first question is seen: a page paints nothing before its style sheet is there."""
    before = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.get_by_text(FIRST, exact=False).first.wait_for()
    page.evaluate("new Promise(requestAnimationFrame)")
    return (time.perf_counter() - before) * 1000


WATCH = """([words]) => {
  const shown = () => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const text = texts.currentNode
      if (text.data.includes(words) && text.parentElement.getClientRects().length) return true
    }
    return false
  }
  let began = 0
  addEventListener('click', (event) => { if (event.isTrusted && !began) began = event.timeStamp }, true)
  window.reacted = new Promise((done) => {
    const look = () => { if (began && shown()) { seen.disconnect(); requestAnimationFrame(() => done(performance.now() - began)) } }
    const seen = new MutationObserver(look)
    seen.observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true })
  })
}"""


def reaction(page: Page) -> float:
    """From the tap on yes at the first question to the question that asks why, by the page's own clock."""
    page.wait_for_load_state("load")
    then = page.get_by_text(ASKED_THEN).first
    if then.is_visible():  # answered on the visit before
        page.get_by_text("No", exact=True).first.click()
        then.wait_for(state="hidden")
        page.wait_for_load_state("networkidle")
    choice = page.get_by_text("Yes", exact=True).first
    choice.scroll_into_view_if_needed()
    page.evaluate(WATCH, [ASKED_THEN])
    choice.click()
    then.wait_for()
    return float(page.evaluate("window.reacted"))
