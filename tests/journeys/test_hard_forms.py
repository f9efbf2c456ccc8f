"""Five hard forms by keyboard, on a phone and on a wide page: names, descriptions, what is told, where the focus goes.

A health check of 808 items, a grid, a table with rows of one's own, Spanish, a score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from portal.questionnaire import load
from tests.bench.forms import large
from tests.intake.forms_app import FormsApp, forms_app
from tests.intake.make_forms import SDC, coding, control, form, item
from tests.intake.pictures import BUNDLED, SIZES, served, signed_in

TWICE = {
    "url": f"{SDC}sdc-questionnaire-calculatedExpression",
    "valueExpression": {
        "language": "text/fhirpath",
        "expression": "%resource.item.where(linkId='many').answer.value * 2",
    },
}
RADIO = control("radio-button")
SCALE = [coding("never"), coding("often")]
GRID = form(
    item("grid", "group", "Last week", extension=[control("grid")], item=[
        item(f"row-{name}", "group", name, item=[
            item(f"{name}-much", "integer", "How much"), item(f"{name}-since", "date", "Since"),
        ]) for name in ("Pain", "Sleep")
    ]),
    item("matrix", "group", "How often", extension=[control("table")], item=[
        item(f"often-{n}", "choice", f"Thing {n}", extension=[RADIO], answerOption=SCALE) for n in (1, 2)
    ]),
)  # fmt: skip
ROWS = form(
    item("pills", "group", "Your pills", repeats=True, extension=[control("gtable")], item=[
        item("name", "string", "Name", required=True), item("since", "date", "Since"),
    ]),
    item("many", "integer", "How many?"),
    item("twice", "integer", "Twice as many", readOnly=True, extension=[TWICE]),
    item("more", "boolean", "More to say?"),
    item("part", "group", "More", item=[
        item("what", "string", "What?", enableWhen=[{"question": "more", "operator": "=", "answerBoolean": True}]),
    ]),
)  # fmt: skip
NEEDS = form(item("job", "string", "Your job", required=True))
FORMS: dict[str, Any] = {"many": large(), "grid": GRID, "rows": ROWS, "needs": NEEDS}
for slug, name in (("history", "health-history"), ("score", "phq-9")):
    FORMS[slug] = json.loads((BUNDLED / f"{name}.json").read_text("utf-8"))
LOOK = """() => {
  const wrong = [], seen = new Set()
  for (const part of document.querySelectorAll('[id]')) { if (seen.has(part.id)) wrong.push(`twice: ${part.id}`); seen.add(part.id) }
  for (const part of document.querySelectorAll('[aria-describedby], [aria-labelledby], [for]'))
    for (const name of ['aria-describedby', 'aria-labelledby', 'for'])
      for (const id of (part.getAttribute(name) ?? '').split(/\\s+/).filter(Boolean))
        if (!(document.getElementById(id)?.textContent.trim() || (name === 'for' && document.getElementById(id)))) {
          wrong.push(`${name}: ${id}`)
        }
  for (const part of document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')) {
    const named = [...(part.labels ?? [])].some((label) => label.textContent.trim()) || part.getAttribute('aria-label')
    if (!named) wrong.push(`no name: ${part.id || part.name}`)
    if (part.type === 'radio' && !part.closest('fieldset, table')) wrong.push(`no group: ${part.id}`)
  }
  for (const table of document.querySelectorAll('main table')) {
    if (!table.caption?.textContent.trim()) wrong.push('a table without a caption')
    if (!table.querySelector('th[scope=col]')) wrong.push('a table without heads')
  }
  for (const button of document.querySelectorAll('main button:not([aria-hidden])')) {
    if (!button.textContent.trim()) wrong.push('a button without words')
  }
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1')
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`wider than the page: ${document.documentElement.scrollWidth}`)
  return wrong
}"""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FormsApp, str]]:
    folder: Path = tmp_path_factory.mktemp("hard")
    with forms_app(folder, {slug: load(raw) for slug, raw in FORMS.items()}) as app, served(app) as url:
        yield app, url


@pytest.fixture
def tab(clinic: tuple[FormsApp, str], browser: Browser) -> Iterator[Tab]:
    app, url = clinic
    with browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}) as context:
        signed_in(context, url, app)
        page = context.new_page()
        page.set_default_timeout(10_000)
        yield page


def opened(tab: Tab, clinic: tuple[FormsApp, str], slug: str) -> None:
    tab.goto(clinic[0].path(slug))


def to(tab: Tab, words: str) -> None:
    """Tab until what has the focus is called so."""
    for _ in range(120):
        tab.keyboard.press("Tab")
        if focused(tab).startswith(words):
            return
    raise AssertionError(f"{words} cannot be reached with Tab")


def focused(tab: Tab) -> str:
    script = (
        "() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim().replace(/\\s+/g, ' ')"
    )
    return str(tab.evaluate(script))


def told(tab: Tab, words: str) -> None:
    expect(tab.locator("#announce")).to_contain_text(words)


@pytest.mark.parametrize("slug", [slug for slug in FORMS if slug != "needs"])
def test_everything_is_named_and_described_and_nothing_is_wider_than_the_page(tab: Tab, clinic: Any, slug: str) -> None:
    for size in SIZES.values():
        tab.set_viewport_size(size)  # type: ignore[arg-type]
        opened(tab, clinic, slug)
        assert tab.evaluate(LOOK) == []


def test_each_cell_of_a_grid_is_told_with_its_row_its_column_and_how_dates_are_written(tab: Tab, clinic: Any) -> None:
    opened(tab, clinic, "grid")
    since = tab.get_by_role("textbox", name=re.compile("Since.*Pain"))
    expect(since).to_have_accessible_description(re.compile("For example, 27 March 2019"))
    inputs = tab.locator("tbody tr").first.locator("input")
    tops = inputs.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    assert len(set(tops)) == 1  # no hint pushes one of them down
    expect(tab.get_by_text("Write dates like 27 March 2019.")).to_have_count(1)
    expect(tab.get_by_role("columnheader", name="Since")).to_be_visible()
    to(tab, "Never: Thing 1")
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowRight")
    expect(tab.get_by_role("radio", name=re.compile("Often.*Thing 1"))).to_be_checked()


def test_a_row_is_added_and_removed_by_keyboard_and_the_focus_stays_with_it(tab: Tab, clinic: Any) -> None:
    opened(tab, clinic, "rows")
    to(tab, "Name")
    tab.keyboard.type("Aspirin")
    to(tab, "Add another")
    with tab.expect_navigation(wait_until="load"):
        tab.keyboard.press("Enter")
    rows = tab.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_be_focused()
    to(tab, "Remove 2")
    with tab.expect_navigation(wait_until="load"):
        tab.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(tab.get_by_label("Name")).to_have_value("Aspirin")


def test_a_question_that_appears_inside_a_part_is_told_and_the_focus_stays(tab: Tab, clinic: Any) -> None:
    opened(tab, clinic, "rows")
    to(tab, "Yes")
    tab.keyboard.press("Space")
    expect(tab.get_by_label("What?")).to_be_visible()
    told(tab, "The questions below have changed.")
    assert focused(tab) == "Yes"


def test_a_problem_takes_the_focus_and_leads_to_its_field(tab: Tab, clinic: Any) -> None:
    opened(tab, clinic, "needs")
    with tab.expect_navigation(wait_until="load"):
        tab.get_by_label("Your job").press("Enter")
    expect(tab.locator(".nhsuk-error-summary")).to_be_focused()
    assert tab.title().startswith("Error: ")
    assert tab.evaluate(LOOK) == []
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Your job")).to_be_focused()
    expect(tab.get_by_label("Your job")).to_have_accessible_description("Error: Answer this question")


def test_a_number_that_is_worked_out_is_told_when_it_changes(tab: Tab, clinic: Any) -> None:
    opened(tab, clinic, "rows")
    to(tab, "How many?")
    tab.keyboard.type("21")
    tab.keyboard.press("Tab")
    told(tab, "Twice as many: 42")


def test_the_language_is_changed_by_keyboard_and_what_is_written_stays(tab: Tab, clinic: Any) -> None:
    opened(tab, clinic, "history")
    to(tab, "What would you most like to talk about?")
    tab.keyboard.type("My hands")
    tab.keyboard.press("Tab")
    to(tab, "Save and continue")
    with tab.expect_navigation(wait_until="load"):
        tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Español").press("Enter")
    expect(tab.locator("html")).to_have_attribute("lang", "es")
    assert tab.evaluate(LOOK) == []
    opened(tab, clinic, "history")
    expect(tab.get_by_text("My hands")).to_be_visible()
