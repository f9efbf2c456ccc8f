"""The clinic's calendar, over HTTP: what becomes of a visit when its appointment changes, and that no answer is touched."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from portal import db
from portal.accounts.models import Patient
from portal.actors import system
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.errors import Conflict
from portal.intake import confirming, sending
from portal.intake import service as intake
from portal.intake.models import Draft, Submission, Visit
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from tests import make
from tests.ports import free_port
from tests.sandbox_server import CLIENT_ID, Sandbox, client_key

sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass
class Calendar:
    """A clinic of ours and its calendar there."""

    clinic_id: str
    sandbox: Sandbox

    def put(self, name: str, status: str = "booked", *, days: float = 2, who: str = "pat-1") -> None:
        start = now() + timedelta(days=days)
        resource = {
            "resourceType": "Appointment",
            "id": name,
            "status": status,
            "serviceType": [{"text": "Diabetes review"}],
            "start": start.isoformat(timespec="seconds"),
            "end": (start + timedelta(minutes=20)).isoformat(timespec="seconds"),
            "participant": [{"actor": {"reference": f"Patient/{who}"}, "status": "accepted"}],
        }
        with self.sandbox.session() as http:
            http.put(f"{self.sandbox.base_url}/Appointment/{name}", json=resource).raise_for_status()

    def delete(self, name: str) -> None:
        with self.sandbox.session() as http:
            http.delete(f"{self.sandbox.base_url}/Appointment/{name}").raise_for_status()

    def look(self) -> intake.Synchronised:
        found = intake.synchronise(system(self.clinic_id))
        assert found.reason is None
        return found

    def visit(self, name: str) -> Visit:
        return session().query(Visit).filter_by(appointment_id=name).populate_existing().one()


@pytest.fixture
def calendar(app: Any, tmp_path: Path) -> Iterator[Calendar]:
    clinic, port = make.clinic(), free_port()
    made = ehr.register(
        system(clinic.id), name="Riverside record", base_url=f"http://127.0.0.1:{port}/fhir", client_id="previsit"
    )
    clients = (
        Client("previsit", ehr.jwks(made.id)),
        Client(CLIENT_ID, {"keys": [client_key().as_dict(private=False)]}),
    )
    config = SandboxConfig(tmp_path / "clinic", f"http://127.0.0.1:{port}", clients, seed=False)
    running = server(config, "127.0.0.1", port)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    there = Sandbox(config, "127.0.0.1", port)
    with there.session() as http:
        person = {
            "resourceType": "Patient",
            "id": "pat-1",
            "birthDate": "1985-03-27",
            "name": [{"text": "Ana Morales", "family": "Morales", "given": ["Ana"]}],
        }
        http.put(f"{there.base_url}/Patient/pat-1", json=person).raise_for_status()
    yield Calendar(clinic.id, there)
    db.close()
    running.shutdown()
    running.server_close()


def _write(visit: Visit) -> str:
    """Something the patient has written for it."""
    with transaction() as current:
        made = Draft(
            clinic_id=visit.clinic_id,
            visit_id=visit.id,
            patient_id=visit.patient_id,
            task=confirming.TASK,
            version=1,
            saved_at=now(),
            document={"facts": [], "sections": {}, "said": "left knee"},
        )
        current.add(made)
    return made.id


@sqlite
def test_a_new_appointment_makes_a_visit_and_only_a_new_one(calendar: Calendar) -> None:
    calendar.put("a1")
    assert [visit.appointment_id for visit in calendar.look().new] == ["a1"]
    assert calendar.look().new == []
    assert calendar.visit("a1").detail["what"] == "Diabetes review"


@sqlite
@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("cancelled", "This visit was cancelled"),
        ("noshow", "You were expected at this visit"),
        ("entered-in-error", "This visit was entered by mistake"),
        ("fulfilled", "This visit has taken place"),
        ("deleted", "This visit is no longer in the clinic's calendar"),
    ],
)
def test_a_visit_that_will_not_be_asks_nothing_more_and_keeps_every_answer(
    calendar: Calendar, sign_in: Any, status: str, heading: str
) -> None:
    calendar.put("a1")
    visit_id = calendar.look().new[0].id
    draft_id = _write(calendar.visit("a1"))
    if status == "deleted":
        calendar.delete("a1")
    else:
        calendar.put("a1", status)
    calendar.look()
    visit = calendar.visit("a1")
    patient = make.patient_actor(_patient(visit))
    assert sending.tasks(patient, visit) == []
    with pytest.raises(Conflict, match="What you wrote is kept"):
        sending.submit(patient, visit.id, "en", timedelta(minutes=15))
    make.patient_account(_patient(visit), "ana@example.org")
    page = unescape(sign_in("ana@example.org").get(f"/visits/{visit_id}").get_data(as_text=True))
    assert heading in page and "What you wrote is kept" in page and "Check your answers and send them" not in page
    calendar.put("a1")  # it will be after all
    calendar.look()
    assert sending.tasks(patient, calendar.visit("a1")) != []
    assert session().get_one(Draft, draft_id).document["said"] == "left knee"
    assert session().query(Submission).count() == 0


def _patient(visit: Visit) -> Any:
    return session().get_one(Patient, visit.patient_id)


@sqlite
@pytest.mark.parametrize("days", [5, 40])
def test_a_visit_that_moves_keeps_its_tasks_and_its_answers_also_beyond_the_days_that_are_looked_at(
    calendar: Calendar, days: int
) -> None:
    calendar.put("a1")
    calendar.look()
    draft_id = _write(calendar.visit("a1"))
    calendar.put("a1", days=days)
    assert calendar.look().new == []
    visit = calendar.visit("a1")
    assert abs(visit.starts_at - now() - timedelta(days=days)) < timedelta(minutes=5)
    assert sending.tasks(make.patient_actor(_patient(visit)), visit) != []
    assert session().get_one(Draft, draft_id).document["said"] == "left knee"


@sqlite
def test_a_calendar_that_cannot_be_read_changes_no_visit(calendar: Calendar) -> None:
    calendar.put("a1")
    calendar.look()
    calendar.sandbox.fault("html", path="/fhir/Appointment")
    assert intake.synchronise(system(calendar.clinic_id)).reason is not None
    calendar.sandbox.fault("none")
    calendar.delete("a1")
    calendar.sandbox.fault("error", path="/fhir/Appointment/")
    calendar.look()
    assert calendar.visit("a1").detail["why"] is None, "one that could not be read is not gone"
