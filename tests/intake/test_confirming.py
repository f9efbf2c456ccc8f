"""Confirming what the clinic has: what is asked of each fact, what is asked where there is none, and what is asked only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.accounts.models import Clinic
from portal.actors import Role, system
from portal.clock import now
from portal.db import session, transaction
from portal.ehr.models import RecordReading
from portal.errors import NotFound
from portal.intake import asking, block_page, confirming, sending, service
from portal.intake.asking import NEVER, RECORDED
from portal.intake.block_page import Said
from portal.intake.models import Confirmation, Status
from portal.intake.sections import PAGES, SECTIONS
from tests import make
from tests.conftest import csrf
from tests.intake.confirming_home import AGE, NOTHING, Home

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Json = dict[str, Any]
OURS = {"reference": "Patient/p1"}
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "3"},
    "telecom": [
        {"system": "phone", "use": "mobile", "value": "555 0100"},
        {"system": "email", "value": "a@example.org"},
    ],
    "contact": [
        {
            "name": {"text": "Diego Morales"},
            "relationship": [{"text": "Husband"}],
            "telecom": [{"system": "phone", "value": "555 0116"}],
        }
    ],
}
METFORMIN: Json = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "subject": OURS,
    "medicationCodeableConcept": {"text": "Metformin"},
    "dosageInstruction": [{"text": "one in the morning"}],
    "authoredOn": "2019-05-20",
    "requester": {"display": "Dr Okoro"},
}
PENICILLIN: Json = {
    "resourceType": "AllergyIntolerance",
    "id": "a1",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Penicillin"},
    "patient": OURS,
}
APPENDIX: Json = {
    "resourceType": "Procedure",
    "id": "o1",
    "status": "completed",
    "subject": OURS,
    "code": {"text": "Appendix"},
    "performedDateTime": "2003-07",
}
RECORD = (PATIENT, METFORMIN, PENICILLIN, APPENDIX)


@pytest.fixture
def home(app: Flask) -> Iterator[Home]:
    yield Home(*RECORD)
    db.close()


def rule(home: Home, **changes: tuple[str, int]) -> None:
    """The clinic asks these blocks so."""
    blocks = {**asking.usual().blocks, **{key: asking.Rule(*change) for key, change in changes.items()}}
    asking.set_asked(system(home.ana.clinic_id), replace(asking.usual(), blocks=blocks))


def lines(home: Home, key: str) -> dict[str, block_page.FactLine]:
    return {line.label: line for line in home.page(key).lines}


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


# -- once is enough ------------------------------------------------------------------------------------------------------


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
    assert not home.page("contact").version


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
