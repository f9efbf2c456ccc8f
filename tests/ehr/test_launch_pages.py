"""The pages of signing in at the clinic's own system, as a browser meets them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import db
from portal.actors import Role
from portal.ehr import registration, service, users
from portal.ehr.models import Connection
from tests import make as people
from tests.conftest import csrf

from .hostile import Hostile
from .signing_in import CLIENT_ID, PRACTITIONER, SignIn

# the application's own fixtures, not this folder's database
from tests.conftest import database  # noqa: F401  isort:skip


@dataclass
class House:
    """A portal with one clinic whose system people can sign in at; Ana is tied to Patient/p1 and has an account."""

    app: Flask
    connection_id: str
    base: str
    at: SignIn
    ana: str
    sign_in: Callable[..., FlaskClient]

    def visitor(self) -> FlaskClient:
        return self.app.test_client()

    def launched(self, client: FlaskClient, launch: str = "xyz") -> dict[str, str]:
        """What the EHR's launch sends the browser to its sign-in with."""
        answer = client.get("/launch", query_string={"iss": self.base, "launch": launch})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return self._went(answer.headers["Location"])

    def asked(self, page: TestResponse) -> dict[str, str]:
        """The same from the page that says where it goes."""
        assert page.status_code == 200
        found = re.search(r'href="([^"]+/authorize\?[^"]+)"', page.get_data(as_text=True))
        assert found
        return self._went(unescape(found[1]))

    def _went(self, address: str) -> dict[str, str]:
        assert address.startswith(f"{self.at.server.url}/authorize?")
        fields = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.at.nonce = fields.get("nonce", "")
        return fields

    def back(self, client: FlaskClient, fields: dict[str, str], **query: Any) -> TestResponse:
        said = {"code": "a-code", "state": fields["state"], "iss": self.at.server.url} | query
        return client.get(f"/launch/callback/{self.connection_id}", query_string=said)


@pytest.fixture
def house(app: Flask, server: Hostile, sign_in: Callable[..., FlaskClient]) -> House:
    clinic = people.clinic()
    admin = people.staff_actor(people.staff(clinic, Role.ADMINISTRATOR, "Jo Park", "jo@example.org"))
    people.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")
    at = SignIn(server)
    at.open()
    made: Connection = service.register(
        admin, name="Riverside record", base_url=server.base, client_id="previsit", algorithms=("ES384",)
    )
    registration.register(admin, made.id, client_id=CLIENT_ID, method="none", for_patients=True, for_staff=True)
    ana = people.patient(clinic, connection_id=made.id, fhir_id="p1")
    people.patient_account(ana)
    found = House(app, made.id, server.base, at, ana.id, sign_in)
    db.close()
    return found


def _post(client: FlaskClient, path: str, form_at: str) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf(client, form_at)})


def test_a_patient_signs_in_at_the_clinics_system(house: House) -> None:
    client = house.visitor()
    assert "Sign in with Riverside record" in client.get("/sign-in").get_data(as_text=True)
    away = _post(client, f"/launch/sign-in/{house.connection_id}", "/sign-in")
    assert "Continue to Riverside record" in away.get_data(as_text=True)
    answer = house.back(client, house.asked(away))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/visits")
    assert "Hello, Ana Morales" in client.get("/visits").get_data(as_text=True)


def test_a_patient_without_an_invitation_gets_a_clear_page(house: House) -> None:
    house.at.token, house.at.claims = {"patient": "p9"}, {"fhirUser": "Patient/p9"}
    client = house.visitor()
    answer = house.back(client, house.asked(_post(client, f"/launch/sign-in/{house.connection_id}", "/sign-in")))
    assert answer.status_code == 403
    assert "Open the link in the invitation from your clinic first." in answer.get_data(as_text=True)
    assert client.get("/visits").status_code == 303


def test_a_patient_connects_and_ends_it(house: House) -> None:
    client = house.sign_in("ana@example.org")
    assert "Connect my record" in client.get("/connect").get_data(as_text=True)
    away = _post(client, f"/connect/{house.connection_id}", "/connect")
    assert "allow this site to read it" in away.get_data(as_text=True)
    answer = house.back(client, house.asked(away))
    assert answer.headers["Location"] == "/connect?connected=1"
    page = client.get("/connect").get_data(as_text=True)
    assert "End my permission" in page
    ended = _post(client, f"/connect/{house.connection_id}/end", "/connect")
    assert ended.headers["Location"] == "/connect?ended=yes"
    assert "End my permission" not in client.get("/connect").get_data(as_text=True)


def test_another_persons_record_is_refused_in_plain_words(house: House) -> None:
    house.at.token = {"patient": "p2"}
    client = house.sign_in("ana@example.org")
    answer = house.back(client, house.asked(_post(client, f"/connect/{house.connection_id}", "/connect")))
    assert answer.status_code == 403
    assert "is not the one of this account" in answer.get_data(as_text=True)


