"""Confirming what the clinic has: what is asked of each fact, and what is asked where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.accounts.models import Clinic
from portal.actors import Role, system
from portal.db import session, transaction
from portal.ehr.models import RecordReading
from portal.errors import NotFound
from portal.intake import asking, confirming, sending
from portal.intake.asking import NEVER, RECORDED
from portal.intake.block_page import Said
from portal.intake.sections import PAGES, SECTIONS
from tests import make
from tests.conftest import csrf
from tests.intake.confirming_home import (
    AGE,
    NOTHING,
    PATIENT,
    RECORD,
    Home,
    lines,
    rule,
)

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Json = dict[str, Any]


@pytest.fixture
def home(app: Flask) -> Iterator[Home]:
    yield Home(*RECORD)
    db.close()


def test_small_blocks_share_a_page_and_those_without_anything_recorded_are_left_out(home: Home) -> None:
    shown = {key: [block.key for block in home.page(key).blocks] for key in PAGES}
    assert shown == {
        "contact": ["contact", "person"],
        "medication": ["medication"],
        "allergy": ["allergy"],
        "condition": ["condition", "procedure"],
        "coverage": ["coverage"],
    }
    assert home.page("allergy").title == "Your allergies"
    assert home.page("condition").title == PAGES["condition"].title


def test_a_clinic_asks_what_it_wants_and_a_page_without_a_block_is_no_page(home: Home) -> None:
    rule(home, allergy=(NEVER, 7), coverage=(NEVER, 7), careteam=(NEVER, 7), immunization=("always", 7))
    assert [block.key for block in home.page("condition").blocks] == ["condition", "procedure", "immunization"]
    with pytest.raises(NotFound):
        home.page("coverage")
    home.all_right()
    assert home.done()
    assert "allergy" not in home.sends().document["sections"], "what is not asked is not said"


def test_a_clinic_that_asks_nothing_has_no_such_task(home: Home) -> None:
    rule(home, **dict.fromkeys(SECTIONS, (NEVER, 0)))
    assert [task.kind for task in sending.tasks(home.me, home.visit)] == ["consent", "send"]
    assert home.sends().document["facts"] == []


def test_none_and_could_not_look_ask_different_questions_and_neither_is_said_for_the_patient(home: Home) -> None:
    home.records(PATIENT)
    none = home.page("allergy").blocks[0]
    with transaction() as current:
        for row in current.query(RecordReading):
            row.document, row.complete, row.failure, row.read_at = None, False, "unreachable", None
    unknown = home.page("allergy").blocks[0]
    assert (none.state, unknown.state) == ("none", "could-not-look")
    assert none.asks_any and unknown.asks_any
    saved = home.says("allergy", Said())
    assert [issue.where for issue in saved.issues] == ["allergy-any"]
    assert not home.says("allergy", Said(any={"allergy": "unsure"})).issues
    home.all_right()
    sections = home.sends().document["sections"]
    assert not sections["allergy"]["none_said_by_patient"]
    assert sections["medication"]["none_said_by_patient"], "there the patient said so"


def test_nothing_recorded_is_only_asked_about_where_the_clinic_wants_it(home: Home) -> None:
    home.records(PATIENT)
    assert [block.key for block in home.page("condition").blocks] == ["condition"]
    rule(home, family=("always", 365), procedure=(RECORDED, 365))
    assert [block.key for block in home.page("condition").blocks] == ["condition", "family"]


CORRECTED: dict[str, tuple[str, str, Json, list[str]]] = {
    "nothing was changed in what the record has": ("contact", "Mobile phone", {"text": "555 0100"}, ["text"]),
    "a digit was": ("contact", "Mobile phone", {"text": "555 0101"}, []),
    "words are needed where there is nothing to correct": ("allergy", "Penicillin", {"text": " "}, ["text"]),
    "one of several fields is enough": (
        "contact",
        "Diego Morales",
        {"name": "Diego Morales", "relation": "Husband", "phone": "555 0199"},
        [],
    ),
    "the same in every field": (
        "contact",
        "Diego Morales",
        {"name": "Diego Morales", "relation": "Husband", "phone": "555 0116"},
        ["name"],
    ),
}


@pytest.mark.parametrize("case", CORRECTED)
def test_a_correction_is_one_only_when_something_in_it_is_different(home: Home, case: str) -> None:
    key, label, typed, wrong = CORRECTED[case]
    line = lines(home, key)[label]
    saved = home.says(key, Said({line.name: "changed"}, {line.name: typed}, rest_is_right=True, any=NOTHING))
    about = [issue.where for issue in saved.issues if issue.where.startswith(f"{line.name}-")]
    assert about == [f"{line.name}-{name}" for name in wrong]


def test_a_correction_starts_with_what_the_record_has(home: Home) -> None:
    (person,) = [line for line in home.page("contact").lines if line.label == "Diego Morales"]
    assert [person.typed(each) for each in SECTIONS["person"].change] == ["Diego Morales", "Husband", "555 0116"]
    (allergy,) = home.page("allergy").lines
    assert allergy.typed(SECTIONS["allergy"].change[0]) == ""


def test_when_and_why_go_with_what_is_no_longer_so(home: Home) -> None:
    home.all_right(answers={"Metformin": "stopped"}, typed={"Metformin": {"when": "March", "why": "It made me ill"}})
    facts = {fact["label"]: fact for fact in home.sends().document["facts"]}
    assert facts["Metformin"]["change"] == {"when": "March", "why": "It made me ill"}
    assert facts["Penicillin"]["change"] == {}


def test_one_button_confirms_what_is_harmless_and_never_medicines_or_allergies(home: Home) -> None:
    assert home.page("contact").at_once
    assert not home.says("contact", Said(rest_is_right=True)).issues
    assert not home.page("medication").at_once
    assert [issue.message for issue in home.says("medication", Said(rest_is_right=True)).issues] == [
        "Choose an answer for %(what)s"
    ]


def test_what_is_added_says_everything_that_was_typed(home: Home) -> None:
    said = Said(
        rest_is_right=True, added={"person": [{"what": "Rosa Diaz", "relation": "Neighbour", "phone": "555 0118"}, {}]}
    )
    assert not home.says("contact", said).issues
    home.all_right()
    (added,) = [fact for fact in home.sends().document["facts"] if fact["answer"] == "added"]
    assert (added["kind"], added["label"], added["detail"]) == ("person", "Rosa Diaz", "Neighbour, 555 0118")
    assert added["change"]["relation"] == "Neighbour" and added["change"]["text"] == "Rosa Diaz"


def test_what_another_tab_saved_meanwhile_is_not_lost_unseen(home: Home) -> None:
    line = lines(home, "allergy")["Penicillin"]
    assert not home.says("allergy", Said({line.name: "same"})).issues
    late = confirming.save(home.me, home.visit.id, "allergy", Said({line.name: "unsure"}), 0, AGE)
    assert late.stale
    (kept,) = home.page("allergy").lines
    assert kept.answer == "same"


def test_a_page_that_was_refused_is_put_right_where_it_stands(home: Home) -> None:
    """What is shown after a mistake is what was just saved: correcting it meets nobody else's answers."""
    first = home.says("contact", Said({}, {}))
    assert first.issues and not first.stale
    answers = {line.name: "same" for block in first.page.blocks for line in block.lines}
    again = confirming.save(home.me, home.visit.id, "contact", Said(answers, {}), first.page.version, AGE)
    assert not again.stale and not again.issues and again.page.version == home.page("contact").version


