"""Which forms a visit asks, in which version, and what becomes of a draft when the clinic asks for a newer one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from portal import bundled, db
from portal.accounts.models import Patient
from portal.actors import Actor, system
from portal.clock import now
from portal.intake import drafts, filling, library, sending
from portal.intake.models import Visit
from portal.library import service as forms
from portal.questionnaire.nodes import questions
from tests import make
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.intake.make_forms import coding, form, item

FRESH = timedelta(minutes=15)
MOODS = [coding("good"), coding("bad")]
FIRST = form(
    item("name", "string", "What is your name?"),
    item("mood", "choice", "How are you?", answerOption=MOODS, required=True),
    item("old", "string", "Anything old?"),
)
SECOND = form(
    item("name", "string", "What is your name?"),
    item("mood", "choice", "How are you <today>?", answerOption=MOODS, required=True),
    item("new", "string", "Anything new?"),
    version="2",
)
CHANGED = "The clinic has changed this form since you began."


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[FormsApp]:
    with forms_app(tmp_path, {}) as made:
        ask(made, FIRST)
        yield made


def ask(clinic: FormsApp, raw: dict[str, Any], *, carry: bool = False, **rule: Any) -> str:
    staff = system(clinic.clinic_id)
    [result] = forms.bring_in(staff, json.dumps(raw).encode(), origin="file", name="x.json").results
    forms.activate(staff, result.version_id, forms.Rule(**rule), carry=carry)
    return result.version_id


def visit(clinic: FormsApp) -> Visit:
    return db.session().get_one(Visit, clinic.visit_id)


def patient(clinic: FormsApp) -> Actor:
    return make.patient_actor(db.session().get_one(Patient, visit(clinic).patient_id))


def asked(clinic: FormsApp) -> list[str]:
    return [each.slug for each in library.entries(patient(clinic), visit(clinic))]


def named(page: Page, words: str) -> str:
    return next(each.name for each in page.controls if words in page.labels.get(each.ident, "") + each.legend)


def fill(clinic: FormsApp) -> Page:
    """A draft of the first version: a name, a mood, something old."""
    page = clinic.open("a-test-form")
    good = page.named(named(page, "How are you?"))[0].value
    typed = {named(page, "your name"): "Ana", named(page, "How are you?"): good, named(page, "old"): "a scar"}
    return clinic.post(page, "later", typed)


def document(clinic: FormsApp) -> dict[str, Any]:
    kept = drafts.draft(visit(clinic), "form:a-test-form")
    assert kept is not None
    return {**kept.document, "response": kept.response}


def answers(clinic: FormsApp) -> str:
    return json.dumps(document(clinic)["response"])


@pytest.mark.parametrize(
    ("rule", "comes"),
    [
        ({}, True),
        ({"kinds": ("diabetes  REVIEW", "Check-up")}, True),
        ({"kinds": ("Check-up",)}, False),
        ({"from_age": 18}, True),
        ({"from_age": 18, "to_age": 130}, True),
        ({"to_age": 17}, False),
        ({"months": 6}, True),
    ],
)
def test_a_visit_asks_for_the_forms_whose_rule_fits_it(clinic: FormsApp, rule: dict[str, Any], comes: bool) -> None:
    """Ana was born on 27 March 1985; tomorrow she has a diabetes review."""
    ask(clinic, SECOND, **rule)
    assert asked(clinic) == (["a-test-form"] if comes else [])
    assert clinic.open("a-test-form").status == (200 if comes else 404)


def test_forms_stand_in_their_order_and_one_that_may_be_left_out_does_not_stop_anybody(clinic: FormsApp) -> None:
    ask(clinic, form(item("1", "string"), url="https://clinic.example/forms/z", title="Z first"), order=1)
    ask(clinic, form(item("1", "string"), url="https://clinic.example/forms/b", title="B last"), required=False)
    assert asked(clinic) == ["z-first", "a-test-form", "b-last"]
    hub = clinic.client.get(f"/visits/{clinic.visit_id}").get_data(as_text=True)
    assert hub.count("You can leave this out.") == 1
    tasks = {each.slug: each for each in sending.tasks(patient(clinic), visit(clinic))}
    assert tasks["b-last"].settled
    assert not tasks["z-first"].settled
    works = sending.form_summaries(patient(clinic), visit(clinic), "en", FRESH)
    assert [entry.slug for entry, _ in works] == ["z-first", "a-test-form"]


def test_a_form_that_was_answered_lately_is_not_asked_again(clinic: FormsApp) -> None:
    ask(clinic, FIRST, months=6)
    fill(clinic)
    with db.transaction():
        _sent(clinic)
    person = db.session().get_one(Patient, visit(clinic).patient_id)
    for days, comes in ((30, False), (250, True)):
        with time_machine.travel(now() + timedelta(days=days), tick=False):
            following = make.visit(person, in_days=1, appointment_id=f"in-{days}")
            assert bool(library.entries(patient(clinic), following)) is comes


def _sent(clinic: FormsApp) -> None:
    from portal.intake.models import Submission

    own = visit(clinic)
    db.session().add(
        Submission(
            clinic_id=own.clinic_id,
            visit_id=own.id,
            patient_id=own.patient_id,
            round=1,
            reference="PV-1",
            sent_at=now(),
            status="submitted",
            document={"questionnaires": {"https://clinic.example/forms/test|1": FIRST}},
        )
    )


def test_a_draft_goes_on_with_its_own_version_when_a_newer_one_is_asked(clinic: FormsApp) -> None:
    fill(clinic)
    ask(clinic, SECOND)
    page = clinic.open("a-test-form")
    assert "Anything old?" in page.text
    assert "Anything new?" not in page.text
    assert CHANGED not in page.text
    clinic.post(page, "later", {named(page, "your name"): "Ana Morales"})
    assert document(clinic)["canonical"] == "https://clinic.example/forms/test|1"
    assert "Ana Morales" in answers(clinic)


def test_a_draft_that_moves_over_keeps_what_it_can_asks_again_what_changed_and_loses_nothing(clinic: FormsApp) -> None:
    fill(clinic)
    before = document(clinic)
    ask(clinic, SECOND, carry=True)
    page = clinic.open("a-test-form")
    assert document(clinic) == before, "looking writes nothing"
    assert f"{CHANGED} Your other answers are kept. Please answer: “How are you <today>?”, “Anything new?”" in page.text
    assert "<today>" not in page.html
    assert page.named(named(page, "your name"))[0].value == "Ana"
    assert not [each for each in page.named(named(page, "How are you")) if each.on and each.value]
    task = next(each for each in sending.tasks(patient(clinic), visit(clinic)) if each.slug)
    assert task.state is sending.TaskState.STARTED

    missing = clinic.post(page, "continue")
    assert missing.status == 422
    good = page.named(named(page, "How are you"))[0].value
    done = clinic.post(missing, "continue", {named(page, "How are you"): good, named(page, "new"): "no"})
    assert done.status == 200
    kept = document(clinic)
    assert kept["canonical"] == "https://clinic.example/forms/test|2"
    assert "a scar" in answers(clinic), "what was typed for a question that is gone is kept aside"
    assert CHANGED not in clinic.open("a-test-form", page.path.rpartition("/")[2]).text


def test_a_draft_of_a_form_that_is_no_longer_asked_can_be_finished_and_need_not_be(clinic: FormsApp) -> None:
    fill(clinic)
    form_id = forms.asked(clinic.clinic_id)[0].form_id
    forms.deactivate(system(clinic.clinic_id), form_id)
    assert asked(clinic) == ["a-test-form"]
    assert not next(each for each in library.entries(patient(clinic), visit(clinic))).required
    assert "Ana" in clinic.open("a-test-form").html


def test_a_patient_who_never_began_gets_the_newest_version(clinic: FormsApp) -> None:
    ask(clinic, SECOND)
    assert "Anything new?" in clinic.open("a-test-form").text


def test_a_change_that_asks_nothing_again_moves_a_finished_draft_over_by_itself(clinic: FormsApp) -> None:
    fill(clinic)
    more = [*FIRST["item"][:2], {**FIRST["item"][2], "maxLength": 400}]
    ask(clinic, {**FIRST, "version": "1.1", "item": more}, carry=True)
    task = next(each for each in sending.tasks(patient(clinic), visit(clinic)) if each.slug)
    assert task.state is sending.TaskState.DONE
    page = clinic.open("a-test-form")
    assert f"{CHANGED} All your answers are kept." in page.text


def test_a_form_that_may_be_left_out_is_left_out_with_what_was_typed_kept_and_taken_up_again(clinic: FormsApp) -> None:
    fill(clinic)
    assert "Leave this form out" not in clinic.open("a-test-form").text, "it must be answered"
    ask(clinic, FIRST, required=False)
    page = clinic.open("a-test-form")
    mood = named(page, "How are you?")
    left = clinic.post(page, "leave", {mood: "", named(page, "your name"): "Ana M"})
    assert left.path == f"/visits/{clinic.visit_id}"
    task = next(each for each in sending.tasks(patient(clinic), visit(clinic)) if each.slug)
    assert (task.state, task.settled) == (sending.TaskState.NOT_STARTED, True)
    assert filling.works(patient(clinic), visit(clinic), "en", FRESH) == []
    again = clinic.open("a-test-form")
    assert again.named(named(again, "your name"))[0].value == "Ana M"
    clinic.post(again, "later")
    assert len(filling.works(patient(clinic), visit(clinic), "en", FRESH)) == 1


CONSENT = json.loads((bundled.FOLDER / "consent-to-treatment.json").read_bytes())


def test_a_signature_stays_with_the_version_that_was_signed_and_the_new_one_is_signed_anew(clinic: FormsApp) -> None:
    """The words around the questions changed: nothing is asked again, but what was signed was something else."""
    ask(clinic, CONSENT, order=1)
    slug = asked(clinic)[0]
    work = filling.work(patient(clinic), visit(clinic), slug, "en", FRESH)
    for page in [each.key for each in work.filling.pages]:
        _answer_everything(clinic, slug, page)
    assert "/signed/" in _sign(clinic, slug).path
    assert filling.work(patient(clinic), visit(clinic), slug, "en", FRESH).signed
    changed = json.loads(json.dumps(CONSENT))
    changed["version"] = "9"
    changed["item"][0]["text"] = "Other words than those that were signed"
    ask(clinic, changed, carry=True, order=1)
    moved = filling.work(patient(clinic), visit(clinic), slug, "en", FRESH)
    assert (moved.moved, moved.signed, filling.to_sign(moved)) == (True, None, True)
    assert "/signed/" in _sign(clinic, slug).path
    again = filling.work(patient(clinic), visit(clinic), slug, "en", FRESH)
    assert again.signed
    assert again.entry.form.version == "9"
    task = next(each for each in sending.tasks(patient(clinic), visit(clinic)) if each.slug == slug)
    assert task.state is sending.TaskState.DONE


def _answer_everything(clinic: FormsApp, slug: str, page_key: str) -> None:
    work = filling.work(patient(clinic), visit(clinic), slug, "en", FRESH)
    answers = {
        node.name: [node.options[0].value] if node.options else [{"valueBoolean": True}]
        for node in questions(work.filling.nodes(page_key))
        if not node.read_only and (node.options or node.type == "boolean")
    }
    saved = filling.save_page(patient(clinic), work, page_key, answers, {})
    assert saved.issues == []


def _sign(clinic: FormsApp, slug: str) -> Page:
    page = clinic.open(slug)
    assert "/sign/" in page.path
    return clinic.post(page, "sign", {"name": "Ana Morales", "agreed": "yes"})
