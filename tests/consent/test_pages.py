"""The pages about sharing, in the hands of a patient."""

import re
from types import SimpleNamespace

import pytest

from portal.consent import service
from tests import make
from tests.conftest import csrf

ALL = {"share": "yes", "sensitive": "no", "results": "yes", "research": "no", "until": "visit"}


@pytest.fixture
def world(app, sign_in):
    with app.app_context():
        clinic = make.clinic()
        patient = make.patient(clinic)
        make.patient_account(patient)
        visit = make.visit(patient)
        other = make.visit(make.patient(clinic, "Somebody Else"))
        found = SimpleNamespace(me=make.patient_actor(patient), visit=visit.id, other=other.id)
    found.client = sign_in("ana@example.org")
    return found


def page(world, path):
    answer = world.client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def post(world, path, form=None, at=None):
    shown = page(world, at or path)
    hidden = dict(re.findall(r'name="(csrf_token|version)"[^>]*value="([^"]+)"', shown))
    return world.client.post(path, data={**hidden, **(form or {})})


def test_nothing_is_chosen_beforehand(world):
    shown = page(world, f"/visits/{world.visit}/consent")
    assert "Your care does not depend on it" in shown and 'type="radio"' in shown
    assert not re.search(r"<input[^>]*radio[^>]*\schecked", shown)


def test_choices_made_in_a_visit_lead_back_to_it_and_are_shown_with_what_they_do(world):
    answer = post(world, f"/visits/{world.visit}/consent", ALL)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/visits/{world.visit}")
    shown = page(world, "/consent")
    assert "Keep these to myself." in shown and "nor any score made from them" in shown and "In force" in shown


def test_what_is_missing_is_named_and_what_was_chosen_stays(world):
    answer = post(world, f"/visits/{world.visit}/consent", {"share": "yes", "until": "year"})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422 and shown.count("Choose an answer") >= 3
    assert 'href="#sensitive"' in shown and re.search(r'value="year"[^>]*checked', shown)


def test_choosing_again_selects_nothing_but_tells_what_was_chosen(world):
    post(world, "/consent/choose", ALL)
    shown = page(world, f"/visits/{world.visit}/consent")
    assert "Before: Keep these to myself." in shown and not re.search(r"<input[^>]*radio[^>]*\schecked", shown)


def test_taking_back_is_one_press(world):
    post(world, "/consent/choose", ALL)
    answer = post(world, "/consent/take-back", at="/consent")
    assert answer.status_code == 303
    shown = page(world, "/consent")
    assert "You took everything back" in shown and "Take everything back" not in shown
    assert service.current(world.me).withdrawn


def test_not_chosen_is_told_apart_from_no(world):
    assert "That is not a no" in page(world, "/consent")


def test_the_copy_holds_the_words_the_marks_and_the_proof(world):
    post(world, "/consent/choose", ALL)
    mine = service.current(world.me)
    shown = page(world, f"/consent/{mine.id}")
    assert "(x) Keep these to myself." in shown and mine.sha256 in shown


def test_words_that_changed_while_the_page_was_open_are_shown_again(world):
    token = csrf(world.client, "/consent/choose")
    answer = world.client.post("/consent/choose", data={**ALL, "csrf_token": token, "version": "0" * 64})
    assert answer.status_code == 422 and "Read them again" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/visits/{other}/consent", "/consent/0123456789abcdef"])
def test_what_is_not_mine_is_not_there(world, path):
    assert world.client.get(path.format(other=world.other)).status_code == 404


def test_in_spanish_the_words_and_the_kept_text_are_spanish(world):
    world.client.set_cookie("language", "es", domain="localhost")
    shown = page(world, "/consent/choose")
    assert "Qué se puede compartir" in shown
    post(world, "/consent/choose", ALL)
    assert service.current(world.me).row.document["sheet"]["language"] == "es"