# -- the page ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ana(home: Home, sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("ana@example.org")


def test_a_page_says_of_each_fact_since_when_and_from_whom(home: Home, ana: FlaskClient) -> None:
    page = unescape(ana.get(f"{home.path}/medication").get_data(as_text=True))
    assert "one in the morning" in page
    assert "Since 20 May 2019 (7 years ago)" in page
    assert "Written down by Dr Okoro." in page


def test_a_suggested_name_is_only_a_suggestion(home: Home, ana: FlaskClient) -> None:
    names = ("Aspirin 75 mg", "Ibuprofen <200>")
    blocks = {**asking.usual().blocks, "medication": asking.Rule("always", 7, names)}
    asking.set_asked(system(home.ana.clinic_id), replace(asking.usual(), blocks=blocks))
    page = ana.get(f"{home.path}/medication").get_data(as_text=True)
    assert '<datalist id="medication-names">' in page and "Ibuprofen &lt;200&gt;" in page
    assert 'list="medication-names"' in page
    line = lines(home, "medication")["Metformin"]
    typed = {
        f"{line.name}-answer": "same",
        "medication-added-0-what": "Something of my own",
        "step": "save",
        "version": "0",
    }
    path = f"{home.path}/medication"
    assert ana.post(path, data={"csrf_token": csrf(ana, path), **typed}).status_code == 303


