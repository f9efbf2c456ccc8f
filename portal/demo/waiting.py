"""Three people who have sent their answers when the demo begins, so that the desk has something to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from portal import db
from portal.accounts import service as accounts
from portal.actors import Actor, Purpose, Role, system
from portal.clock import now
from portal.demo.answering import Came, Hand, Json, Wishes, answered, at
from portal.ehr import service as ehr
from portal.intake import service as intake
from portal.sandbox.store import Store

PASSWORD = "synthetic people who wait"


@dataclass(frozen=True)
class Waits:
    """One of them: who, what the record has, what they say, how long ago they began (hours), and their visit (in days)."""

    key: str
    given: str
    family: str
    born: str
    gender: str
    medicine: str
    condition: str
    wishes: Wishes
    ago: float
    visit_in: int

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


NO_SCREEN = {f"phq-{number}": 0 for number in range(1, 10)} | {f"gad-{number}": 0 for number in range(1, 8)}
PEOPLE = (
    Waits(
        "ingrid", "Ingrid", "Solberg", "1968-02-11", "female", "Lisinopril 10 mg tablet", "High blood pressure",
        Wishes(facts={"Mobile phone": ("changed", {"text": "217 555 0142"})}, options=NO_SCREEN),
        ago=3, visit_in=2,
    ),
    Waits(
        "hamid", "Hamid", "Rahimi", "1979-08-30", "male", "Metformin 500 mg tablet", "Type 2 diabetes",
        Wishes(options={**NO_SCREEN, **{f"phq-{number}": 2 for number in range(1, 9)}, "phq-9": 1}),
        ago=1, visit_in=1,
    ),
    Waits(
        "nia", "Nia", "Owusu", "1991-04-17", "female", "Salbutamol inhaler", "Asthma",
        Wishes(
            facts={"Salbutamol inhaler": ("stopped", {"when": "2026-09", "why": "I no longer needed it"})},
            added={"allergy": [{"what": "Latex", "more": "an itching rash"}]},
            options=NO_SCREEN,
        ),
        ago=20, visit_in=3,
    ),
)  # fmt: skip


def arrive(clinic_id: str, clinic: Path, base_url: str) -> None:
    """They have records at the clinic, accounts here, and have answered and sent by the services of the pages."""
    connection = ehr.connection_for(clinic_id)
    if connection is None:
        return
    connection_id = connection.id
    with Store(clinic, base_url, now).writing() as unit:
        for each in PEOPLE:
            for made in _record(each):
                unit.update(made, made["id"])
    for each in PEOPLE:
        _send(clinic_id, connection_id, each)
        db.close()


def _record(each: Waits) -> Iterator[Json]:
    subject = {"reference": f"Patient/{each.key}"}
    yield {
        "resourceType": "Patient",
        "id": each.key,
        "name": [{"family": each.family, "given": [each.given]}],
        "birthDate": each.born,
        "gender": each.gender,
        "telecom": [{"system": "phone", "use": "mobile", "value": "217 555 0141"}],
        "address": [{"use": "home", "line": ["9 Oak Lane"], "city": "Springfield", "postalCode": "62701"}],
    }
    yield {
        "resourceType": "MedicationRequest",
        "id": f"{each.key}-medicine",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": each.medicine},
        "subject": subject,
        "dosageInstruction": [{"text": "1 a day"}],
    }
    active = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    yield {
        "resourceType": "Condition",
        "id": f"{each.key}-condition",
        "clinicalStatus": {"coding": [active]},
        "code": {"text": each.condition},
        "subject": subject,
    }


def _send(clinic_id: str, connection_id: str, each: Waits) -> None:
    actor, moment = system(clinic_id), now()
    email = f"{each.key}@demo.example"
    person = {"name": each.name, "birthDate": each.born, "email": email, "phone": None, "language": "en"}
    row = accounts.expect_patient(actor, connection_id, each.key, person)
    detail: dict[str, str | None] = {"what": "Follow-up visit", "with": "Dr Lee", "where": None}
    starts_at = (moment + timedelta(days=each.visit_in)).replace(hour=16, minute=0, second=0, microsecond=0)
    visit, _ = intake.expect(actor, row.id, intake.Expected(connection_id, None, starts_at, False, detail))
    begun = moment - timedelta(hours=each.ago)
    with at(begun):
        invite = accounts.invite(actor, row.id, 14)
        shown = accounts.prove(invite.token, invite.code, each.born)
        accounts.join(invite.token, shown, email, PASSWORD, "en")
    patient = Actor(
        Role.PATIENT, clinic_id, patient_id=row.id, name=each.name, purpose=Purpose.PATIENT_REQUEST
    )  # fmt: skip
    answered(patient, Came(0, row.id, visit.id, each.born, starts_at), Hand(begun, _Steady(7), each.wishes))


class _Steady(Random):
    """Somebody who is not called away and answers everything."""

    def random(self) -> float:
        return 0.5
