"""Every page of the portal as a real browser shows it, without a server: the browser's requests are answered by the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Browser, Error, Page, Route
from werkzeug.test import TestResponse

from tests.hostile.payloads import PLAIN
from tests.house.addresses import insiders, ways
from tests.house.reading import Page as Read
from tests.house.world import KNOWN, VISITORS, World

HERE = "http://localhost"
MARK = "pvx"
"""What every payload has in it."""
LOOK = """() => {
  const every = [...document.querySelectorAll('*')];
  const said = every.filter(e => e.localName.startsWith('pvx') || [...e.attributes].some(a => a.name.startsWith('on')
    || (a.name === 'style'))).map(e => e.outerHTML.slice(0, 120));
  const addresses = every.flatMap(e => ['href', 'src', 'action', 'formAction', 'data'].map(n => e[n]))
    .filter(a => typeof a === 'string' && a).filter(a => !/^(https?|mailto|tel|data:image)/.test(a) || a.includes('pvx.example'));
  const strange = every.filter(e => ['base', 'iframe', 'object', 'embed', 'style', 'math', 'video', 'animate'].includes(e.localName))
    .map(e => e.outerHTML.slice(0, 120));
  return [...said, ...addresses, ...strange,
    ...(every.filter(e => e.localName === 'main').length === 1 ? [] : ['the page is broken: not one main'])];
}"""


@dataclass
class Shown:
    """What came of showing pages."""

    pages: int = 0
    shown: int = 0
    """Those that the browser was given: of pages that hold nothing which stood on none before, one is as good as all."""
    hostile: int = 0
    """Pages on which the text stood, as it was written."""
    ran: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        came = f"{len(self.ran)} scripts ran, {len(self.asked)} requests to elsewhere, {len(self.broken)} broken"
        return f"{self.pages} pages, {self.shown} shown, {self.hostile} of those with hostile text: {came}"


def pages(world: World, languages: tuple[str, ...], everybody: bool) -> Iterator[tuple[str, TestResponse]]:
    """Every page that is read."""
    for way in ways(world.app, "GET"):
        for visitor in [VISITORS[0]] if way.door.roles is None else insiders(way, KNOWN)[: None if everybody else 1]:
            for language in languages:
                path = way.path(world, visitor)
                answer = world.client(visitor, language).get(path)
                yield f"{way} by {visitor.name} in {language}", answer


def typed(world: World, text: str) -> Iterator[tuple[str, TestResponse]]:
    """The pages that come back with what was typed."""
    seen = set()
    for way in ways(world.app, "GET"):
        visitor = VISITORS[0] if way.door.roles is None else insiders(way, KNOWN)[0]
        client, path = world.client(visitor), way.path(world, visitor)
        for sheet in Read(client.get(path).get_data(as_text=True)).posts():
            place = ((sheet.action or path).partition("?")[0].rpartition("/")[2], tuple(sheet.typed))
            if sheet.typed and place not in seen:
                seen.add(place)
                kept = {name: value for name, value in sheet.fields if name not in sheet.typed}
                form = {**kept, **dict.fromkeys(sheet.typed, text), **dict(sheet.buttons[:1])}
                yield f"POST {sheet.action or path}", client.post(sheet.action or path, data=form)


ADDRESSED = {"href", "src", "action", "formaction", "data", "srcset", "xlink:href"}


class Places(HTMLParser):
    """What a page is made of: each kind of element with the attributes it has, and each place where a payload stands."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.open, self.found = ["", ""], set[str]()
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.open.append(f"{tag}.{held.get('class') if MARK not in str(held.get('class')) else ''}")
        self.found.add(f"{tag} {' '.join(sorted(held))}")
        for name, value in attrs:
            if MARK in str(value):
                self.found.add(f"{' '.join(self.open[-2:])} {name} {str(value)[:12] if name in ADDRESSED else ''}")

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) > 2:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if MARK in data:
            self.found.add(f"{' '.join(self.open[-2:])} text")


def show(
    browser: Browser, app: Flask, answers: Iterator[tuple[str, TestResponse]], bare: bool, every: bool = True
) -> Shown:
    """Each answer in Chromium; `bare`: as if there were no content security policy, so that only the page's own words protect.

    Not `every`: only those that hold an element, an attribute or a payload in a place that no page before them had. A page
    that lets a payload be more than text holds what no other does.
    """
    found, now, places = Shown(), ["", TestResponse], set[str]()
    context = browser.new_context(bypass_csp=bare, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.expose_function("pvx", lambda: found.ran.append(str(now[0])))
    page.on("dialog", lambda dialog: (found.ran.append(str(now[0])), dialog.dismiss()))
    static = app.test_client()
    kept: dict[str, TestResponse] = {}

    def answered(route: Route) -> None:
        parts = urlsplit(route.request.url)
        if f"{parts.scheme}://{parts.netloc}" != HERE:
            found.asked.append(f"{now[0]}: {route.request.url}")
            route.abort()
        elif parts.path == "/shown":
            _fulfil(route, now[1])  # type: ignore[arg-type]
        elif parts.path.startswith("/static/"):
            kept.setdefault(parts.path, static.get(parts.path))
            if kept[parts.path].mimetype == "text/css":  # ours, and nothing of what runs comes of it
                route.fulfill(status=200, content_type="text/css", body="")
            else:
                _fulfil(route, kept[parts.path])
        else:
            route.fulfill(status=204)

    context.route("**/*", answered)
    for number, (name, answer) in enumerate(answers):
        if answer.mimetype != "text/html" or answer.status_code in {301, 302, 303}:
            continue
        now[:] = [name, answer]
        assert answer.status_code < 500, name
        found.pages += 1
        new = Places(answer.get_data(as_text=True)).found - places
        if not new and not every:
            continue
        places |= new
        page.goto(f"{HERE}/shown?{number}", wait_until="load")
        found.shown += 1
        found.hostile += PLAIN in page.inner_text("body")
        try:
            found.broken += [f"{name}: {each}" for each in page.evaluate(LOOK)]
            _touch(page)
        except Error as error:
            found.broken.append(f"{name}: it went elsewhere ({error.message[:80]})")
    context.close()
    return found


def _fulfil(route: Route, answer: TestResponse) -> None:
    headers = {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower() not in {"content-length", "set-cookie"}
    }
    route.fulfill(status=answer.status_code, headers=headers, body=answer.get_data())


def _touch(page: Page) -> None:
    """What a hand over the page would set off."""
    page.evaluate(
        "() => document.querySelectorAll('*').forEach(e => ['mouseover', 'focus', 'toggle', 'error'].forEach("
        "n => e.dispatchEvent(new Event(n))))"
    )
