"""The front door: invitation, sign-in, time-outs, and what a stranger can learn there (nothing)."""

from __future__ import annotations

import re
from datetime import timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts import service as accounts
from portal.actors import Role, system
from portal.clock import now
from tests import make
from tests.conftest import csrf

BORN = {"day": "27", "month": "3", "year": "1985"}


def invited() -> tuple[str, dict[str, str]]:
    """The path of an invitation, and what it asks for."""
    patient = make.patient(make.clinic())
    made = accounts.invite(system(patient.clinic_id), patient.id, 14)
    return f"/join/{made.token}", {"code": made.code, **BORN}


def test_a_patient_opens_the_invitation_proves_who_they_are_and_is_signed_in(app: Flask, client: FlaskClient) -> None:
    path, proof = invited()
    wrong = client.post(path, data={**proof, "year": "1990", "csrf_token": csrf(client, path)})
    assert wrong.status_code == 422
    as_said = {**proof, "code": f" {proof['code'].upper().replace('-', ' ')}"}
    right = client.post(path, data={**as_said, "csrf_token": csrf(client, path)})
    assert right.status_code == 303
    account = f"{path}/account"
    short = client.post(
        account, data={"email": "ana@example.org", "password": "short", "csrf_token": csrf(client, account)}
    )
    assert short.status_code == 422 and "at least 15" in short.get_data(as_text=True)
    made = client.post(
        account, data={"email": "ana@example.org", "password": make.PASSWORD, "csrf_token": csrf(client, account)}
    )
    assert made.status_code == 303 and made.location == "/visits"
    assert client.get(path).status_code == 410, "the link works once"


def test_looking_at_an_invitation_never_uses_it_up(app: Flask, client: FlaskClient) -> None:
    path, _ = invited()
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 200]


def test_link_code_and_birth_date_are_all_needed_and_any_wrong_one_looks_the_same(app: Flask) -> None:
    """Five wrong answers end the link."""
    path, proof = invited()
    client = app.test_client()
    given = csrf(client, path)
    wrong: list[dict[str, str]] = [{"code": "2222-2222"}, {"year": "1990"}, {"code": "2222-2222", "year": "1990"}]
    answers = [client.post(path, data={**proof, **each, "csrf_token": given}) for each in wrong]
    assert {each.status_code for each in answers} == {422}
    assert len({_without_changing_parts(re.sub(r'value="[^"]*"', "", each.text)) for each in answers}) == 1
    for each in ({"code": ""}, {"day": "32"}):
        said = client.post(path, data={**proof, **each, "csrf_token": given})
        assert said.status_code == 422 and "Enter" in said.text, "what cannot be right is no guess"
    last = [client.post(path, data={**proof, **wrong[0], "csrf_token": given}).status_code for _ in range(3)]
    assert last == [422, 410, 410]
    assert client.post(path, data={**proof, "csrf_token": given}).status_code == 410


def test_a_link_by_e_mail_opens_with_the_code_that_was_told_another_way(app: Flask) -> None:
    patient = make.patient(make.clinic())
    actor = system(patient.clinic_id)
    mailed = accounts.invite_by_link(actor, patient.id, 14)
    assert not accounts.prove(mailed, "", "1985-03-27"), "without any code it opens for nobody"
    first, second = accounts.invite(actor, patient.id, 14), accounts.invite(actor, patient.id, 14)
    assert not accounts.prove(mailed, first.code, "1985-03-27"), "a new code replaces the one before"
    assert accounts.prove(mailed, second.code, "1985-03-27")
    other = make.patient(accounts.clinics()[0], "Ben Ode")
    others = accounts.invite(actor, other.id, 14)
    assert not accounts.prove(mailed, others.code, "1985-03-27"), "somebody else's code"
    with time_machine.travel(now() + timedelta(days=15)):
        assert not accounts.prove(accounts.invite_by_link(actor, patient.id, 14), second.code, "1985-03-27"), "too old"


