"""People who sign in, at an authorization server that nobody here wrote (oidc-provider): code with PKCE, id_token, refresh, end."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urljoin

import pytest
import requests

from portal.actors import Actor
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import claiming, grants, launching, registration, scopes, service
from portal.ehr.authorize import WayOut
from portal.ehr.launch_models import Grant
from portal.ehr.launches import Declined
from portal.ehr.launching import Landed, Visitor
from portal.ehr.models import Connection
from portal.ehr.reading import Kind, Reason, State
from tests.ehr.make import Place
from tests.ehr.signing_in import with_account

from .clinic import Person, condition, person
from .running import Peer
from .table import Tell

PEERS_HERE = ("medplum",)
"""One is enough: the sign-in is the authorization server's, the same in front of each."""
SITE = "https://intake.example.org"
BROWSER = Visitor("a-browser-of-its-own", "192.0.2.7", SITE)
Connect = Callable[..., Connection]
ALLOWED = " ".join(
    scopes.asked({kind: letters}, v2=True, context="patient")
    for kind, letters in scopes.READS.items()
    if kind != "Immunization"
)


class Browser:
    """Somebody at the clinic's own sign-in pages: follows them, fills in who they are, presses the buttons."""

    def __init__(self, login: str) -> None:
        self.login, self.http, self.asked = login, requests.Session(), 0

    def goes(self, way: WayOut, *, allows: bool = True) -> dict[str, list[str]]:
        """The query with which the browser is sent back to us."""
        answer = self.http.get(way.url, allow_redirects=False, timeout=20)
        for _ in range(12):
            there = answer.headers.get("Location")
            if there and there.startswith(SITE):
                return parse_qs(there.partition("?")[2])
            if there:
                answer = self.http.get(urljoin(answer.url, there), allow_redirects=False, timeout=20)
            else:
                answer = self._fills_in(answer, allows)
        raise AssertionError("the sign-in never ended")

    def _fills_in(self, page: requests.Response, allows: bool) -> requests.Response:
        assert page.status_code == 200, page.text[:600]
        found = re.search(r'<form[^>]* action="([^"]+)"', page.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
        assert found and prompt, page.text[:600]
        self.asked += 1
        if prompt[1] == "consent" and not allows:
            away = re.search(r'href="([^"]+/abort)"', page.text)
            assert away
            return self.http.get(html.unescape(away[1]), allow_redirects=False, timeout=20)
        form = {"prompt": prompt[1], "login": self.login, "password": "x"}
        return self.http.post(html.unescape(found[1]), data=form, allow_redirects=False, timeout=20)


@dataclass
class Scene:
    peer: Peer
    clinic: Place
    connection: Connection
    someone: Person
    patient: Actor

    def browser(self, login: str, user: str, patient: str | None) -> Browser:
        self.peer.ask(person={"login": login, "user": user, "patient": patient})
        return Browser(login)

    def own_browser(self) -> Browser:
        return self.browser(f"login-{self.someone.name}", self.someone.reference, self.someone.name)

    def connect(self) -> WayOut:
        return launching.connect(self.patient, self.connection.id, BROWSER, service.PATIENT)

    def back(self, query: dict[str, list[str]], actor: Actor | None = None) -> Landed:
        return launching.land(self.connection.id, query, BROWSER.browser, actor, service.PATIENT)

    def connected(self) -> Landed:
        return self.back(self.own_browser().goes(self.connect()), self.patient)

    def reading(self, kind: Kind = Kind.CONDITIONS) -> service.Reading:
        return service.read(
            self.patient, self.someone.place.patient_id, kind, max_age=timedelta(0), limits=service.PATIENT
        )

    def grant(self) -> Grant:
        session().rollback()
        return session().query(Grant).filter_by(connection_id=self.connection.id).one()

    def runs_out(self) -> None:
        """The access token is over, here and there."""
        self.peer.ask(expire=True)
        with transaction():
            self.grant().expires_at = now() - timedelta(seconds=1)


METHODS = ("none", "private_key_jwt", "client_secret_basic")
Register = Callable[[str], "Scene"]


@pytest.fixture
def register(peer: Peer, clinic: Place, connect: Connect) -> Register:
    """The peer, where Previsit is registered for people too, by one of the three ways to prove itself."""
    return lambda method: _scene(peer, clinic, connect, method)


@pytest.fixture
def scene(register: Register) -> "Scene":
    return register("none")


def _scene(peer: Peer, clinic: Place, connect: Connect, method: str) -> "Scene":
    connection = connect()
    client_id, secret = f"people-{connection.id}", "s:e c/r%t" if method == "client_secret_basic" else ""
    registration.register(
        clinic.admin,
        connection.id,
        client_id=client_id,
        method=method,
        secret=secret,
        for_patients=True,
        for_staff=True,
    )
    known = {
        "id": client_id,
        "method": method,
        "redirect_uri": f"{SITE}/launch/callback/{connection.id}",
        "allowed": ALLOWED,
    }
    if method == "private_key_jwt":
        name = connection.id
        peer.keys.publish(client_id, lambda: service.jwks(name))
        known["jwks_uri"] = peer.keys.address(client_id)
    peer.ask(people=known | ({"secret": secret} if secret else {}))
    someone = person(peer, clinic, connection)
    peer.put(condition(someone))
    return Scene(peer, clinic, connection, someone, with_account(someone.actor))


def test_a_patient_connects_their_record_and_it_is_read_with_their_permission(register: Register, tell: Tell) -> None:
    for method in METHODS:
        scene = register(method)
        landed = scene.connected()
        assert (landed.kind, landed.missing) == ("connect", ("Immunization",)), "what was not allowed is told"
        asked = scene.own_browser()
        reading = scene.reading()
        assert (reading.state, len(reading.resources)) == (State.KNOWN, 1)
        assert scene.reading(Kind.IMMUNIZATIONS).reason is Reason.PERMISSION
        assert scene.grant().lasts, "the permission has to outlive its first token"
        assert asked.asked == 0
    tell("passed")


def test_a_refresh_token_is_replaced_each_time_and_the_old_one_ends_everything(scene: Scene, tell: Tell) -> None:
    scene.connected()
    first = scene.grant().token["refresh"]
    scene.runs_out()
    assert scene.reading().state is State.KNOWN
    second = scene.grant().token["refresh"]
    assert second != first, "this server rotates"
    with transaction():  # as after a restore from yesterday's backup
        scene.grant().token = {**scene.grant().token, "refresh": first}
    scene.runs_out()
    scene.reading()
    row = scene.grant()
    assert row.broken_at is not None, "the patient is asked to connect again"
    held = grants.held(scene.patient, scene.connection)
    assert held is not None and held.broken
    assert scene.connected().kind == "connect"
    assert scene.reading().state is State.KNOWN
    tell("passed")


def test_a_permission_is_renewed_with_the_same_proof(register: Register, tell: Tell) -> None:
    for method in METHODS:
        scene = register(method)
        scene.connected()
        scene.runs_out()
        assert scene.reading().state is State.KNOWN
        assert scene.grant().broken_at is None
    tell("passed")


def test_a_permission_that_is_ended_here_is_ended_there(scene: Scene, tell: Tell) -> None:
    scene.connected()
    token = scene.grant().token["token"]
    url = f"{scene.peer.fhir}/{scene.someone.reference}"
    assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code == 200
    assert launching.disconnect(scene.patient, scene.connection.id, service.PATIENT), "the server has said yes"
    assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code == 401
    tell("passed")


def test_a_patient_signs_in_here_with_it(scene: Scene, tell: Tell) -> None:
    way = launching.sign_in(scene.connection.id, BROWSER, service.PATIENT)
    landed = scene.back(scene.own_browser().goes(way))
    assert landed.session_token and landed.account_id == scene.patient.account_id
    tell("passed")


def test_staff_come_from_inside_with_the_patient_who_is_open_there(scene: Scene, tell: Tell) -> None:
    clerk = with_account(scene.clinic.clerk)
    browser = scene.browser("dr-lee", f"Practitioner/of-{scene.someone.name}", scene.someone.name)

    def come() -> Landed:
        way = launching.from_ehr(scene.connection.base_url, "opaque", BROWSER, limits=service.PATIENT)
        return scene.back(browser.goes(way))

    first = come()
    assert first.claim and first.session_token is None, "nobody here is this user yet"
    assert claiming.answer_claim(clerk, first.claim, BROWSER.browser) == scene.someone.place.patient_id
    again = come()
    assert (again.account_id, again.patient_id) == (clerk.account_id, scene.someone.place.patient_id)
    tell("passed")


def test_whoever_says_no_there_is_told_so_and_nothing_is_kept(scene: Scene, tell: Tell) -> None:
    query = scene.own_browser().goes(scene.connect(), allows=False)
    assert query["error"] == ["access_denied"]
    with pytest.raises(Declined):
        scene.back(query, scene.patient)
    assert grants.held(scene.patient, scene.connection) is None
    tell("passed")


def test_a_request_for_another_server_or_with_a_foreign_code_comes_to_nothing(scene: Scene, tell: Tell) -> None:
    way = scene.connect()
    elsewhere = WayOut(way.address, way.fields | {"aud": "https://evil.example/fhir"}, way.by_post)
    assert scene.own_browser().goes(elsewhere)["error"] == ["invalid_request"]
    mine, theirs = scene.connect(), scene.connect()
    stolen = scene.own_browser().goes(theirs) | {"state": [mine.fields["state"]]}
    with pytest.raises(Exception, match="could not be confirmed"):
        scene.back(stolen, scene.patient)
    assert grants.held(scene.patient, scene.connection) is None, "a code is worth nothing without its own verifier"
    tell("passed")
