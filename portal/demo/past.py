"""The demo's past: synthetic people who came in the last weeks, each by the same services as anybody, with the clock set back."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

from portal import db
from portal.accounts import arriving
from portal.accounts import service as accounts
from portal.actors import Actor, Purpose, Role, system
from portal.clock import now
from portal.delivery import worker
from portal.demo.answering import FRESH, Came, Hand, answered, at
from portal.ehr import service as ehr
from portal.intake import service as intake
from portal.measures import days
from portal.notices import service as notices
from portal.review import service as review
from portal.review.service import Choice, Desk, Verdict
from portal.sandbox.store import Store
from portal.settings import Settings
from portal.working import tools

Json = dict[str, Any]
PEOPLE = 48
WEEKS = timedelta(weeks=9)
TOUCHING = timedelta(weeks=4)
"""From then on the visits that are still to come would be written to, and their letters are for the demo's mailbox."""
FIRST = ("Amara", "Bruno", "Chidi", "Dalia", "Emre", "Freya", "Goran", "Hana", "Ines", "Jonas", "Keiko")
LAST = ("Abara", "Berg", "Costa", "Dietrich", "Eze", "Fischer")
MEDICINES = ("Metformin 500 mg tablet", "Lisinopril 10 mg tablet", "Atorvastatin 20 mg tablet", "Salbutamol inhaler")
CONDITIONS = ("Type 2 diabetes", "High blood pressure", "Asthma", "High cholesterol")


class Nowhere:
    """Messages of the past are not in the demo's mailbox: nobody could read them then."""

    def send(self, message: EmailMessage) -> None:
        return


def wanted() -> int:
    """How many people; PREVISIT_DEMO_PAST says another number, 0 for no past."""
    said = os.environ.get("PREVISIT_DEMO_PAST", "")
    return min(int(said), 500) if said.isdigit() else PEOPLE


def doctor(clinic_id: str, email: str) -> Actor:
    """The demo's clinician, who decided about all of it."""
    account = arriving.staff_account(Actor(Role.ADMINISTRATOR, clinic_id), email)
    return Actor(Role.CLINICIAN, clinic_id, account, name="Dr Lee", purpose=Purpose.TREATMENT)


def live(
    config: Settings,
    clinician: Actor,
    people: int,
    clinic: Path,
    base_url: str,
    *,
    over: timedelta = WEEKS,
    until: datetime | None = None,
) -> None:
    """Let them come, answer, be reviewed and delivered, one after the other in the order of time; then count the days.

    `clinic` is the file of the synthetic clinic, which keeps their records.
    """
    chance = Random(20)  # noqa: S311 (a story, not a secret)
    today = (until or now()).replace(hour=15, minute=0, second=0, microsecond=0)
    clinic_id = clinician.clinic_id
    connection = ehr.connection_for(clinic_id)
    if connection is None or not people:
        return
    connection_id = connection.id
    store = Store(clinic, base_url, lambda: today - over - timedelta(weeks=1))
    records = _records(store, chance, people)
    step = over / people
    for number, fhir_id in enumerate(records):
        starts_at = today - over + step * number
        with at(starts_at - timedelta(days=3)):
            came = _expected(system(clinic_id), connection_id, number, fhir_id, starts_at)
            if starts_at < today - TOUCHING:
                notices.run(config, Nowhere())
        _live(config, clinician, came, chance)
        db.close()
    while days.take(system(clinic_id)):
        db.close()


def _records(store: Store, chance: Random, people: int) -> list[str]:
    """Their records at the clinic, made in one go; the ids of the patients."""
    with store.writing() as unit:
        for number in range(people):
            for made in _record(number, chance):
                unit.update(made, made["id"])
    return [f"past-{number}" for number in range(people)]


def _name(number: int) -> tuple[str, str]:
    return FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]


def _born(number: int) -> str:
    return f"{1950 + number * 7 % 50}-{1 + number % 12:02d}-{1 + number % 28:02d}"


