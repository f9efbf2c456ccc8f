"""What a form page may cost: how often it asks the database, how many bytes go out, and that a larger form costs no more."""

from __future__ import annotations

import cProfile
import gzip
import pstats
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from portal import db
from portal.db import session, transaction
from portal.intake import framed, held
from portal.intake.models import Draft
from portal.library import shelf
from portal.questionnaire import Filling, load
from tests.bench.forms import Json, filled, large
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.questionnaire.make import context

SMALL, LARGE = large(6, 2), large(24, 2)
"""124 and 496 items, with all their logic."""
PAGE = "part-4-of-your-health-check"
OPENED, SAVED = 7, 10
"""Statements, without BEGIN, which is said to the driver itself."""
WORK = {
    "opened": {"unseal": 5, "seal": 1, "_run": 0},
    "saved": {"unseal": 6, "seal": 3, "_run": 0},
    "reckoned": {"unseal": 6, "seal": 3, "_run": 4},
}
"""Sealed values opened and sealed, and expressions worked out, at most: none but those that the changed answer reaches."""
GROWTH = 1.25
TIMES_OF_NOTHING = {"opened": 3.2, "saved": 5.1, "hub": 6.4, "visits": 5.0, "confirm": 6.3, "check": 9.4}
"""A page of 12 questions and the pages around it beside an empty route, counted in calls of functions."""
BOX = re.compile(r'id="(box-[^"]+)" data-as="(\w+)"')
AS_A_BROWSER = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None) -> Iterator[FormsApp]:
    with forms_app(tmp_path_factory.mktemp("cost"), {"small": load(SMALL), "large": load(LARGE)}) as made:
        for slug, raw in (("small", SMALL), ("large", LARGE)):
            made.post(made.open(slug, PAGE))
            fill(made, slug, raw)
        yield made


def fill(clinic: FormsApp, slug: str, raw: Json) -> None:
    """Every question answered, as somebody who comes back to it finds it."""
    with clinic.app.app_context(), transaction():
        row = session().query(Draft).filter_by(task=f"form:{slug}").one()
        answered = Filling(load(raw), filled(raw), context()).draft()
        row.response, row.version = answered, row.version + 1
    held.drop_all()


def opened(clinic: FormsApp, slug: str) -> Callable[[], object]:
    return lambda: clinic.client.get(clinic.path(slug, PAGE))


def saved(clinic: FormsApp, slug: str) -> Callable[[], object]:
    """With another answer each time."""
    page = clinic.open(slug, PAGE)
    choice = page.named(next(control.name for control in page.controls if control.kind == "radio"))
    return _posting(clinic, page, choice[0].name, [one.value for one in choice[:2]])


def reckoned(clinic: FormsApp, slug: str) -> Callable[[], object]:
    """With another number each time, out of which others are worked out."""
    return _posting(clinic, clinic.open(slug, PAGE), f"q{load(SMALL).by_link['b6.2'].ordinal}", ["5", "6"])


def _posting(clinic: FormsApp, page: Page, name: str, values: list[str]) -> Callable[[], object]:
    turn = [0]

    def post() -> object:
        turn[0] += 1
        sent = page.sent({name: values[turn[0] % 2]})
        sent["version"] = [""]
        answer = clinic.client.post(page.path, data={**sent, "step": "update"})
        assert answer.status_code == 303
        return answer

    return post


def around(clinic: FormsApp) -> dict[str, Callable[[], object]]:
    """The pages around a form, by name. Both forms are begun: what is read through has 620 items."""
    visit = f"/visits/{clinic.visit_id}"
    paths = {"hub": visit, "visits": "/visits", "confirm": f"{visit}/confirm/medication", "check": f"{visit}/check"}
    return {name: partial(_shown, clinic, path) for name, path in paths.items()}


def _shown(clinic: FormsApp, path: str) -> object:
    answer = clinic.client.get(path)
    assert answer.status_code == 200
    return answer


def statements(act: Callable[[], object]) -> list[str]:
    act()
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    return said


