"""What is wrong on a page: told in its order, each told apart from the others, and nothing untrue about what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from portal.questionnaire import load
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.intake.make_forms import CORE, coding, control, form, item, unit

FORMAT = f"{CORE}entryFormat"
PAGE = form(
    item("job", "string", "Your job", required=True),
    item("many", "integer", "How many?"),
    item("city", "string", "Your city", required=True),
    item("stay", "group", "A stay", repeats=True, item=[
        item("ward", "string", "Ward", required=True),
        item("step", "group", "A step", repeats=True, item=[item("what", "string", "What?", required=True)]),
    ]),
    item("left", "group", "Left hand", item=[item("pain-l", "integer", "Pain", required=True)]),
    item("right", "group", "Right hand", item=[item("pain-r", "integer", "Pain", required=True)]),
)  # fmt: skip
GRID = form(
    item("grid", "group", "Last week", extension=[control("grid")], item=[
        item(f"row-{name}", "group", name, item=[item(f"{name}-much", "integer", "How much?", required=True)])
        for name in ("Pain", "Sleep")
    ]),
)  # fmt: skip
FILES = form(
    item("papers", "attachment", "Your papers", repeats=True),
    item("letter", "attachment", "The letter"),
)  # fmt: skip
AMOUNT = {
    "url": f"{CORE}questionnaire-unit",
    "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kg"},
}
WEIGHT = form(item("weight", "quantity", "Your weight", extension=[unit("kg"), unit("g")]))
PARTS = form(
    *(
        item(f"more-{kind}", kind, f"More {kind}", repeats=True, extension=[AMOUNT] if kind == "quantity" else [],
             item=[item(f"below-{kind}", "string", f"Below {kind}")])
        for kind in ("string", "integer", "date", "quantity")
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormsApp]:
    folder: Path = tmp_path_factory.mktemp("problems")
    forms = {"page": PAGE, "grid": GRID, "files": FILES, "parts": PARTS, "weight": WEIGHT}
    with forms_app(folder, {slug: load(raw) for slug, raw in forms.items()}) as app:
        yield app


def summary(page: Page) -> list[str]:
    found = re.search(r'<ul class="nhsuk-list nhsuk-error-summary__list.*?</ul>', page.html, re.DOTALL)
    lines = re.findall(r"<a[^>]*>(.*?)</a>", found[0], re.DOTALL) if found else []
    return [" ".join(line.split()) for line in lines]


def name_of(page: Page, label: str) -> str:
    return next(c.name for c in page.controls if c.ident and page.labels.get(c.ident, "").startswith(label))


def test_problems_are_listed_in_the_order_of_the_page_whatever_kind_they_are(clinic: FormsApp) -> None:
    page = clinic.open("page")
    wrong = clinic.post(page, "continue", {name_of(page, "How many?"): "two"})
    assert wrong.status == 422
    assert [line.split(":")[0].split("?")[0] for line in summary(wrong)[:3]] == ["Your job", "How many", "Your city"]


def test_what_could_not_be_read_is_not_said_to_be_saved(clinic: FormsApp) -> None:
    page = clinic.open("page")
    unread = clinic.post(page, "continue", {name_of(page, "How many?"): "two"})
    assert "Your other answers are saved." in unread.text
    assert "What you wrote is saved." not in unread.text
    missing = clinic.post(page, "continue")
    assert "What you wrote is saved." in missing.text


def test_questions_of_the_same_words_are_told_apart_by_where_they_stand(clinic: FormsApp) -> None:
    page = clinic.open("page")
    for _ in range(2):
        steps = [c.value for c in page.controls if c.name == "add"]
        page = clinic.post(page, add=steps[0])
    page = clinic.post(page, add=[c.value for c in page.controls if c.name == "add"][-1])
    told = [line.rpartition(" Answer this")[0].rstrip(":") for line in summary(clinic.post(page, "continue"))]
    assert len(told) == len(set(told)) > 6
    assert {"Left hand, Pain", "Right hand, Pain", "A stay 1, Ward", "A stay 1, A step 2, What?"} <= set(told)
    assert "Your job" in told


def test_rows_of_a_table_are_told_apart(clinic: FormsApp) -> None:
    told = summary(clinic.post(clinic.open("grid"), "continue"))
    assert told == ["Pain, How much? Answer this question", "Sleep, How much? Answer this question"]


def test_what_is_in_the_way_of_sending_is_told_apart_too(clinic: FormsApp) -> None:
    page = clinic.open("page")
    if "A stay 2" not in page.text:
        page = clinic.post(page, add=[control.value for control in page.controls if control.name == "add"][-1])
    clinic.post(page, "update", {name_of(page, "Your city"): "Leeds"})
    check = f"/visits/{clinic.visit_id}/check"
    shown = Page(200, clinic.client.get(check).get_data(as_text=True), check)
    lines = [line for line in summary(clinic.post(shown)) if not line.startswith("Not finished")]
    assert len(lines) == len(set(lines))
    told = [line.rpartition(":")[0] for line in lines]
    assert told.index("Your job") < told.index("A stay 1, Ward") < told.index("A stay 2, Ward")
    assert {"Left hand, Pain", "Right hand, Pain"} <= set(told)


def test_a_unit_that_is_missing_is_said_where_the_unit_is_chosen(clinic: FormsApp) -> None:
    page = clinic.open("weight")
    amount = name_of(page, "Amount")
    wrong = clinic.post(page, "continue", {amount: "80"})
    ident = next(control.ident for control in wrong.controls if control.kind == "select" and control.name)
    assert summary(wrong) == ["Your weight: Choose a unit"]
    assert f"#{ident}" in wrong.links
    at = {control.ident: str(control.attributes.get("aria-describedby")) for control in wrong.controls}
    assert f"{ident}-error" in at[ident]
    assert "error" not in at[ident.removesuffix("-unit")]
    neither = clinic.post(page, "continue", {amount: "heavy"})
    assert ident not in " ".join(neither.links)


def upload(name: str, content: bytes) -> tuple[BytesIO, str]:
    return BytesIO(content), name


def test_one_file_that_cannot_be_taken_does_not_cost_the_others_and_is_named(clinic: FormsApp) -> None:
    page = clinic.open("files")
    name = name_of(page, "Your papers")
    chosen: list[Any] = [upload("setup.exe", b"MZ" + b"0" * 50), upload("letter.pdf", b"%PDF-1.4\n" + b"0" * 50)]
    wrong = clinic.post(page, "continue", {name: chosen})
    assert wrong.status == 422
    assert summary(wrong) == ["Your papers: setup.exe: Choose the document itself, not an archive or a program"]
    assert "letter.pdf" in clinic.open("files").text
    assert "setup.exe" not in clinic.open("files").text


def test_a_single_file_that_cannot_be_taken_needs_no_name(clinic: FormsApp) -> None:
    page = clinic.open("files")
    chosen = {name_of(page, "The letter"): [upload("setup.exe", b"MZ" + b"0" * 50)]}
    assert summary(clinic.post(page, "continue", chosen)) == [
        "The letter: Choose the document itself, not an archive or a program"
    ]


def test_a_question_that_leads_on_has_one_way_to_add_another(clinic: FormsApp) -> None:
    adding = [control.value for control in clinic.open("parts").controls if control.name == "add"]
    assert len(adding) == len(set(adding)) == 4


@pytest.mark.parametrize(
    ("kind", "written", "shown"),
    [
        ("date", "dd/MM/yyyy", False),
        ("date", "JJ.MM.AAAA", False),
        ("dateTime", "YYYY-MM-DD HH:mm", False),
        ("time", "hh:mm:ss", False),
        ("date", "Day first", True),
        ("string", "nnn-nnn", True),
    ],
)
def test_a_pattern_of_letters_does_not_stand_beside_our_own_example_of_a_date(
    clinic: FormsApp, kind: str, written: str, shown: bool
) -> None:
    clinic.use({"format": form(item("it", kind, "It", extension=[{"url": FORMAT, "valueString": written}]))})
    assert (written in clinic.open("format").text) is shown


def test_what_helps_to_answer_is_said_in_sentences_of_their_own(clinic: FormsApp) -> None:
    prompt = item("prompt", "display", "Give your best guess", extension=[control("prompt")])
    clinic.use({"help": form(item("it", "time", "When?", item=[prompt]))})
    assert "Give your best guess. For example, 14:30 or 2:30 pm." in clinic.open("help").text


def test_rows_of_ones_own_are_told_apart_where_the_page_is_called_as_the_table(clinic: FormsApp) -> None:
    clinic.use({"pills": form(
        item("pills", "group", "Your pills", repeats=True, extension=[control("gtable")], item=[
            item("name", "string", "Name", required=True), item("since", "date", "Since"),
        ]), title="Your pills")})  # fmt: skip
    page = clinic.open("pills")
    page = clinic.post(page, add=next(control.value for control in page.controls if control.name == "add"))
    told = [line.partition(":")[0] for line in summary(clinic.post(page, "continue"))]
    assert told == ["Your pills 1, Name", "Your pills 2, Name"]


def test_a_table_says_in_the_head_of_a_column_that_it_must_be_answered(clinic: FormsApp) -> None:
    rows = [
        item(f"row-{name}", "group", name, item=[
            item(f"{name}-much", "string", "How much?", required=True),
            item(f"{name}-since", "string", "Since", required=name == "Pain"),
        ]) for name in ("Pain", "Sleep")
    ]  # fmt: skip
    clinic.use({"heads": form(item("grid", "group", "Last week", extension=[control("grid")], item=rows))})
    heads = re.findall(r'<th role="columnheader" scope="col">(.*?)</th>', clinic.open("heads").html, re.DOTALL)
    assert ["(required)" in head for head in heads] == [True, False]


@pytest.mark.parametrize(("kind", "open_ended"), [("choice", False), ("open-choice", True)])
def test_a_list_to_search_says_whether_it_takes_other_words(clinic: FormsApp, kind: str, open_ended: bool) -> None:
    options = [coding(f"m{number}") for number in range(30)]
    asked = item("it", kind, "Which?", extension=[control("autocomplete")], answerOption=options)
    clinic.use({"list": form(asked)})
    text = clinic.open("list").text
    assert "Start typing and choose from the list" in text
    assert ("or write it in your own words" in text) is open_ended
