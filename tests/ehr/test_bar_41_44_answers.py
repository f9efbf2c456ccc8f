"""Bar 41, 43 and 44: nothing is believed before it passed every check, ignored filters are errors, Retry-After is clamped."""

import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from portal.ehr import answers, echo
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, FilterIgnored, NotFhir, NotPermitted, NotReached, NotThere, Refused, TryLater
from portal.ehr.http import Answer, Limits, Wire
from tests.ports import dead_port

from .hostile import Hostile, Say, say
from .make import condition, searchset

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PERSON = {"resourceType": "Patient", "id": "p1"}
FHIR = {"Content-Type": "application/fhir+json"}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing", "diagnostics": "Jo, 41"}],
}


def _client(server: Hostile) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), None, Limits(read=2, total=3))


@pytest.mark.parametrize(
    "answer",
    [
        Say(200, PERSON, {"Content-Type": "application/fhir+json"}),
        Say(200, PERSON, {"Content-Type": "application/fhir+json; charset=utf-8"}),
        Say(200, PERSON, {"Content-Type": 'Application/FHIR+JSON;fhirVersion=4.0;charset="UTF-8"'}),
        Say(200, PERSON, {"Content-Type": "application/json"}),
        Say(201, PERSON, FHIR),
        Say(200, b"\xef\xbb\xbf" + json.dumps(PERSON).encode(), FHIR),
    ],
)
def test_bar_41_a_whole_answer_of_the_right_kind_is_believed(server: Hostile, answer: Say) -> None:
    server.on["GET /fhir/Patient/p1"] = answer
    assert _client(server).read("Patient", "p1") == PERSON


@pytest.mark.parametrize(
    "answer",
    [
        Say(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        Say(200, PERSON, {"Content-Type": "text/html"}),
        Say(200, PERSON, {}),
        Say(200, b"<Patient/>", {"Content-Type": "application/fhir+xml"}),
        Say(200, json.dumps(PERSON).encode("utf-16"), {"Content-Type": "application/fhir+json; charset=utf-16"}),
        Say(200, json.dumps(PERSON).encode("latin-1"), {"Content-Type": "application/fhir+json; charset=iso-8859-1"}),
        Say(200, b"", FHIR),
        Say(200, b"{", FHIR),
        Say(200, b"[]", FHIR),
        Say(200, b"null", FHIR),
        Say(200, b'"Patient"', FHIR),
        Say(200, b"\xff\xfe", FHIR),
        Say(200, b'{"resourceType":"Patient","id":"p1","id":"p2"}', FHIR),
        Say(200, b'{"resourceType":"Patient","id":"p1","x":NaN}', FHIR),
        Say(200, b'{"resourceType":"Patient","id":"p1","x":1E+200000}', FHIR),
        Say(200, b'{"resourceType":"Patient","id":"p1","x":"\\ud800"}', FHIR),
        Say(200, {}, FHIR),
        Say(200, {"resourceType": ["Patient"], "id": "p1"}, FHIR),
        Say(200, {"resourceType": "Person", "id": "p1"}, FHIR),
        Say(200, {"resourceType": "Patient", "id": "p2"}, FHIR),
        Say(200, {"resourceType": "Patient"}, FHIR),
        Say(200, {"resourceType": "Patient", "id": 1}, FHIR),
        Say(200, {"resourceType": "Patient", "id": "p1 "}, FHIR),
        Say(200, OUTCOME, FHIR),
        Say(204, b"", {}),
    ],
    ids=lambda answer: repr(answer.bytes())[:50],
)
def test_bar_41_anything_else_is_not_believed(server: Hostile, answer: Say) -> None:
    server.on["GET /fhir/Patient/p1"] = answer
    with pytest.raises(NotFhir):
        _client(server).read("Patient", "p1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Refused),
        (304, Refused),
        (400, Refused),
        (401, Refused),
        (403, NotPermitted),
        (404, NotThere),
        (410, NotThere),
        (412, Refused),
        (422, Refused),
        (425, TryLater),
        (429, TryLater),
        (500, Refused),
        (502, Refused),
        (503, TryLater),
        (504, Refused),
    ],
)
@pytest.mark.parametrize("body", [OUTCOME, PERSON, b"<html>"], ids=["outcome", "resource", "html"])
def test_bar_41_an_error_status_is_an_error_whatever_the_body(
    server: Hostile, status: int, kind: type[EhrError], body: Any
) -> None:
    server.on["GET /fhir/Patient/p1"] = say(body, status) if status != 304 else Say(304, b"", FHIR)
    with pytest.raises(kind) as raised:
        _client(server).read("Patient", "p1")
    assert isinstance(raised.value, Refused)
    assert type(raised.value) is kind
    assert raised.value.code == status
    assert (raised.value.outcome == OUTCOME) is (body is OUTCOME and status != 304)
    assert "Jo" not in str(raised.value), "what the server says may hold health data: never in the exception's text"


