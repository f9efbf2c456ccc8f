"""Bar 40: time, size, depth and pages have limits, and trouble tells whether anything was sent."""

import socket
import threading
from time import monotonic

import pytest

from portal.ehr.client import FhirClient
from portal.ehr.errors import NotFhir, NotReached
from portal.ehr.http import Failure, Limits, Wire

from .hostile import Hostile, Say, Seen, say, zipped
from .make import condition, searchset

QUICK = Limits(connect=0.5, read=0.6, total=1.2)


def _client(server: Hostile, limits: Limits = QUICK) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), None, limits)


def test_a_gzip_bomb_is_stopped_at_ten_megabytes_of_content(server: Hostile) -> None:
    server.on["GET /fhir/Patient/p1"] = zipped(b" " * 60_000_000)
    answer = _client(server, Limits()).get("Patient/p1")
    assert (answer.status, answer.failure, answer.body) == (200, Failure.TOO_LARGE, b"")


def test_a_plain_body_beyond_the_limit_is_refused_and_one_below_is_read(server: Hostile) -> None:
    small = Limits(size=1000)
    server.on["GET /fhir/a"] = Say(body=b"x" * 1001)
    server.on["GET /fhir/b"] = Say(body=b"x" * 1000)
    assert _client(server, small).get("a").failure is Failure.TOO_LARGE
    assert len(_client(server, small).get("b").body) == 1000


def test_a_gzipped_answer_is_read(server: Hostile) -> None:
    server.on["GET /fhir/Patient/p1"] = zipped(b'{"resourceType": "Patient", "id": "p1"}')
    assert _client(server).read("Patient", "p1")["id"] == "p1"


def test_a_server_that_says_nothing_ends_by_the_read_limit(server: Hostile) -> None:
    server.on["GET /fhir/Patient/p1"] = lambda _seen: _sleep(2) or say({})
    _ends_in_time(server)


def test_a_body_that_drips_ends_by_the_total_limit(server: Hostile) -> None:
    server.on["GET /fhir/Patient/p1"] = Say(body=b" " * 400, drip=1, pause=0.05)
    _ends_in_time(server)


def test_headers_that_drip_end_by_the_total_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        stop = threading.Event()

        def drip() -> None:
            line, _ = listening.accept()
            with line:
                line.recv(4096)
                line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not stop.wait(0.05):
                    try:
                        line.sendall(b"a")
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        began = monotonic()
        base = f"http://127.0.0.1:{port}/fhir"
        answer = Wire(base).send("GET", f"{base}/metadata", limits=QUICK)
        stop.set()
    assert (answer.failure, answer.sent) == (Failure.TIMEOUT, True)
    assert monotonic() - began < 2.5


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


def _ends_in_time(server: Hostile) -> None:
    began = monotonic()
    answer = _client(server).get("Patient/p1")
    assert (answer.failure, answer.sent) == (Failure.TIMEOUT, True)
    assert monotonic() - began < 2.5


def test_a_refused_connection_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    base = f"http://127.0.0.1:{port}/fhir"
    answer = Wire(base).send("POST", base, body=b"{}", limits=QUICK, fresh=True)
    assert (answer.status, answer.failure, answer.sent) == (None, Failure.CONNECT, False)


def test_a_server_that_is_no_tls_server_sent_nothing(server: Hostile) -> None:
    base = f"https://127.0.0.1:{server.port}/fhir"
    answer = Wire(base).send("POST", base, body=b"{}", limits=QUICK, fresh=True)
    assert (answer.failure, answer.sent) == (Failure.TLS, False)


def test_a_connection_cut_before_the_answer_may_have_sent_everything(server: Hostile) -> None:
    server.on["POST /fhir"] = Say(raw=b"")
    answer = _client(server).transaction(b"{}")
    assert (answer.status, answer.failure, answer.sent) == (None, Failure.RESET, True)
    assert len(server.seen) == 1, "a write is never repeated by itself"


