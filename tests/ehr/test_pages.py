"""The administrator's pages about a clinic's server, and the public address of our keys."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import guard
from portal.actors import Role
from portal.ehr import routes, service
from tests import make as people
from tests.conftest import csrf

from .hostile import Hostile, Say

# the application's own fixtures, not this folder's database
from tests.conftest import database  # noqa: F401  isort:skip

SignIn = Callable[..., FlaskClient]
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "Alpha <b>EHR</b>", "version": "2"},
    "rest": [{"mode": "server", "interaction": [{"code": "transaction"}], "resource": []}],
}


@pytest.fixture
def app(app: Flask) -> Flask:
    """The portal with this room open, whether or not the application opens it by itself yet."""
    if routes.bp.name not in app.blueprints:
        guard.open_room(app, routes.well_known, Role.ANYONE)
        guard.open_room(app, routes.bp, Role.ADMINISTRATOR)
    return app


@pytest.fixture
def admin(app: Flask, sign_in: SignIn) -> FlaskClient:
    clinic = people.clinic()
    people.staff(clinic, Role.ADMINISTRATOR, email="admin@example.org")
    people.staff(clinic, Role.CLINICIAN, email="lee@example.org")
    return sign_in("admin@example.org")


def _register(admin: FlaskClient, base_url: str, **more: str) -> str:
    token = csrf(admin, "/admin/connections/new")
    form = {"name": "Hillside record", "base_url": base_url, "client_id": "previsit", "csrf_token": token} | more
    answer = admin.post("/admin/connections/new", data=form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def test_an_administrator_connects_tests_and_pauses_a_system(
    admin: FlaskClient, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ehr.keys.RSA_BITS", 2048)
    assert "No system is connected yet" in admin.get("/admin/connections").get_data(as_text=True)
    server.smart()
    server.fhir("metadata", STATEMENT)
    page = _register(admin, server.base)
    before = admin.get(page).get_data(as_text=True)
    assert "Nobody has asked it yet" in before
    tested = admin.post(f"{page}/test", data={"csrf_token": csrf(admin, page)})
    shown = tested.get_data(as_text=True)
    assert "The system answered and let us in." in shown
    assert "Accepted answers arrive all together or not at all." in shown
    assert "Before anything is sent again we look whether it has arrived." in shown
    assert "Alpha &lt;b&gt;EHR&lt;/b&gt; 2" in shown, "what a server says of itself is text"
    for verb, words in (("pause", "Paused"), ("resume", "In use"), ("rotate", "Published, not signing yet")):
        answer = admin.post(f"{page}/{verb}", data={"csrf_token": csrf(admin, page), "why": "it is moved"})
        assert answer.status_code == 303
        assert words in admin.get(page).get_data(as_text=True)
    assert "Hillside record" in admin.get("/admin/connections").get_data(as_text=True)


def test_a_test_that_fails_says_what_to_do(
    admin: FlaskClient, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ehr.keys.RSA_BITS", 2048)
    page = _register(admin, server.base)
    answer = admin.post(f"{page}/test", data={"csrf_token": csrf(admin, page)})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "The test did not succeed." in shown
    assert "Check that it knows our client id and our key address." in shown


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("base_url", "http://ehr.example.org/fhir", "The address must start with https://"),
        ("base_url", "https://169.254.169.254/fhir", "not one a clinic"),
        ("base_url", "ehr", "Give the address of the FHIR server"),
        ("base_url", "https://e.example/" + "a" * 600, "This is too long."),
        ("name", " ", "Give the connection a name"),
        ("client_id", "", "Give the client id"),
        ("auth_origins", "https://user@auth.example.org", "Give the sign-in server as an address"),
    ],
)
def test_a_mistake_in_the_form_is_said_beside_what_was_typed(
    admin: FlaskClient, field: str, value: str, words: str
) -> None:
    token = csrf(admin, "/admin/connections/new")
    form = {"name": "N", "base_url": "https://ehr.example.org/fhir", "client_id": "c", "csrf_token": token} | {
        field: value
    }
    answer = admin.post("/admin/connections/new", data=form)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in shown
    assert 'href="#' + field in shown


def test_only_administrators_enter_and_only_their_own_clinics(admin: FlaskClient, sign_in: SignIn, app: Flask) -> None:
    other = people.clinic("elsewhere", "Elsewhere")
    people.staff(other, Role.ADMINISTRATOR, email="other@example.org")
    row = people.staff_actor(people.staff(other, Role.ADMINISTRATOR, email="third@example.org"))
    theirs = service.register(
        row, name="Theirs", base_url="https://ehr.example.org/fhir", client_id="c", algorithms=("ES384",)
    ).id
    assert admin.get(f"/admin/connections/{theirs}").status_code == 404
    for verb in ("test", "pause", "resume", "rotate"):
        answer = admin.post(
            f"/admin/connections/{theirs}/{verb}", data={"csrf_token": csrf(admin, "/admin/connections/new")}
        )
        assert answer.status_code == 404
    clinician = sign_in("lee@example.org")
    assert clinician.get("/admin/connections").status_code == 403
    assert app.test_client().get("/admin/connections").status_code in (302, 303)


def test_a_page_that_is_read_changes_nothing_and_a_post_needs_its_token(admin: FlaskClient) -> None:
    assert admin.post("/admin/connections/new", data={"name": "x"}).status_code == 400


def test_row_07_jwks__public_and_cacheable(app: Flask) -> None:
    clinic = people.clinic()
    actor = people.staff_actor(people.staff(clinic, Role.ADMINISTRATOR))
    made = [
        service.register(
            actor, name=name, base_url=f"https://{name}.example/fhir", client_id="c", algorithms=("ES384",)
        ).id
        for name in ("one", "two")
    ]
    client = app.test_client()
    every = client.get("/.well-known/jwks.json")
    one = client.get(f"/.well-known/jwks/{made[0]}.json")
    assert (every.status_code, every.mimetype, len(every.json["keys"]), len(one.json["keys"])) == (
        200,
        "application/json",
        2,
        1,
    )
    assert every.headers["Cache-Control"] == "public, max-age=300"
    assert all("d" not in key for key in every.json["keys"])
    assert "Set-Cookie" not in every.headers
    assert client.get("/.well-known/jwks/0123456789abcdef.json").status_code == 404


def test_an_administrator_sets_how_people_sign_in_and_who_is_who(
    admin: FlaskClient, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ehr.keys.RSA_BITS", 2048)
    page = _register(admin, server.base)
    at = f"{page}/sign-in"
    shown = admin.get(at).get_data(as_text=True)
    assert "/launch/callback/" in shown
    assert "It does not let itself be shown in a frame" in shown

    def said(path: str, **form: str | list[str]) -> tuple[int, str]:
        answer = admin.post(path, data={"csrf_token": csrf(admin, at), **form})
        return answer.status_code, answer.get_data(as_text=True)

    assert "Choose how Previsit proves who it is." in said(at, client_id="x", method="magic")[1]
    assert "Give the secret" in said(at, client_id="x", method="client_secret_basic")[1]
    secret = "a-secret-canary"
    assert said(at, client_id="x", method="client_secret_basic", secret=secret, who=["patients", "staff"])[0] == 303
    shown = admin.get(at).get_data(as_text=True)
    assert secret not in shown
    assert shown.count("checked") >= 3
    assert said(at, client_id="y", method="client_secret_basic", secret="", who="staff")[0] == 303, "it is kept"
    people_at = f"{page}/people"
    assert "No member of staff here" in said(people_at, email="nobody@example.org", user="Practitioner/lee-1")[1]
    assert "like Practitioner/123" in said(people_at, email="lee@example.org", user="Patient/1")[1]
    assert said(people_at, email="lee@example.org", user=f"{server.base}/Practitioner/lee-1")[0] == 303
    shown = admin.get(at).get_data(as_text=True)
    assert "Practitioner/lee-1" in shown
    assert "not yet confirmed by them" in shown
    assert "tied already" in said(people_at, email="lee@example.org", user="Practitioner/lee-1")[1]
    end = re.search(r'action="([^"]+/end)"', shown)
    assert end
    assert said(end[1])[0] == 303
    assert "Practitioner/lee-1" not in admin.get(at).get_data(as_text=True)
    assert said(end[1])[0] == 404
    assert said(people_at, email="lee@example.org", user="Practitioner/lee-1")[0] == 303, (
        "a tie that ended can be made again"
    )


def test_what_a_server_can_do_less_than_when_it_was_confirmed_is_said_until_somebody_confirms_it(
    admin: FlaskClient, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ehr.keys.RSA_BITS", 2048)
    server.smart()
    server.fhir("metadata", STATEMENT)
    page = _register(admin, server.base)
    admin.post(f"{page}/test", data={"csrf_token": csrf(admin, page)})
    assert "It has changed since it was confirmed" not in admin.get(page).get_data(as_text=True)
    server.fhir("metadata", STATEMENT | {"rest": [{"mode": "server", "interaction": [], "resource": []}]})
    admin.post(f"{page}/test", data={"csrf_token": csrf(admin, page)})
    shown = admin.get(page).get_data(as_text=True)
    assert "It has changed since it was confirmed" in shown
    assert "Gone: Transactions." in shown
    assert admin.post(f"{page}/confirm", data={"csrf_token": csrf(admin, page)}).status_code == 303
    assert "It has changed since it was confirmed" not in admin.get(page).get_data(as_text=True)


def test_the_page_says_kind_by_kind_what_we_may_do_and_what_follows_from_what_we_may_not(
    admin: FlaskClient, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ehr.keys.RSA_BITS", 2048)
    server.smart()
    server.fhir("metadata", STATEMENT)
    granted = {
        "access_token": "t",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "system/Patient.rs system/Consent.rs",
    }
    server.on["POST /token"] = Say(200, granted, {"Content-Type": "application/json"})
    page = _register(admin, server.base)
    shown = admin.post(f"{page}/test", data={"csrf_token": csrf(admin, page)}).get_data(as_text=True)
    assert "Some permissions were not given" in shown
    assert "Accepted answers of this kind are held." in shown
    assert "Shown as “could not look”." in shown


def test_a_system_only_for_people_is_connected_on_purpose_and_its_page_says_what_works(
    admin: FlaskClient, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ehr.keys.RSA_BITS", 2048)
    form = {"name": "Hillside", "base_url": server.base, "client_id": ""}
    token = csrf(admin, "/admin/connections/new")
    refused = admin.post("/admin/connections/new", data=form | {"csrf_token": token})
    assert refused.status_code == 422 and "Give the client id" in refused.get_data(as_text=True)
    at = _register(admin, server.base, client_id="", only_people="1")
    page = admin.get(at).get_data(as_text=True)
    assert "only for people who sign in" in page and "Does not work" in page and "Use it as a service" in page
    wrong = admin.post(f"{at}/service", data={"client_id": "", "csrf_token": csrf(admin, at)})
    assert wrong.status_code == 422 and "Give the client id" in wrong.get_data(as_text=True)
    assert admin.post(f"{at}/service", data={"client_id": "previsit", "csrf_token": csrf(admin, at)}).status_code == 303
    assert "Use it as a service" not in admin.get(at).get_data(as_text=True)
