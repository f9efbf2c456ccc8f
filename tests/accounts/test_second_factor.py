"""A code opens once, an older one never after a newer, and staff come no further than its set-up without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

import portal
from portal import db
from portal.accounts import service as accounts
from portal.actors import Role, system
from portal.clock import now
from portal.db import transaction
from portal.settings import Settings
from tests import make
from tests.accounts import proxying
from tests.accounts.people import ANA, Person, app_of, code_of
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True)


def later(seconds: int) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(seconds=seconds), tick=False)


def test_with_an_app_the_password_alone_opens_nothing(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    assert len(ana.add_app()) == 10
    thief = Person(strict, ANA)
    answer = thief.sign_in()
    assert answer.status_code == 303 and answer.location.startswith("/sign-in/code")
    for path in ("/visits", "/security", "/who-looked", "/security/app"):
        assert thief.get(path).status_code == 303, path
    assert thief.second_step("000000").status_code == 422
    with later(40):
        opened = thief.second_step(code_of(ANA))
        assert opened.status_code == 303 and thief.is_in()


def test_the_second_step_leads_on_to_where_they_wanted_to_go(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    ana.add_app()
    with later(40):
        again = Person(strict, ANA)
        answer = again.sign_in(door="/at/riverside/sign-in?next=/who-looked")
        assert answer.location == "/sign-in/code?next=/who-looked"
        assert again.post(answer.location, answer.location, code=code_of(ANA)).location == "/who-looked"


def test_nobody_comes_to_the_second_step_without_the_password_or_ten_minutes_after_it(
    strict: Flask, ana: Person
) -> None:
    ana.sign_in()
    ana.add_app()
    stranger = Person(strict, ANA)
    assert stranger.get("/sign-in/code").status_code == 303
    assert stranger.post("/sign-in/code", code=code_of(ANA)).status_code == 410
    slow = Person(strict, ANA)
    slow.sign_in()
    with later(601):
        assert slow.post("/sign-in/code", code=code_of(ANA)).status_code == 410


NO_CODES = ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\u0661", "-12345", "1e5000", " " * 400]


def test_what_is_no_code_is_a_wrong_code(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    ana.add_app()
    other = Person(strict, ANA)
    other.sign_in()
    for typed in NO_CODES:
        assert other.second_step(typed).status_code == 422, typed


def test_ten_wrong_codes_and_even_the_right_one_has_to_wait(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    ana.add_app()
    thief = Person(strict, ANA)
    thief.sign_in()
    answers = [thief.second_step("000000").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    with later(60):
        assert thief.post("/sign-in/code", code=code_of(ANA)).status_code == 429
    with later(16 * 60):
        ana = Person(strict, ANA)
        ana.sign_in()
        assert ana.second_step(code_of(ANA)).status_code == 303


def test_a_recovery_code_opens_once_however_it_is_typed_and_new_ones_end_the_old(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    first, second, *_ = ana.add_app()
    for code, status in ((first.upper().replace("-", " "), 303), (first, 422), (second, 303)):
        other = Person(strict, ANA)
        other.sign_in()
        assert other.second_step(code).status_code == status
    assert "8 codes left" in other.text("/security")
    page = other.post("/security/recovery-codes", "/security").get_data(as_text=True)
    assert page.count("<code>") == 10
    late = Person(strict, ANA)
    late.sign_in()
    assert late.second_step(_[0]).status_code == 422


def test_no_secret_rests_in_clear(ana: Person, config: object) -> None:
    ana.sign_in()
    codes = ana.add_app()
    secret = app_of(ANA).held["secret"]
    with db.engine().connect() as connection:
        rows = [
            str(row) for table in db.Base.metadata.sorted_tables for row in connection.execute(table.select()).all()
        ]
    told = "\n".join(rows)
    assert secret not in told
    assert not any(code in told or code.replace("-", "") in told for code in codes)


def test_adding_and_removing_ends_every_other_session_and_changes_this_ones_token(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    elsewhere = Person(strict, ANA)
    elsewhere.sign_in()
    before = ana.client.get_cookie("previsit").value  # type: ignore[union-attr]
    ana.add_app()
    assert ana.is_in() and not elsewhere.is_in()
    captured = strict.test_client()
    captured.set_cookie("previsit", before)
    assert captured.get("/security").status_code == 303, "the token from before is worthless"
    with later(40):
        elsewhere.sign_in()
        assert elsewhere.second_step(code_of(ANA)).status_code == 303
        ana.post("/security/factors/remove", "/security", factor=app_of(ANA).id)
        assert ana.is_in() and not elsewhere.is_in()
        assert elsewhere.sign_in().location == "/security/news?next=/" or elsewhere.is_in()


def test_staff_without_a_second_factor_find_its_set_up_and_nothing_else(strict: Flask) -> None:
    make.staff(make.clinic(forms=()))
    lee = Person(strict, "clinician@example.org")
    lee.sign_in()
    for path in ("/", "/desk", "/desk/visits", "/security", "/security/password", "/security/news"):
        answer = lee.get(path)
        assert answer.status_code in {302, 303} and answer.location in {"/security/set-up", "/desk"}, path
    assert lee.get("/desk").location == "/security/set-up"
    assert (
        lee.post("/security/password", "/security/set-up", password="six wet stones and a kettle").location
        == "/security/set-up"
    )
    lee.add_app()
    assert lee.get("/desk").status_code == 200
    with later(40):
        again = Person(strict, "clinician@example.org")
        assert again.sign_in().location.startswith("/sign-in/code")
        assert again.second_step(code_of("clinician@example.org")).status_code == 303
        assert again.get("/desk").status_code == 200


def test_staff_keep_their_last_second_factor_and_patients_need_none(strict: Flask, ana: Person) -> None:
    with transaction():
        make.staff(accounts.clinics()[0], Role.FRONT_DESK, "Sam")
    sam = Person(strict, "front-desk@example.org")
    sam.sign_in()
    sam.add_app()
    answer = sam.post("/security/factors/remove", "/security", factor=app_of(sam.email).id)
    assert answer.location.endswith("done=last") and sam.is_in()
    ana.sign_in()
    ana.add_app()
    ana.post("/security/factors/remove", "/security", factor=app_of(ANA).id)
    assert Person(strict, ANA).sign_in().location == "/"


def test_nobody_removes_the_factor_or_ends_the_session_of_somebody_else(strict: Flask, ana: Person) -> None:
    from portal.accounts import service as accounts
    from portal.accounts.models import SignIn
    from portal.db import session

    ana.sign_in()
    ana.add_app()
    factor_id = app_of(ANA).id
    mine = [each.id for each in session().query(SignIn).filter(SignIn.ended_at.is_(None))]
    make.patient_account(make.patient(accounts.clinics()[0], "Ben"), "ben@example.org")
    ben = Person(strict, "ben@example.org")
    ben.sign_in()
    ben.post("/security/factors/remove", "/security", factor=factor_id)
    for each in mine:
        ben.post("/security/sessions/end", "/security", session=each)
    assert app_of(ANA).id == factor_id and ana.is_in()


def test_a_clinic_may_require_a_second_factor_of_patients_and_of_who_answers_for_them(config: Settings) -> None:
    """From the first page after joining on, and at each sign-in until it is set up; and then it stays."""
    app = portal.create_app(replace(config, patient_second_factor="required"))
    ben = make.patient(make.clinic(forms=()), "Ben Ode")
    made = accounts.invite(system(ben.clinic_id), ben.id, 14)
    grace = proxying.link(ben)
    new, proof = Person(app, "ben@example.org"), {"day": "27", "month": "3", "year": "1985"}
    new.post(f"/join/{made.token}", f"/join/{made.token}", code=made.code, **proof)
    account = f"/join/{made.token}/account"
    assert new.post(account, account, email=new.email, password=make.PASSWORD).location == "/visits"
    helper, path = Person(app, "grace@example.org"), f"/answer/{grace}"
    year, month, day = proxying.BORN.split("-")
    helper.post(path, path, day=day, month=month, year=year)
    helper.post(f"{path}/account", f"{path}/account", email=helper.email, password=make.PASSWORD)
    later_on = Person(app, "ben@example.org")
    later_on.sign_in()
    for person in (new, helper, later_on):
        for shut in ("/visits", "/results", "/security"):
            assert person.get(shut).location == "/security/set-up", (person.email, shut)
        assert "Your clinic asks everybody" in person.text("/security/set-up")
    for person in (later_on, helper):
        person.add_app()
        assert person.get("/visits").status_code == 200
        person.post("/security/factors/remove", "/security", factor=app_of(person.email).id)
        assert app_of(person.email), "the last one stays"
    assert new.get("/visits").status_code == 303, "whoever was signed in without it is out"
