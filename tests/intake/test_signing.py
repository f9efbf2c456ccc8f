"""Forms that are signed: what is shown is what is signed, a change takes the signature away, nothing else makes one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Patient
from portal.audit.models import AuditRow
from portal.db import session
from portal.intake import drafts, filling, library, sending, visits
from portal.intake.models import Visit
from portal.questionnaire import load, signing
from tests import make
from tests.forms.filling import RAW
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.intake.make_forms import form, item

SLUG = "consent-to-treatment"
AGE = timedelta(minutes=15)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormsApp]:
    with forms_app(tmp_path_factory.mktemp("signing"), {SLUG: load(RAW[SLUG])}) as made:
        yield made


@pytest.fixture
def clinic(house: FormsApp) -> FormsApp:
    """A visit of its own for each test."""
    with house.app.app_context():
        person = session().scalars(select(Patient)).one()
        visit_id = make.visit(person).id
    return replace(house, visit_id=visit_id)


def fill(clinic: FormsApp) -> Page:
    """Every question answered; where that leads."""
    page = clinic.open(SLUG)
    return clinic.post(page, "continue", {name: first(page, name) for name in ("q5", "q7", "q8") if page.named(name)})


def first(page: Page, name: str) -> str:
    return page.named(name)[0].value


def where(clinic: FormsApp, what: str = "sign") -> str:
    return f"/visits/{clinic.visit_id}/{what}/{SLUG}"


def sign(clinic: FormsApp, **typed: str) -> Page:
    page = clinic.client.get(where(clinic)).get_data(as_text=True)
    sent = {name: re.findall(rf'name="{name}"[^>]* value="([^"]*)"', page)[0] for name in ("csrf_token", "seen")}
    answer = clinic.client.post(where(clinic), data={**sent, "name": "Ana Diaz", "agreed": "yes", **typed})
    return Page(answer.status_code, answer.get_data(as_text=True), answer.location or "")


def kept(clinic: FormsApp) -> filling.Work:
    with clinic.app.app_context():
        visit = session().get_one(Visit, clinic.visit_id)
        person = session().get_one(Patient, visit.patient_id)
        actor = make.patient_actor(person, "a" * 16)
        return filling.work(actor, visits.visit(actor, visit.id), SLUG, "en", AGE)


def test_the_last_question_leads_to_the_words_that_are_signed(clinic: FormsApp) -> None:
    page = fill(clinic)
    assert (page.status, page.path) == (200, where(clinic))
    assert "You ask the clinic to examine you and to treat you" in page.text
    assert "Do you agree to be examined and treated?Yes, I agree" in page.text
    assert "You sign for yourself." in page.text


def test_a_name_and_a_tick_sign_it_and_a_copy_is_kept(clinic: FormsApp) -> None:
    fill(clinic)
    assert sign(clinic).path == where(clinic, "signed")
    copy = clinic.client.get(where(clinic, "signed")).get_data(as_text=True)
    assert "Ana Diaz" in copy
    assert "You ask the clinic to examine you" in copy
    work = kept(clinic)
    assert work.signed is not None and not work.unsigned
    assert clinic.client.get(where(clinic)).location == where(clinic, "signed")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": ""}, "Write your full name"),
        ({"name": " . "}, "Write your full name"),
        ({"name": "x" * 201}, "Use 200 characters or fewer"),
        ({"agreed": ""}, "Tick the box if you want to sign"),
        ({"agreed": "true"}, "Tick the box if you want to sign"),
    ],
)
def test_without_a_name_or_the_tick_nothing_is_signed(clinic: FormsApp, typed: dict[str, str], told: str) -> None:
    fill(clinic)
    page = sign(clinic, **typed)
    assert (page.status, told in page.text) == (422, True)
    assert kept(clinic).unsigned


def test_what_was_not_seen_is_not_signed(clinic: FormsApp) -> None:
    fill(clinic)
    page = sign(clinic, seen="0" * 12)
    assert page.status == 409
    assert "Nothing was signed" in page.text
    assert kept(clinic).unsigned


def test_a_form_that_is_not_finished_cannot_be_signed(clinic: FormsApp) -> None:
    answer = clinic.client.get(where(clinic))
    assert answer.location == clinic.path(SLUG)
    token = clinic.open(SLUG).named("csrf_token")[0].value
    sent = {"csrf_token": token, "name": "Ana", "agreed": "yes", "seen": "x"}
    assert clinic.client.post(where(clinic), data=sent).status_code in (302, 303, 409)
    assert kept(clinic).unsigned


def test_who_and_when_and_in_what_capacity_cannot_be_typed(clinic: FormsApp) -> None:
    fill(clinic)
    sign(clinic, by="Somebody Else", account_id="f" * 16, at="1999-01-01T00:00:00Z", capacity="guardian", digest="0")
    signed = kept(clinic).signed
    assert signed is not None
    assert (signed.by, signed.capacity, signed.name) == ("Ana Morales", "self", "Ana Diaz")
    assert signed.account_id != "f" * 16
    assert signed.at > "2026"


def test_answers_that_claim_a_signature_make_none(clinic: FormsApp) -> None:
    page = clinic.open(SLUG)
    extra = {"signed": "yes", "extension": signing.SIGNATURE, "q0": signing.SIGNATURE}
    clinic.post(page, "continue", {name: first(page, name) for name in ("q5", "q8") if page.named(name)} | extra)
    assert kept(clinic).unsigned


def test_a_changed_answer_takes_the_signature_away_for_good(clinic: FormsApp) -> None:
    fill(clinic)
    sign(clinic)
    page = clinic.open(SLUG, kept(clinic).filling.pages[0].key)
    same = clinic.post(page, "continue")
    assert kept(clinic).signed is not None
    assert same.path == f"/visits/{clinic.visit_id}"
    other = page.named("q5")[1].value
    led = clinic.post(clinic.open(SLUG, page.path.rpartition("/")[2]), "continue", {"q5": other})
    assert led.path == where(clinic)
    assert kept(clinic).unsigned
    back = clinic.open(SLUG, page.path.rpartition("/")[2])
    clinic.post(back, "continue", {"q5": first(page, "q5")})
    assert kept(clinic).unsigned
    assert clinic.client.get(where(clinic, "signed")).status_code == 404


def test_an_unsigned_form_keeps_the_visit_from_being_sent(clinic: FormsApp) -> None:
    fill(clinic)
    with clinic.app.app_context():
        visit = session().get_one(Visit, clinic.visit_id)
        person = session().get_one(Patient, visit.patient_id)
        actor = make.patient_actor(person, "a" * 16)
        (task,) = [task for task in sending.tasks(actor, visit) if task.kind == "form"]
        assert task.state is sending.TaskState.STARTED
        missing = sending.submit(actor, visit.id, "en", AGE).missing
        assert "form" in {each.task.kind for each in missing}
    sign(clinic)
    with clinic.app.app_context():
        visit = session().get_one(Visit, clinic.visit_id)
        (task,) = [task for task in sending.tasks(actor, visit) if task.kind == "form"]
        assert task.state is sending.TaskState.DONE


def test_the_audit_trail_holds_the_fingerprint_of_the_signature(clinic: FormsApp) -> None:
    fill(clinic)
    sign(clinic)
    signed = kept(clinic).signed
    assert signed is not None
    with clinic.app.app_context():
        rows = session().scalars(select(AuditRow).where(AuditRow.event == "form-signed"))
        assert signing.fingerprint(signed) in {row.detail["signature-sha256"] for row in rows}


def test_a_form_without_a_signature_has_no_such_step(clinic: FormsApp) -> None:
    clinic.use({SLUG: form(item("1", "string")), "other": RAW["consent-to-treatment"]})
    try:
        assert [clinic.client.get(where(clinic, what)).status_code for what in ("sign", "signed")] == [404, 404]
    finally:
        clinic.use({SLUG: RAW[SLUG]})


def test_nobody_else_sees_or_signs_it(clinic: FormsApp) -> None:
    fill(clinic)
    stranger = clinic.app.test_client()
    for what in ("sign", "signed"):
        assert stranger.get(where(clinic, what)).status_code in (302, 303, 401)


def test_what_is_kept_in_the_draft_is_only_the_signature_of_these_answers(clinic: FormsApp) -> None:
    fill(clinic)
    sign(clinic)
    with clinic.app.app_context():
        visit = session().get_one(Visit, clinic.visit_id)
        row = drafts.draft(visit, library.task(SLUG))
        assert row is not None
        response = kept(clinic).filling.response("completed")
        assert row.document["signed"]["digest"] == signing.digest(response)
