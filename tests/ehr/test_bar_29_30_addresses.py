"""Bar 29 and 30: no socket opens to a server that is not registered, and a token goes only to the registered origin and path."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from portal.ehr import address
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, Unregistered
from portal.ehr.http import Failure, Limits, Wire

from .hostile import Hostile, Say, hostile, say
from .make import searchset

BASE = "https://ehr.example.org/fhir"
SSRF = (
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/",
    "http://100.100.100.200/latest/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://127.0.0.1/fhir",
    "http://127.1/fhir",
    "http://2130706433/fhir",
    "http://0x7f000001/fhir",
    "http://[::1]/fhir",
    "http://[::ffff:127.0.0.1]/fhir",
    "http://[::]/fhir",
    "http://0.0.0.0/fhir",
    "http://localhost/fhir",
    "https://localhost/fhir",
    "https://ehr.example.org.evil.example/fhir",
    "https://ehr.example.orgevil.example/fhir",
    "https://evil-ehr.example.org/fhir",
    "https://evil.example/ehr.example.org/fhir",
    "https://ehr.example.org@evil.example/fhir",
    "https://ehr.example.org:443@evil.example/fhir",
    "https://evil.example@ehr.example.org/fhir",
    "https://user:pass@ehr.example.org/fhir",
    "https://ehr.example.org%40evil.example/fhir",
    "https://ehr.example.org%2eevil.example/fhir",
    "https://ehr.example.org\\@evil.example/fhir",
    "https://evil.example\\@ehr.example.org/fhir",
    "https:\\\\ehr.example.org\\fhir",
    "https://ehr.example.org#@evil.example/fhir",
    "https://evil.example#ehr.example.org/fhir",
    "https://evil.example?ehr.example.org/fhir",
    "https://ehr.example.org?@evil.example/fhir",
    "http://ehr.example.org/fhir",
    "https://ehr.example.org:8443/fhir",
    "https://ehr.example.org:80/fhir",
    "https://ehr.example.org:99999/fhir",
    "https://ehr.example.org:0x1bb/fhir",
    "https://ehr.example.org:/fhir2",
    "https://ehr.example.org/",
    "https://ehr.example.org",
    "https://ehr.example.org/fhirish",
    "https://ehr.example.org/fhir2/Patient/1",
    "https://ehr.example.org/FHIR/Patient/1",
    "https://ehr.example.org/fhir.evil/Patient",
    "https://ehr.example.org/fhir/../admin",
    "https://ehr.example.org/fhir/./../admin",
    "https://ehr.example.org/fhir/..",
    "https://ehr.example.org/fhir/%2e%2e/admin",
    "https://ehr.example.org/fhir/%2E%2E/admin",
    "https://ehr.example.org/fhir/.%2e/admin",
    "https://ehr.example.org/fhir%2f..%2fadmin",
    "https://ehr.example.org/fhir/..%5cadmin",
    "https://ehr.example.org/fhir/..\\admin",
    "https://ehr.example.org/fhir/%00/x",
    "https://ehr.example.org//fhir/Patient",
    "https://ehr.example.org/fhir//evil.example",
    "https://ehr.example.org/fhir/Patient/1#x",
    "https://ehr.example.org/fhir/Pat ient",
    "https://ehr.example.org/fhir/Patient\r\nHost: evil.example",
    "https://ehr.example.org/fhir/Patient\n",
    "\thttps://ehr.example.org/fhir/Patient",
    " https://ehr.example.org/fhir/Patient",
    "https://ehr.example.org\t/fhir/Patient",
    "https://ehr.exam\u200bple.org/fhir/Patient",
    "https://еhr.example.org/fhir/Patient",
    "https://ehr。example。org/fhir/Patient",
    "https://ｅhr.example.org/fhir/Patient",
    "https://ehr.example.org./../fhir",
    "https:///ehr.example.org/fhir",
    "https:/ehr.example.org/fhir",
    "https:ehr.example.org/fhir",
    "//ehr.example.org/fhir/Patient",
    "//evil.example/fhir/Patient",
    "/fhir/Patient/1",
    "Patient/1",
    "ftp://ehr.example.org/fhir/Patient",
    "file:///etc/passwd",
    "gopher://ehr.example.org/fhir",
    "data:application/fhir+json,{}",
    "javascript:alert(1)",
    "ws://ehr.example.org/fhir",
    "jar:https://ehr.example.org/fhir!/",
    "",
)
QUICK = Limits(connect=1, read=2, total=3)


class Fixed:
    """A bearer with one token."""

    def token(self, limits: Limits) -> str:
        return "secret-token"

    def renewed(self, refused: str, limits: Limits) -> str:
        return "secret-token"


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that tried to resolve a name or to connect."""
    tried: list[Any] = []

    def refuse(*arguments: Any, **named: Any) -> Any:
        tried.append(arguments)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    return tried


def test_there_are_more_than_eighty_payloads() -> None:
    assert len(set(SSRF)) >= 80


@pytest.mark.parametrize("url", SSRF)
def test_bar_29_no_socket_opens_to_an_unregistered_address(url: str, no_sockets: list[Any]) -> None:
    with pytest.raises(Unregistered):
        Wire(BASE).send("GET", url)
    assert no_sockets == []


def test_bar_29_the_registered_server_itself_is_tried(no_sockets: list[Any]) -> None:
    answer = Wire(BASE).send("GET", f"{BASE}/metadata", limits=QUICK)
    assert no_sockets
    assert (answer.failure, answer.sent) == (Failure.CONNECT, False)


