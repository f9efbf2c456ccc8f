"""What tells who somebody is does not stand in an address; what a corrected result said before is read; R4B is read, R5 refused by name."""

from typing import Any

import pytest

from portal.ehr import candidates, capabilities, fetching, registering
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError
from portal.ehr.http import Limits, Wire
from portal.ehr.looked_for import Person
from portal.ehr.reading import Kind, Reason

from .hostile import Hostile, Say, Seen, say
from .make import Place, condition, searchset

JO = Person("Canary", "Jo", "1980-01-02", (("http://example.org/mrn", "canary-41"),))


def _client(server: Hostile) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), None, Limits(read=2, total=3))


def _patients(server: Hostile, *found: dict[str, Any]) -> Any:
    def answer(seen: Seen) -> Say:
        query = seen.body.decode() or seen.path.partition("?")[2]
        return say(searchset(server.base, f"Patient?{query}", *found))

    return answer


def test_a_search_for_a_person_goes_in_the_body(server: Hostile) -> None:
    server.on["POST /fhir/Patient/_search"] = _patients(server)
    candidates.candidates(_client(server), JO)
    assert {each.method for each in server.seen} == {"POST"}
    assert not any("anary" in path or "1980" in path for path in server.paths())
    assert server.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert server.seen[0].form["identifier"] == "http://example.org/mrn|canary-41"
    assert server.seen[1].form == {"family": "Canary", "birthdate": "1980-01-02", "_count": "50"}
    assert server.seen[2].form == {"given": "Jo", "birthdate": "1980-01-02", "_count": "50"}
    assert server.seen[3].form == {"family": "Canary", "given": "Jo", "_count": "50"}


@pytest.mark.parametrize("status", [404, 405, 415, 501])
def test_a_server_without_such_a_search_is_asked_by_its_address(server: Hostile, status: int) -> None:
    person = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-02"}
    server.on["POST /fhir/Patient/_search"] = Say(status, b"", {})
    server.on["GET /fhir/Patient"] = _patients(server, person)
    assert [each["id"] for each in candidates.candidates(_client(server), JO).resources] == ["p1"]


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_server_that_refuses_is_not_asked_again_by_its_address(server: Hostile, status: int) -> None:
    server.on["POST /fhir/Patient/_search"] = Say(status, b"", {})
    with pytest.raises(EhrError):
        candidates.candidates(_client(server), JO)
    assert not any(each.method == "GET" for each in server.seen)


def test_an_answer_to_a_post_that_ignored_a_filter_is_not_believed(server: Hostile) -> None:
    server.on["POST /fhir/Patient/_search"] = say(searchset(server.base, "Patient?_count=20"))
    with pytest.raises(EhrError):
        candidates.candidates(_client(server), JO)


def test_a_link_without_parameters_tells_nothing_and_every_match_is_checked_here(server: Hostile) -> None:
    right = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-02"}
    wrong = {"resourceType": "Patient", "id": "p2", "birthDate": "1999-09-09"}  # and without a name, asked by name
    server.on["POST /fhir/Patient/_search"] = say(searchset(server.base, "Patient/_search", right, wrong))
    found = candidates.candidates(_client(server), JO)
    assert [each["id"] for each in found.resources] == ["p1"]


def _observation(version: str, value: str, status: str = "corrected", patient: str = "p1") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"versionId": version},
        "status": status,
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"text": "Potassium"},
        "valueString": value,
    }


HISTORY = capabilities.parse(
    {
        "fhirVersion": "4.0.1",
        "rest": [
            {
                "mode": "server",
                "resource": [{"type": "Observation", "interaction": [{"code": "history-instance"}]}],
            }
        ],
    }
)


def _labs(server: Hostile, history: Any, status: str = "corrected") -> fetching.Fetched:
    server.fhir(
        "Observation",
        searchset(server.base, "Observation?patient=p1&category=laboratory", _observation("2", "4.1", status)),
    )
    server.on["GET /fhir/Observation/o1/_history"] = history
    return fetching.fetch(_client(server), Kind.LABS, "p1", HISTORY)


def _history(*versions: dict[str, Any]) -> Say:
    return say({"resourceType": "Bundle", "type": "history", "entry": [{"resource": each} for each in versions]})


def test_what_a_corrected_result_said_before_is_read_beside_it(server: Hostile) -> None:
    old = _observation("1", "6.2", "final")
    fetched = _labs(server, _history(_observation("2", "4.1"), old))
    assert fetched.beside == [old]
    assert [each["valueString"] for each in fetched.resources] == ["4.1"]


def test_another_patients_or_another_results_version_is_left_out(server: Hostile) -> None:
    other = _observation("1", "6.2", patient="p2")
    stray = _observation("0", "1.0") | {"id": "o2"}
    assert _labs(server, _history(other, stray)).beside == []


@pytest.mark.parametrize(
    "history", [Say(403, b"", {}), Say(404, b"", {}), say({"resourceType": "Bundle", "type": "searchset"})]
)
def test_a_history_that_is_not_told_leaves_the_result(server: Hostile, history: Say) -> None:
    fetched = _labs(server, history)
    assert (len(fetched.resources), fetched.beside, fetched.complete) == (1, [], True)


def test_only_corrected_results_are_asked_after(server: Hostile) -> None:
    _labs(server, Say(500, b"", {}), status="final")
    assert not any("_history" in path for path in server.paths())


@pytest.mark.parametrize(
    ("version", "reason"), [("4.0.1", None), ("4.3.0", None), ("5.0.0", Reason.VERSION), ("3.0.2", Reason.VERSION)]
)
def test_a_version_that_we_do_not_read_is_refused_by_name(
    clinic: Place, server: Hostile, version: str, reason: Reason | None
) -> None:
    server.smart()
    server.fhir(
        "metadata", {"resourceType": "CapabilityStatement", "fhirVersion": version, "rest": [{"mode": "server"}]}
    )
    tested = registering.test(clinic.admin, clinic.connect(server.base).id, Limits(connect=1, read=2, total=4))
    assert tested.reason is reason
    assert (version in tested.detail) is (reason is not None)
    can = capabilities.parse({"fhirVersion": version, "rest": [{"mode": "server"}]})
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1", condition("c1")))
    if reason is None:
        assert len(fetching.fetch(_client(server), Kind.CONDITIONS, "p1", can).resources) == 1
    else:
        with pytest.raises(EhrError):
            fetching.fetch(_client(server), Kind.CONDITIONS, "p1", can)