def test_bar_41_decimals_keep_every_digit(server: Hostile) -> None:
    server.fhir("Observation/o1", b'{"resourceType":"Observation","id":"o1","valueQuantity":{"value":1.10}}')
    assert str(_client(server).read("Observation", "o1")["valueQuantity"]["value"]) == "1.10"
    assert isinstance(_client(server).read("Observation", "o1")["valueQuantity"]["value"], Decimal)


def test_bar_41_a_search_that_is_answered_with_no_searchset_is_not_believed(server: Hostile) -> None:
    for body in (PERSON, {"resourceType": "Bundle", "type": "history"}, {"resourceType": "Bundle"}, OUTCOME):
        server.fhir("Condition", body)
        with pytest.raises(NotFhir):
            _client(server).search("Condition", [("patient", "p1")])


def test_an_empty_searchset_without_entry_or_total_is_an_empty_result(server: Hostile) -> None:
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1") | {"entry": []})
    assert _client(server).search("Condition", [("patient", "p1")]).matches == []
    bundle = searchset(server.base, "Condition?patient=p1")
    del bundle["entry"]
    server.fhir("Condition", bundle)
    found = _client(server).search("Condition", [("patient", "p1")])
    assert (found.matches, found.complete) == ([], True)


def test_an_entry_without_an_id_is_left_out_and_the_result_is_marked_incomplete(server: Hostile) -> None:
    odd = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1", odd, condition("c1")))
    found = _client(server).search("Condition", [("patient", "p1")])
    assert ([each["id"] for each in found.matches], found.complete) == (["c1"], False)


# -- bar 43 ----------------------------------------------------------------------------------------------------------


def test_bar_43_strict_handling_is_asked_for(server: Hostile) -> None:
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1"))
    _client(server).search("Condition", [("patient", "p1")])
    assert server.seen[0].headers["prefer"] == "handling=strict"
    assert server.seen[0].headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("used", ["Condition", "Condition?_count=100", "Condition?patient=p2", "Condition?subject=p1"])
def test_bar_43_a_server_that_did_not_use_the_patient_filter_is_not_believed(server: Hostile, used: str) -> None:
    server.fhir("Condition", searchset(server.base, used, condition("c1")))
    with pytest.raises(FilterIgnored):
        _client(server).search("Condition", [("patient", "p1")])


@pytest.mark.parametrize(
    ("self_link", "asked", "confirmed"),
    [
        ("https://e/fhir/Condition?patient=p1", [("patient", "p1")], True),
        ("https://e/fhir/Condition?patient=Patient/p1", [("patient", "p1")], True),
        ("https://e/fhir/Condition?patient=Patient%2Fp1&_count=10", [("patient", "p1"), ("_count", "100")], True),
        ("https://e/fhir/Condition?patient=https://e/fhir/Patient/p1", [("patient", "p1")], True),
        ("https://e/fhir/Condition?patient:Patient=p1", [("patient", "p1")], True),
        ("Condition?identifier=urn%3Ax%7C1", [("identifier", "urn:x|1")], True),
        ("Condition?identifier=urn:x|1", [("identifier", "urn:x|1")], True),
        (None, [("patient", "p1")], False),
    ],
)
def test_bar_43_the_self_link_confirms_a_filter_however_it_is_spelled(
    self_link: str | None, asked: list[tuple[str, str]], confirmed: bool
) -> None:
    assert echo.check(self_link, asked, "https://e/fhir") is confirmed


@pytest.mark.parametrize(
    ("self_link", "asked"),
    [
        ("https://e/fhir/Condition?patient=p11", [("patient", "p1")]),
        ("https://e/fhir/Condition?patient=https://other/fhir/Patient/p1", [("patient", "p1")]),
        ("https://e/fhir/Patient?identifier=urn:x|2", [("identifier", "urn:x|1")]),
        ("https://e/fhir/Patient?identifier=1", [("identifier", "urn:x|1")]),
        ("https://e/fhir/Observation?patient=p1", [("patient", "p1"), ("category", "laboratory")]),
        ("https://e/fhir/Appointment?date=ge2026-01-01", [("date", "ge2026-01-01"), ("date", "lt2026-02-01")]),
    ],
)
def test_bar_43_a_changed_or_missing_filter_is_noticed(self_link: str, asked: list[tuple[str, str]]) -> None:
    with pytest.raises(FilterIgnored):
        echo.check(self_link, asked, "https://e/fhir")


