"""What was confirmed lately is asked once: what counts, for how long, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.actors import system
from portal.clock import now
from portal.db import session, transaction
from portal.intake import confirming, sending, service
from portal.intake.block_page import Said
from portal.intake.models import Confirmation, Status
from tests import make
from tests.intake.confirming_home import (
    AGE,
    APPENDIX,
    METFORMIN,
    PATIENT,
    PENICILLIN,
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


@pytest.fixture
def twice(home: Home) -> Home:
    """Confirmed and sent for one visit; another one is in three days."""
    home.all_right(answers={"Penicillin": "unsure"})
    home.sends()
    home.visit = make.visit(home.ana, in_days=4)
    return home


def test_what_was_confirmed_a_few_days_ago_is_not_asked_again_but_for_what_they_were_not_sure_of(twice: Home) -> None:
    assert not any(home_block.lines for home_block in twice.page("contact").blocks)
    assert [line.label for line in twice.page("allergy").lines] == ["Penicillin"]
    assert confirming.first_open(twice.me, twice.visit, AGE) == "allergy"
    twice.all_right()
    document = twice.sends().document
    assert [fact["label"] for fact in document["facts"]] == ["Penicillin"]
    assert document["sections"]["medication"]["before"]["by"] == "Ana Morales"
    assert not document["sections"]["condition"]["none_said_by_patient"], "that was said for the other visit"


def test_when_everything_was_confirmed_there_is_nothing_to_do(home: Home) -> None:
    home.all_right()
    home.sends()
    home.visit = make.visit(home.ana, in_days=4)
    task = sending.tasks(home.me, home.visit)[0]
    assert task.settled and task.confirmed_at is not None
    assert home.sends().document["facts"] == []


def test_what_the_record_changed_since_is_asked_and_what_is_gone_is_said(twice: Home) -> None:
    differently = {**METFORMIN, "dosageInstruction": [{"text": "two in the morning"}]}
    new = {**METFORMIN, "id": "m2", "medicationCodeableConcept": {"text": "Lisinopril"}}
    twice.records(PATIENT, differently, new, PENICILLIN)
    (block,) = twice.page("medication").blocks
    assert [line.label for line in block.lines] == ["Metformin", "Lisinopril"]
    assert confirming.first_open(twice.me, twice.visit, AGE) == "medication"
    (condition, procedure) = twice.page("condition").blocks
    assert procedure.gone == ("Appendix",) and condition.gone == ()


def test_what_the_record_took_over_from_the_patient_is_not_asked_back(home: Home) -> None:
    home.says(
        "allergy",
        Said(
            {lines(home, "allergy")["Penicillin"].name: "same"}, added={"allergy": [{"what": "Latex", "more": "Rash"}]}
        ),
    )
    home.all_right(answers={"Metformin": "changed"}, typed={"Metformin": {"text": "only at night"}})
    home.sends()
    home.visit = make.visit(home.ana, in_days=4)
    latex = {**PENICILLIN, "id": "a2", "code": {"text": "latex"}, "reaction": [{"manifestation": [{"text": "Rash"}]}]}
    more = {**latex, "id": "a3", "reaction": [{"manifestation": [{"text": "Shock"}]}]}
    home.records(PATIENT, METFORMIN, PENICILLIN, APPENDIX, latex)
    assert not home.page("allergy").lines
    home.records(PATIENT, METFORMIN, PENICILLIN, APPENDIX, more)
    assert [line.label for line in home.page("allergy").lines] == ["latex"], "somebody wrote more than the patient said"


def test_they_can_go_through_it_once_more(twice: Home) -> None:
    page = twice.page("contact", again=("contact",))
    assert [len(block.lines) for block in page.blocks] == [2, 0]
    phone = page.lines[0]
    assert phone.answer is None, "nothing is answered for them"
    said = Said({phone.name: "changed"}, {phone.name: {"text": "555 0177"}}, rest_is_right=True)
    assert not twice.says("contact", said, again=("contact",)).issues
    assert [len(block.lines) for block in twice.page("contact").blocks] == [2, 0]
    twice.all_right()
    facts = twice.sends().document["facts"]
    assert {fact["kind"] for fact in facts} == {"contact", "allergy"}


AGES: dict[str, tuple[int, float, float, bool]] = {
    "within the days it counts": (7, 6, 60, True),
    "older, and the visits are apart": (7, 8, 60, False),
    "older, but the visits are within a week": (7, 20, 5, True),
    "far too old though the visits are within a week": (7, 40, 5, False),
    "a clinic that asks before every visit": (0, 1, 2, False),
}


@pytest.mark.parametrize("case", AGES)
def test_how_long_an_answer_counts(home: Home, case: str) -> None:
    days, ago, apart, counts = AGES[case]
    rule(home, medication=("always", days))
    home.all_right()
    home.sends()
    with transaction() as current:
        row = current.query(Confirmation).one()
        then = now() - timedelta(days=ago)
        row.at = then
        row.document = {key: {**said, "at": then.isoformat()} for key, said in row.document.items()}
    home.visit = make.visit(home.ana, in_days=1 + apart)
    (block,) = [each for each in home.page("medication").blocks if each.key == "medication"]
    assert (block.before is not None) is counts


@pytest.mark.parametrize("status", [Status.RETURNED, Status.WITHDRAWN])
def test_what_was_given_back_or_withdrawn_counts_for_nothing(twice: Home, status: Status) -> None:
    sent = session().query(Confirmation).one().submission_id
    actor = system(twice.ana.clinic_id)
    service.move(actor, service.submission(actor, sent), status)
    assert twice.page("contact").lines


def test_a_confirmation_of_a_confirmation_is_no_younger_than_the_first(twice: Home) -> None:
    first = session().query(Confirmation).one().document["medication"]["at"]
    new = {**METFORMIN, "id": "m2", "medicationCodeableConcept": {"text": "Lisinopril"}}
    twice.records(*RECORD, new)
    twice.all_right()
    twice.sends()
    newest = session().query(Confirmation).order_by(Confirmation.at.desc()).first()
    assert newest is not None
    assert newest.document["medication"]["at"] == first
    assert {line["label"] for line in newest.document["medication"]["lines"]} == {"Metformin", "Lisinopril"}


def test_what_was_said_for_this_very_visit_is_in_its_own_draft(twice: Home) -> None:
    with transaction() as current:
        current.query(Confirmation).one().visit_id = twice.visit.id
    assert twice.page("contact").lines


@pytest.fixture
def ana(home: Home, sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("ana@example.org")


def test_the_pages_say_when_it_was_confirmed_and_how_to_change_it(
    twice: Home, sign_in: Callable[..., FlaskClient]
) -> None:
    twice.records(PATIENT, {**METFORMIN, "id": "m2", "medicationCodeableConcept": {"text": "Lisinopril"}}, PENICILLIN)
    client, visit = sign_in("ana@example.org"), twice.visit.id
    today = now().strftime("%-d %B %Y")
    contact = unescape(client.get(f"/visits/{visit}/confirm/contact").get_data(as_text=True))
    assert f"You went through this on {today} for another visit." in contact
    assert f"/visits/{visit}/confirm/contact?again=contact#contact" in contact
    medicines = unescape(client.get(f"/visits/{visit}/confirm/medication").get_data(as_text=True))
    assert "This is new on your record since then:" in medicines and "Lisinopril" in medicines
    assert "No longer on your record: Metformin." in medicines
    again = client.get(f"/visits/{visit}/confirm/contact?again=contact").get_data(as_text=True)
    assert "555 0100" in again and "555 0100" not in contact
    checked = unescape(client.get(f"/visits/{visit}/check").get_data(as_text=True))
    assert f"On {today} for another visit" in checked