@pytest.mark.parametrize("cut", [0, 1, 10])
def test_a_truncated_body_is_no_answer(server: Hostile, cut: int) -> None:
    server.on["POST /fhir"] = Say(body=b'{"resourceType": "Bundle"}', cut=cut)
    answer = _client(server).transaction(b"{}")
    assert (answer.status, answer.body, answer.sent) == (200, b"", True)
    assert answer.failure in (Failure.TRUNCATED, Failure.RESET)


def test_a_truncated_chunked_body_is_no_answer(server: Hostile) -> None:
    raw = (
        b'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"resource'
    )
    server.on["POST /fhir"] = Say(raw=raw)
    assert not _client(server).transaction(b"{}").whole


def test_a_read_that_meets_a_connection_closed_meanwhile_is_asked_once_more(server: Hostile) -> None:
    client = _client(server)
    server.fhir("Patient/p1", {"resourceType": "Patient", "id": "p1"})
    client.read("Patient", "p1")
    answers = iter([Say(raw=b""), say({"resourceType": "Patient", "id": "p1"})])
    server.on["GET /fhir/Patient/p1"] = lambda _seen: next(answers)
    assert client.read("Patient", "p1")["id"] == "p1"


def test_json_nested_deeper_than_64_levels_is_not_believed(server: Hostile) -> None:
    server.fhir("Patient/p1", b'{"resourceType":"Patient","id":"p1","x":' + b"[" * 70 + b"]" * 70 + b"}")
    with pytest.raises(NotFhir):
        _client(server).read("Patient", "p1")


def test_endless_paging_stops_at_the_page_limit_and_says_so(server: Hostile) -> None:
    def page(seen: Seen) -> Say:
        number = len(server.seen)
        query = "Condition?patient=p1"
        return say(
            searchset(server.base, query, condition(f"c{number}"), next_url=f"{server.base}/{query}&page={number}")
        )

    server.on["GET /fhir/Condition"] = page
    found = _client(server, Limits()).search("Condition", [("patient", "p1")])
    assert (len(server.seen), len(found.matches), found.complete) == (200, 200, False)
    assert found.why == "there are more pages than we read"


def test_pages_in_a_circle_are_left(server: Hostile) -> None:
    query = "Condition?patient=p1"
    second = f"{server.base}/{query}&page=2"
    pages = {
        f"/fhir/{query}": searchset(server.base, query, condition("c1"), next_url=second),
        f"/fhir/{query}&page=2": searchset(server.base, query, condition("c2"), next_url=f"{server.base}/{query}"),
    }
    server.on["GET /fhir/Condition"] = lambda seen: say(pages[seen.path])
    found = _client(server).search("Condition", [("patient", "p1")])
    assert (len(server.seen), len(found.matches), found.complete) == (2, 2, False)


def test_all_pages_are_read_and_each_resource_once(server: Hostile) -> None:
    query = "Condition?patient=p1"
    pages = {
        f"/fhir/{query}": searchset(
            server.base, query, condition("c1"), condition("c2"), next_url=f"{server.base}?_getpages=7"
        ),
        "/fhir?_getpages=7": searchset(server.base, query, condition("c2"), condition("c3")),
    }
    server.on["GET /fhir/Condition"] = server.on["GET /fhir"] = lambda seen: say(pages[seen.path])
    found = _client(server).search("Condition", [("patient", "p1")])
    assert [each["id"] for each in found.matches] == ["c1", "c2", "c3"]
    assert found.complete


def test_a_failing_second_page_fails_the_search(server: Hostile) -> None:
    query = "Condition?patient=p1"
    server.fhir("Condition", searchset(server.base, query, condition("c1"), next_url=f"{server.base}/page2"))
    server.on["GET /fhir/page2"] = Say(raw=b"")
    with pytest.raises(NotReached):
        _client(server).search("Condition", [("patient", "p1")])
