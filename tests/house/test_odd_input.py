"""Whatever comes in: a page or a refusal in plain words, never a breakdown; and text stays text on every page."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from portal import db
from portal.actors import Role
from tests.house.addresses import Way, insiders, unsafe, ways
from tests.house.polyglots import DEEP, ODD_TEXTS, PLAIN, POLYGLOTS
from tests.house.reading import Page, Sheet
from tests.house.world import KNOWN, MARKS, VISITORS, World, build

FORM_TYPE = "application/x-www-form-urlencoded"
BODIES: dict[str, tuple[str, bytes]] = {
    "bad UTF-8": (FORM_TYPE, b"a=%ff%fe&b=\xff\xfe&%80=1"),
    "10,000 fields": (FORM_TYPE, b"&".join(b"a%d=1" % number for number in range(10_000))),
    "one field 10,000 times": (FORM_TYPE, b"&".join([b"step=continue"] * 10_000)),
    "deep JSON": ("application/json", DEEP.encode()),
    "NaN and a name twice": ("application/json", b'{"a": NaN, "a": 1}'),
    "UTF-16": ("application/json", '{"a": 1}'.encode("utf-16")),
    "a multipart without an end": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
    ),
    "a multipart without a boundary": ("multipart/form-data", b"--x\r\n\r\n--x--"),
    "a charset nobody knows": (f"{FORM_TYPE}; charset=klingon", b"a=1"),
    "XML": ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "nothing": (FORM_TYPE, b""),
}
QUERIES = ("show", "from", "saved", "next", "ended", "before", "page", "language", "kind", "id")


def sheets(world: World) -> Iterator[tuple[Way, FlaskClient, str, Sheet]]:
    """Every form of every page as its visitor gets it, but for those that stand on all pages."""
    seen = set()
    readers = {visitor: world.client(visitor) for visitor in VISITORS}
    for way in ways(world.app, "GET"):
        for visitor in [VISITORS[0]] if way.door.roles is None else insiders(way, KNOWN):
            path = way.path(world, visitor)
            page = Page(readers[visitor].get(path).get_data(as_text=True))
            for form in page.posts():
                action = form.action or path
                place = (way.endpoint, action.partition("?")[0].rpartition("/")[2], tuple(form.typed))
                if form.typed and place not in seen:
                    seen.add(place)
                    yield way, world.client(visitor), action, form


@pytest.mark.slow
def test_every_box_of_every_form_takes_odd_text_without_breaking(world: World) -> None:
    """All boxes of a form at once hold the same oddity; then each oddity is looked at on the page that follows."""
    met = 0
    for way, client, action, form in list(sheets(world)):
        for kind, odd in ODD_TEXTS.items():
            typed = {name: odd.encode("utf-8", "surrogatepass") for name in form.typed}
            kept = [(name, value.encode()) for name, value in form.fields if name not in typed]
            following = ""
            for step in sorted({value for _, value in form.buttons}) or [""]:
                buttons = [(name, value.encode()) for name, value in form.buttons if value == step]
                answer = client.post(action, data=_encoded([*kept, *typed.items(), *buttons]), content_type=FORM_TYPE)
                met += 1
                assert answer.status_code < 500, f"{way}: {kind} in {action} ({step}): {answer.status_code}"
                following = answer.location or following
            if following.startswith("/"):  # a refusal was its own page
                assert client.get(following).status_code < 500, f"{way}: {following} after {kind}"
    assert met > 200


def _encoded(pairs: list[tuple[str, bytes]]) -> bytes:
    return "&".join(f"{quote(name)}={quote(value, safe='[]')}" for name, value in pairs).encode()


@pytest.mark.parametrize("kind", BODIES)
def test_every_post_takes_any_body_without_breaking(world: World, kind: str) -> None:
    content_type, body = BODIES[kind]
    for way in unsafe(world.app):
        visitor = insiders(way, KNOWN)[0]
        client = world.client(visitor)
        heard = client.post(
            way.path(world, visitor),
            data=body,
            content_type=content_type,
            headers={"X-CSRFToken": world.csrf["csrf_token"]},
        )
        assert heard.status_code < 500, f"{way}: {heard.status_code}"


@pytest.mark.slow
def test_every_page_takes_any_query_and_any_address_without_breaking(world: World) -> None:
    for way in ways(world.app, "GET"):
        visitor = insiders(way, KNOWN)[0]
        client, path = world.client(visitor), way.path(world, visitor)
        for kind, odd in ODD_TEXTS.items():
            value = quote(odd[:2_000].encode("utf-8", "surrogatepass"))
            query = "&".join(f"{name}={value}" for name in QUERIES)
            assert client.get(f"{path}?{query[:60_000]}").status_code < 500, f"{way}: {kind} in the query"
            if way.parts:
                other = path.rpartition("/")[0]
                assert client.get(f"{other}/{value}").status_code < 500, f"{way}: {kind} in the address"
        assert client.get(f"{path}?%ff=%fe&a[]=1&a[]=2").status_code < 500, str(way)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None) -> Iterator[World]:
    """A world in which every name, answer and fact holds every polyglot."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    text = " ".join((PLAIN, *POLYGLOTS))
    yield build(folder, f"sqlite:///{folder / 'previsit.db'}", marks=dict.fromkeys(MARKS, text))
    db.dispose()


def test_text_stays_text_on_every_page(hostile: World) -> None:
    """No element and no attribute comes out of it, nothing is worked out, and it is shown as it was written."""
    shown = set()
    readers = {(visitor, language): hostile.client(visitor, language) for visitor in KNOWN for language in ("en", "es")}
    for way in ways(hostile.app, "GET"):
        for visitor in insiders(way, KNOWN):
            for language in ("en", "es") if visitor.role in (Role.PATIENT, Role.PROXY) else ("en",):
                answer = readers[visitor, language].get(way.path(hostile, visitor))
                source = answer.get_data(as_text=True)
                assert answer.status_code < 500, f"{way} by {visitor.name}"
                if answer.mimetype != "text/html":
                    continue
                _look(source, f"{way} by {visitor.name}")
                shown |= {way.endpoint} if PLAIN in html.unescape(source) else set()
    assert shown >= {
        "intake.confirm_section",
        "intake.form_page",
        "labs.report",
        "review.submission",
        "review.desk",
        "delivery.item",
    }


def _look(source: str, where: str) -> None:
    page = Page(source)
    for tag, held in page.elements:
        assert tag != "pvx", f"{where}: an element"
        assert not any(name.startswith("on") for name in held), f"{where}: a handler in {tag}"
        links = [held.get(name, "") for name in ("href", "src", "action", "formaction")]
        assert not any(link.strip().lower().startswith(("javascript:", "data:text", "//")) for link in links), where
        assert tag != "img" or held.get("src", "").startswith("/static/"), f"{where}: an image"
    assert str(13371337 * 7777) not in source, f"{where}: something was worked out"


@pytest.mark.slow
def test_what_is_typed_and_comes_back_stays_text(hostile: World) -> None:
    """The page with the mistakes shows what was typed, as text."""
    for way, client, action, form in list(sheets(hostile)):
        for text in (" ".join(POLYGLOTS), *POLYGLOTS[:3]):
            typed = MultiDict([(name, value) for name, value in form.fields if name not in form.typed])
            typed.update(dict.fromkeys(form.typed, text))
            for name, value in form.buttons[:2] or [("", "")]:
                answer = client.post(action, data=MultiDict([*typed.items(multi=True), (name, value)]))
                assert answer.status_code < 500, f"{way}: {action}"
                _look(answer.get_data(as_text=True), f"{way}: {action}")
