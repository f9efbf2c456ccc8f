"""The design system: ours equals the library's macros element for element, and nothing hostile gets out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import Environment
from markupsafe import Markup

from portal.components import RENDERERS, Components, UnsafeMarkup, library

UI = Components()
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&{{7*7}}"
HEADED = {"legend": {"text": "How often?", "size": "l", "isPageHeading": True}}
PLAIN = {"legend": "How often?"}
ITEMS = [
    {"value": "a", "text": "Daily", "hint": {"text": "or more"}},
    {"value": "b", "text": "Weekly <b>", "attributes": {"data-x": 'say "hi"'}},
    {"divider": "or"},
    {"value": "n", "text": "Never", "exclusive": True},
    {"value": "o", "html": Markup("<i>Other</i>"), "conditional": {"html": Markup("<p>Which?</p>")}, "disabled": True},
]
ACTIONS = {"items": [{"href": "/c?a=1&b=2", "text": "Change", "visuallyHiddenText": "your name"}]}

SAME_AS_THE_LIBRARY: list[tuple[str, dict[str, Any]]] = [
    ("button", {"text": "Continue"}),
    ("button", {"text": "Go", "href": "/x?a=1&b=2", "variant": "secondary", "classes": "y", "small": True}),
    ("button", {"text": "Go", "name": "a", "value": "b", "disabled": True, "id": "i", "type": "button"}),
    ("button", {"html": Markup("<b>Go</b>"), "variant": "warning", "preventDoubleClick": True, "ariaLabel": "Go on"}),
    (
        "radios",
        {"name": "q", "fieldset": HEADED, "hint": "A hint", "errorMessage": "Pick one", "items": ITEMS, "value": "a"},
    ),
    ("radios", {"name": "q", "idPrefix": "z", "items": ITEMS, "value": "o", "classes": "nhsuk-radios--inline"}),
    ("radios", {"name": "q", "items": ITEMS[:2], "formGroup": {"classes": "x", "attributes": {"id": "g"}}}),
    ("checkboxes", {"name": "q", "fieldset": PLAIN, "hint": {"text": "All"}, "items": ITEMS, "values": ["a", "n"]}),
    ("checkboxes", {"name": "q", "items": ITEMS[:1], "hint": {"text": "x"}, "errorMessage": {"text": "bad"}}),
    ("input", {"name": "q", "label": "Name"}),
    (
        "input",
        {
            "name": "q",
            "id": "i",
            "label": {"text": "Name", "size": "m", "isPageHeading": True},
            "value": 0,
            "hint": "h",
            "errorMessage": "e",
            "prefix": "£",
            "suffix": {"text": "kg"},
            "width": 5,
            "inputmode": "decimal",
            "spellcheck": False,
            "disabled": True,
            "attributes": {"readonly": {"value": True, "optional": True}, "maxlength": 5},
        },
    ),
    ("input", {"name": "q", "label": "Mail", "type": "email", "autocomplete": "email", "describedBy": "more"}),
    ("textarea", {"name": "q", "label": {"text": "More"}, "rows": 3, "value": "one & two", "errorMessage": "e"}),
    ("character_count", {"name": "q", "label": "More", "maxlength": 200, "value": "x", "hint": "h", "threshold": 75}),
    (
        "select",
        {
            "name": "q",
            "label": "L",
            "items": [
                {"value": "", "text": "Choose"},
                {"value": "b", "text": "B", "selected": True},
                {"value": "c", "text": "C", "disabled": True},
                {"text": "D"},
            ],
            "errorMessage": "e",
        },
    ),
    (
        "select",
        {"name": "q", "label": "L", "items": [{"value": "b", "text": "B"}, {"value": "c", "text": "C"}], "value": "c"},
    ),
    (
        "date_input",
        {
            "id": "d",
            "namePrefix": "d",
            "fieldset": HEADED,
            "hint": "h",
            "errorMessage": "e",
            "values": {"day": "1", "year": "x"},
        },
    ),
    (
        "date_input",
        {
            "id": "d",
            "fieldset": PLAIN,
            "errorMessage": "e",
            "items": [
                {"name": "d-month", "id": "d-m", "label": "Month", "value": "3", "width": 2},
                {"name": "d-year", "id": "d-y", "label": "Year", "width": 4, "error": True},
            ],
        },
    ),
    (
        "fieldset",
        {"legend": {"text": "L", "size": "m"}, "html": Markup("<p>x</p>"), "describedBy": "z", "classes": "c"},
    ),
    ("fieldset", {"legend": {"text": "L", "isPageHeading": True, "visuallyHiddenText": "v"}}),
    ("label", {"text": "T", "size": "m", "for": "a"}),
    ("hint", {"text": "T", "id": "m"}),
    ("error_message", {"text": "T", "id": "m"}),
    (
        "error_summary",
        {
            "titleText": "There is a problem",
            "errorList": [{"text": "a", "href": "#a"}, {"text": "b"}],
            "descriptionText": "d",
        },
    ),
    (
        "task_list",
        {
            "idPrefix": "t",
            "items": [
                {
                    "title": {"text": "A"},
                    "href": "/x",
                    "hint": {"text": "h"},
                    "status": {"tag": {"text": "New", "colour": "blue"}},
                },
                {
                    "title": {"text": "B"},
                    "status": {"text": "Later", "classes": "nhsuk-task-list__status--cannot-start-yet"},
                },
                {"title": {"text": "C"}, "href": "/c", "status": {"text": "Completed"}},
            ],
        },
    ),
    (
        "summary_list",
        {
            "classes": "k",
            "rows": [
                {"key": "A", "value": {"text": "b"}, "actions": ACTIONS},
                {"key": {"text": "N"}, "value": {"html": Markup("<p>x</p>"), "classes": "v"}, "classes": "r"},
                {
                    "key": "N",
                    "value": {"text": ""},
                    "actions": {"items": [{"href": "/a", "text": "x"}, {"href": "/b", "text": "y"}]},
                },
            ],
        },
    ),
    ("summary_list", {"rows": [{"key": "A", "value": "b"}]}),
    ("summary_list", {"rows": [{"key": {"text": "A"}, "value": {"text": "b"}}], "card": {"heading": "X"}}),
    (
        "table",
        {
            "caption": "C",
            "captionSize": "m",
            "head": [{"text": "a"}, {"text": "n", "format": "numeric"}],
            "rows": [[{"text": "x"}, {"text": "1", "format": "numeric"}]],
            "firstCellIsHeader": True,
        },
    ),
    ("table", {"rows": [[{"text": "x", "classes": "c"}, {"html": Markup("<b>1</b>"), "colspan": 2}]], "id": "t"}),
    ("tag", {"text": "Sent", "colour": "green"}),
    ("tag", {"text": "Sent", "classes": "z"}),
    ("inset_text", {"text": "x & y"}),
    ("inset_text", {"html": Markup("<p>x</p>"), "classes": "z"}),
    ("warning_callout", {"heading": "Take care", "text": "x"}),
    ("details", {"summaryText": "s", "text": "x", "open": True, "id": "u"}),
    ("details", {"summaryText": "s", "html": Markup("<p>x</p>")}),
    ("notification_banner", {"text": "x"}),
    ("notification_banner", {"html": Markup("<p>x</p>"), "type": "success", "titleText": "S"}),
    ("back_link", {"href": "/b"}),
    ("back_link", {"href": "/b", "text": "Back to your visit"}),
    ("skip_link", {"href": "#m"}),
    ("card", {"heading": "H", "headingLevel": 3}),
    (
        "pagination",
        {"previous": {"href": "/p"}, "next": {"href": "/n"}, "items": [{"number": 1, "href": "/1", "current": True}]},
    ),
]


class Tokens(HTMLParser):
    """An HTML text as a list of what a browser would see: elements with their attributes in any order, and words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: " ".join((value or "").split()) for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.seen.append(" ".join(data.split()))


