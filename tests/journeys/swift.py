"""Somebody who fills in pages over HTTP in no time, for journeys that begin where others have ended.

The browser's own cookies are used, so a walker can go on in the browser where this left off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from playwright.sync_api import APIResponse

if TYPE_CHECKING:
    from tests.journeys.conftest import Walker

SECRET = "four plain words and a fish"
REASON = "A cough that does not go away"
OPTIONAL = {"phq-9", "gad-7", "audit-c", "ahc-hrsn"}
"""Forms that the demo only offers."""
Attributes = dict[str, str]
Choose = Callable[[str, list[str]], str]


@dataclass
class Form:
    action: str
    controls: list[Attributes] = field(default_factory=list)

    def typed(self, choose: Choose, *, tick: bool = False, **given: str) -> list[tuple[str, str]]:
        """What a browser would send: hidden values, one choice of each group, `given` by name, the first button.

        `tick`: also the last box of each group of boxes (none of these; or: I agree).
        """
        pairs = [(each["name"], given.get(each["name"]) or _words(each)) for each in self.controls if _sent(each)]
        for name, values in self._groups("radio"):
            pairs.append((name, given.get(name) or choose(name, values)))
        if tick:
            pairs += [(name, values[-1]) for name, values in self._groups("checkbox") if not name.endswith("-absent")]
        button = next((each for each in self.controls if each["kind"] == "submit"), None)
        return pairs + ([(button["name"], button["value"])] if button and button["name"] else [])

    def _groups(self, kind: str) -> Iterator[tuple[str, list[str]]]:
        found = [each for each in self.controls if each["kind"] == kind]
        for name in dict.fromkeys(each["name"] for each in found):
            yield name, [each["value"] for each in found if each["name"] == name]


def _sent(control: Attributes) -> bool:
    return bool(control["name"]) and control["kind"] not in {"radio", "checkbox", "submit", "button", "file"}


def _words(control: Attributes) -> str:
    return REASON if control["kind"] == "textarea" else control["value"]


class _Reader(HTMLParser):
    """The forms inside <main>."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.inside = self.inside or tag == "main"
        if tag == "form" and self.inside:
            self.forms.append(Form(found.get("action", "")))
        elif tag in {"input", "textarea", "select", "button"} and self.inside and self.forms:
            kind = {"input": found.get("type", "text"), "button": "submit"}.get(tag, tag)
            self.forms[-1].controls.append(
                {"name": found.get("name", ""), "value": found.get("value", ""), "kind": kind}
            )

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self.inside = False


def first(_name: str, values: list[str]) -> str:
    return values[0]


def last(_name: str, values: list[str]) -> str:
    """In the forms the last choice says the least: no, or: I prefer not to say."""
    return values[-1]


def none_or_same(name: str, values: list[str]) -> str:
    return "none" if name.endswith("-any") else "same"


def send(person: Walker, path: str, choose: Choose = first, **given: str) -> str:
    """Open `path`, fill in its form and send it; the path where that leads. A page that is refused is an error."""
    page = person.page.request.get(urljoin(person.demo.url, path))
    return urlsplit(_send(person, page, choose, given).url).path


def _send(
    person: Walker, page: APIResponse, choose: Choose, given: dict[str, str], *, tick: bool = False
) -> APIResponse:
    reader = _Reader()
    reader.feed(page.text())
    assert reader.forms, f"no form at {page.url}: {page.status} {page.text()[:500]}"
    to = urljoin(page.url, reader.forms[0].action)
    answer = person.page.request.post(
        to,
        data=urlencode(reader.forms[0].typed(choose, tick=tick, **given)),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": person.demo.url},
    )
    assert answer.ok, f"{to}: {answer.status} {re.sub('<[^>]+>', ' ', answer.text())}"
    return answer


def sign_in(person: Walker, email: str, password: str) -> None:
    assert send(person, "/sign-in", email=email, password=password) in {"/visits", "/desk", "/audit"}


def link_for(desk: Walker, name: str) -> str:
    """The front desk makes an invitation for somebody who is in the appointment book; `desk` is signed in."""
    page = desk.page.request.get(f"{desk.demo.url}/desk/visits").text()
    places = [match.group(1) for match in re.finditer(r'action="(/desk/visits/\w+/invite)"', page)]
    names = re.findall(r"Make a link<span[^>]*> for ([^<]+)<", page)
    to = places[names.index(name)]
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    return _link(desk.page.request.post(f"{desk.demo.url}{to}", form={"csrf_token": token.group(1)}).text())


def link_for_new(desk: Walker, name: str, birth_date: str) -> str:
    """The front desk invites somebody who is not in the book, for the day after tomorrow."""
    page = desk.page.request.get(f"{desk.demo.url}/desk/visits").text()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    typed = {"name": name, "birth_date": birth_date, "day": day, "time": "10:00", "what": "Check-up"}
    return _link(
        desk.page.request.post(f"{desk.demo.url}/desk/visits", form={"csrf_token": token.group(1), **typed}).text()
    )


def _link(page: str) -> str:
    """With the code behind a #, as a browser never sends it."""
    found = re.search(r'value="(http[^"]+/join/[^"]+)"', page)
    code = re.search(r'class="pv-reference">([^<]+)<', page)
    assert found and code, page[:500]
    return f"{found.group(1)}#{code.group(1)}"


def join(person: Walker, link: str, birth_date: str, email: str) -> None:
    """`link` with its code behind a #."""
    year, month, day = birth_date.split("-")
    at = urlsplit(link)
    account = send(person, at.path, code=at.fragment, day=day, month=month, year=year)
    assert send(person, account, email=email, password=SECRET) == "/visits"


def hub_of(person: Walker) -> str:
    """The address of the person's next visit."""
    found = re.search(r'href="(/visits/[0-9a-f]{16})"', person.page.request.get(f"{person.demo.url}/visits").text())
    assert found
    return found.group(1)


def confirm(person: Walker, hub: str) -> None:
    """Every fact is still right, and where there is none there is none."""
    _until_hub(person, f"{hub}/confirm", hub, none_or_same)


def fill_in(person: Walker, hub: str) -> None:
    """The forms that this visit must have, with the choices that say the least; signed where they are to be signed."""
    page = person.page.request.get(urljoin(person.demo.url, hub)).text()
    me = re.search(r'pv-account__who"[^>]*>.*?</span>([^<]+)<', page)
    assert me
    for path in dict.fromkeys(re.findall(rf'href="({hub}/forms/[\w-]+)"', page)):
        if path.rpartition("/")[2] not in OPTIONAL:
            _until_hub(person, path, hub, last, {"name": me.group(1)}, tick=True)


def consent(person: Walker, hub: str) -> None:
    assert send(person, f"{hub}/consent", first) == hub


def prepare(person: Walker) -> str:
    """Everything but pressing "send"; gives the hub."""
    hub = hub_of(person)
    confirm(person, hub)
    fill_in(person, hub)
    consent(person, hub)
    return hub


def submit(person: Walker) -> str:
    """Everything, and sent; gives the hub."""
    hub = prepare(person)
    assert send(person, f"{hub}/check") == f"{hub}/receipt"
    return hub


def _until_hub(
    person: Walker, path: str, hub: str, choose: Choose, given: Attributes | None = None, *, tick: bool = False
) -> None:
    page = person.page.request.get(urljoin(person.demo.url, path))
    for _ in range(20):
        page = _send(person, page, choose, given or {}, tick=tick)
        where = urlsplit(page.url).path
        if where == hub or where.startswith(f"{hub}/signed/"):
            return
    raise AssertionError(f"the pages of {path} do not end")
