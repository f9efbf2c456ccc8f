"""Bar 42: whatever a hostile server mixes in, only what is proved to be the patient's is kept, and staff are told."""

from copy import deepcopy
from typing import Any

import pytest

from portal.actors import system
from portal.audit.models import AuditRow
from portal.db import session
from portal.ehr import service
from portal.ehr.client import FhirClient
from portal.ehr.fetching import fetch
from portal.ehr.http import Limits, Wire
from portal.ehr.reading import Kind, Reason
from portal.ehr.service import State
from portal.fhir.resources import key_of
from portal.labs import measuring
from portal.labs.models import ResultQuality

from .hostile import Hostile, Seen, say
from .make import Place, condition, searchset

OURS = condition("ours")
QUERY = "Condition?patient=p1"
FOREIGN: dict[str, dict[str, Any]] = {
    "another patient": condition("x", "p2"),
    "a longer id": condition("x", "p10"),
    "no subject": {"resourceType": "Condition", "id": "x"},
    "subject null": condition("x") | {"subject": None},
    "subject a text": condition("x") | {"subject": "Patient/p1"},
    "subject a list": condition("x") | {"subject": [{"reference": "Patient/p1"}]},
    "a group": condition("x") | {"subject": {"reference": "Group/p1"}},
    "the same id on another server": condition("x")
    | {"subject": {"reference": "https://evil.example/fhir/Patient/p1"}},
    "a look-alike server": condition("x") | {"subject": {"reference": "http://127.0.0.1/fhir/Patient/p1"}},
    "only an identifier": condition("x") | {"subject": {"identifier": {"value": "p1"}}},
    "only a display": condition("x") | {"subject": {"display": "Patient/p1"}},
    "a urn": condition("x") | {"subject": {"reference": "urn:uuid:0f0"}},
    "a contained person": condition("x")
    | {"subject": {"reference": "#p1"}, "contained": [{"resourceType": "Patient", "id": "p1"}]},
    "a contained other patient": condition("x") | {"contained": [{"resourceType": "Patient", "id": "p2"}]},
    "contained data of another": condition("x")
    | {"contained": [{"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p2"}}]},
    "contained unknown data of another": condition("x")
    | {"contained": [{"resourceType": "RiskAssessment", "id": "o", "subject": {"reference": "Patient/p2"}}]},
    "a traversal": condition("x") | {"subject": {"reference": "Patient/p2/../p1"}},
    "a query": condition("x") | {"subject": {"reference": "Patient/p1?x=Patient/p2"}},
}
THEIRS: dict[str, dict[str, Any]] = {
    "relative": condition("y"),
    "versioned": condition("y") | {"subject": {"reference": "Patient/p1/_history/3"}},
    "contained medicine": condition("y") | {"contained": [{"resourceType": "Medication", "id": "m"}]},
}


def _client(server: Hostile) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), None, Limits(read=2, total=3))


@pytest.mark.parametrize("how", FOREIGN)
def test_bar_42_an_entry_that_is_not_provably_theirs_is_dropped(server: Hostile, how: str) -> None:
    server.fhir("Condition", searchset(server.base, QUERY, OURS, FOREIGN[how]))
    found = fetch(_client(server), Kind.CONDITIONS, "p1")
    assert [key_of(each) for each in found.resources] == ["Condition/ours"]
    assert (found.dropped, found.why) == (1, Reason.OTHER_PATIENT)


@pytest.mark.parametrize("how", THEIRS)
def test_bar_42_what_is_theirs_is_kept_however_it_says_so(server: Hostile, how: str) -> None:
    server.fhir("Condition", searchset(server.base, QUERY, THEIRS[how]))
    found = fetch(_client(server), Kind.CONDITIONS, "p1")
    assert (len(found.resources), found.dropped) == (1, 0)


def test_bar_42_an_absolute_reference_to_this_very_server_is_theirs(server: Hostile) -> None:
    absolute = condition("y") | {"subject": {"reference": f"{server.base}/Patient/p1"}}
    server.fhir("Condition", searchset(server.base, QUERY, absolute))
    assert fetch(_client(server), Kind.CONDITIONS, "p1").dropped == 0


def test_bar_42_page_two_is_checked_like_page_one(server: Hostile) -> None:
    pages = {
        f"/fhir/{QUERY}&_count=100": searchset(server.base, QUERY, OURS, next_url=f"{server.base}/{QUERY}&page=2"),
        f"/fhir/{QUERY}&page=2": searchset(server.base, QUERY, condition("theirs", "p2")),
    }

    def page(seen: Seen) -> Any:
        return say(pages[seen.path])

    server.on["GET /fhir/Condition"] = page
    found = fetch(_client(server), Kind.CONDITIONS, "p1")
    assert [key_of(each) for each in found.resources] == ["Condition/ours"]
    assert found.dropped == 1