@pytest.mark.parametrize(
    ("name", "params"), SAME_AS_THE_LIBRARY, ids=lambda value: value if isinstance(value, str) else ""
)
def test_ours_is_what_the_library_draws(name: str, params: dict[str, Any]) -> None:
    assert Tokens(getattr(UI, name)(params)).seen == Tokens(library.render(name, params)).seen


def test_the_table_above_covers_every_renderer_of_ours() -> None:
    different_on_purpose = {"breadcrumb", "breadcrumbs", "file_upload", "password_input", "legend"}
    assert set(RENDERERS) - {name for name, _ in SAME_AS_THE_LIBRARY} == different_on_purpose


def leaves(value: Any, put: Callable[[Any], Any] = lambda new: new) -> Iterator[Callable[[str], Any]]:
    """For every string in `value`, a function that gives a copy of the whole with that string replaced."""
    if isinstance(value, Markup):
        return
    if isinstance(value, str):
        yield put
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, lambda new, key=key: put({**value, key: new}))  # type: ignore[misc]
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            before, after = value[:place], value[place + 1 :]
            yield from leaves(inner, lambda new, a=before, b=after: put([*a, new, *b]))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "params"), SAME_AS_THE_LIBRARY, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_hostile_string_in_any_place_stays_text(name: str, params: dict[str, Any]) -> None:
    harmless = {element[0] for element in Tokens(getattr(UI, name)(params)).seen if isinstance(element, tuple)}
    for replaced in leaves(params):
        drawn = getattr(UI, name)(replaced(HOSTILE))
        seen = [element for element in Tokens(drawn).seen if isinstance(element, tuple)]
        assert "script" not in {element[0] for element in seen}
        assert {"onerror", "src"}.isdisjoint(attribute for element in seen for attribute in element[1])
        assert {element[0] for element in seen} <= harmless | {"input", "label", "div", "h2", "p", "td", "strong"}


