"""The demo's past: synthetic people who came in the last weeks, each by the same services as anybody, with the clock set back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

from portal import clock, db
from portal.accounts import service as accounts
from portal.actors import Actor, Purpose, Role, system
from portal.clock import now
from portal.consent import service as consent
from portal.delivery import worker
from portal.ehr import service as ehr
from portal.intake import confirming, filling, sending
from portal.intake import service as intake
from portal.intake.pace import Turn
from portal.intake.page_form import questions
from portal.intake.visits import visit as own_visit
from portal.measures import days
from portal.notices import service as notices
from portal.questionnaire import Node
from portal.review import service as review
from portal.review.service import Choice, Desk, Verdict
from portal.sandbox.store import Store
from portal.settings import Settings
from portal.working import tools

Json = dict[str, Any]
PEOPLE = 66
WEEKS = 11
FIRST = ("Amara", "Bruno", "Chidi", "Dalia", "Emre", "Freya", "Goran", "Hana", "Ines", "Jonas", "Keiko")
LAST = ("Abara", "Berg", "Costa", "Dietrich", "Eze", "Fischer")
MEDICINES = ("Metformin 500 mg tablet", "Lisinopril 10 mg tablet", "Atorvastatin 20 mg tablet", "Salbutamol inhaler")
CONDITIONS = ("Type 2 diabetes", "High blood pressure", "Asthma", "High cholesterol")
CHOICES = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "year"}
FRESH = timedelta(days=400)


@dataclass(frozen=True)
class Came:
    """One of them: who, when their visit was, and the row they have here."""

    number: int
    patient_id: str
    visit_id: str
    born: str
    starts_at: datetime


class _Then(datetime):
    """A clock that was set back; it is only ever put in place of the real one by `at`."""

    moment: datetime

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return cls.moment.astimezone(tz)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Until it is left, it is that moment here: for this process and its one thread."""
    place = vars(clock)
    real, _Then.moment = place["datetime"], moment
    place["datetime"] = _Then
    try:
        yield
    finally:
        place["datetime"] = real


class Nowhere:
    """Messages of the past are not in the demo's mailbox: nobody could read them then."""

    def send(self, message: EmailMessage) -> None:
        return


def wanted() -> int:
    """How many people; PREVISIT_DEMO_PAST says another number, 0 for no past."""
    said = os.environ.get("PREVISIT_DEMO_PAST", "")
    return min(int(said), 500) if said.isdigit() else PEOPLE


def live(config: Settings, doctor: Actor, people: int, clinic: Path, base_url: str) -> None:
    """Let them come, answer, be reviewed and delivered, one after the other in the order of time; then count the days.

    `clinic` is the file of the synthetic clinic, which keeps their records.
    """
    chance = Random(20)  # noqa: S311 (a story, not a secret)
    today = now().replace(hour=15, minute=0, second=0, microsecond=0)
    clinic_id = doctor.clinic_id
    connection = ehr.connection_for(clinic_id)
    if connection is None or not people:
        return
    store = Store(clinic, base_url, lambda: today - timedelta(weeks=WEEKS + 1))
    records = _records(store, chance, people)
    step = timedelta(weeks=WEEKS) / people
    for number, fhir_id in enumerate(records):
        starts_at = today - timedelta(weeks=WEEKS) + step * number
        with at(starts_at - timedelta(days=3)):
            came = _expected(system(clinic_id), connection.id, number, fhir_id, starts_at)
            notices.run(config, Nowhere())
        _live(config, doctor, came, chance)
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


def _live(config: Settings, doctor: Actor, came: Came, chance: Random) -> None:
    """One person: invited; some never come, some stop half-way; the others send, staff decide, the record gets it."""
    clinic_id = doctor.clinic_id
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
    sent = _answered(person, came, _Hand(begun + timedelta(minutes=1), chance))
    if sent is None:
        return
    reviewed = sent + timedelta(hours=chance.uniform(0.5, 16))
    with at(reviewed):
        accepted = _reviewed(doctor, came, chance)
    if accepted:
        for seconds in (5, 20, 60, 300):
            with at(reviewed + timedelta(seconds=seconds)):
                while worker.turn(tools(config)):
                    pass


def _password() -> str:
    return "synthetic people of the past"


class _Hand:
    """Somebody who takes their time: every page moves the clock on."""

    def __init__(self, start: datetime, chance: Random) -> None:
        self.time, self.chance = start, chance

    def page(self, usual: float) -> Turn:
        """A page that was shown when the last one was done, and is saved now."""
        shown = self.time
        away = self.chance.random() < 0.03
        self.time += timedelta(minutes=25) if away else timedelta(seconds=usual * self.chance.uniform(0.4, 2.2))
        return Turn(shown, goes_on=True)

    def stops(self) -> bool:
        return self.chance.random() < 0.012


def _answered(person: Actor, came: Came, hand: _Hand) -> datetime | None:
    """When they sent; None for those who stopped on the way."""
    return (
        hand.time
        if _confirmed(person, came, hand) and _filled(person, came, hand) and _sent(person, came, hand)
        else None
    )


