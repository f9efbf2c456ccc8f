"""The table of bar 3.2 as a test table: every kind of answer times every shape of body (F13)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.delivery.bundle import read
from portal.delivery.classify import Seen, classify, classify_one, retry_after, said
from portal.delivery.states import Reason

from .make import Heard, bundle, created, medication, response, updated

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
RESPONSE = response("pat-1", "k-1")
MEDICATION = medication("pat-1", "k-2")
PATIENT = {"resourceType": "Patient", "id": "pat-1"}
CREATES = read(bundle(created(RESPONSE), created(MEDICATION)))
UPDATES = read(bundle(created(RESPONSE), updated(PATIENT, "3")))


def entry(resource: dict[str, Any], name: str, status: str = "201 Created") -> dict[str, Any]:
    held = {**resource, "id": name}
    return {"resource": held, "response": {"status": status, "location": f"{held['resourceType']}/{name}/_history/1"}}


def answered(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": "transaction-response", "entry": list(entries)}).encode()


VALID = answered(entry(RESPONSE, "a"), entry(MEDICATION, "b"))
OTHER = answered(entry({**RESPONSE, "subject": {"reference": "Patient/other"}}, "a"), entry(MEDICATION, "b"))
WRONG = answered(entry(PATIENT, "a"), entry(MEDICATION, "b"))
OUTCOME = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "diagnostics": "status: no"}],
    }
).encode()

BODIES: dict[str, dict[str, Any]] = {
    "valid": {"body": VALID},
    "empty": {"body": b""},
    "html": {"body": b"<html><body>Welcome to the guest network</body></html>"},
    "truncated": {"body": VALID[: len(VALID) // 2]},
    "cut off": {"body": b"", "failure": "truncated"},
    "wrong type": {"body": WRONG},
    "wrong patient": {"body": OTHER},
    "huge": {"body": b"", "failure": "too-large"},
    "slow": {"body": b"", "failure": "timeout"},
}
BELIEVED: dict[str, tuple[Seen, Reason]] = {
    "valid": (Seen.SENT, Reason.NONE),
    "empty": (Seen.IN_DOUBT, Reason.NOT_FHIR),
    "html": (Seen.IN_DOUBT, Reason.NOT_FHIR),
    "truncated": (Seen.IN_DOUBT, Reason.NOT_FHIR),
    "cut off": (Seen.IN_DOUBT, Reason.CUT_OFF),
    "wrong type": (Seen.IN_DOUBT, Reason.WRONG_ANSWER),
    "wrong patient": (Seen.IN_DOUBT, Reason.WRONG_PATIENT),
    "huge": (Seen.IN_DOUBT, Reason.TOO_LARGE),
    "slow": (Seen.IN_DOUBT, Reason.NO_REPLY),
}
STATUS: dict[int, Seen] = {
    202: Seen.IN_DOUBT,
    204: Seen.IN_DOUBT,
    206: Seen.IN_DOUBT,
    300: Seen.MISCONFIGURED,
    301: Seen.MISCONFIGURED,
    302: Seen.MISCONFIGURED,
    304: Seen.MISCONFIGURED,
    307: Seen.MISCONFIGURED,
    308: Seen.MISCONFIGURED,
    400: Seen.REJECTED,
    401: Seen.CREDENTIAL,
    403: Seen.PERMISSION,
    404: Seen.REJECTED,
    405: Seen.REJECTED,
    407: Seen.MISCONFIGURED,
    408: Seen.IN_DOUBT,
    409: Seen.CONFLICT,
    410: Seen.REJECTED,
    412: Seen.DUPLICATES,
    413: Seen.REJECTED,
    415: Seen.REJECTED,
    418: Seen.REJECTED,
    422: Seen.REJECTED,
    425: Seen.BUSY,
    429: Seen.BUSY,
    500: Seen.IN_DOUBT,
    501: Seen.IN_DOUBT,
    502: Seen.IN_DOUBT,
    503: Seen.BUSY,
    504: Seen.IN_DOUBT,
    599: Seen.IN_DOUBT,
}


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize("status", [200, 201])
def test_a_yes_is_believed_only_when_its_body_proves_it(status: int, shape: str) -> None:
    verdict = classify(Heard(status, **BODIES[shape]), CREATES, AT)
    assert (verdict.seen, verdict.reason) == BELIEVED[shape]
    assert verdict.alert is (shape in ("wrong type", "wrong patient"))


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize("status", STATUS)
def test_every_other_status_has_its_class_whatever_the_body(status: int, shape: str) -> None:
    assert classify(Heard(status, **BODIES[shape]), CREATES, AT).seen is STATUS[status]


@pytest.mark.parametrize(
    ("failure", "sent", "seen", "reason"),
    [
        ("connect", False, Seen.NOT_SENT, Reason.NOT_REACHED),
        ("tls", False, Seen.NOT_SENT, Reason.NOT_REACHED),
        ("timeout", False, Seen.NOT_SENT, Reason.NOT_REACHED),
        ("credential", False, Seen.CREDENTIAL, Reason.RECONNECT),
        ("timeout", True, Seen.IN_DOUBT, Reason.NO_REPLY),
        ("reset", True, Seen.IN_DOUBT, Reason.NO_REPLY),
        ("truncated", True, Seen.IN_DOUBT, Reason.CUT_OFF),
        ("tls", True, Seen.IN_DOUBT, Reason.NO_REPLY),
    ],
)
def test_silence_is_certain_only_when_no_byte_left(failure: str, sent: bool, seen: Seen, reason: Reason) -> None:
    verdict = classify(Heard(None, sent=sent, failure=failure), CREATES, AT)
    assert (verdict.seen, verdict.reason) == (seen, reason)


def test_a_failed_condition_is_a_conflict_as_soon_as_something_was_to_be_updated() -> None:
    assert classify(Heard(412), UPDATES, AT).seen is Seen.CONFLICT
    assert classify(Heard(412), CREATES, AT).seen is Seen.DUPLICATES


ODD_ENTRIES: dict[str, tuple[bytes, Reason]] = {
    "one short": (answered(entry(RESPONSE, "a")), Reason.PARTLY_THERE),
    "one failed": (answered(entry(RESPONSE, "a"), entry(MEDICATION, "b", "422 Unprocessable")), Reason.PARTLY_THERE),
    "one too many": (answered(*[entry(RESPONSE, "a")] * 3), Reason.PARTLY_THERE),
    "no status": (answered(entry(RESPONSE, "a"), {"response": {}}), Reason.PARTLY_THERE),
    "null": (answered(entry(RESPONSE, "a"), None), Reason.PARTLY_THERE),  # type: ignore[arg-type]
    "no location": (answered({"response": {"status": "201"}}, entry(MEDICATION, "b")), Reason.WRONG_ANSWER),
    "location of another type": (
        answered({"response": {"status": "201", "location": "Patient/9"}}, entry(MEDICATION, "b")),
        Reason.WRONG_ANSWER,
    ),
    "another identifier": (
        answered(entry({**RESPONSE, "identifier": {"system": "x", "value": "y"}}, "a"), entry(MEDICATION, "b")),
        Reason.WRONG_ANSWER,
    ),
    "no entries": (b'{"resourceType":"Bundle","type":"transaction-response"}', Reason.PARTLY_THERE),
    "a search": (b'{"resourceType":"Bundle","type":"searchset","entry":[]}', Reason.WRONG_ANSWER),
    "a batch": (b'{"resourceType":"Bundle","type":"batch-response","entry":[]}', Reason.WRONG_ANSWER),
    "an outcome": (OUTCOME, Reason.SERVER_FAULT),
    "a list": (b"[]", Reason.NOT_FHIR),
    "a number": (b"1", Reason.NOT_FHIR),
    "a name twice": (b'{"resourceType":"Bundle","resourceType":"Bundle"}', Reason.NOT_FHIR),
    "not a number": (b'{"resourceType":"Bundle","total":NaN}', Reason.NOT_FHIR),
    "very deep": (b'{"resourceType":"Bundle","a":' + b"[" * 5000 + b"]" * 5000 + b"}", Reason.NOT_FHIR),
}


@pytest.mark.parametrize("name", ODD_ENTRIES)
def test_a_yes_that_does_not_fit_what_was_sent_is_in_doubt(name: str) -> None:
    body, reason = ODD_ENTRIES[name]
    verdict = classify(Heard(200, body=body), CREATES, AT)
    assert (verdict.seen, verdict.reason) == (Seen.IN_DOUBT, reason)


def test_where_everything_landed_is_kept_with_its_version() -> None:
    body = answered(entry(RESPONSE, "a"), {"response": {"status": "200 OK", "etag": 'W/"4"'}})
    verdict = classify(Heard(200, body=body), UPDATES, AT)
    assert [(one.reference, one.version) for one in verdict.landed] == [
        ("QuestionnaireResponse/a", "1"),
        ("Patient/pat-1", None),
    ]


def test_absolute_locations_are_understood() -> None:
    location = "https://ehr.example.org/fhir/QuestionnaireResponse/a/_history/7"
    body = answered({"response": {"status": "201", "location": location}}, entry(MEDICATION, "b"))
    assert classify(Heard(200, body=body), CREATES, AT).landed[0].reference == "QuestionnaireResponse/a"


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Heard(201, {"Location": "QuestionnaireResponse/a/_history/1"}), Seen.SENT),
        (Heard(200, {"location": "https://h/f/QuestionnaireResponse/a"}), Seen.SENT),
        (Heard(201, {}, json.dumps({**RESPONSE, "id": "a"}).encode()), Seen.SENT),
        (Heard(201, {}, b""), Seen.IN_DOUBT),
        (Heard(201, {"Location": "Patient/a"}), Seen.IN_DOUBT),
        (
            Heard(201, {}, json.dumps({**RESPONSE, "id": "a", "subject": {"reference": "Patient/x"}}).encode()),
            Seen.IN_DOUBT,
        ),
        (Heard(201, {"Location": "QuestionnaireResponse/a"}, b"<html>"), Seen.IN_DOUBT),
        (Heard(422, {}, OUTCOME), Seen.REJECTED),
        (Heard(412, {}), Seen.DUPLICATES),
        (Heard(None, sent=False, failure="connect"), Seen.NOT_SENT),
    ],
)
def test_one_entry_written_by_itself_is_judged_by_the_same_table(answer: Heard, seen: Seen) -> None:
    assert classify_one(answer, CREATES.entries[0], AT).seen is seen


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("0", 1),
        ("99999999999999999999", 3600),
        ("7200", 3600),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 1),
        ("Sat, 21 Nov 2099 11:00:00 GMT", 3600),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("١٢", None),
        ("", None),
        ("Sat, 99 Nov 2026 12:02:00 GMT", None),
    ],
)
def test_how_long_a_server_asks_us_to_wait_is_clamped_and_garbage_is_nothing(text: str, seconds: int | None) -> None:
    assert retry_after({"retry-AFTER": text}, AT) == seconds


def test_what_a_server_says_is_kept_as_plain_short_lines() -> None:
    issue = {
        "code": "invalid",
        "details": {"text": "a\r\nb\u2028c\x1b[31m" + "x" * 999},
        "expression": ["Patient.name"],
    }
    lines = said(json.dumps({"resourceType": "OperationOutcome", "issue": [issue] * 50}).encode())
    assert len(lines) == 10
    assert all(len(line) <= 300 and line.isprintable() for line in lines)


@given(
    status=st.none() | st.integers(100, 599),
    body=st.binary(max_size=60) | st.sampled_from([VALID, OTHER, OUTCOME]),
    sent=st.booleans(),
    failure=st.none() | st.sampled_from(["connect", "timeout", "truncated", "too-large", "reset"]),
)
def test_every_answer_has_a_class_and_only_a_whole_valid_one_is_sent(
    status: int | None, body: bytes, sent: bool, failure: str | None
) -> None:
    verdict = classify(Heard(status, {}, body, sent, failure), CREATES, AT)
    if verdict.seen is Seen.SENT:
        assert status in (200, 201) and body == VALID and failure is None
    if verdict.seen is Seen.NOT_SENT:
        assert status is None and not sent