@pytest.mark.parametrize(
    "ip", ["169.254.169.254", "127.0.0.1", "::1", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1"]
)
def test_bar_29_a_registered_name_that_leads_to_a_forbidden_address_is_not_connected_to(
    ip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[Any] = []
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(family, socket.SOCK_STREAM, 6, "", (ip, 443))])
    monkeypatch.setattr(socket.socket, "connect", lambda _self, where: connected.append(where))
    answer = Wire(BASE).send("GET", f"{BASE}/metadata", limits=QUICK)
    assert (answer.failure, answer.sent, connected) == (Failure.CONNECT, False, [])


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir/Patient/1",
        "https://EHR.example.org/fhir?_getpages=1",
        "https://ehr.example.org:443/fhir/Patient?name=a%7Cb",
    ],
)
def test_bar_30_what_lies_under_the_registered_base_is_inside(url: str) -> None:
    assert address.inside(BASE, url)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://ehr.example.org/fhir", True),
        ("https://10.1.2.3/fhir", True),
        ("http://127.0.0.1:8300/fhir", True),
        ("http://localhost:8300/fhir", True),
        ("http://ehr.example.org/fhir", False),
        ("https://169.254.169.254/fhir", False),
        ("https://2852039166/fhir", False),
        ("https://0x7f000001/fhir", False),
        ("https://ehr.example.org/fhir?x=1", False),
        ("https://user@ehr.example.org/fhir", False),
        ("ehr.example.org/fhir", False),
    ],
)
def test_bar_29_an_administrator_can_register_only_what_a_clinics_system_can_be(url: str, fine: bool) -> None:
    assert (address.issues(url) == []) is fine


@pytest.fixture
def sink() -> Iterator[Hostile]:
    """Another server, to which nothing of ours may go."""
    with hostile() as running:
        yield running


def _client(server: Hostile) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), Fixed(), QUICK)


def test_bar_30_a_redirect_is_not_followed(server: Hostile, sink: Hostile) -> None:
    for status in (301, 302, 303, 307, 308):
        server.on["GET /fhir/Patient/p1"] = Say(status, b"", {"Location": f"{sink.base}/Patient/p1"})
        with pytest.raises(EhrError):
            _client(server).read("Patient", "p1")
    assert sink.seen == []


@pytest.mark.parametrize("where", ["other-host", "sibling-path", "look-alike", "climbing", "user-part"])
def test_bar_30_a_next_link_elsewhere_is_not_followed(server: Hostile, sink: Hostile, where: str) -> None:
    elsewhere = {
        "other-host": f"{sink.base}/Patient?page=2",
        "sibling-path": f"{server.url}/admin?page=2",
        "look-alike": f"{server.base}2/Patient?page=2",
        "climbing": f"{server.base}/../admin?page=2",
        "user-part": f"http://127.0.0.1:{server.port}@127.0.0.1:{sink.port}/fhir/Patient",
    }[where]
    person = {"resourceType": "Patient", "id": "p1"}
    server.fhir("Patient", searchset(server.base, "Patient?name=a", person, next_url=elsewhere))
    found = _client(server).search("Patient", [("name", "a")])
    assert (len(found.matches), found.complete) == (1, False)
    assert found.why == "the next page is on another server"
    assert sink.seen == []
    assert server.paths() == ["/fhir/Patient?name=a"]


def test_bar_30_references_and_attachments_are_never_fetched(server: Hostile, sink: Hostile) -> None:
    trap = {
        "resourceType": "Patient",
        "id": "p1",
        "photo": [{"contentType": "image/png", "url": f"{sink.url}/photo"}],
        "managingOrganization": {"reference": f"{sink.base}/Organization/1"},
        "implicitRules": f"{sink.url}/rules",
    }
    server.fhir("Patient/p1", trap)
    assert _client(server).read("Patient", "p1")["id"] == "p1"
    assert (sink.seen, len(server.seen)) == ([], 1)


def test_bar_30_the_token_is_in_the_header_and_never_in_the_address(server: Hostile) -> None:
    server.fhir("Patient/p1", {"resourceType": "Patient", "id": "p1"})
    _client(server).read("Patient", "p1")
    assert server.tokens() == ["Bearer secret-token"]
    assert all("secret-token" not in path for path in server.paths())


def test_bar_30_the_token_does_not_go_to_the_token_endpoint_of_the_same_wire(server: Hostile, sink: Hostile) -> None:
    client = FhirClient(server.base, Wire(server.base, f"{sink.url}/token"), Fixed(), QUICK)
    with pytest.raises(Unregistered):
        client._send("GET", f"{sink.url}/token", {"Authorization": "Bearer secret-token"}, None)
    assert sink.seen == []


def test_bar_30_cookies_are_neither_kept_nor_sent(server: Hostile) -> None:
    server.on["GET /fhir/Patient/p1"] = say({"resourceType": "Patient", "id": "p1"}, Set_Cookie="session=1; Path=/")
    client = _client(server)
    client.read("Patient", "p1")
    client.read("Patient", "p1")
    assert all("cookie" not in each.headers for each in server.seen)


@pytest.mark.parametrize("name", ["../admin", "p1?x=1", "p1/../../admin", "", "a" * 65, "p 1", "p1#x", "%2e%2e", "p/1"])
def test_bar_41_an_id_outside_the_grammar_never_becomes_an_address(server: Hostile, name: str) -> None:
    with pytest.raises(Unregistered):
        _client(server).read("Patient", name)
    assert server.seen == []