def _record(number: int, chance: Random) -> Iterator[Json]:
    given, family = _name(number)
    subject = {"reference": f"Patient/past-{number}"}
    patient: Json = {
        "resourceType": "Patient",
        "id": f"past-{number}",
        "name": [{"family": family, "given": [given]}],
        "birthDate": _born(number),
        "telecom": [{"system": "phone", "use": "mobile", "value": f"217 555 {1000 + number}"}],
        "address": [
            {"use": "home", "line": [f"{number + 1} Elm Street"], "city": "Springfield", "postalCode": "62701"}
        ],
    }
    medicine: Json = {
        "resourceType": "MedicationRequest",
        "id": f"past-medicine-{number}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": chance.choice(MEDICINES)},
        "subject": subject,
        "dosageInstruction": [{"text": "1 a day"}],
    }
    condition: Json = {
        "resourceType": "Condition",
        "id": f"past-condition-{number}",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"text": chance.choice(CONDITIONS)},
        "subject": subject,
    }
    yield from (patient, medicine, condition)


def _expected(actor: Actor, connection_id: str, number: int, fhir_id: str, starts_at: datetime) -> Came:
    person = {
        "name": " ".join(_name(number)),
        "birthDate": _born(number),
        "email": f"past{number}@demo.example",
        "phone": None,
        "language": "en",
    }
    row = accounts.expect_patient(actor, connection_id, fhir_id, person)
    detail: dict[str, str | None] = {"what": "Follow-up visit", "with": "Dr Lee", "where": None}
    visit, _ = intake.expect(actor, row.id, intake.Expected(connection_id, None, starts_at, False, detail))
    return Came(number, row.id, visit.id, _born(number), starts_at)


def _live(config: Settings, clinician: Actor, came: Came, chance: Random) -> None:
    """One person: invited; some never come, some stop half-way; the others send, staff decide, the record gets it."""
    clinic_id = clinician.clinic_id
    begun = came.starts_at - timedelta(hours=chance.uniform(20, 60))
    with at(begun - timedelta(hours=chance.uniform(1, 8))):
        invite = accounts.invite(system(clinic_id), came.patient_id, 14)
    if chance.random() < 0.15:
        return
    with at(begun):
        accounts.join(
            invite.token,
            accounts.prove(invite.token, invite.code, came.born),
            f"past{came.number}@demo.example",
            _password(),
            "en",
        )
    person = Actor(
        Role.PATIENT, clinic_id, patient_id=came.patient_id, name=" ".join(_name(came.number)), purpose=Purpose.PATIENT_REQUEST
    )  # fmt: skip
    sent = answered(person, came, Hand(begun + timedelta(minutes=1), chance))
    if sent is None:
        return
    reviewed = sent + timedelta(hours=chance.uniform(0.5, 16))
    with at(reviewed):
        accepted = _reviewed(clinician, came, chance)
    if accepted:
        for seconds in (5, 20, 60, 300):
            with at(reviewed + timedelta(seconds=seconds)):
                while worker.turn(tools(config)):
                    pass


def _password() -> str:
    return "synthetic people of the past"


def _reviewed(clinician: Actor, came: Came, chance: Random) -> bool:
    """A clinician decides about each item; whether it was accepted."""
    [sent] = intake.submitted(clinician, visit_id=came.visit_id)
    desk = Desk(FRESH, "basic-normal")
    opened = review.open_submission(clinician, sent.id, desk)
    choices = [_choice(item.proposal.key, item.seen, chance) for item in opened.items if item.proposal.open]
    review.decide(clinician, sent.id, choices, desk)
    done = review.finish(clinician, sent.id, desk)
    return done.to is intake.Status.ACCEPTED


def _choice(key: str, seen: str, chance: Random) -> Choice:
    drawn = chance.random()
    if drawn < 0.04:
        return Choice(key, Verdict.ASK, "Since when?", seen)
    if drawn < 0.12:
        return Choice(key, Verdict.REJECT, "This is on your record under another name.", seen)
    return Choice(key, Verdict.ACCEPT, "", seen)