def test_values_are_fully_percent_encoded(server: Hostile) -> None:
    server.fhir("Patient", searchset(server.base, "Patient?identifier=https%3A%2F%2Fid%2F%2Fx%7Ca%26b"))
    _client(server).search("Patient", [("identifier", "https://id//x|a&b")])
    assert server.paths() == ["/fhir/Patient?identifier=https%3A%2F%2Fid%2F%2Fx%7Ca%26b"]


# -- bar 44 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0", 1.0),
        ("3600", 3600.0),
        ("99999999999999999999", 3600.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 1.0),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), 3600.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("NaN", None),
        ("1e9", None),
        ("Fri, 31 Feb 2026 10:00:00 GMT", None),
        ("Sat, 99999999 Nov 2026", None),
    ],
)
def test_bar_44_retry_after_is_clamped_and_garbage_is_nothing(text: str, seconds: float | None) -> None:
    assert answers.retry_after({"Retry-After": text}, NOW) == seconds


def test_bar_44_a_busy_server_tells_how_long_to_wait(server: Hostile) -> None:
    server.on["GET /fhir/Patient/p1"] = say(OUTCOME, 429, Retry_After="7")
    with pytest.raises(TryLater) as raised:
        _client(server).read("Patient", "p1")
    assert raised.value.retry_after == 7.0


# -- freshness -------------------------------------------------------------------------------------------------------


def test_the_age_that_a_cache_admits_counts(server: Hostile) -> None:
    bundle = searchset(server.base, "Condition?patient=p1", condition("c1"))
    server.on["GET /fhir/Condition"] = say(bundle, Age="600", Cache_Control="max-age=3600")
    read_at = _client(server).search("Condition", [("patient", "p1")]).read_at
    assert read_at is not None
    assert timedelta(seconds=595) < datetime.now(UTC) - read_at < timedelta(seconds=605)


@pytest.mark.parametrize("text", ["-5", "x", "1e5", "99999999999", ""])
def test_a_senseless_age_counts_as_none(text: str) -> None:
    assert answers.age({"Age": text}) == 0.0


def test_an_answer_shows_nothing_of_its_body() -> None:
    assert "secret" not in repr(Answer(200, {}, b"secret"))


def test_a_write_is_sent_once_and_comes_back_raw(server: Hostile) -> None:
    server.on["PUT /fhir/Patient/p1"] = say(OUTCOME, 412)
    answer = _client(server).update("Patient", "p1", b'{"x":1.10}', version="7")
    assert (answer.status, answer.whole, answer.sent) == (412, True, True)
    assert (server.seen[0].body, server.seen[0].headers["if-match"]) == (b'{"x":1.10}', 'W/"7"')
    assert server.seen[0].headers["content-type"] == "application/fhir+json"


def test_a_conditional_create_carries_its_condition(server: Hostile) -> None:
    server.on["POST /fhir/QuestionnaireResponse"] = say({"resourceType": "QuestionnaireResponse", "id": "q"}, 201)
    _client(server).create("QuestionnaireResponse", b"{}", if_none_exist="identifier=urn%3Ax%7C1")
    assert server.seen[0].headers["if-none-exist"] == "identifier=urn%3Ax%7C1"


def test_an_unanswered_read_is_not_reached() -> None:
    base = f"http://127.0.0.1:{dead_port()}/fhir"
    with pytest.raises(NotReached) as raised:
        FhirClient(base, Wire(base), None, Limits(connect=0.5, total=1)).read("Patient", "p1")
    assert (raised.value.failure, raised.value.sent) == ("connect", False)


def test_bar_103_no_log_tells_what_was_searched_for(server: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    odd = b"HTTP/1.1 200 OK\r\nbroken header\r\nContent-Length: 2\r\n\r\n{}"
    for said in (
        Say(500, b"canary-body", {}),
        Say(raw=odd),
        Say(raw=b""),
        Say(302, b"", {"Location": "/canary-there"}),
    ):
        server.on["GET /fhir/Patient"] = said
        with pytest.raises(EhrError) as raised:
            _client(server).search("Patient", [("family", "canary-name")])
        assert "canary" not in f"{raised.value!r} {raised.value} {raised.value.__cause__!r}"
    assert len(server.seen) >= 4
    assert "canary" not in caplog.text