def test_staff_say_once_who_they_are_and_are_then_signed_in_with_the_patient_open(house: House) -> None:
    house.at.claims = {"fhirUser": f"{house.base}/{PRACTITIONER}"}
    client = house.visitor()
    answer = house.back(client, house.launched(client))
    claim = answer.headers["Location"]
    assert claim.startswith("/launch/claim/")
    door = client.get(claim)
    assert door.headers["Location"].startswith("/sign-in?next=/launch/claim/")
    token = csrf(client, door.headers["Location"])
    form = {"email": "lee@example.org", "password": people.PASSWORD, "csrf_token": token}
    entered = client.post(door.headers["Location"], data=form)
    assert entered.headers["Location"] == claim
    page = client.get(claim).get_data(as_text=True)
    assert PRACTITIONER in page
    assert "Riverside record" in page
    said = _post(client, claim, claim)
    assert said.headers["Location"] == f"/desk?show=all&patient={house.ana}"
    assert client.get(claim).status_code == 409, "a question that was answered is closed"

    again = house.visitor()
    answer = house.back(again, house.launched(again))
    assert answer.headers["Location"] == f"/desk?show=all&patient={house.ana}"
    desk = again.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Ana Morales" in desk
    assert "Only what this patient sent is shown" in desk
    assert "Dr Lee" in desk


def test_a_patient_nobody_here_knows_opens_a_desk_that_says_so(house: House) -> None:
    from portal.ehr.identity import Identity
    from portal.ehr.users import tie

    lee = _account("lee@example.org")
    with db.transaction():
        tie(lee, _connection(house), Identity(house.at.server.url, "somebody", PRACTITIONER))
    db.close()
    house.at.claims, house.at.token = {"fhirUser": PRACTITIONER}, {"patient": "p9"}
    client = house.visitor()
    answer = house.back(client, house.launched(client))
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Nobody here is tied to the patient who is open there" in page


def test_who_is_who_said_ahead_opens_nothing_until_that_person_has_said_so_too(house: House) -> None:
    """Whoever ties people must not come in as one of them."""
    jo = _account("jo@example.org")
    assert users.tie_by_hand(jo, house.connection_id, "lee@example.org", PRACTITIONER) == []
    db.close()
    house.at.claims = {"fhirUser": PRACTITIONER}

    def claimed_by(email: str) -> int:
        client = house.visitor()
        claim = house.back(client, house.launched(client)).headers["Location"]
        assert claim.startswith("/launch/claim/")
        door = client.get(claim).headers["Location"]
        assert door.startswith("/sign-in?next="), "nobody is signed in by it"
        client.post(door, data={"email": email, "password": people.PASSWORD, "csrf_token": csrf(client, door)})
        return _post(client, claim, claim).status_code

    assert claimed_by("jo@example.org") == 409, "it is said to be somebody else"
    assert claimed_by("lee@example.org") == 303
    again = house.visitor()
    assert house.back(again, house.launched(again)).headers["Location"].startswith("/desk?"), "from now on it is them"
    [made] = users.every(jo, house.connection_id)
    assert made.used and made.email == "lee@example.org"


def test_a_claim_is_of_one_browser(house: House) -> None:
    house.at.claims = {"fhirUser": PRACTITIONER}
    client = house.visitor()
    claim = house.back(client, house.launched(client)).headers["Location"]
    other = house.sign_in("lee@example.org")
    assert other.get(claim).status_code == 404
    assert other.post(claim, data={"csrf_token": csrf(other, "/desk")}).status_code == 404


@pytest.mark.parametrize("user", ["Patient/p1", "RelatedPerson/r1", None, "https://evil.example/Practitioner/dr-lee"])
def test_only_staff_come_from_inside_the_ehr(house: House, user: str | None) -> None:
    house.at.claims = {"fhirUser": user}
    client = house.visitor()
    assert house.back(client, house.launched(client)).status_code == 403
    assert client.get("/desk").status_code == 303


def test_a_user_who_is_somebody_else_now_is_not_let_in(house: House) -> None:
    from portal.ehr.identity import Identity
    from portal.ehr.users import tie

    with db.transaction():
        tie(_account("lee@example.org"), _connection(house), Identity(house.at.server.url, "somebody", PRACTITIONER))
    db.close()
    house.at.claims = {"fhirUser": PRACTITIONER, "sub": "another person"}
    client = house.visitor()
    assert house.back(client, house.launched(client)).status_code == 403
    assert client.get("/desk").status_code == 303


def test_who_comes_from_the_ehr_ends_the_session_of_whoever_was_there(house: House) -> None:
    from portal.ehr.identity import Identity
    from portal.ehr.users import tie

    with db.transaction():
        tie(_account("lee@example.org"), _connection(house), Identity(house.at.server.url, "somebody", PRACTITIONER))
    db.close()
    client = house.sign_in("ana@example.org")
    before = _cookie(house, client)
    house.at.claims = {"fhirUser": PRACTITIONER}
    house.back(client, house.launched(client))
    assert "Dr Lee" in client.get("/desk").get_data(as_text=True)
    old = house.visitor()
    old.set_cookie(house.app.config["SESSION_COOKIE_NAME"], before)
    assert old.get("/visits").status_code == 303


