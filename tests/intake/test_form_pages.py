"""Form pages over HTTP, as a browser without script uses them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from portal.intake import held
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.intake.make_forms import coding, control, form, item
from tests.questionnaire.make import SDC

PILLS = item(
    "pills", "group", "Your pills", repeats=True, extension=[control("gtable")], item=[item("name", "string", "Name")]
)
RAW = form(
    item("page", "group", "You", extension=[control("page")], item=[
        item("born", "date", "Born", required=True),
        item("shy", "choice", "Shy?", answerOption=[coding("yes"), coding("no")]),
        item("why", "string", "Why?", enableWhen=[{"question": "shy", "operator": "=", "answerCoding": coding("yes")["valueCoding"]}]),
        item("scan", "attachment", "A scan"),
        PILLS,
    ]),
    item("last", "group", "The end", extension=[control("page")], item=[item("more", "text", "Anything else?")]),
)  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[FormsApp]:
    with forms_app(tmp_path, {}) as made:
        made.use({"asks": RAW})
        yield made


def test_what_is_wrong_is_said_beside_its_question_and_to_nobody_else(clinic: FormsApp) -> None:
    clinic.use({"asks": form(item("job", "string", "Your job", required=True))})
    for _ in range(2):
        shown = clinic.open("asks")
        assert "Answer this question" not in shown.html
        wrong = clinic.post(shown, "continue")
        assert (wrong.status, wrong.html.count('-error"><span')) == (422, 1)


def name_of(page: Page, words: str) -> str:
    return next(each.name for each in page.controls if words in page.labels.get(each.ident, "") + each.legend)


def test_a_date_as_people_say_it_is_taken_and_the_next_page_opens(clinic: FormsApp) -> None:
    page = clinic.open("asks", "you")
    following = clinic.post(page, "continue", {name_of(page, "Born"): "march 1985"})
    assert (following.status, following.path) == (200, clinic.path("asks", "the-end"))
    again = clinic.open("asks", "you")
    assert again.named(name_of(again, "Born"))[0].value == "March 1985"


def test_what_cannot_be_read_comes_back_in_its_input_with_a_line_that_leads_there(clinic: FormsApp) -> None:
    page = clinic.open("asks", "you")
    born = name_of(page, "Born")
    refused = clinic.post(page, "continue", {born: "a while ago"})
    assert refused.status == 422
    assert refused.named(born)[0].value == "a while ago"
    assert f"#{born}" in refused.links
    assert born in refused.ids
    assert refused.named(born)[0].attributes["aria-describedby"]


def test_answers_of_questions_that_the_page_did_not_show_stay(clinic: FormsApp) -> None:
    page = clinic.open("asks", "you")
    shy = [each.value for each in page.controls if each.name == name_of(page, "Shy?")]
    asked = clinic.post(page, changes={name_of(page, "Shy?"): shy[0]})
    answered = clinic.post(asked, changes={name_of(asked, "Why?"): "it is so"})
    hidden = clinic.post(answered, changes={name_of(page, "Shy?"): shy[1]})
    assert "Why?" not in hidden.text
    back = clinic.post(hidden, changes={name_of(page, "Shy?"): shy[0]})
    assert back.named(name_of(back, "Why?"))[0].value == "it is so"


def asked_when(place: str, inner: dict[str, Any]) -> dict[str, Any]:
    """A form whose question "Inner" applies while "Which?" is answered with yes: beside it, below it, or in a part."""
    which = item("which", "choice", "Which?", answerOption=[coding("yes"), coding("no")])
    when = {"enableWhen": [{"question": "which", "operator": "=", "answerCoding": coding("yes")["valueCoding"]}]}
    if place == "below":
        return form({**which, "item": [{**inner, **when}]})
    return form(which, {**inner, **when} if place == "beside" else item("part", "group", item=[inner], **when))


@pytest.mark.parametrize("place", ["beside", "below", "in a part"])
@pytest.mark.parametrize(
    ("kind", "more", "typed"),
    [
        ("string", {}, ["it is so"]),
        ("integer", {}, ["3"]),
        ("date", {}, ["3 May 2019"]),
        ("string", {"repeats": True}, ["one"]),
        ("choice", {"answerOption": [coding("left"), coding("right")]}, None),
        ("choice", {"answerOption": [coding("left"), coding("right")], "repeats": True}, None),
    ],
)
def test_an_answer_stands_again_when_its_question_applies_again(
    clinic: FormsApp, place: str, kind: str, more: dict[str, Any], typed: list[str] | None
) -> None:
    clinic.use({"again": asked_when(place, item("inner", kind, "Inner", **more))})
    page = clinic.open("again")
    which = [each for each in page.controls if each.kind == "radio"]
    yes, no = ({which[0].name: each.value} for each in which[:2])

    def inner(page: Page) -> list[Any]:
        return [each for each in page.controls if each.name.startswith("q") and each.name != which[0].name]

    def given(page: Page) -> list[str]:
        return [each.value for each in inner(page) if each.on and each.value]

    def told() -> bool:
        return "Inner" in clinic.client.get(f"/visits/{clinic.visit_id}/check").get_data(as_text=True)

    asked = clinic.post(page, changes=yes)
    said = typed or [inner(asked)[0].value]
    page = clinic.post(asked, changes={inner(asked)[0].name: said})
    assert (given(page), told()) == (said, True)
    off = clinic.post(page, changes=no)
    assert (inner(off), told()) == ([], False)
    held.drop_all()  # as another process, or another device, comes to it
    page = clinic.post(clinic.open("again"), changes=yes)
    assert (given(page), told()) == (said, True)
    cleared = clinic.post(page, changes={inner(page)[0].name: [""]})
    off = clinic.post(cleared, changes=no)
    assert given(clinic.post(off, changes=yes)) == []


def test_a_file_is_kept_shown_by_its_name_and_taken_away_again(clinic: FormsApp) -> None:
    page = clinic.open("asks", "you")
    scan = name_of(page, "A scan")
    kept = clinic.post(page, changes={scan: (BytesIO(b"%PDF-1.7 x"), "knee.pdf")})
    assert "knee.pdf" in kept.text
    still = clinic.post(kept)
    assert "knee.pdf" in still.text
    remove = f"{scan}-remove"
    assert "knee.pdf" not in clinic.post(still, changes={remove: still.named(remove)[0].value}).text


def test_rows_are_added_and_removed_and_what_was_typed_meanwhile_is_kept(clinic: FormsApp) -> None:
    page = clinic.open("asks", "you")
    first = next(each.name for each in page.controls if page.labels.get(each.ident) == "Name, 1")
    more = clinic.post(page, changes={first: "Aspirin"}, add=page.named("add")[0].value)
    assert [each.value for each in more.controls if page.labels.get(each.ident, "").startswith("Name")][:1] == [
        "Aspirin"
    ]
    assert len(more.named("remove")) == 2
    fewer = clinic.post(more, remove=more.named("remove")[1].value)
    assert fewer.named(first)[0].value == "Aspirin"
    assert not fewer.named("remove")


@pytest.mark.parametrize("kind", ["string", "integer", "date", "url"])
def test_an_input_that_was_added_stays_while_other_questions_are_answered(clinic: FormsApp, kind: str) -> None:
    clinic.use({"many": form(
        item("page", "group", "One", extension=[control("page")], item=[
            item("list", kind, "Some", repeats=True), item("flag", "boolean", "Flag?"),
        ]),
        item("last", "group", "Two", extension=[control("page")], item=[item("end", "string", "End")]),
    )})  # fmt: skip
    page = clinic.open("many")
    some, flag = page.named("add")[0].value, next(each for each in page.controls if each.kind == "radio")
    added = clinic.post(page, add=some)
    assert len(added.named(some)) == 2
    updated = clinic.post(added, changes={flag.name: flag.value})
    assert len(updated.named(some)) == 2
    held.drop_all()
    assert len(clinic.open("many", page.path.rpartition("/")[2]).named(some)) == 2
    assert len(clinic.post(updated, add=some).named(some)) == 2
    assert clinic.post(updated, "continue").path != page.path
    assert len(clinic.open("many", page.path.rpartition("/")[2]).named(some)) == 1


def test_a_page_stays_small_and_asks_for_nothing_elsewhere(clinic: FormsApp) -> None:
    page = clinic.open("asks", "you")
    assert len(page.html) < 12_000
    sources = [tag.get("src") or tag.get("href") or "" for name, tag in page.tags if name in ("img", "script", "link")]
    assert all(source.startswith(("/static/", "data:image/")) for source in sources)


@pytest.mark.parametrize(
    "crafted",
    [
        {"q3": ["x"] * 50},
        {"shown": ["q1,q2,q99999,-,q2-0-0"]},
        {"version": ["q2:zz,,:::"]},
        {"q2": ["1" * 200_000]},
        {"q2": ["\x00\x0b"]},
        {"q6-0": ["a"], "q7-0": ["\u202e" * 100]},
        {"q5-remove": ["none"], "q5": ["text, not a file"]},
    ],
)
def test_crafted_posts_are_answered_with_words(clinic: FormsApp, crafted: dict[str, list[str]]) -> None:
    page = clinic.open("asks", "you")
    assert clinic.post(page, changes=crafted).status in (200, 400, 409, 422)


def test_a_form_is_done_when_each_of_its_pages_was_seen_and_not_after_the_first(clinic: FormsApp) -> None:
    hub = f"/visits/{clinic.visit_id}"

    def state() -> str:
        page = Page(200, clinic.client.get(hub).get_data(as_text=True), hub)
        return page.text.partition(RAW["title"])[2].partition("Choose what may be shared")[0]

    page = clinic.open("asks", "you")
    last = clinic.post(page, "continue", {name_of(page, "Born"): "march 1985"})
    assert "Started" in state()
    clinic.post(last, "continue")
    assert "Done" in state()


def test_many_questions_without_an_answer_are_folded_away_where_answers_are_checked(clinic: FormsApp) -> None:
    many = form(*(item(f"q{number}", "string", f"Question {number}") for number in range(6)))
    clinic.use({"asks": many})
    page = clinic.open("asks")
    clinic.post(page, "continue", {name_of(page, "Question 0"): "said"})
    answer = clinic.client.get(f"/visits/{clinic.visit_id}/check").get_data(as_text=True)
    before, _, folded = answer.partition("5 questions without an answer")
    assert "Question 0" in before and "Question 1" not in before
    assert all(f"Question {number}" in folded for number in range(1, 6))


def test_a_form_without_any_name_can_be_opened_and_its_page_has_a_title(clinic: FormsApp) -> None:
    nameless = {**form(item("a", "string", "Words")), "title": None, "url": None, "name": None}
    clinic.use({"asks": {key: value for key, value in nameless.items() if value is not None}})
    hub = clinic.client.get(f"/visits/{clinic.visit_id}").get_data(as_text=True)
    assert "Your answers</a>" in hub
    assert "<title>Your answers" in clinic.open("asks").html


def ordered(how: str) -> dict[str, Any]:
    mode = {"url": f"{SDC}entryMode", "valueCode": how}
    parts = [
        item(
            name,
            "group",
            name,
            extension=[control("page")],
            item=[item(f"{name}?", "string", f"{name}?", required=True)],
        )
        for name in ("one", "two", "three")
    ]
    return {**form(*parts), "extension": [mode]}


@pytest.mark.parametrize(("how", "waits"), [("random", False), ("prior-edit", True), ("sequential", True)])
def test_a_form_may_want_its_pages_done_in_their_order_and_lets_a_person_go_back(
    clinic: FormsApp, how: str, waits: bool
) -> None:
    clinic.use({how: ordered(how)})
    assert clinic.open(how, "three").path == clinic.path(how, "one" if waits else "three")
    first = clinic.open(how, "one")
    second = clinic.post(first, "continue", {name_of(first, "one?"): "x"})
    assert second.path == clinic.path(how, "two")
    assert clinic.open(how, "three").path == clinic.path(how, "two" if waits else "three")
    assert clinic.open(how, "one").path == clinic.path(how, "one")
    assert clinic.client.post(clinic.path(how, "three"), data=second.sent({})).status_code == (302 if waits else 422)


def test_an_option_that_another_answer_switches_off_is_told_and_stays_until_it_is_changed(clinic: FormsApp) -> None:
    on = "%resource.item.where(linkId = 'on').answer.value = true"
    toggle = {"url": f"{SDC}answerOptionsToggleExpression", "extension": [
        {"url": "option", **coding("beer")}, {"url": "expression", "valueExpression": {"language": "text/fhirpath", "expression": on}},
    ]}  # fmt: skip
    drink = item("drink", "choice", "A drink", answerOption=[coding("tea"), coding("beer")], extension=[toggle])
    clinic.use({"toggled": form(item("on", "boolean", "Grown up?"), drink)})
    page = clinic.post(clinic.open("toggled"), changes={"q1": "true"})
    beer = next(each.value for each in page.controls if "Beer" in page.labels.get(each.ident, ""))
    chosen = clinic.post(page, changes={"q2": beer})
    off = clinic.post(chosen, "continue", {"q1": "false"})
    assert (off.status, "cannot be chosen any more because of another answer" in off.text) == (422, True)
    assert "Beer" in [off.labels[each.ident].strip() for each in off.named("q2") if each.value.startswith("kept-")]
    tea = next(each.value for each in off.controls if "Tea" in off.labels.get(each.ident, ""))
    assert clinic.post(off, "continue", {"q2": tea}).status == 200


def test_what_is_told_of_each_choice_stands_with_it(clinic: FormsApp) -> None:
    columns = [
        {"url": f"{SDC}choiceColumn", "extension": [{"url": "path", "valueString": path}, *more]}
        for path, *more in (
            ("display", {"url": "forDisplay", "valueBoolean": True}),
            ("code", {"url": "label", "valueString": "Code"}),
        )
    ]
    listed = item("a", "choice", "Which?", answerOption=[coding("tea"), coding("beer")])
    shown = {
        "columns": {**listed, "extension": columns},
        "listed": {**listed, "extension": [*columns, control("drop-down")]},
    }
    for slug, asked in shown.items():
        clinic.use({slug: form(asked)})
        assert "Code: beer" in clinic.open(slug).text


def test_a_form_is_called_what_it_is_called_in_the_language_of_the_page(clinic: FormsApp) -> None:
    """Also around the form, whatever language the account was made in."""
    parts = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Sus pastillas"}]
    translated = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": parts}]}
    clinic.use({"asks": {**form(item("a", "string", "A")), "title": "Your pills", "_title": translated}})
    for language, title in (("en", "Your pills"), ("es", "Sus pastillas"), ("en", "Your pills")):
        clinic.client.set_cookie("language", language)
        for path in ("", "/forms/asks", "/check"):
            shown = clinic.client.get(f"/visits/{clinic.visit_id}{path}", follow_redirects=True).get_data(as_text=True)
            assert title in shown, (language, path)
            assert not [other for other in ("Your pills", "Sus pastillas") if other != title and other in shown], path