def calls(act: Callable[[], object]) -> int:
    """How many functions are called: the same on any machine, however busy."""
    act(), act()
    profile = cProfile.Profile()
    profile.enable()
    act()
    profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_a_page_asks_the_database_a_few_times_whatever_the_form(clinic: FormsApp) -> None:
    assert len(statements(opened(clinic, "small"))) == len(statements(opened(clinic, "large"))) <= OPENED
    assert len(statements(saved(clinic, "small"))) == len(statements(saved(clinic, "large"))) <= SAVED


def work(act: Callable[[], object]) -> dict[str, int]:
    """How often a value is opened or sealed, and an expression is worked out."""
    act(), act()
    profile = cProfile.Profile()
    profile.enable()
    act()
    profile.disable()
    found = dict.fromkeys(("unseal", "seal", "_run"), 0)
    for (file, _, name), (_, times, *_rest) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if name in found and file.endswith(("portal/sealing.py", "questionnaire/evaluation.py")):
            found[name] += times
    return found


@pytest.mark.parametrize("what", [opened, saved, reckoned])
def test_a_page_opens_seals_and_works_out_a_few_things_whatever_the_form(
    clinic: FormsApp, what: Callable[[FormsApp, str], Callable[[], object]]
) -> None:
    few, many = work(what(clinic, "small")), work(what(clinic, "large"))
    assert few == many
    assert all(times <= WORK[what.__name__][each] for each, times in many.items()), many