def test_bar_42_what_comes_by_include_is_checked_too(server: Hostile) -> None:
    query = "MedicationRequest?patient=p1"
    request = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "Medication/m"},
    }
    bundle = searchset(server.base, query, request)
    included = [
        {"resourceType": "Medication", "id": "m"},
        {"resourceType": "Patient", "id": "p2"},
        condition("c", "p2"),
    ]
    bundle["entry"] += [{"resource": each, "search": {"mode": "include"}} for each in included]
    server.fhir("MedicationRequest", bundle)
    server.fhir("MedicationStatement", searchset(server.base, "MedicationStatement?patient=p1"))
    found = fetch(_client(server), Kind.MEDICATIONS, "p1")
    assert [key_of(each) for each in found.beside] == ["Medication/m"]
    assert found.dropped == 2


def test_bar_42_a_match_of_another_type_is_no_match(server: Hostile) -> None:
    other = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p1"}}
    server.fhir("Condition", searchset(server.base, QUERY, OURS, other))
    found = fetch(_client(server), Kind.CONDITIONS, "p1")
    assert ([key_of(each) for each in found.resources], found.complete) == (["Condition/ours"], False)


def test_bar_42_an_appointment_of_two_patients_is_nobodys(server: Hostile) -> None:
    both = {
        "resourceType": "Appointment",
        "id": "a",
        "participant": [{"actor": {"reference": "Patient/p1"}}, {"actor": {"reference": "Patient/p2"}}],
    }
    one = deepcopy(both) | {"id": "b"}
    one["participant"][1]["actor"]["reference"] = "Practitioner/d"
    server.fhir("Appointment", searchset(server.base, "Appointment?patient=p1", both, one))
    found = fetch(_client(server), Kind.APPOINTMENTS, "p1")
    assert ([key_of(each) for each in found.resources], found.dropped) == (["Appointment/b"], 1)


def test_bar_42_staff_are_told_and_the_patient_sees_that_something_was_left_out(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.fhir("Condition", searchset(server.base, QUERY, OURS, condition("x", "p2")))
    patient = clinic.patient(clinic.connect(server.base), "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    assert (reading.state, reading.complete, reading.reason) == (State.KNOWN, False, Reason.OTHER_PATIENT)
    alert = service.alerts(clinic.clerk)[0]
    assert (alert.what, alert.count, alert.patient_id) == ("other-patient", 1, patient.patient_id)
    events = [row.event for row in session().query(AuditRow)]
    assert "wrong-patient" in events


def test_bar_42_when_all_is_dropped_nobody_reads_none(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.fhir("Condition", searchset(server.base, QUERY, condition("x", "p2")))
    patient = clinic.patient(clinic.connect(server.base), "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    assert (reading.state, reading.resources) == (State.COULD_NOT_LOOK, ())
    assert reading.reason is Reason.OTHER_PATIENT


def test_bar_43_a_server_without_a_self_link_is_checked_entry_by_entry(server: Hostile) -> None:
    lab = {"coding": [{"code": "laboratory"}]}
    kept = {"resourceType": "Observation", "id": "a", "subject": {"reference": "Patient/p1"}, "category": [lab]}
    vital = kept | {"id": "b", "category": [{"coding": [{"code": "vital-signs"}]}]}
    bundle = searchset(server.base, "Observation?patient=p1", kept, vital)
    del bundle["link"]
    report = searchset(server.base, "DiagnosticReport?patient=p1")
    del report["link"]
    server.fhir("Observation", bundle)
    server.fhir("DiagnosticReport", report)
    assert [each["id"] for each in fetch(_client(server), Kind.LABS, "p1").resources] == ["a"]


NOBODY: tuple[Any, ...] = (
    None,
    {},
    {"display": "Ana"},
    {"identifier": {"value": "7"}},
    {"reference": "#p"},
    {"reference": "urn:uuid:1"},
)


@pytest.mark.parametrize("subject", NOBODY)
def test_bar_42_what_names_no_patient_is_left_out_and_counted_by_itself(server: Hostile, subject: Any) -> None:
    stray = {"resourceType": "Condition", "id": "stray"} | ({} if subject is None else {"subject": subject})
    server.fhir("Condition", searchset(server.base, QUERY, OURS, stray, condition("theirs", "p2")))
    found = fetch(_client(server), Kind.CONDITIONS, "p1")
    assert [key_of(each) for each in found.resources] == ["Condition/ours"]
    assert (found.dropped, found.nobody) == (2, 1)


def test_bar_42_a_result_without_a_patient_reaches_the_page_of_data_quality(clinic: Place, server: Hostile) -> None:
    lab = {"category": [{"coding": [{"code": "laboratory"}]}], "code": {"text": "Iron"}, "valueString": "x"}
    ours = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p1"}, **lab}
    stray = {"resourceType": "Observation", "id": "s", **lab}
    server.smart()
    server.fhir("Observation", searchset(server.base, "Observation?patient=p1&category=laboratory", ours, stray))
    report = searchset(server.base, "DiagnosticReport?patient=p1")
    del report["link"]
    server.fhir("DiagnosticReport", report)
    patient = clinic.patient(clinic.connect(server.base), "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.LABS)
    assert [each["id"] for each in reading.resources] == ["o"]
    assert service.alerts(clinic.clerk)[0].what == "no-subject"
    assert measuring.take(system(patient.clinic_id)) == 1
    row = session().query(ResultQuality).one()
    assert (row.counts["nobody"], row.counts.get("wrong-patient", 0)) == (1, 0)
