"""Readings: known, none, could not look; fresh or old and why; nobody else's; one audit row; sealed (bar 88, 97, 105)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, text

from portal import db
from portal.actors import system
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service
from portal.ehr.models import Connection, RecordReading
from portal.ehr.reading import WORDS
from portal.ehr.service import Kind, Limits, Reason, State
from portal.errors import NotAllowed, NotFound
from tests.ports import dead_port

from .hostile import Hostile, Say, say
from .make import Place, condition, place, searchset

QUICK = Limits(connect=1, read=1, total=2)
QUERY = "Condition?patient=p1"


@pytest.fixture
def connection(clinic: Place, server: Hostile) -> Connection:
    server.smart()
    return clinic.connect(server.base)


def _conditions(server: Hostile, *resources: dict[str, Any]) -> None:
    server.fhir("Condition", searchset(server.base, QUERY, *resources))


def test_looked_and_found(clinic: Place, server: Hostile, connection: Connection) -> None:
    _conditions(server, condition("c1"))
    patient = clinic.patient(connection, "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    assert (reading.state, reading.complete, reading.reason) == (State.KNOWN, True, None)
    assert reading.resources == (condition("c1"),)
    assert reading.source == "Hillside record"
    assert reading.read_at is not None
    assert now() - reading.read_at < timedelta(seconds=5)


def test_looked_and_found_nothing_is_none(clinic: Place, server: Hostile, connection: Connection) -> None:
    _conditions(server)
    patient = clinic.patient(connection, "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    assert (reading.state, reading.complete, reading.reason) == (State.NONE, True, None)


FAULTS: dict[str, tuple[Say, Reason]] = {
    "cut": (Say(raw=b""), Reason.UNREACHABLE),
    "500": (Say(500, b"", {}), Reason.UNREACHABLE),
    "502 with a page": (Say(502, b"<html>", {"Content-Type": "text/html"}), Reason.UNREACHABLE),
    "503": (Say(503, b"", {"Retry-After": "9"}), Reason.BUSY),
    "429": (Say(429, b"", {}), Reason.BUSY),
    "401": (Say(401, b"", {}), Reason.CREDENTIAL),
    "403": (Say(403, b"", {}), Reason.PERMISSION),
    "404": (Say(404, b"", {}), Reason.GONE),
    "400": (Say(400, b"", {}), Reason.REFUSED),
    "a sign-in page": (Say(200, b"<html>", {"Content-Type": "text/html"}), Reason.UNREADABLE),
    "broken JSON": (Say(200, b"{", {"Content-Type": "application/fhir+json"}), Reason.UNREADABLE),
    "truncated": (Say(200, b"x" * 100, {"Content-Type": "application/fhir+json"}, cut=10), Reason.UNREADABLE),
    "another question": (say(searchset("http://x", "Condition?patient=p2")), Reason.FILTER_IGNORED),
    "slow": (Say(200, b" " * 100, {}, drip=1, pause=0.1), Reason.SLOW),
    "redirected": (Say(302, b"", {"Location": "http://127.0.0.1/"}), Reason.REFUSED),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bar_88_a_failure_is_could_not_look_with_its_reason_and_never_none(
    clinic: Place, server: Hostile, connection: Connection, fault: str
) -> None:
    said, reason = FAULTS[fault]
    server.on["GET /fhir/Condition"] = said
    patient = clinic.patient(connection, "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS, limits=QUICK)
    assert (reading.state, reading.resources, reading.complete) == (State.COULD_NOT_LOOK, (), False)
    assert reading.reason is reason
    assert reading.sentence == WORDS[reason]


@pytest.mark.parametrize("fault", FAULTS)
def test_bar_88_after_a_failure_the_last_good_reading_comes_back_with_its_age(
    clinic: Place, server: Hostile, connection: Connection, fault: str
) -> None:
    _conditions(server, condition("c1"))
    patient = clinic.patient(connection, "p1")
    name = patient.patient_id or ""
    good = service.read(patient, name, Kind.CONDITIONS, limits=QUICK)
    server.on["GET /fhir/Condition"], reason = FAULTS[fault]
    with time_machine.travel(now() + timedelta(hours=1)):
        old = service.read(patient, name, Kind.CONDITIONS, limits=QUICK)
        assert (old.state, old.resources, old.read_at, old.reason) == (
            State.KNOWN,
            good.resources,
            good.read_at,
            reason,
        )
        age = old.age(now())
    assert age is not None
    assert timedelta(minutes=59) < age < timedelta(minutes=61)


def test_a_server_that_nobody_answers_at(clinic: Place) -> None:
    connection = clinic.connect(f"http://127.0.0.1:{dead_port()}/fhir")
    patient = clinic.patient(connection, "p1")
    readings = service.read_several(patient, patient.patient_id or "", Kind, limits=QUICK)
    assert {reading.state for reading in readings.values()} == {State.COULD_NOT_LOOK}
    assert {reading.reason for reading in readings.values()} == {Reason.UNREACHABLE}


def test_while_a_server_rests_pages_do_not_try_it_and_the_worker_does(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    server.on["GET /fhir/Condition"] = Say(503, b"", {"Retry-After": "120"})
    patient = clinic.patient(connection, "p1")
    name = patient.patient_id or ""
    service.read(patient, name, Kind.CONDITIONS)
    asked = len(server.seen)
    for kind in (Kind.CONDITIONS, Kind.ALLERGIES):
        assert service.read(patient, name, kind).reason is Reason.BUSY
    assert len(server.seen) == asked
    _conditions(server, condition("c1"))
    assert service.refresh(clinic.system, name, (Kind.CONDITIONS,))[Kind.CONDITIONS].state is State.KNOWN
    with time_machine.travel(now() + timedelta(minutes=20)):
        assert service.read(patient, name, Kind.CONDITIONS).reason is None


def test_a_fresh_reading_costs_no_request_and_one_audit_row_for_anybody_but_the_patient(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    """The patient's own look at what is kept is told by the entry of the page that shows it."""
    _conditions(server, condition("c1"))
    patient = clinic.patient(connection, "p1")
    name = patient.patient_id or ""
    service.read(patient, name, Kind.CONDITIONS)
    requests, rows = len(server.seen), session().query(AuditRow).count()
    service.read(patient, name, Kind.CONDITIONS)
    service.read(patient, name, Kind.CONDITIONS, fetch=False, max_age=timedelta(0))
    assert (len(server.seen), session().query(AuditRow).count()) == (requests, rows)
    others = system(patient.clinic_id)
    service.read(others, name, Kind.CONDITIONS)
    service.read(others, name, Kind.CONDITIONS, fetch=False, max_age=timedelta(0))
    assert (len(server.seen), session().query(AuditRow).count()) == (requests, rows + 2)


