"""Row 14 of the client matrix: what our FHIR client and its picture of a server hold when things are written."""

from typing import Any

import pytest

from portal.delivery.abilities import takes_transactions
from portal.ehr import capabilities
from portal.ehr.client import FhirClient
from portal.ehr.errors import NotFhir, NotThere, Refused
from portal.ehr.http import Limits, Wire
from portal.ehr.reading import Reason, reason_of
from portal.fhir import exact

from .hostile import Hostile, Say, say
from .make import condition, searchset

FHIR = {"Content-Type": "application/fhir+json"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}


def _client(server: Hostile) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), None, Limits(read=2, total=3))


def _server(kind: str, **more: Any) -> capabilities.Capabilities:
    resource = {"type": kind, **more}
    return capabilities.parse({"fhirVersion": "4.0.1", "rest": [{"mode": "server", "resource": [resource]}]})


@pytest.mark.parametrize(
    ("said", "can"),
    [
        ({"conditionalCreate": True, "searchParam": [{"name": "identifier"}]}, True),
        ({"conditionalCreate": True}, True),
        ({"conditionalCreate": True, "searchParam": [{"name": "patient"}]}, False),
        ({"searchParam": [{"name": "identifier"}]}, False),
        ({"conditionalCreate": "true"}, False),
    ],
)
def test_row_14_push__server_without_if_none_exist(said: dict[str, Any], can: bool) -> None:
    """One that cannot search a type by identifier fails a whole transaction that asks it to."""
    assert _server("QuestionnaireResponse", **said).conditional_create("QuestionnaireResponse") is can


def test_row_14_push__piece_by_piece_without_transaction_is_told_from_the_statement() -> None:
    with_it = {"rest": [{"mode": "server", "interaction": [{"code": "batch"}, {"code": "transaction"}]}]}
    assert takes_transactions(with_it)
    assert not takes_transactions({"rest": [{"mode": "server", "interaction": [{"code": "batch"}]}]})


@pytest.mark.parametrize("version", ["7", "9f1c-uuid-like-00", "a.b-c"])
def test_row_14_push__if_match_with_an_opaque_version(server: Hostile, version: str) -> None:
    server.on["PUT /fhir/Condition/c1"] = say(condition("c1"))
    _client(server).update("Condition", "c1", b"{}", version=version)
    assert server.seen[0].headers["if-match"] == f'W/"{version}"'


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422, 429, 500, 503])
def test_row_14_push__operation_outcome_in_any_status(server: Hostile, status: int) -> None:
    server.on["GET /fhir/Condition/c1"] = Say(status, OUTCOME, FHIR)
    with pytest.raises(Refused) as raised:
        _client(server).read("Condition", "c1")
    assert (raised.value.code, raised.value.outcome) == (status, OUTCOME)


def test_row_14_push__unknown_parameter_400_is_asked_without_what_we_can_do_without(server: Hostile) -> None:
    from portal.ehr import fetching
    from portal.ehr.reading import Kind

    medication = {"resourceType": "MedicationRequest", "id": "m1", "subject": {"reference": "Patient/p1"}}

    def answer(seen: Any) -> Say:
        if "_include" in seen.path:
            return Say(400, OUTCOME, FHIR)
        kind = seen.path.partition("?")[0].rpartition("/")[2]
        found = [medication] if kind == "MedicationRequest" else []
        return say(searchset(server.base, f"{kind}?patient=p1", *found))

    server.on["GET /fhir/MedicationRequest"] = server.on["GET /fhir/MedicationStatement"] = answer
    found = fetching.fetch(_client(server), Kind.MEDICATIONS, "p1")
    assert [each["id"] for each in found.resources] == ["m1"]


def test_row_14_push__not_modified_304_and_gone_410(server: Hostile) -> None:
    known = {"resourceType": "Patient", "id": "p1", "meta": {"versionId": "3"}}
    server.on["GET /fhir/Patient/p1"] = Say(304, b"", {"ETag": 'W/"3"'})
    assert _client(server).read("Patient", "p1", known=known) == known
    assert server.seen[-1].headers["if-none-match"] == 'W/"3"'
    with pytest.raises(Refused):
        _client(server).read("Patient", "p1")  # nobody asked whether it changed
    server.on["GET /fhir/Patient/p1"] = Say(410, OUTCOME, FHIR)
    with pytest.raises(NotThere) as raised:
        _client(server).read("Patient", "p1", known=known)
    assert reason_of(raised.value) is Reason.GONE


@pytest.mark.parametrize(
    ("media", "believed"),
    [
        ("application/fhir+json;charset=UTF-8", True),
        ("application/fhir+json; charset=utf-8; fhirVersion=4.0", True),
        ("application/json", True),
        ("application/fhir+xml", False),
        ("text/html; charset=utf-8", False),
        ("application/fhir+json; charset=utf-16", False),
    ],
)
def test_row_14_push__xml_or_charset_content_types(server: Hostile, media: str, believed: bool) -> None:
    server.on["GET /fhir/Condition/c1"] = Say(200, condition("c1"), {"Content-Type": media})
    if believed:
        assert _client(server).read("Condition", "c1")["id"] == "c1"
    else:
        with pytest.raises(NotFhir):
            _client(server).read("Condition", "c1")


def test_row_14_push__two_hundred_entries_go_as_one_and_come_back_whole(server: Hostile) -> None:
    entries = [{"resource": condition(f"c{n}", note=[{"text": "x" * 500}])} for n in range(200)]
    body = exact.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    answered = {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"response": {"status": "201"}}] * 200,
    }
    server.on["POST /fhir"] = say(answered)
    answer = _client(server).transaction(body)
    assert answer.whole
    assert len(exact.loads(answer.body)["entry"]) == 200
    assert [each.body for each in server.seen] == [body]
