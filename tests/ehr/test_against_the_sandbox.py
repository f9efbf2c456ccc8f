"""The whole way to a real FHIR server: registered, tested, signed in with our own key, read, and read again when it is away."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.actors import Actor
from portal.ehr import service
from portal.ehr.models import Connection
from portal.ehr.service import Kind, Person, Reason, State
from portal.sandbox.config import Client
from tests.sandbox_server import Sandbox, running_sandbox

from .make import Place


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.fixture
def connection(clinic: Place, sandbox: Sandbox) -> Iterator[Connection]:
    """Registered at both ends: the sandbox knows our public keys."""
    made = clinic.connect(sandbox.base_url)
    before = sandbox.config
    sandbox.stop()
    sandbox.config = replace(before, clients=(*before.clients, Client("previsit", service.jwks(made.id))))
    sandbox.start()
    yield made
    sandbox.fault("none")
    sandbox.config = before


def _someone(clinic: Place, sandbox: Sandbox, connection: Connection) -> Actor:
    """A patient whose record holds medications, as the sandbox tells."""
    found = sandbox.session().get(f"{sandbox.base_url}/MedicationRequest", timeout=5).json()
    reference = found["entry"][0]["resource"]["subject"]["reference"]
    return clinic.patient(connection, reference.removeprefix("Patient/"))


def test_a_test_of_the_connection_tells_what_the_server_can_do(clinic: Place, connection: Connection) -> None:
    tested = service.test(clinic.admin, connection.id)
    assert tested.ok, tested.detail
    assert tested.capabilities is not None
    assert tested.capabilities.fhir_version == "4.0.1"
    assert tested.capabilities.transaction
    assert tested.capabilities.conditional_create("QuestionnaireResponse")
    assert tested.missing == []
    assert service.capabilities(connection).transaction


def test_every_kind_of_a_record_is_read_and_is_the_patients(
    clinic: Place, sandbox: Sandbox, connection: Connection
) -> None:
    patient = _someone(clinic, sandbox, connection)
    readings = service.read_several(patient, patient.patient_id or "", Kind)
    assert {reading.state for reading in readings.values()} <= {State.KNOWN, State.NONE}
    assert readings[Kind.PATIENT].state is State.KNOWN
    assert readings[Kind.MEDICATIONS].state is State.KNOWN
    assert all(reading.complete for reading in readings.values())
    assert all(reading.read_at for reading in readings.values())


def test_a_recent_reading_is_served_without_asking_the_clinic(
    clinic: Place, sandbox: Sandbox, connection: Connection
) -> None:
    patient = _someone(clinic, sandbox, connection)
    first = service.read(patient, patient.patient_id or "", Kind.MEDICATIONS)
    asked = len(sandbox.requests_seen())
    again = service.read(patient, patient.patient_id or "", Kind.MEDICATIONS)
    assert len(sandbox.requests_seen()) == asked
    assert (again.resources, again.read_at) == (first.resources, first.read_at)


def test_when_the_clinic_is_down_the_last_reading_comes_back_with_its_age_and_the_reason(
    clinic: Place, sandbox: Sandbox, connection: Connection
) -> None:
    patient = _someone(clinic, sandbox, connection)
    name = patient.patient_id or ""
    before = service.read(patient, name, Kind.ALLERGIES)
    sandbox.fault("down")
    after = service.read(patient, name, Kind.ALLERGIES, max_age=timedelta(0))
    never_read = service.read(patient, name, Kind.LABS)
    assert (after.state, after.resources, after.read_at) == (before.state, before.resources, before.read_at)
    assert after.reason in (Reason.UNREACHABLE, Reason.BUSY)
    assert never_read.state is State.COULD_NOT_LOOK
    assert never_read.reason in (Reason.UNREACHABLE, Reason.BUSY)
    sandbox.fault("none")
    mended = service.refresh(clinic.system, name, (Kind.ALLERGIES, Kind.LABS))
    assert all(reading.reason is None and reading.looked for reading in mended.values())


def test_upcoming_appointments_come_with_their_patients(
    clinic: Place, sandbox: Sandbox, connection: Connection
) -> None:
    start = datetime.now(UTC) - timedelta(days=2)
    found = service.upcoming(clinic.system, clinic.clinic_id, start, start + timedelta(days=30))
    assert found.state is State.KNOWN
    assert found.unclear == 0
    assert all(each.person["name"] and each.person["birthDate"] and each.what for each in found.appointments)


def test_candidates_are_found_by_name_and_birth_date(clinic: Place, sandbox: Sandbox, connection: Connection) -> None:
    patient = sandbox.session().get(f"{sandbox.base_url}/Patient", timeout=5).json()["entry"][0]["resource"]
    person = Person(family=patient["name"][0]["family"], birth_date=patient["birthDate"])
    found = service.candidates(clinic.clerk, clinic.clinic_id, person)
    assert patient["id"] in {each["id"] for each in found.resources}
    nobody = service.candidates(clinic.clerk, clinic.clinic_id, Person(family="Nobody-At-All", birth_date="1900-01-01"))
    assert nobody.reading.state is State.NONE