def _confirmed(person: Actor, came: Came, hand: _Hand) -> bool:
    visit = own_visit(person, came.visit_id)
    key = confirming.first_open(person, visit, FRESH)
    while key is not None:
        page = confirming.page(person, visit, key, FRESH)
        turn = hand.page(6 + 9 * len(page.lines))
        said = {line.name: "same" for line in page.lines}
        dropped = next((line for line in page.lines if "stopped" in line_answers(page, line)), None)
        if dropped and hand.chance.random() < 0.2:
            said[dropped.name] = "stopped"
        anything = {block.key: "none" for block in page.blocks if block.asks_any}
        added = {}
        if "allergy" in anything and hand.chance.random() < 0.4:
            added = {"allergy": [{"what": hand.chance.choice(["Penicillin", "Latex", "Peanuts"])}]}
            anything["allergy"] = "yes"
        with at(hand.time):
            words = confirming.Said(answers=said, any=anything, added=added)
            if confirming.save(person, came.visit_id, key, words, page.version, FRESH, turn=turn).issues:
                return False
            db.close()
            visit = own_visit(person, came.visit_id)
            key = confirming.following(person, visit, key)
        if hand.stops():
            return False
    return True


def line_answers(page: confirming.SectionPage, line: Any) -> set[str]:
    """What may be said about a fact."""
    return {answer for block in page.blocks if line in block.lines for answer in block.section.answers}


def _filled(person: Actor, came: Came, hand: _Hand) -> bool:
    for task in _tasks(person, came):
        if (
            task.kind == "form"
            and (task.required or hand.chance.random() < 0.7)
            and not _form(person, came, task.slug, hand)
        ):
            return False
    return True  # fmt: skip


def _tasks(person: Actor, came: Came) -> list[sending.Task]:
    return sending.tasks(person, own_visit(person, came.visit_id))


def _form(person: Actor, came: Came, slug: str, hand: _Hand) -> bool:
    key: str | None = None
    for _ in range(40):
        with at(hand.time):
            work = filling.work(person, own_visit(person, came.visit_id), slug, "en", FRESH)
            key = key or filling.first_open(work)
            asked = [node for node in questions(work.filling.nodes(key)) if not node.read_only]
            answers = {node.name: _answer(node, hand.chance) for node in asked}
            seen = {node.name: filling.digest(node.answers) for node in asked}
        turn = hand.page(5 + 6 * len(asked))
        with at(hand.time):
            saved = filling.save_page(person, work, key, answers, seen, turn=turn)
            key = filling.page_after(saved.work, key) if not saved.issues else key
        db.close()
        if key is None:
            return True
        if hand.stops():
            return False
    return False


def _answer(node: Node, chance: Random) -> list[Json]:
    """What was there stays, mostly; else an option, or a word, where one is wanted."""
    if node.answers and chance.random() < 0.9:
        return [{key: value for key, value in each.items() if key.startswith("value")} for each in node.answers]
    if node.options:
        free = [option for option in node.options if not option.disabled]
        return [chance.choice(free).value] if free and (node.required or chance.random() < 0.8) else []
    made = PLAIN.get(node.type)
    return [dict(made)] if made and (node.required or chance.random() < 0.4) else []


PLAIN: dict[str, Json] = {
    "boolean": {"valueBoolean": False},
    "string": {"valueString": "As before"},
    "text": {"valueString": "Nothing new"},
    "integer": {"valueInteger": 2},
    "date": {"valueDate": "2020-05-01"},
}


def _sent(person: Actor, came: Came, hand: _Hand) -> bool:
    if hand.stops():
        return False
    with at(hand.time):
        sheet = consent.sheet_for(person, "en")
        if consent.give(person, CHOICES, language="en", seen=sheet.sha256, visit_id=came.visit_id).issues:
            return False
        db.close()
        hand.page(60)
    with at(hand.time):
        return sending.submit(person, came.visit_id, "en", FRESH).submission is not None


def _reviewed(doctor: Actor, came: Came, chance: Random) -> bool:
    """A clinician decides about each item; whether it was accepted."""
    [sent] = [each for each in intake.submitted(doctor) if each.visit_id == came.visit_id]
    desk = Desk(FRESH, "basic-normal")
    opened = review.open_submission(doctor, sent.id, desk)
    choices = [_choice(item.proposal.key, item.seen, chance) for item in opened.items if item.proposal.open]
    review.decide(doctor, sent.id, choices, desk)
    done = review.finish(doctor, sent.id, desk)
    return done.to is intake.Status.ACCEPTED


def _choice(key: str, seen: str, chance: Random) -> Choice:
    drawn = chance.random()
    if drawn < 0.04:
        return Choice(key, Verdict.ASK, "Since when?", seen)
    if drawn < 0.12:
        return Choice(key, Verdict.REJECT, "This is on your record under another name.", seen)
    return Choice(key, Verdict.ACCEPT, "", seen)