def test_one_source_that_guesses_at_many_invitations_is_stopped_and_others_are_not(app: Flask) -> None:
    clinic = make.clinic()
    made = [accounts.invite(system(clinic.id), make.patient(clinic, f"P {n}").id, 14) for n in range(13)]
    here, there = ({"REMOTE_ADDR": address} for address in ("10.0.0.8", "10.0.0.9"))
    client = app.test_client()
    given, met = csrf(client, f"/join/{made[0].token}"), []
    for each in made:
        form = {"code": "2222-2222", **BORN, "csrf_token": given}
        met += [client.post(f"/join/{each.token}", data=form, environ_base=here).status_code for _ in range(5)]
    assert met == [*([422] * 4 + [410]) * 12, *[429] * 5]
    form = {"code": made[-1].code, **BORN, "csrf_token": given}
    assert client.post(f"/join/{made[-1].token}", data=form, environ_base=here).status_code == 429
    assert client.post(f"/join/{made[-1].token}", data=form, environ_base=there).status_code == 303


def test_an_unknown_address_and_a_wrong_password_look_the_same(app: Flask, client: FlaskClient) -> None:
    make.staff(make.clinic())
    path = "/at/riverside/sign-in"
    pages = [
        client.post(path, data={"email": email, "password": "wrong password here", "csrf_token": csrf(client, path)})
        for email in ("clinician@example.org", "clinicien@example.org")
    ]
    texts = [page.get_data(as_text=True).replace("clinicien", "clinician") for page in pages]
    assert [page.status_code for page in pages] == [422, 422]
    assert _without_changing_parts(texts[0]) == _without_changing_parts(texts[1])


def test_guessing_ends_after_ten_tries_from_one_place_and_the_owner_still_gets_in_from_another(
    app: Flask, client: FlaskClient
) -> None:
    make.staff(make.clinic())
    path = "/at/riverside/sign-in"
    form = {"email": "clinician@example.org", "password": "wrong password here", "csrf_token": csrf(client, path)}
    answers = [client.post(path, data=form).status_code for _ in range(12)]
    assert answers == [422] * 10 + [429] * 2
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    right = client.post(path, data={**form, "password": make.PASSWORD}, environ_base=elsewhere)
    assert right.status_code == 303


def test_nobody_is_told_whether_a_page_exists_before_signing_in(client: FlaskClient) -> None:
    make.clinic()
    assert client.get("/who-looked").status_code == 303
    assert client.get("/no-such-page").status_code == 404


def test_a_captured_cookie_is_worthless_after_signing_out(app: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    make.patient_account(make.patient(make.clinic()))
    client = sign_in("ana@example.org")
    cookie = client.get_cookie("previsit").value
    client.post("/sign-out", data={"csrf_token": csrf(client, "/who-looked")})
    thief = app.test_client()
    thief.set_cookie("previsit", cookie)
    assert thief.get("/who-looked").status_code == 303


def test_a_session_ends_by_itself_and_no_request_can_talk_around_it(app: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    make.patient_account(make.patient(make.clinic()))
    client = sign_in("ana@example.org")
    with time_machine.travel(now() + timedelta(minutes=31)):
        answer = client.get("/who-looked")
        assert answer.status_code == 303 and "ended=1" in answer.location
        assert client.get("/who-looked?skip_timeout_reset=1").status_code == 303


def test_the_absolute_limit_holds_however_busy_the_session_is(app: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    make.patient_account(make.patient(make.clinic()))
    start = now()
    client = sign_in("ana@example.org")
    for minutes in range(20, 12 * 60, 20):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert client.get("/who-looked").status_code == 200, minutes
    with time_machine.travel(start + timedelta(hours=12, minutes=1)):
        assert client.get("/who-looked").status_code == 303


def test_next_leads_only_to_a_path_of_ours(app: Flask, client: FlaskClient) -> None:
    make.staff(make.clinic(), Role.PRIVACY_OFFICER)
    for hostile in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x",
        "\\\\evil",
    ):
        path = f"/at/riverside/sign-in?next={hostile}"
        fresh = app.test_client()
        form = {
            "email": "privacy-officer@example.org",
            "password": make.PASSWORD,
            "csrf_token": csrf(fresh, "/at/riverside/sign-in"),
        }
        location = fresh.post(path, data=form).location
        assert location.startswith("/") and "evil" not in location and "\n" not in location, hostile


def test_a_post_without_its_token_changes_nothing(app: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    make.patient_account(make.patient(make.clinic()))
    client = sign_in("ana@example.org")
    assert client.post("/sign-out").status_code == 400
    assert client.get("/who-looked").status_code == 200


def _without_changing_parts(page: str) -> str:
    return re.sub(r'value="[^"]{20,}"|[0-9a-f]{16}', "", page)