def test_a_post_that_only_saves_draws_nothing(clinic: FormsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    post = saved(clinic, "small")
    post()

    def drawn(*_: object) -> None:
        raise AssertionError("a page was drawn that nobody sees")

    monkeypatch.setattr(Filling, "nodes", drawn)
    post()


@pytest.mark.parametrize("what", [opened, saved])
def test_four_times_the_items_cost_no_more(
    clinic: FormsApp, what: Callable[[FormsApp, str], Callable[[], object]]
) -> None:
    few, many = calls(what(clinic, "small")), calls(what(clinic, "large"))
    assert many <= few * GROWTH, f"{few} calls of functions grew to {many}"


def test_a_page_costs_a_bounded_number_of_empty_routes(clinic: FormsApp, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = calls(lambda: clinic.client.get("/pulse"))
    acts = {what.__name__: what(clinic, "large") for what in (opened, saved)} | around(clinic)
    found = {name: calls(act) / nothing for name, act in acts.items()}
    with capsys.disabled():
        print(f"\nCalls beside an empty route: { ({name: round(times, 1) for name, times in found.items()}) }")
    assert all(times <= TIMES_OF_NOTHING[name] for name, times in found.items())


def test_a_page_goes_out_compressed_to_our_own_pages_only(clinic: FormsApp) -> None:
    address = clinic.path("large", PAGE)
    plain = clinic.client.get(address)
    packed = clinic.client.get(address, headers=AS_A_BROWSER)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Sec-Fetch-Site" in packed.headers["Vary"]
    assert len(packed.data) < 5_000 < len(gzip.decompress(packed.data))
    for where in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Accept-Encoding": "identity"}):
        assert "Content-Encoding" not in clinic.client.get(address, headers={**AS_A_BROWSER, **where}).headers


def test_the_script_is_given_the_form_without_the_frame_that_stands_there(clinic: FormsApp) -> None:
    page = clinic.open("large", PAGE)
    sent = {**page.sent({}), "step": ["update"]}
    answer = clinic.client.post(page.path, data=sent, headers={"X-Fragment": "1"})
    alone = Page(answer.status_code, answer.get_data(as_text=True), page.path)
    assert alone.status == 200
    assert {tag for tag, _ in alone.tags}.isdisjoint({"html", "header", "footer", "script"})
    assert "questions" in alone.ids
    asked = {one.name for one in page.controls if one.name.startswith("q")}
    assert {one.name for one in alone.controls} >= asked | {"csrf_token", "version", "shown"}
    assert len(alone.html) < len(page.html)


def test_what_stands_on_the_page_already_is_not_sent_again(clinic: FormsApp) -> None:
    """By marks that the script gives; a part is sent for the one question that changed in it, and without the others."""
    page = clinic.open("large", PAGE)
    marks = BOX.findall(page.html)
    radio = next(control.name for control in page.controls if control.kind == "radio")
    before = page.sent({}).get(radio, [])
    chosen = next(one.value for one in page.named(radio) if one.value and one.value not in before)

    def answer(held: str) -> str:
        sent = page.sent({radio: chosen}) | {"step": ["update"], "version": [""]}
        return clinic.client.post(page.path, data=sent, headers={"X-Fragment": held}).get_data(as_text=True)

    whole, short = answer("1"), answer(",".join(mark for _, mark in marks))
    here, there = set(BOX.findall(whole)), set(BOX.findall(short))
    assert there <= here, "the marks do not depend on what is left out"
    assert here - there <= set(marks), "what is not sent stands in a part that is not sent"
    empty = set(re.findall(r'id="(box-[^"]+)" data-as="\w+"></div>', short))
    assert empty == {name for name, _ in there & set(marks)}
    assert len(empty) > 3
    assert f'name="{radio}"' in short
    assert len(short) < len(whole) / 2


def test_a_question_drawn_for_one_reader_is_not_shown_to_another_in_their_language(clinic: FormsApp) -> None:
    """First to a reader of English, then of Spanish, then of English again: each in their own words."""
    address = clinic.path("small", "part-5-of-your-health-check")
    told = []
    for language in ("en", "es", "en"):
        clinic.client.set_cookie("language", language)
        told.append(clinic.client.get(address).get_data(as_text=True))
    clinic.client.delete_cookie("language")
    assert [("No answer" in page, "Sin respuesta" in page) for page in told] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_what_was_overtaken_by_another_device_is_read_anew(clinic: FormsApp, tmp_path: Path) -> None:
    """The filling that this process holds is of the version before: what the other wrote is what the page shows."""
    page = clinic.open("small", PAGE)
    name = next(control.name for control in page.controls if control.kind == "radio")
    there = [control.value for control in page.named(name)]
    elsewhere = held._held.copy()
    clinic.post(page, "update", {name: there[1]})
    with held._lock:
        held._held.clear()
        held._held.update(elsewhere)
    assert chosen(clinic.open("small", PAGE), name) == [there[1]]


def chosen(page: Page, name: str) -> list[str]:
    return [control.value for control in page.named(name) if control.on]


# -- the page around the questions, drawn for nobody


def whole(clinic: FormsApp, client: FlaskClient, address: str) -> str:
    """The page without what differs each time it is given out: its tokens, and how long the session lasts."""
    html = client.get(address).get_data(as_text=True)
    return re.sub(r'(name="csrf_token" value|data-token|data-left)="[^"]*"', r"\1", html)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_is_what_the_template_draws_whoever_opened_it_before(
    clinic: FormsApp, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    clinic.client.set_cookie("language", language)
    for address in (
        clinic.path("small", PAGE),
        clinic.path("large", PAGE),
        clinic.path("large", "part-5-of-your-health-check"),
    ):
        for asked in (address, f"{address}?from=check"):
            quick = [whole(clinic, clinic.client, asked) for _ in range(2)]
            with monkeypatch.context() as slow:
                slow.setattr(framed, "may_be", lambda _: False)
                assert quick == [whole(clinic, clinic.client, asked)] * 2
    clinic.client.delete_cookie("language")


def test_what_is_kept_of_a_page_holds_nothing_of_anybody(clinic: FormsApp) -> None:
    """Everything that is kept of forms was drawn with gaps: no name, no token, no visit, no answer."""
    page = clinic.open("large", PAGE)
    with clinic.app.app_context():
        row = session().query(Draft).filter_by(task="form:large").one()
        typed = {str(value) for value in answers_in(row.response) if isinstance(value, str) and len(value) > 5}
    forms = [form for form in shelf._compiled.values() if "frame" in form.root.kept]
    assert forms
    kept = [str(item.kept) for form in forms for item in (form.root, *form.all_items)]
    own = {"Ana Morales", clinic.visit_id, row.patient_id, *(control.value for control in page.named("csrf_token"))}
    assert not {word for word in own | typed for text in kept if word in text}


def answers_in(found: object) -> Iterator[object]:
    if isinstance(found, dict):
        for name, inner in found.items():
            yield from [inner] if name == "valueString" else answers_in(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from answers_in(inner)
