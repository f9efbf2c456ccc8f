"""The design system in a real browser: accessible, small, alive with script and whole without it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from gallery import PAGES, ROOT, create_gallery  # type: ignore[import-not-found]
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from werkzeug.serving import make_server

from tests.browsing import CHROMIUM

NAMES = sorted(file.stem for file in PAGES.glob("*.html"))
STATIC = ROOT / "static" / "vendor"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not (STATIC / "previsit.css").exists(), reason="no assets yet: run python -m portal.assets"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=address, viewport={"width": 390, "height": 844})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    said: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    assert [words for words in said if "Failed to load resource" not in words] == []


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious_and_nothing_hangs_over_the_edge(page: Page, name: str) -> None:
    for size in ((390, 844), (1280, 900)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"/{name}")
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("name", NAMES)
def test_a_page_carries_no_script_or_style_of_its_own_and_asks_nobody_else(page: Page, name: str, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/{name}")
    html = page.content()
    assert all(url.startswith(address) for url in asked)
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", html)


def test_a_first_visit_fits_in_forty_kilobytes(page: Page) -> None:
    assets = sum((STATIC / f"previsit.{kind}.gz").stat().st_size for kind in ("css", "js"))
    mark = (ROOT / "static/images/mark.svg").stat().st_size
    for name in NAMES:
        response = page.goto(f"/{name}")
        assert response is not None
        own = len(gzip.compress(response.body()))
        assert own <= 8_000
        assert assets + mark + own <= 40_000


def test_an_answer_brings_its_question_without_a_new_page_and_leaves_focus_and_words_alone(page: Page) -> None:
    page.goto("/form")
    page.evaluate("window.same = true")
    page.fill("#q7", "half a sent")
    page.check("input[name=q3][value=yes]")
    page.wait_for_selector("#q4")
    assert page.evaluate("document.activeElement.value") == "yes"
    assert page.input_value("#q7") == "half a sent"
    assert page.evaluate("window.same") is True
    expect(page.locator("#announce")).to_have_text("The questions below have changed.")
    page.check("input[name=q3][value=no]")
    page.wait_for_selector("#q4", state="detached")
    assert page.is_hidden("[data-update]")


def test_what_is_typed_while_the_server_thinks_is_not_lost(page: Page) -> None:
    page.goto("/form")

    def slowly(route: Route) -> None:
        page.evaluate("document.querySelector('#q1').focus(); document.querySelector('#q1').value = '72.5'")
        route.continue_()

    page.check("input[name=q3][value=yes]")
    page.wait_for_selector("#q4")
    page.route("**/form", slowly)
    page.fill("#q4", "20")
    page.check("input[name=q3][value=no]")
    page.wait_for_selector("#q4", state="detached")
    assert page.input_value("#q1") == "72.5"


def test_a_page_sent_while_an_answer_is_on_its_way_is_sent_after_it_with_its_version(page: Page) -> None:
    page.goto("/form")
    versions: list[str] = []

    def slowly(route: Route) -> None:
        versions.append(
            re.findall(
                r'(?:name="version"\r\n\r\n|(?:^|&)version=)(\d+)', route.request.post_data or "version missing"
            )[0]
        )
        page.wait_for_timeout(300)
        route.continue_()

    page.evaluate("document.querySelector('main form').enctype = 'multipart/form-data'")
    page.route("**/form", slowly)
    page.check("input[name=q3][value=yes]")
    page.click("text=Save and continue")
    page.wait_for_load_state()
    expect(page.locator("input[name=version]")).to_have_value("5")
    assert versions == ["3", "4"]


def test_when_the_server_does_not_answer_the_update_button_is_back(page: Page) -> None:
    page.goto("/form")
    page.route("**/form", lambda route: route.abort())
    page.check("input[name=q3][value=yes]")
    page.wait_for_selector("[data-update]", state="visible")
    page.unroute("**/form")
    page.click("[data-update]")
    page.wait_for_selector("#q4")


def test_without_script_the_update_button_does_the_same(browser: Browser, address: str) -> None:
    plain = browser.new_context(base_url=address, java_script_enabled=False)
    page = plain.new_page()
    page.goto("/form")
    page.check("input[name=q3][value=yes]")
    page.click("text=Update this page")
    assert page.locator("#q4").count() == 1
    assert page.locator("[data-print]:visible").count() == 0
    plain.close()


def test_a_double_click_sends_once(page: Page) -> None:
    page.goto("/check")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method) if request.method == "POST" else None)
    page.evaluate(
        """() => {
            const button = document.querySelector('main button')
            button.closest('form').action = '/hub'
            button.click()
            button.click()
        }"""
    )
    page.wait_for_url("**/hub")
    assert posts == ["POST"]


def test_two_minutes_before_the_end_the_page_says_so_and_can_stay(page: Page) -> None:
    page.route("**/still-here", lambda route: route.fulfill(status=204))
    page.goto("/hub?left=119")
    page.wait_for_selector("dialog[open]")
    assert "2 minutes" in page.locator("dialog").inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Stay signed in"
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []
    page.goto("/hub?left=3000")
    page.wait_for_timeout(1200)
    assert page.locator("dialog[open]").count() == 0


def test_at_the_end_the_page_leaves_the_screen(page: Page) -> None:
    page.route("**/sign-in?**", lambda route: route.fulfill(status=200, content_type="text/html", body="signed out"))
    page.goto("/hub?left=-2")
    page.wait_for_url("**/sign-in?ended=1&next=%2Fhub")


def test_a_press_counts_though_its_question_is_drawn_anew_before_the_release(page: Page) -> None:
    page.goto("/form")

    def otherwise(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</legend>", "\u00a0</legend>"))

    page.route("**/form", otherwise)
    place = page.locator("label[for=q3-2]").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 5, place["y"] + 5)
    page.mouse.down()  # first, so that the answer surely comes while it is down
    with page.expect_response("**/form"):
        page.evaluate("document.querySelector('#q1').dispatchEvent(new Event('change', {bubbles: true}))")
    page.wait_for_timeout(300)
    page.unroute("**/form")
    with page.expect_response("**/form"):
        page.mouse.up()
    expect(page.locator("input[name=q3]").nth(1)).to_be_checked()


def test_what_was_typed_goes_along_at_the_end(page: Page) -> None:
    page.goto("/form?left=0")
    # Answered with a page that does nothing: the gallery's own would end its session at once, and so on without end.
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<p>Signed out</p>"))
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.evaluate("document.querySelector('#q7').value = 'do not lose me'")
    assert "do+not+lose+me" in (sent.value.post_data or "")
    page.get_by_text("Signed out").wait_for()


def test_a_right_to_left_page_is_mirrored(page: Page) -> None:
    page.goto("/form-error?language=ar")
    box = page.locator(".nhsuk-form-group--error").first
    assert page.evaluate("document.documentElement.dir") == "rtl"
    width = box.evaluate("(one) => getComputedStyle(one).borderRightWidth + getComputedStyle(one).borderLeftWidth")
    assert width == "4px0px"


def test_the_printed_page_has_the_words_and_not_the_buttons(page: Page) -> None:
    page.goto("/receipt")
    page.emulate_media(media="print")
    assert page.locator("[data-print]:visible").count() == 0
    assert page.locator(".pv-account:visible").count() == 0
    assert page.locator(".pv-timeline__what:visible").count() == 4
