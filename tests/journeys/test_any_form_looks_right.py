"""Forms that authors write as they like, on a phone, in large letters and on paper: no words are squeezed, shrunk or cut off, and
what is wrong is heard as soon as it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from portal.questionnaire import load
from tests.intake.forms_app import FormsApp, forms_app
from tests.intake.make_forms import CORE, coding, control, form, item
from tests.intake.pictures import served
from tests.journeys.one_form import opened

LONG = "A country whose name is of a length that no phone can show in one line"


def marked(text: str) -> dict[str, object]:
    return {"_text": {"extension": [{"url": f"{CORE}rendering-xhtml", "valueString": text}]}}


FORM = form(
    item("plain", "display", "Read this first"),
    item("rich", "display", "Read this first", **marked("<div>Read <b>this</b> first</div>")),
    item("label", "string", "Your name", required=True, **marked("<div><p>Your name</p></div>")),
    item("usual", "string", "Your job", required=True),
    item("many", "integer", "How many?"),
    item("story", "text", "Your story"),
    item("once", "date", "Once"),
    item("often", "date", "Often", repeats=True),
    item("clock", "time", "At what time"),
    item("clocks", "time", "At what times", repeats=True),
    item("land", "choice", "Land", extension=[control("drop-down")],
         answerOption=[coding(f"c{n}", f"{LONG} {n}") for n in range(12)]),
    item("paper", "attachment", "A paper"),
    item("stay", "group", "A stay", repeats=True, item=[item("ward", "string", "Ward")]),
)  # fmt: skip


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FormsApp, str]]:
    folder: Path = tmp_path_factory.mktemp("any")
    with forms_app(folder, {"any": load(FORM)}) as app, served(app) as url:
        yield app, url


@pytest.fixture
def tab(clinic: tuple[FormsApp, str], browser: Browser) -> Iterator[Tab]:
    app, url = clinic
    with opened(browser, app, url, "any") as page:
        yield page


def style(tab: Tab, words: str, name: str) -> str:
    found = tab.locator(f"#questions :text-is('{words}')").last
    return str(found.evaluate(f"part => getComputedStyle(part)['{name}']"))


@pytest.mark.parametrize("width", [390, 1100])
def test_marked_up_words_are_of_the_size_of_plain_ones(tab: Tab, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 844})
    plain, rich = tab.locator(".pv-display p").first, tab.locator(".pv-display :has(> b)").first
    for name in ("fontSize", "lineHeight"):
        read = f"part => getComputedStyle(part)['{name}']"
        assert plain.evaluate(read) == rich.evaluate(read), name


def test_a_question_that_is_a_paragraph_looks_like_any_other(tab: Tab) -> None:
    assert style(tab, "Your name", "fontWeight") == tab.locator("label", has_text="Your job").evaluate(
        "part => getComputedStyle(part).fontWeight"
    )
    name, required = tab.locator("label p", has_text="Your name"), tab.locator("label:has(p) .pv-required")
    tops = [box["y"] for part in (name, required) if (box := part.bounding_box())]
    assert len(tops) == 2
    assert abs(tops[0] - tops[1]) < 4  # in one line


@pytest.mark.parametrize("words", ["27 March 2019", "14:30"])
def test_how_to_write_it_is_not_squeezed_where_there_may_be_several(tab: Tab, words: str) -> None:
    hints = tab.locator(".nhsuk-hint", has_text=words)
    heights = [hints.nth(n).evaluate("part => part.offsetHeight") for n in (0, 1)]
    assert heights[0] == heights[1]


def test_letters_of_twice_the_size_do_not_make_the_page_wider_than_a_narrow_screen(tab: Tab) -> None:
    tab.set_viewport_size({"width": 320, "height": 640})
    tab.evaluate("document.documentElement.style.fontSize = '200%'")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320


def test_what_can_only_be_pressed_is_not_printed(tab: Tab) -> None:
    tab.emulate_media(media="print")
    for button in tab.locator("main button:not([aria-hidden]), main [type=file]").all():
        expect(button).to_be_hidden()


def test_what_is_wrong_is_heard_as_soon_as_it_stands_there(tab: Tab) -> None:
    many = tab.get_by_label("How many?")
    many.fill("two")
    many.press("Tab")
    expect(tab.locator("#announce")).to_contain_text("Error: Enter a whole number")
    expect(many).to_have_value("two")


def test_what_was_written_in_lines_is_read_through_in_lines(tab: Tab) -> None:
    tab.get_by_label("Your story").fill("first\nsecond\n\nthird")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Save and come back later").click()
    tab.goto(f"{tab.url}/check")
    value = tab.locator(".nhsuk-summary-list__row", has_text="Your story").locator("dd").first
    assert value.inner_text().strip() == "first\nsecond\n\nthird"
