"""A page that changes while somebody fills it in: after each answer it is the page that a reload would show, and whatever did
not change is the very same element as before, with its focus, its caret and what is typed in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from portal.questionnaire import load
from tests.intake.forms_app import FormsApp, forms_app
from tests.intake.make_forms import SDC, control, form, item
from tests.intake.pictures import served
from tests.journeys.one_form import opened


def when(link_id: str, **answer: Any) -> dict[str, Any]:
    return {"enableWhen": [{"question": link_id, "operator": "=", **(answer or {"answerBoolean": True})}]}


TOTAL = {
    "url": f"{SDC}sdc-questionnaire-calculatedExpression",
    "valueExpression": {
        "language": "text/fhirpath",
        "expression": "%resource.descendants().where(linkId='many').answer.value * 2",
    },
}
NESTED = form(item("page", "group", "Everything", extension=[control("page")], item=[
    item("first", "boolean", "First?"),
    item("part", "group", "A part", item=[
        item("smoke", "boolean", "Do you smoke?", item=[
            item("many", "integer", "How many?", **when("smoke")),
            item("since", "string", "Since when?", **when("smoke"), item=[
                item("why", "string", "Why then?", enableWhen=[
                    {"question": "since", "operator": "exists", "answerBoolean": True}]),
            ]),
        ]),
        item("before", "string", "Before", **when("first")),
        item("words", "string", "Your words"),
        item("after", "string", "After", **when("first")),
        item("inner", "group", "A part of the part", **when("smoke"), item=[
            item("deep", "boolean", "Deep?"), item("deeper", "string", "Deeper", **when("deep")),
        ]),
    ]),
    item("grid", "group", "A table", extension=[control("grid")], item=[
        item(f"row{n}", "group", f"Row {n}", item=[
            item(f"yes{n}", "boolean", "Yes?"), item(f"what{n}", "string", "What?", **when(f"yes{n}")),
        ]) for n in (1, 2)
    ]),
    item("leads", "group", "A table that leads on", extension=[control("grid")], item=[
        item(f"line{word}", "group", f"Line {word}", item=[
            item(f"sure{word}", "boolean", f"Sure of {word}?", item=[
                item(f"how{word}", "string", f"How sure of {word}?", **when(f"sure{word}")),
            ]),
        ]) for word in ("one", "two")
    ]),
    item("fold", "group", "A fold", extension=[control("collapsible")], item=[
        item("late", "string", "Late", **when("first")), item("always", "string", "Always"),
    ]),
    item("twice", "integer", "Twice as many", readOnly=True, extension=[TOTAL]),
]))  # fmt: skip
SEEN = """() => [...document.querySelectorAll('#questions [id]')].map((part) => {
  const place = part.parentElement.closest('[id]')
  const value = ['radio', 'checkbox'].includes(part.type) ? part.checked : part.value
  return [part.id, place.id, part.tagName, part.children.length ? '' : part.textContent.trim(), value ?? null].join(' | ')
})"""
MARK = "() => document.querySelectorAll('#questions *').forEach((part) => { part.before_ = true })"
NEW = """() => [...document.querySelectorAll('#questions .pv-question')].filter((box) => !box.before_).map((box) => box.id)"""
BOXES = "() => [...document.querySelectorAll('#questions .pv-question')].map((box) => box.id)"
STEPS = [
    ("First?", "Yes"),
    ("Do you smoke?", "Yes"),
    ("How many?", "20"),
    ("Since when?", "my twenties"),
    ("Deep?", "Yes"),
    ("Deep?", "No"),
    ("Sure of one? , Line one", "Yes"),
    ("How sure of one?", "very"),
    ("Sure of two? , Line two", "Yes"),
    ("Sure of one? , Line one", "No"),
    ("First?", "No"),
    ("Do you smoke?", "No"),
    ("First?", "Yes"),
    ("Do you smoke?", "Yes"),
]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FormsApp, str]]:
    folder: Path = tmp_path_factory.mktemp("live")
    with forms_app(folder, {"nested": load(NESTED)}) as app, served(app) as url:
        yield app, url


@pytest.fixture
def tab(clinic: tuple[FormsApp, str], browser: Browser) -> Iterator[Tab]:
    app, url = clinic
    with opened(browser, app, url, "nested") as page:
        yield page


@contextmanager
def put_together(tab: Tab) -> Iterator[None]:
    """Until the page is made of the answer to what is done within: what was saved is then the version in it."""
    version = "document.querySelector('[name=version]').value"
    before = tab.evaluate(version)
    yield
    tab.wait_for_function(f"before => {version} !== before", arg=before)


def answered(tab: Tab, question: str, answer: str) -> None:
    """Gives the answer and waits for the page to have changed by it."""
    with put_together(tab):
        if answer in ("Yes", "No"):
            tab.get_by_role("group", name=question, exact=True).get_by_role("radio", name=answer, exact=True).check()
        else:
            box = tab.get_by_role("textbox", name=question)
            box.fill(answer)
            box.press("Tab")


def box_of(tab: Tab, words: str) -> str:
    return str(tab.locator(".pv-question", has_text=words).last.get_attribute("id"))


def test_what_changes_is_what_a_reload_would_show_and_the_rest_is_left_alone(tab: Tab) -> None:
    total = box_of(tab, "Twice as many")
    for question, answer in STEPS:
        before = set(tab.evaluate(BOXES))
        tab.evaluate(MARK)
        answered(tab, question, answer)
        there = set(tab.evaluate(BOXES))
        assert set(tab.evaluate(NEW)) - {total} == there - before, (question, answer)
        now = tab.evaluate(SEEN)
        with tab.context.new_page() as other:
            other.goto(tab.url)
            assert other.evaluate(SEEN) == now, (question, answer)


def test_the_caret_stays_where_it_is_while_a_part_around_it_changes(tab: Tab) -> None:
    words = tab.get_by_label("Your words")
    words.press_sequentially("one two")
    for _ in range(3):
        words.press("ArrowLeft")
    answer = tab.get_by_role("group", name="First?", exact=True).get_by_role("radio", name="No", exact=True)
    with put_together(tab):
        answer.evaluate(
            "(radio) => { radio.checked = true; radio.dispatchEvent(new Event('change', { bubbles: true })) }"
        )
    tab.keyboard.type("X")
    expect(words).to_have_value("one Xtwo")
