"""The front door: invitation, sign-in, time-outs, and what a stranger can learn there (nothing)."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts import service as accounts
from portal.actors import Role, system
from portal.clock import now
from tests import make
from tests.conftest import csrf


def test_a_patient_opens_the_invitation_proves_who_they_are_and_is_signed_in(app: Flask, client: FlaskClient) -> None:
    patient = make.patient(make.clinic())
    token = accounts.invite(system(patient.clinic_id), patient.id, 14)
    path = f"/join/{token}"
    wrong = client.post(path, data={"day": "1", "month": "1", "year": "1990", "csrf_token": csrf(client, path)})
    assert wrong.status_code == 422
    right = client.post(path, data={"day": "27", "month": "3", "year": "1985", "csrf_token": csrf(client, path)})
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
    patient = make.patient(make.clinic())
    token = accounts.invite(system(patient.clinic_id), patient.id, 14)
    assert [client.get(f"/join/{token}").status_code for _ in range(3)] == [200, 200, 200]


def test_five_wrong_birth_dates_end_the_link(app: Flask, client: FlaskClient) -> None:
    patient = make.patient(make.clinic())
    token = accounts.invite(system(patient.clinic_id), patient.id, 14)
    path = f"/join/{token}"
    given = csrf(client, path)
    answers = [
        client.post(path, data={"day": "1", "month": str(month), "year": "1990", "csrf_token": given}).status_code
        for month in range(1, 7)
    ]
    assert answers == [422, 422, 422, 422, 410, 410]


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
    import re

    return re.sub(r'value="[^"]{20,}"|[0-9a-f]{16}', "", page)
