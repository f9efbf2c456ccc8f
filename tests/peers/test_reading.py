"""The contract of reading, on servers that nobody here wrote: let in by our key, each kind read to its end, nobody else's data."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from portal.ehr import service
from portal.ehr.models import Connection
from portal.ehr.reading import Kind, Reason, State
from portal.ehr.service import Person as Named
from tests.ehr.make import Place

from .clinic import allergy, condition, person
from .running import NARROW, Peer
from .table import Tell

Connect = Callable[..., Connection]
TWO_PAGES = 130


def test_lets_us_in_by_our_published_key(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection = connect(algorithms=("ES384", "RS384"))
    tested = service.test(clinic.admin, connection.id)
    assert tested.ok, tested.detail
    assert tested.missing == []
    assert tested.capabilities is not None and tested.capabilities.fhir_version == "4.0.1"
    tell("passed")


def test_does_not_let_in_somebody_with_another_key(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection, other = connect(), connect()
    name = other.id
    peer.keys.publish(connection.client_id, lambda: service.jwks(name))
    tested = service.test(clinic.admin, connection.id)
    assert tested.reason is Reason.CREDENTIAL
    tell("passed")


def test_scopes_that_do_not_reach_are_told_and_the_rest_is_read(
    peer: Peer, clinic: Place, connect: Connect, tell: Tell
) -> None:
    connection = connect(NARROW)
    tested = service.test(clinic.admin, connection.id)
    assert tested.ok, tested.detail
    assert {"Consent.crus", "QuestionnaireResponse.crus"} <= set(tested.missing)
    someone = person(peer, clinic, connection)
    peer.put(condition(someone))
    readings = service.read_several(
        someone.actor, someone.place.patient_id, (Kind.CONDITIONS, Kind.ALLERGIES), limits=service.PATIENT
    )
    assert readings[Kind.CONDITIONS].state is State.KNOWN
    assert readings[Kind.ALLERGIES].reason is Reason.PERMISSION
    tell("passed")


def test_each_kind_is_known_or_none_and_complete(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection = connect()
    service.test(clinic.admin, connection.id)
    someone = person(peer, clinic, connection)
    peer.put(condition(someone))
    peer.put(allergy(someone))
    readings = service.read_several(someone.actor, someone.place.patient_id, Kind, limits=service.PATIENT)
    known = {kind for kind, reading in readings.items() if reading.state is State.KNOWN}
    assert known == {Kind.PATIENT, Kind.CONDITIONS, Kind.ALLERGIES}
    unknown = {kind: reading.reason for kind, reading in readings.items() if not reading.looked}
    assert set(unknown.values()) <= {Reason.NOT_OFFERED}
    tell("passed" if not unknown else "adapts", "some kinds not kept" if unknown else "")


def test_a_long_list_is_read_to_its_end(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection = connect()
    someone = person(peer, clinic, connection)
    for number in range(TWO_PAGES):
        peer.put(condition(someone, f"Finding {number}"))
    found = service.read(someone.actor, someone.place.patient_id, Kind.CONDITIONS, limits=service.PATIENT)
    assert found.state is State.KNOWN
    assert (len(found.resources), found.complete) == (TWO_PAGES, True)
    if any("/Condition?" in each and "_count=100" not in each for each in peer.asked()):
        tell("adapts", "a longer page")
    tell("passed")


def test_somebody_elses_entries_never_appear(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection = connect()
    one, other = person(peer, clinic, connection), person(peer, clinic, connection)
    mine, theirs = peer.put(condition(one, "Mine")), peer.put(condition(other, "Theirs"))
    found = service.read(one.actor, one.place.patient_id, Kind.CONDITIONS, limits=service.PATIENT)
    assert [each["id"] for each in found.resources] == [mine["id"]] != [theirs["id"]]
    assert service.read(other.actor, other.place.patient_id, Kind.CONDITIONS, limits=service.PATIENT).find(
        f"Condition/{theirs['id']}"
    )
    if any("patient=Patient%2F" in each for each in peer.asked()):
        tell("adapts", "patient=Patient/7")
    tell("passed")


def test_what_has_just_been_stored_is_seen_past_the_cache(
    peer: Peer, clinic: Place, connect: Connect, tell: Tell
) -> None:
    connection = connect()
    someone = person(peer, clinic, connection)
    before = service.read(someone.actor, someone.place.patient_id, Kind.CONDITIONS, limits=service.PATIENT)
    peer.put(condition(someone))
    after = service.read(
        someone.actor, someone.place.patient_id, Kind.CONDITIONS, max_age=timedelta(0), limits=service.PATIENT
    )
    assert (before.state, after.state) == (State.NONE, State.KNOWN)
    tell("passed")


def test_people_are_found_by_name_and_birth_date(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection = connect()
    someone = person(peer, clinic, connection, name=[{"family": "Quillfeather"}], birthDate="1971-03-04")
    named = Named(family="Quillfeather", birth_date="1971-03-04")
    found = service.candidates(clinic.clerk, clinic.clinic_id, named, limits=service.PATIENT)
    assert someone.name in {each["id"] for each in found.resources}
    nobody = service.candidates(
        clinic.clerk, clinic.clinic_id, Named(family="Nobodyatall", birth_date="1900-01-01"), limits=service.PATIENT
    )
    assert nobody.reading.state is State.NONE
    tell("passed")


def test_upcoming_visits_come_with_their_patients(peer: Peer, clinic: Place, connect: Connect, tell: Tell) -> None:
    connection = connect()
    someone = person(peer, clinic, connection)
    at = datetime(2031, 5, 6, 9, tzinfo=UTC)
    visit = {
        "resourceType": "Appointment",
        "status": "booked",
        "start": at.isoformat(),
        "end": (at + timedelta(minutes=20)).isoformat(),
        "participant": [{"actor": {"reference": someone.reference}, "status": "accepted"}],
    }
    stored = peer.put(visit)
    found = service.upcoming(clinic.system, clinic.clinic_id, at - timedelta(hours=1), at + timedelta(hours=1))
    assert stored["id"] in {each.id for each in found.appointments}, found
    if any("/Patient/" in each for each in peer.asked()):
        tell("adapts", "each patient asked for")
    tell("passed")