@pytest.mark.parametrize("query", [{}, {"launch": "x"}, {"iss": "", "launch": "x"}])
def test_row_03_launch_entry__missing_iss(house: House, query: dict[str, str]) -> None:
    assert house.visitor().get("/launch", query_string=query).status_code == 400
    assert house.at.server.seen == []


def test_row_03_launch_entry__missing_launch_is_a_page(house: House) -> None:
    assert house.visitor().get("/launch", query_string={"iss": house.base}).status_code == 400
    assert house.visitor().get(f"/launch?iss={house.base}&iss={house.base}&launch=x").status_code == 400


def test_row_03_launch_entry__iss_not_registered_is_refused_without_a_request__as_a_page(house: House) -> None:
    answer = house.visitor().get("/launch", query_string={"iss": "https://evil.example/<b>", "launch": "x"})
    assert answer.status_code == 403
    assert "evil" not in answer.get_data(as_text=True)
    assert house.at.server.seen == []


def test_a_clinic_has_a_launch_address_of_its_own(house: House) -> None:
    client = house.visitor()
    answer = client.get("/at/riverside/launch", query_string={"iss": house.base, "launch": "x"})
    assert answer.status_code == 302
    assert client.get("/at/nowhere/launch", query_string={"iss": house.base, "launch": "x"}).status_code == 404


def test_row_04_redirect_handling__error_is_not_reflected_on_the_page(house: House) -> None:
    client = house.visitor()
    fields = house.launched(client)
    mark = "<script>canary</script>"
    answer = house.back(client, fields, error=mark, error_description=mark, error_uri="https://evil.example/canary")
    assert answer.status_code == 403
    assert "canary" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", ["next", "redirect_uri", "return", "url", "to", "RelayState"])
def test_row_04_redirect_handling__no_open_redirect(house: House, name: str) -> None:
    client = house.visitor()
    away = _post(client, f"/launch/sign-in/{house.connection_id}", "/sign-in")
    answer = house.back(client, house.asked(away), **{name: "https://evil.example/"})
    assert answer.headers["Location"] == "/visits"
    refused = client.get(f"/launch/callback/{house.connection_id}", query_string={name: "https://evil.example/"})
    assert "Location" not in refused.headers


def test_row_04_redirect_handling__host_header_never_shapes_the_way_back(house: House) -> None:
    client = house.visitor()
    answer = client.get("/launch", query_string={"iss": house.base, "launch": "x"}, headers={"Host": "127.0.0.1:9999"})
    assert "redirect_uri=http%3A%2F%2Flocalhost%2Flaunch%2Fcallback%2F" in answer.headers["Location"]


def test_row_15_storage__nothing_in_cookies(house: House) -> None:
    """The browser keeps one random word of ours and our own session: no state, verifier, code or token."""
    client = house.sign_in("ana@example.org")
    away = _post(client, f"/connect/{house.connection_id}", "/connect")
    fields = house.asked(away)
    house.back(client, fields)
    signer = house.app.session_interface.get_signing_serializer(house.app)  # type: ignore[attr-defined]
    held = signer.loads(_cookie(house, client))
    assert set(held) <= {"_fresh", "_id", "_user_id", "csrf_token", "launch"}
    sent = house.at.asked()[0]
    secrets = ["person-1", "refresh-1", "a-code", fields["state"], fields["nonce"], sent["code_verifier"], "p1"]
    assert not [each for each in secrets if each in str(held)]


def test_row_02_authorize__post_when_the_server_says_so__as_a_page(house: House) -> None:
    house.at.document = {"capabilities": ["authorize-post", "permission-v2"]}
    house.at.open()
    client = house.visitor()
    away = _post(client, f"/launch/sign-in/{house.connection_id}", "/sign-in")
    page = away.get_data(as_text=True)
    assert f'<form method="post" action="{house.at.server.url}/authorize">' in page
    assert 'name="code_challenge_method" value="S256"' in page
    assert f"form-action 'self' https: {house.at.server.url};" in away.headers["Content-Security-Policy"]


def test_nothing_of_ours_is_drawn_in_another_pages_frame(house: House) -> None:
    client = house.visitor()
    for path in ("/launch", "/sign-in", f"/launch/callback/{house.connection_id}"):
        assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]
    assert house.app.config["SESSION_COOKIE_SAMESITE"] == "Lax"


def _account(email: str) -> Any:
    from portal.accounts.models import Account

    index = db.keys().blind("email", email)
    return people.staff_actor(db.session().query(Account).filter(Account.email_index == index).one())


def _connection(house: House) -> Connection:
    return db.session().get_one(Connection, house.connection_id)


def _cookie(house: House, client: FlaskClient) -> str:
    found = client.get_cookie(house.app.config["SESSION_COOKIE_NAME"])
    assert found is not None
    return found.value