@pytest.mark.parametrize("name", ["inset_text", "details", "button", "hint", "tag", "card", "panel", "do_dont_list"])
def test_markup_in_a_plain_string_is_refused(name: str) -> None:
    params = {"html": "<b>x</b>", "summaryText": "s", "heading": "h", "titleHtml": "<b>x</b>"}
    with pytest.raises(UnsafeMarkup):
        getattr(UI, name)(params)


@pytest.mark.parametrize(
    "extra",
    [
        {"onclick": "x"},
        {"OnLoad": "x"},
        {"style": "x"},
        {"a b": "x"},
        {'"': "x"},
        ' onclick="x"',
        {"href": "javascript:x"},
    ],
)
@pytest.mark.parametrize("name", ["input", "button", "tag", "panel"])
def test_attributes_that_could_run_script_are_refused(name: str, extra: Any) -> None:
    with pytest.raises(UnsafeMarkup):
        getattr(UI, name)({"text": "x", "name": "n", "attributes": extra})


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:x", "data:text/html,x", "\x01vbscript:x"]
)
def test_links_never_carry_script(target: str) -> None:
    for name in ("back_link", "button", "skip_link"):
        with pytest.raises(UnsafeMarkup):
            getattr(UI, name)({"href": target, "text": "x"})
    with pytest.raises(UnsafeMarkup):
        UI.error_summary({"errorList": [{"text": "x", "href": target}]})
    with pytest.raises(UnsafeMarkup):
        UI.pagination({"next": {"href": target}})


def test_what_a_person_typed_in_a_textarea_comes_back_to_the_letter() -> None:
    typed = "\n  two spaces,\n\ta tab & <b>\n\nend  "
    drawn = str(UI.textarea({"name": "q", "label": "L", "value": typed}))
    inside = drawn.split(">", 4)[-1].split("</textarea>")[0]
    assert Markup(inside).unescape() == "\n" + typed


def test_an_item_is_chosen_by_its_value_whatever_its_type() -> None:
    drawn = UI.radios({"name": "q", "items": [{"value": 0, "text": "None"}, {"value": 1, "text": "One"}], "value": 0})
    assert drawn.count(" checked") == 1
    assert 'value="0" checked' in drawn


def test_words_that_components_bring_along_are_translated() -> None:
    words = {"There is a problem": "Hay un problema"}
    spanish = Components(lambda said: words.get(said, said))
    assert "Hay un problema" in spanish.error_summary({"errorList": []})


def test_parameters_may_come_as_names_and_the_template_escapes_nothing_twice() -> None:
    page = Environment(autoescape=True).from_string('{{ ui.button(text="Save & go") }}{{ ui.tag({"text": "a"}) }}')
    assert page.render(ui=UI).count("&amp;") == 1


def test_a_component_that_does_not_exist_says_so() -> None:
    with pytest.raises(LookupError):
        UI.no_such_thing({})


def test_the_passwords_button_shows_and_hides() -> None:
    drawn = UI.password_input({"name": "p", "label": "Password", "autocomplete": "new-password"})
    assert 'autocomplete="new-password"' in drawn
    assert 'aria-controls="p" hidden' in drawn
    assert 'type="password"' in drawn


def test_a_file_upload_is_a_plain_chooser() -> None:
    drawn = UI.file_upload(
        {"name": "f", "label": "A photo", "attributes": {"accept": "image/*"}, "errorMessage": "Too large"}
    )
    assert 'type="file"' in drawn
    assert 'accept="image/*"' in drawn
    assert "nhsuk-form-group--error" in drawn
