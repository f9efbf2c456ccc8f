"""Each kind of question on a page: how it is asked, what comes back, and what is never lost."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage, MultiDict

import portal
from portal import db
from portal.intake.page_form import page_form
from portal.questionnaire import Filling, Node, load, populate
from tests import make
from tests.intake.drawing import ZONE, context, drawn, faults, form_of, lost
from tests.intake.forms_app import Page
from tests.intake.make_forms import CORE, SDC, UNKNOWN, Json, coding, control, form, item, unit

POLYGLOT = "jaVasCript:/*-/*`/*'/*\"/**/(/* */oNcliCk=alert() )//%0D%0A//</stYle/</titLe/--!>\\x3csVg/<sVg/oNloAd=alert()//>{{7*7}}%(x)s"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("templates")
    app = portal.create_app(make.settings(folder, f"sqlite:///{folder / 'previsit.db'}"))
    with app.test_request_context("/"):
        yield app
    db.dispose()


class Asked:
    """A form of one page with answers: how it is drawn, and what a post of it says."""

    def __init__(self, app: Flask, raw: Json, answers: dict[str, list[Json]]) -> None:
        self.app = app
        compiled = load(raw)
        filling = Filling(compiled, populate(compiled, context()), context())
        self.filling = filling.answer(answers) if answers else filling
        self.page = self.draw()

    @property
    def nodes(self) -> list[Node]:
        return self.filling.nodes(self.filling.pages[0].key)

    def draw(self, language: str = "en") -> Page:
        shown = drawn(self.app, self.nodes, form_of(self.nodes), self.filling.pages[0].title, language)
        assert not list(faults(shown, self.nodes, form_of(self.nodes)))
        assert not list(lost(self.nodes, shown))
        return shown

    def sent(self, **changes: str | list[str]) -> tuple[dict[str, list[Json]], list[str]]:
        """The answers of the page posted with these changes (`_` in a name stands for `-`), and the codes of what was not read."""
        names = {name.replace("_", "-"): value for name, value in changes.items()}
        fields = form_of(self.nodes, {**self.page.sent(names), "shown": [",".join(form_of(self.nodes).names())]})
        answers, unread = fields.answers()
        return answers, [issue.code for issue in unread]


@pytest.fixture
def ask(templates: Flask) -> Callable[..., Asked]:
    return lambda raw, **answers: Asked(templates, raw, answers)


def test_a_radio_that_may_be_left_out_can_be_taken_back(ask: Callable[..., Asked]) -> None:
    options = [coding("a"), coding("b")]
    asked = ask(form(item("1", "choice", answerOption=options)), q1=[coding("a")])
    assert [control.value for control in asked.page.named("q1")][-1] == ""
    assert asked.sent(q1="") == ({"q1": []}, [])
    needed = ask(form(item("1", "choice", answerOption=options, required=True)))
    assert len(needed.page.named("q1")) == 2
    assert "(required)" in needed.page.text


def test_yes_and_no_are_radios_and_neither_is_no_answer(ask: Callable[..., Asked]) -> None:
    asked = ask(form(item("1", "boolean")), q1=[{"valueBoolean": False}])
    assert [(each.value, each.on) for each in asked.page.named("q1")] == [("true", False), ("false", True), ("", False)]
    assert asked.sent(q1="true")[0] == {"q1": [{"valueBoolean": True}]}


def test_several_answers_in_own_words_all_stay(ask: Callable[..., Asked]) -> None:
    own = [{"valueString": "one"}, {"valueString": "two"}]
    asked = ask(form(item("1", "open-choice", repeats=True, answerOption=[coding("a")])), q1=[coding("a"), *own])
    assert asked.sent()[0]["q1"] == [coding("a"), *own]
    assert len(asked.page.named("q1-open")) == 2


def test_own_words_give_way_to_an_option_chosen_later(ask: Callable[..., Asked]) -> None:
    raw = form(item("1", "open-choice", answerOption=[coding("a"), coding("b")], extension=[control("drop-down")]))
    asked = ask(raw, q1=[{"valueString": "mine"}])
    key = asked.nodes[0].options[0].key
    assert asked.sent(q1=key)[0] == {"q1": [coding("a")]}
    assert ask(raw, q1=[coding("a")]).sent(q1_open="mine")[0] == {"q1": [{"valueString": "mine"}]}


def test_an_answer_that_left_the_list_stays_until_it_is_changed(ask: Callable[..., Asked]) -> None:
    asked = ask(form(item("1", "choice", answerOption=[coding("a"), coding("b")])), q1=[coding("gone", "Gone")])
    assert "Gone" in asked.page.text
    assert asked.sent() == ({"q1": [coding("gone", "Gone")]}, [])


def test_a_list_to_type_in_suggests_and_takes_the_words_of_an_option(ask: Callable[..., Asked]) -> None:
    options = [coding("a", "Ache"), coding("b", "Ache"), coding("c", "Burn <b>")]
    asked = ask(form(item("1", "choice", answerOption=options, extension=[control("autocomplete")])))
    assert [tag["value"] for name, tag in asked.page.tags if name == "option"] == ["Ache (a)", "Ache (b)", "Burn <b>"]
    assert asked.sent(q1="ache (B)")[0] == {"q1": [options[1]]}
    assert asked.sent(q1="nothing of it") == ({}, ["option"])


def test_a_list_kept_elsewhere_takes_what_is_written_for_the_clinic_to_code(ask: Callable[..., Asked]) -> None:
    asked = ask(form(item("1", "choice", answerValueSet="https://elsewhere.example/vs")))
    assert asked.sent(q1=" Hay fever ")[0] == {"q1": [{"valueCoding": {"display": "Hay fever"}}]}


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("dateTime", {"valueDateTime": "2019-07-01T10:22:33.120+10:00"}),
        ("time", {"valueTime": "14:00:07"}),
        ("decimal", {"valueDecimal": Decimal("1.10")}),
        ("string", {"valueString": "  a\nb "}),
        ("text", {"valueString": "\n\n a"}),
        ("quantity", {"valueQuantity": {"value": Decimal("5.00"), "unit": "stone", "comparator": "<"}}),
        ("reference", {"valueReference": {"reference": "Practitioner/1", "display": "Dr Lee"}}),
        ("date", {"valueDate": "2019-03"}),
        ("url", {"valueUri": "urn:oid:1.2.3"}),
    ],
)
def test_what_comes_back_as_it_was_shown_is_kept_to_the_last_digit(
    ask: Callable[..., Asked], kind: str, stored: Json
) -> None:
    asked = ask(form(item("1", kind)), q1=[stored])
    assert asked.sent() == ({"q1": [stored]}, [])


def test_a_time_typed_is_a_time_at_the_clinic(ask: Callable[..., Asked]) -> None:
    asked = ask(form(item("1", "dateTime")))
    assert asked.sent(q1_date="1 July 2019", q1_time="9:30")[0] == {
        "q1": [{"valueDateTime": "2019-07-01T09:30:00+01:00"}]
    }
    assert asked.sent(q1_date="2019", q1_time="")[0] == {"q1": [{"valueDateTime": "2019"}]}


def test_another_number_keeps_the_unit_that_stood_there(ask: Callable[..., Asked]) -> None:
    asked = ask(
        form(item("1", "quantity")), q1=[{"valueQuantity": {"value": 5, "unit": "stone", "code": "[stone_av]"}}]
    )
    assert asked.sent(q1_number="6.50")[0] == {
        "q1": [{"valueQuantity": {"value": Decimal("6.50"), "unit": "stone", "code": "[stone_av]"}}]
    }


def test_a_unit_is_chosen_or_where_the_form_lets_typed(ask: Callable[..., Asked]) -> None:
    asked = ask(form(item("1", "quantity", extension=[unit("kg"), unit("g")])))
    assert asked.page.named("q1-unit")[0].kind == "select"
    assert asked.sent(q1_number="70")[1] == ["unit-missing"]
    free = {"url": f"{SDC}sdc-questionnaire-unitOpen", "valueCode": "optionsOrString"}
    open_one = ask(form(item("1", "quantity", extension=[unit("kg"), unit("g"), free])))
    assert open_one.sent(q1_number="70", q1_unit="KG")[0]["q1"][0]["valueQuantity"]["code"] == "kg"


def test_what_cannot_be_read_stays_in_its_input(templates: Flask, ask: Callable[..., Asked]) -> None:
    asked = ask(form(item("1", "date"), item("2", "integer"), item("3", "dateTime")))
    typed = {"q1": ["soon"], "q2": ["many"], "q3-date": ["then"], "q3-time": ["late"], "shown": ["q1,q2,q3"]}
    fields = form_of(asked.nodes, typed)
    answers, unread = fields.answers()
    assert answers == {}
    assert {issue.name for issue in unread} == {"q1", "q2", "q3"}
    nodes = asked.filling.nodes(asked.filling.pages[0].key, unread)
    again = drawn(templates, nodes, fields)
    assert {each.name: each.value for each in again.controls} == {
        name: value[0] for name, value in typed.items() if name != "shown"
    }


def test_i_do_not_know_is_an_answer_and_a_number_typed_later_takes_its_place(ask: Callable[..., Asked]) -> None:
    raw = form(item("1", "decimal", extension=[UNKNOWN]))
    asked = ask(raw)
    key = asked.nodes[0].absent[0].key
    declined = asked.sent(q1_absent=key)[0]["q1"]
    assert declined[0]["extension"][0]["valueCode"] == "asked-unknown"
    later = ask(raw, q1=declined)
    assert later.page.named("q1-absent")[0].on
    assert later.sent()[0]["q1"] == declined
    assert later.sent(q1="7")[0] == {"q1": [{"valueDecimal": Decimal(7)}]}


def test_files_stay_until_they_are_taken_away(ask: Callable[..., Asked]) -> None:
    kept = {"valueAttachment": {"title": "a.pdf", "contentType": "application/pdf", "data": "JVBERi0=", "size": 5}}
    asked = ask(form(item("1", "attachment")), q1=[kept])
    assert asked.sent()[0] == {"q1": [kept]}
    assert asked.sent(q1_remove=asked.page.named("q1-remove")[0].value)[0] == {"q1": []}


@pytest.mark.parametrize(
    ("name", "claimed", "content", "kind"),
    [
        ("x.pdf", "application/pdf", b"%PDF-1.7", "application/pdf"),
        ("x.pdf", "application/pdf", b"<script>", "application/octet-stream"),
        ("x.svg", "image/svg+xml", b"<svg onload=1>", "application/octet-stream"),
        ("x.txt", "text/plain", b"hello", "text/plain"),
        ("../../x\u202egnp.png", "text/html", b"%PDF-1.7 <script>", "application/pdf"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(
    ask: Callable[..., Asked], name: str, claimed: str, content: bytes, kind: str
) -> None:
    asked = ask(form(item("1", "attachment")))
    data: MultiDict[str, Any] = MultiDict(
        [("shown", "q1"), ("q1", FileStorage(BytesIO(content), name, content_type=claimed))]
    )
    answers, _ = page_form(asked.nodes, "en", data, ZONE).answers()
    found = answers["q1"][0]["valueAttachment"]
    assert (found["contentType"], found["data"]) == (kind, b64encode(content).decode())
    assert "/" not in found["title"] and "\u202e" not in found["title"]


def test_each_input_of_a_grid_is_named_by_its_row_and_its_column(ask: Callable[..., Asked]) -> None:
    rows = [
        item(row, "group", row, item=[item(f"{row}-v", "integer", "Value"), item(f"{row}-d", "date", "Date")])
        for row in ("Height", "Weight")
    ]
    page = ask(form(item("g", "group", "Measures", item=rows, extension=[control("grid")]))).page
    assert page.tables == 1
    named = [page.labels[each.ident] for each in page.controls if each.kind == "text"]
    assert named == ["Value, Height", "Date, Height", "Value, Weight", "Date, Weight"]


def test_questions_with_the_same_answers_become_rows_of_a_table(ask: Callable[..., Asked]) -> None:
    same = {"answerOption": [coding("never"), coding("often")]}
    asked = ask(form(item("g", "group", "How often", item=[item("1", "choice", "Tired", **same), item("2", "choice", "Cross", **same)],
                          extension=[control("htable")])), q2=[coding("often")])  # fmt: skip
    named = [(asked.page.labels[each.ident], each.on) for each in asked.page.controls if each.kind == "radio"]
    assert ("Often: Tired", True) in named
    assert ("No answer: Tired", False) in named
    assert ("Never: Cross", False) in named


@pytest.mark.parametrize("required", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize(
    "answered", [{}, {"q1": [coding("often")]}, {"q1": [coding("often")], "q2": [coding("never")]}]
)
def test_every_cell_of_a_table_of_answers_stands_under_a_head(
    ask: Callable[..., Asked], required: tuple[bool, bool], answered: dict[str, Any]
) -> None:
    rows = [
        item(str(place), "choice", f"Row {place}", required=needed, answerOption=[coding("never"), coding("often")])
        for place, needed in enumerate(required, 1)
    ]
    page = ask(form(item("g", "group", "How often", item=rows, extension=[control("table")])), **answered).page
    heads, _, body = page.html.partition("<tbody")
    cells = [row.count("<td") + row.count("<th ") for row in body.split("<tr")[1:]]
    assert cells == [heads.count("<th ") + heads.count("<td")] * 2


def test_repeated_rows_can_be_added_and_removed(ask: Callable[..., Asked]) -> None:
    raw = form(
        item("g", "group", "Pills", repeats=True, item=[item("n", "string", "Name")], extension=[control("gtable")])
    )
    asked = ask(raw)
    asked.filling = asked.filling.add("q1-0")
    page = asked.draw()
    assert [each.value for each in page.controls if each.name == "remove"] == ["q1-0", "q1-1"]
    assert [each.value for each in page.controls if each.name == "add"] == ["q1-1"]
    assert page.tables == 1


def test_a_folded_group_is_open_once_something_in_it_is_answered(ask: Callable[..., Asked]) -> None:
    folded = {"url": f"{SDC}sdc-questionnaire-collapsible", "valueCode": "default-closed"}
    raw = form(item("x", "string"), item("g", "group", "More", item=[item("1", "string")], extension=[folded]))

    def opened(page: Page) -> list[bool]:
        return ["open" in tag for name, tag in page.tags if name == "details"]

    assert opened(ask(raw).page) == [False]
    assert opened(ask(raw, q3=[{"valueString": "a"}]).page) == [True]


def test_a_question_that_does_not_apply_but_stays_shown_cannot_be_answered(ask: Callable[..., Asked]) -> None:
    condition = {"question": "1", "operator": "=", "answerBoolean": True}
    kept = {"url": f"{CORE}questionnaire-disabledDisplay", "valueCode": "protected"}
    asked = ask(
        form(
            item("1", "boolean"),
            item("2", "string", "Which?", enableWhen=[condition], extension=[kept]),
        )
    )
    assert "Which? Does not apply" in asked.page.text
    assert not asked.page.named("q2")


def test_texts_of_the_form_and_of_answers_stay_texts(ask: Callable[..., Asked]) -> None:
    hostile: Json = {
        "text": POLYGLOT,
        "prefix": POLYGLOT,
        "extension": [
            {"url": f"{CORE}entryFormat", "valueString": POLYGLOT},
            {"url": f"{CORE}questionnaire-supportLink", "valueUri": "javascript:alert(1)"},
            {
                "url": f"{SDC}sdc-questionnaire-itemMedia",
                "valueAttachment": {"contentType": "image/png", "url": "https://evil.example/x"},
            },
        ],
    }
    options = [coding("a", POLYGLOT), coding("b", POLYGLOT)]
    items = [
        {**hostile, "linkId": "1", "type": "string"},
        {**hostile, "linkId": "2", "type": "choice", "answerOption": options},
        {**hostile, "linkId": "3", "type": "choice", "answerOption": options, "extension": [control("autocomplete")]},
        {**hostile, "linkId": "4", "type": "text"},
        {"linkId": "5", "type": "group", "text": POLYGLOT, "repeats": True, "extension": [control("gtable")],
         "item": [{"linkId": "6", "type": "string", "text": POLYGLOT}]},
    ]  # fmt: skip
    asked = ask(form(*items, title=POLYGLOT), q1=[{"valueString": POLYGLOT}], q4=[{"valueString": POLYGLOT}])
    assert not {name for name, _ in asked.page.tags} & {"svg", "script", "style", "title", "img", "a"}
    assert not [tag for _, tag in asked.page.tags if any(name.startswith("on") for name in tag)]
    assert asked.page.named("q1")[0].value == POLYGLOT
    assert asked.sent()[0]["q4"] == [{"valueString": POLYGLOT}]


def test_only_pictures_that_the_form_carries_and_links_to_web_pages_are_shown(ask: Callable[..., Asked]) -> None:
    image = {"contentType": "image/png", "data": "iVBORw0KGgo=", "title": "A face"}
    media = {"url": f"{SDC}sdc-questionnaire-itemMedia", "valueAttachment": image}
    link = {"url": f"{CORE}questionnaire-supportLink", "valueUri": "https://www.example.org/why?a=1&b=2"}
    page = ask(form(item("1", "string", extension=[media, link]))).page
    assert [tag["src"] for name, tag in page.tags if name == "img"] == ["data:image/png;base64,iVBORw0KGgo="]
    assert page.links == ["https://www.example.org/why?a=1&b=2"]


def test_words_from_right_to_left_find_their_side(ask: Callable[..., Asked]) -> None:
    page = ask(form(item("1", "string", "ما اسمك؟")), q1=[{"valueString": "ليلى"}]).page
    assert [tag.get("dir") for name, tag in page.tags if name == "input"] == ["auto"]
    assert any(tag.get("dir") == "auto" for name, tag in page.tags if name == "div")


def test_a_slider_says_its_ends_in_words(ask: Callable[..., Asked]) -> None:
    ends = [{"url": f"{CORE}minValue", "valueInteger": 0}, {"url": f"{CORE}maxValue", "valueInteger": 10}]
    parts = [
        item(f"1.{code}", "display", word, extension=[control(code)])
        for code, word in (("lower", "none"), ("upper", "worst"))
    ]
    page = ask(form(item("1", "integer", "Pain", item=parts, extension=[control("slider"), *ends]))).page
    assert "From 0 to 10. 0: none. 10: worst." in page.text