def test_without_fetching_nothing_is_asked_and_what_was_never_read_says_so(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    patient = clinic.patient(connection, "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS, fetch=False)
    assert (reading.state, reading.reason, server.seen) == (State.COULD_NOT_LOOK, Reason.NOT_READ_YET, [])


def test_a_patient_who_is_tied_to_no_record(clinic: Place, connection: Connection) -> None:
    for tied in (clinic.patient(connection, None), clinic.patient(None, None)):
        reading = service.read(tied, tied.patient_id or "", Kind.CONDITIONS)
        assert (reading.state, reading.reason) == (State.COULD_NOT_LOOK, Reason.NOT_LINKED)


def test_a_paused_connection_is_not_used(clinic: Place, server: Hostile, connection: Connection) -> None:
    patient = clinic.patient(connection, "p1")
    service.pause(clinic.admin, connection.id, "the clinic updates its server")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    assert (reading.state, reading.reason, server.seen) == (State.COULD_NOT_LOOK, Reason.PAUSED, [])
    assert service.connection_for(clinic.clinic_id) is None
    service.resume(clinic.admin, connection.id)
    _conditions(server, condition("c1"))
    assert service.read(patient, patient.patient_id or "", Kind.CONDITIONS).state is State.KNOWN


def test_bar_3_nobody_reads_another_patients_or_another_clinics_record(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    _conditions(server, condition("c1"))
    patient, other = clinic.patient(connection, "p1"), clinic.patient(connection, "p2")
    elsewhere = place()
    for actor in (other, elsewhere.clerk, elsewhere.system):
        with pytest.raises(NotFound):
            service.read(actor, patient.patient_id or "", Kind.CONDITIONS)
    with pytest.raises(NotAllowed):
        service.upcoming(elsewhere.system, clinic.clinic_id, now(), now() + timedelta(days=1))
    with pytest.raises(NotAllowed):
        service.candidates(patient, clinic.clinic_id, service.Person(family="x", birth_date="1990-01-01"))
    assert server.seen == []


def test_when_the_tie_changes_nothing_of_the_old_record_is_shown(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    from portal.accounts.models import Patient

    _conditions(server, condition("c1"))
    patient = clinic.patient(connection, "p1")
    name = patient.patient_id or ""
    service.read(patient, name, Kind.CONDITIONS)
    with transaction() as current:
        current.get_one(Patient, name).fhir_id = "p2"
    assert service.read(patient, name, Kind.CONDITIONS, fetch=False).state is State.COULD_NOT_LOOK
    server.fhir("Condition", searchset(server.base, "Condition?patient=p2", condition("c2", "p2")))
    reading = service.read(patient, name, Kind.CONDITIONS)
    assert [each["id"] for each in reading.resources] == ["c2"]
    assert session().query(RecordReading).count() == 1


def test_bar_36_the_same_id_at_two_servers_never_mixes(clinic: Place, server: Hostile, connection: Connection) -> None:
    from .hostile import hostile

    with hostile() as second:
        second.smart()
        _conditions(server, condition("here"))
        second.fhir("Condition", searchset(second.base, QUERY, condition("there")))
        here = clinic.patient(connection, "p1")
        there = clinic.patient(clinic.connect(second.base), "p1")
        read = [service.read(each, each.patient_id or "", Kind.CONDITIONS) for each in (here, there)]
    assert [reading.resources[0]["id"] for reading in read] == ["here", "there"]


def test_a_type_that_the_server_does_not_have_leaves_the_rest_of_its_kind(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    kinds = [{"type": kind, "interaction": [{"code": "search-type"}]} for kind in ("MedicationRequest", "Condition")]
    statement = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "rest": [{"mode": "server", "resource": kinds}],
    }
    server.fhir("metadata", statement)
    service.test(clinic.admin, connection.id, QUICK)
    server.fhir("MedicationRequest", searchset(server.base, "MedicationRequest?patient=p1"))
    patient = clinic.patient(connection, "p1")
    read = service.read_several(patient, patient.patient_id or "", (Kind.MEDICATIONS, Kind.ALLERGIES))
    assert read[Kind.MEDICATIONS].state is State.NONE
    assert (read[Kind.ALLERGIES].state, read[Kind.ALLERGIES].reason) == (State.COULD_NOT_LOOK, Reason.NOT_OFFERED)
    assert not any("MedicationStatement" in path or "Allergy" in path for path in server.paths())


def test_a_server_of_another_version_is_refused_by_name(clinic: Place, server: Hostile, connection: Connection) -> None:
    server.fhir(
        "metadata", {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0", "rest": [{"mode": "server"}]}
    )
    tested = service.test(clinic.admin, connection.id, QUICK)
    assert (tested.ok, tested.reason) == (False, Reason.VERSION)
    patient = clinic.patient(connection, "p1")
    reading = service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    assert (reading.state, reading.reason) == (State.COULD_NOT_LOOK, Reason.VERSION)


def test_an_include_that_the_server_refuses_is_left_out(clinic: Place, server: Hostile, connection: Connection) -> None:
    good = searchset(
        server.base,
        "MedicationRequest?patient=p1",
        {"resourceType": "MedicationRequest", "id": "r", "subject": {"reference": "Patient/p1"}},
    )
    server.on["GET /fhir/MedicationRequest"] = lambda seen: Say(400, b"", {}) if "_include" in seen.path else say(good)
    server.fhir("MedicationStatement", searchset(server.base, "MedicationStatement?patient=p1"))
    patient = clinic.patient(connection, "p1")
    assert service.read(patient, patient.patient_id or "", Kind.MEDICATIONS).state is State.KNOWN


@pytest.fixture
def statements(database: str) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    yield seen
    event.remove(db.engine(), "before_cursor_execute", note)


def test_reading_ten_kinds_costs_no_more_queries_than_one(
    clinic: Place, server: Hostile, connection: Connection, statements: list[str]
) -> None:
    patient = clinic.patient(connection, "p1")
    name = patient.patient_id or ""
    service.read_several(patient, name, Kind)
    counts = []
    for kinds in ((Kind.CONDITIONS,), tuple(Kind)):
        db.close()
        statements.clear()
        service.read_several(patient, name, kinds, fetch=False)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_bar_105_what_was_read_rests_sealed(
    clinic: Place, server: Hostile, connection: Connection, database: str
) -> None:
    _conditions(server, condition("c1") | {"code": {"text": "canary-asthma-4711"}})
    patient = clinic.patient(connection, "p1")
    service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    tables = db.Base.metadata.sorted_tables
    stored = [str(tuple(row)) for table in tables for row in session().execute(text(f"SELECT * FROM {table.name}"))]
    assert stored
    assert not any("canary" in row for row in stored)
    row = session().query(RecordReading).one()
    assert row.document["resources"][0]["code"]["text"] == "canary-asthma-4711"
    assert "canary" not in repr(service.read(patient, patient.patient_id or "", Kind.CONDITIONS))


def test_bar_97_when_the_audit_trail_cannot_be_written_nothing_is_shown(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    _conditions(server, condition("c1"))
    patient = clinic.patient(connection, "p1")
    service.read(patient, patient.patient_id or "", Kind.CONDITIONS)
    with transaction() as current:
        current.execute(text("ALTER TABLE audit_events RENAME TO gone"))
    with pytest.raises(Exception, match="audit_events"):
        service.read(patient, patient.patient_id or "", Kind.CONDITIONS, max_age=timedelta(0))
    with pytest.raises(Exception, match="audit_events"):
        service.read(system(patient.clinic_id), patient.patient_id or "", Kind.CONDITIONS)


def test_appointments_of_another_day_or_without_one_patient_are_not_listed(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    start = now().replace(microsecond=0)

    def visit(name: str, at: Any, *patients: str) -> dict[str, Any]:
        return {
            "resourceType": "Appointment",
            "id": name,
            "status": "booked",
            "start": at.isoformat() if at else None,
            "description": "Yearly check",
            "participant": [{"actor": {"reference": f"Patient/{each}"}} for each in patients],
        }

    bundle = searchset(
        server.base,
        "Appointment",
        visit("good", start + timedelta(hours=1), "p1"),
        visit("later", start + timedelta(days=90), "p1"),
        visit("undated", None, "p1"),
        visit("two", start + timedelta(hours=2), "p1", "p2"),
        visit("nobody", start + timedelta(hours=2)),
        visit("unknown", start + timedelta(hours=2), "p9"),
    )
    del bundle["link"]
    person = {"resourceType": "Patient", "id": "p1", "name": [{"text": "Jo Example"}], "birthDate": "1980-01-02"}
    bundle["entry"].append({"resource": person, "search": {"mode": "include"}})
    server.fhir("Appointment", bundle)
    found = service.upcoming(clinic.system, clinic.clinic_id, start, start + timedelta(days=7))
    assert [(each.id, each.patient_id, each.what) for each in found.appointments] == [("good", "p1", "Yearly check")]
    assert found.appointments[0].person["name"] == "Jo Example"
    assert found.unclear == 3


def test_when_the_calendar_cannot_be_reached_that_is_not_an_empty_calendar(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    server.on["GET /fhir/Appointment"] = Say(500, b"", {})
    found = service.upcoming(clinic.system, clinic.clinic_id, now(), now() + timedelta(days=7))
    assert (found.state, found.reason, found.appointments) == (State.COULD_NOT_LOOK, Reason.UNREACHABLE, ())


def test_candidates_by_identifier_must_carry_it(clinic: Place, server: Hostile, connection: Connection) -> None:
    right = {"resourceType": "Patient", "id": "a", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    wrong = {"resourceType": "Patient", "id": "b", "identifier": [{"system": "urn:other", "value": "7"}]}
    bundle = searchset(server.base, "Patient?identifier=urn:mrn|7", right, wrong)
    server.fhir("Patient", bundle)
    person = service.Person(identifiers=(("urn:mrn", "7"),))
    assert [each["id"] for each in service.candidates(clinic.clerk, clinic.clinic_id, person).resources] == ["a"]
    server.on["GET /fhir/Patient"] = Say(500, b"", {})
    assert service.candidates(clinic.clerk, clinic.clinic_id, person).reading.state is State.COULD_NOT_LOOK


def test_an_answer_that_was_overtaken_by_a_newer_one_does_not_replace_it(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    _conditions(server, condition("new"))
    patient = clinic.patient(connection, "p1")
    name = patient.patient_id or ""
    service.read(patient, name, Kind.CONDITIONS)
    server.on["GET /fhir/Condition"] = say(searchset(server.base, QUERY, condition("old")), Age="600")
    again = service.refresh(clinic.system, name, (Kind.CONDITIONS,))[Kind.CONDITIONS]
    assert [each["id"] for each in again.resources] == ["new"]


def test_bar_90_the_worker_notices_that_the_server_is_another(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "software": {"name": "Alpha"}}
    server.fhir("metadata", statement)
    _conditions(server, condition("c1"))
    name = clinic.patient(connection, "p1").patient_id or ""
    assert service.refresh(clinic.system, name, (Kind.CONDITIONS,))[Kind.CONDITIONS].reason is None
    server.fhir("metadata", statement | {"software": {"name": "Beta"}})
    with time_machine.travel(now() + timedelta(hours=25)):
        reading = service.refresh(clinic.system, name, (Kind.CONDITIONS,))[Kind.CONDITIONS]
    assert (reading.state, reading.reason) == (State.KNOWN, Reason.CHANGED)
    assert service.alerts(clinic.clerk)[0].what == "changed"
    assert service.connection_for(clinic.clinic_id) is None


def test_pages_that_read_for_the_first_time_at_once_all_get_the_record(
    clinic: Place, server: Hostile, connection: Connection
) -> None:
    both = Barrier(4)

    def answer(_seen: Any) -> Say:
        both.wait(5)
        return say(searchset(server.base, QUERY, condition("c1")))

    server.on["GET /fhir/Condition"] = answer
    patient = clinic.patient(connection, "p1")
    session().commit()

    def look(_: int) -> State:
        try:
            return service.read(patient, patient.patient_id or "", Kind.CONDITIONS).state
        finally:
            db.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(look, range(4))) == {State.KNOWN}
    assert session().query(RecordReading).count() == 1
