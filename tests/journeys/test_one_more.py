"""One more and one fewer: the person goes on typing in what was added, and no press on a button is lost to a page that changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Route, expect
from playwright.sync_api import Page as Tab

from portal.questionnaire import load
from tests.intake.forms_app import FormsApp, forms_app
from tests.intake.make_forms import control, form, item, unit
from tests.intake.pictures import served
from tests.journeys.one_form import opened

MANY: dict[str, dict[str, Any]] = {
    "Names": {"type": "string"},
    "Counts": {"type": "integer"},
    "Days": {"type": "date"},
    "Doses": {"type": "quantity", "extension": [unit("mg"), unit("g")]},
}
TYPED = {"Names": "Anna", "Counts": "3", "Days": "May 2019", "Doses": "5"}


def nested(depth: int) -> dict[str, Any]:
    inner = [nested(depth - 1)] if depth else [item("deep", "string", "Deep down")]
    return item(f"part-{depth}", "group", f"Part {depth}", item=inner)


FORM = form(item("all", "group", "All of it", extension=[control("page")], item=[
    *({"linkId": text, "text": text, "repeats": True, **more} for text, more in MANY.items()),
    item("people", "group", "A person", repeats=True, item=[
        item("who", "string", "Who?"), item("phones", "string", "Phones", repeats=True),
    ]),
    nested(4),
]))  # fmt: skip


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FormsApp, str]]:
    folder: Path = tmp_path_factory.mktemp("more")
    with forms_app(folder, {"more": load(FORM)}) as app, served(app) as url:
        yield app, url


@pytest.fixture
def tab(clinic: tuple[FormsApp, str], browser: Browser) -> Iterator[Tab]:
    app, url = clinic
    with opened(browser, app, url, "more") as page:
        yield page


def part(tab: Tab, question: str) -> Locator:
    return tab.get_by_role("group", name=question, exact=True).first


def press(tab: Tab, button: Locator) -> None:
    with tab.expect_navigation(wait_until="load"):
        button.click()


@pytest.mark.parametrize("question", MANY)
def test_the_focus_is_in_the_input_that_was_added_and_after_removing_in_the_one_before(tab: Tab, question: str) -> None:
    inputs = part(tab, question).get_by_role("textbox")
    inputs.first.fill(TYPED[question])
    if question == "Doses":
        part(tab, question).get_by_role("combobox").select_option(label="mg")
    press(tab, part(tab, question).get_by_role("button", name="Add another"))
    expect(inputs).to_have_count(2)
    expect(inputs.nth(1)).to_be_focused()
    expect(inputs.nth(1)).to_have_value("")
    press(tab, part(tab, question).get_by_role("button", name="Remove 2"))
    expect(inputs).to_have_count(1)
    expect(inputs.first).to_be_focused()
    expect(inputs.first).to_have_value(TYPED[question])


def test_what_was_added_stays_while_another_question_is_answered(tab: Tab) -> None:
    names = part(tab, "Names").get_by_role("textbox")
    names.first.fill("Anna")
    press(tab, part(tab, "Names").get_by_role("button", name="Add another"))
    with tab.expect_response("**/forms/**"):
        tab.get_by_label("Deep down").fill("x")
        tab.get_by_label("Deep down").press("Tab")
    version = "document.querySelector('[name=version]').value"
    before = tab.evaluate(version)
    with tab.expect_response("**/forms/**"):
        tab.get_by_label("Who?").fill("Bert")
        tab.get_by_label("Who?").press("Tab")
    tab.wait_for_function(f"before => {version} !== before", arg=before)
    expect(names).to_have_count(2)
    names.nth(1).fill("Berta")
    tab.reload()
    expect(names.first).to_have_value("Anna")


def test_so_it_is_inside_of_a_part_that_may_stand_there_several_times(tab: Tab) -> None:
    tab.get_by_label("Who?").fill("Bert")
    press(tab, tab.get_by_role("button", name="Add another: A person"))
    expect(part(tab, "A person 2")).to_be_focused()
    phones = part(tab, "A person 2").get_by_role("textbox", name="Phones")
    phones.first.fill("1")
    press(tab, part(tab, "A person 2").get_by_role("button", name="Phones"))
    expect(phones.nth(1)).to_be_focused()


def test_a_button_that_is_replaced_while_its_press_waits_is_pressed_all_the_same(tab: Tab) -> None:
    def slowly(route: Route) -> None:
        time.sleep(0.5)
        route.continue_()

    names = part(tab, "Names").get_by_role("textbox")
    more = part(tab, "Names").get_by_role("button", name="Add another")
    names.first.fill("Carla")
    press(tab, more)
    with tab.expect_response("**/forms/**"):
        names.nth(1).fill("Dora")
        names.nth(1).press("Tab")
    tab.route("**/forms/**", slowly)
    names.nth(1).fill("")
    names.first.press("End")
    names.first.press("y")  # the second is taken back: the page that comes has one input, and another button below it
    press(tab, more)
    expect(names).to_have_count(2)
    expect(names.first).to_have_value("Carlay")
    expect(names.nth(1)).to_be_focused()


def test_parts_within_parts_leave_room_to_write_on_a_narrow_screen(tab: Tab) -> None:
    tab.set_viewport_size({"width": 320, "height": 640})
    box = tab.get_by_label("Deep down").bounding_box()
    assert box is not None
    assert box["width"] > 160