def test_the_pages_lead_through_what_is_open_and_back(home: Home, ana: FlaskClient) -> None:
    path = home.path
    seen = []
    for _ in range(len(PAGES)):
        page = ana.get(path, follow_redirects=True)
        seen.append(page.request.path.rpartition("/")[2])
        answers = {f"{line.name}-answer": "same" for line in home.page(seen[-1]).lines}
        nothing = {f"{key}-any": "none" for key in SECTIONS}
        data = {"csrf_token": csrf(ana, page.request.path), "step": "save", "version": "0", **answers, **nothing}
        path = ana.post(page.request.path, data=data).headers["Location"]
    assert seen == list(PAGES)
    assert path == home.path.removesuffix("/confirm")


def test_another_row_keeps_everything_typed_and_saves_nothing(home: Home, ana: FlaskClient) -> None:
    path = f"{home.path}/contact"
    typed = {"person-added-0-what": "Rosa Diaz", "step": "add-person", "version": "0"}
    page = ana.post(path, data={"csrf_token": csrf(ana, path), **typed}).get_data(as_text=True)
    assert 'value="Rosa Diaz"' in page and 'name="person-added-2-what"' in page
    assert re.findall(r'id="([\w-]+)"[^>]* autofocus', page) == ["person-added-1-what"]
    assert not home.page("contact").version


def test_another_language_saves_what_was_said_and_shows_the_same_page_in_it(home: Home, ana: FlaskClient) -> None:
    path = f"{home.path}/medication"
    chosen = {f"{lines(home, 'medication')['Metformin'].name}-answer": "stopped", "language": "es", "version": "0"}
    answer = ana.post(f"{path}?from=check", data={"csrf_token": csrf(ana, path), **chosen})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?from=check")
    assert '<html lang="es"' in ana.get(path).text
    assert lines(home, "medication")["Metformin"].answer == "stopped"


def test_the_clinics_page_changes_what_is_asked_and_only_an_administrator_may(
    home: Home, sign_in: Callable[..., FlaskClient]
) -> None:
    clinic = home.ana.clinic_id
    for role in (Role.ADMINISTRATOR, Role.CLINICIAN):
        make.staff(session().get_one(Clinic, clinic), role)
    typed = {
        "asked-family": "always",
        "days-allergy": "30",
        "days-person": "31",
        "names-medication": "A\n\nB\nA",
        "asked-x": "y",
    }
    for role, answer in ((Role.CLINICIAN, 403), (Role.ADMINISTRATOR, 303)):
        client = sign_in(f"{role.value}@example.org")
        data = {"csrf_token": csrf(client, "/desk/confirming"), **typed, "authority-person": "record"}
        assert client.post("/desk/confirming", data=data).status_code == answer
    found = asking.asked(clinic)
    assert (found.blocks["family"].asked, found.blocks["allergy"].days, found.blocks["person"].days) == (
        "always",
        30,
        90,
    )
    assert found.blocks["medication"].names == ("A", "B") and found.authority["person"] == "record"
