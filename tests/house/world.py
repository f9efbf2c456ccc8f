"""Two clinics with their people and one of everything that an address can name, made without a server and without a browser."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import event, select
from sqlalchemy.engine import make_url
from werkzeug.datastructures import MultiDict

import portal
from portal import db
from portal.accounts import service as accounts
from portal.accounts import sessions
from portal.accounts.models import Account, Clinic, Patient, SignIn
from portal.actors import Actor, Role, system
from portal.clock import now
from portal.consent import service as consent
from portal.db import session, transaction
from portal.delivery import ledger
from portal.delivery import service as delivery
from portal.delivery.states import Kind as Happened
from portal.delivery.states import Reason
from portal.ehr import service as ehr
from portal.ehr.models import RecordReading
from portal.fhir.bundle import create_entry
from portal.fhir.bundle import transaction as bundle_of
from portal.intake import library
from portal.intake.models import Status, Submission, SubmissionStatus, Visit
from portal.labs import service as labs
from tests import make
from tests.house.reading import page
from tests.house.records import readings

FRESH = timedelta(minutes=15)
MISSING = "0123456789abcdef"
CSRF = "c" * 40
FORM = "health-history"
NOTES = frozenset({"audit_events", "audit_heads"})
"""What any request may write: that it happened."""

LOOKED = frozenset({"readings", "connections", "access_tokens"})
"""What a look at the clinic's record may leave behind: what was read, and whether its server answers."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Visitor:
    """Somebody at the door: who they are, whose things they come for as their own, and whose they must never see."""

    name: str
    account: str | None
    role: Role | None
    own: str
    foreign: str
    expired: bool = False

    @property
    def is_known(self) -> bool:
        return self.account is not None and not self.expired


VISITORS = (
    Visitor("anonymous", None, None, "ana", "cai"),
    Visitor("expired session", "ana", Role.PATIENT, "ana", "cai", expired=True),
    Visitor("patient self", "ana", Role.PATIENT, "ana", "ben"),
    Visitor("other patient of the clinic", "ben", Role.PATIENT, "ben", "ana"),
    Visitor("front desk", "front-desk", Role.FRONT_DESK, "ana", "cai"),
    Visitor("clinician", "clinician", Role.CLINICIAN, "ana", "cai"),
    Visitor("privacy officer", "privacy-officer", Role.PRIVACY_OFFICER, "ana", "cai"),
    Visitor("administrator", "administrator", Role.ADMINISTRATOR, "ana", "cai"),
    Visitor("other clinic's clinician", "far-clinician", Role.CLINICIAN, "cai", "ana"),
    Visitor("other clinic's administrator", "far-administrator", Role.ADMINISTRATOR, "cai", "ana"),
    Visitor("other clinic's patient", "cai", Role.PATIENT, "cai", "ana"),
)
KNOWN = tuple(visitor for visitor in VISITORS if visitor.is_known)
MARKS = {"ana": "kestrel", "ben": "osprey", "cai": "lapwing"}
"""A word that stands in everything about one person, and nowhere else."""


@dataclass
class World:
    app: Flask
    database: str
    people: dict[str, str] = field(default_factory=dict)
    """visitor → account id"""
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    """owner → what an address may name → its id"""
    saved: sqlite3.Connection | None = None

    def client(self, visitor: Visitor, language: str = "en") -> FlaskClient:
        """A browser with a session of this visitor, made without the sign-in page."""
        client = self.app.test_client()
        client.set_cookie("language", language)
        client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], self._cookie(visitor))
        db.close()
        return client

    @property
    def csrf(self) -> dict[str, str]:
        """What a form of any client of this world posts to be believed."""
        signer = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token")
        return {"csrf_token": str(signer.dumps(CSRF))}

    def _cookie(self, visitor: Visitor) -> str:
        held: Json = {"csrf_token": CSRF}
        if visitor.account is not None:
            held |= {"_user_id": self._session(visitor), "_fresh": True}
        signed: str = self.app.session_interface.get_signing_serializer(self.app).dumps(held)  # type: ignore[attr-defined]
        return signed

    def _session(self, visitor: Visitor) -> str:
        token = sessions.begin(session().get_one(Account, self.people[str(visitor.account)]))
        if visitor.expired:
            with transaction() as current:
                newest = select(SignIn).order_by(SignIn.began_at.desc()).limit(1)
                current.scalars(newest).one().seen_at = now() - timedelta(hours=2)
        return token

    def save(self) -> None:
        """Remember everything as it stands (SQLite only)."""
        db.dispose()
        self.saved = sqlite3.connect(":memory:")
        self._copy(into=self.saved)

    def restore(self) -> None:
        """As it was when it was saved."""
        db.dispose()
        assert self.saved is not None
        with sqlite3.connect(self._path) as file:
            self.saved.backup(file)
        self.connect()

    def connect(self) -> None:
        db.connect(self.database, self.app.config["SETTINGS"].keys)
        if make_url(self.database).get_backend_name() == "sqlite":
            event.listen(db.engine(), "connect", lambda held, _: held.execute("PRAGMA synchronous=OFF"))

    def _copy(self, into: sqlite3.Connection) -> None:
        with sqlite3.connect(self._path) as file:
            file.backup(into)

    @property
    def _path(self) -> str:
        return str(make_url(self.database).database)


def build(folder: Path, database: str, marks: dict[str, str] | None = None, many: int = 1) -> World:
    """The world over an empty database; `marks` stand in every text about a person, `many` things of each kind."""
    app = portal.create_app(make.settings(folder, database))
    world = World(app, database)
    world.connect()
    db.migrate()
    staff: dict[Role, Account] = {}
    near, far = make.clinic(), make.clinic("hillside", "Hillside Clinic")
    for clinic, ahead, owners in ((near, "", ("ana", "ben")), (far, "far-", ("cai",))):
        for role in (Role.FRONT_DESK, Role.CLINICIAN, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR):
            name = ahead + role.value
            staff[role] = make.staff(clinic, role, name, f"{name}@example.org")
            world.people[name] = staff[role].id
        connection = ehr.register(
            make.staff_actor(staff[Role.ADMINISTRATOR]),
            name=f"Record of {clinic.name}",
            base_url=f"http://127.0.0.1:9/{clinic.slug}",
            client_id="previsit",
            algorithms=("ES384",),
        )
        for owner in owners:
            _settle(world, clinic, connection.id, owner, (marks or MARKS)[owner], many)
    for visitor in KNOWN:
        if visitor.role is Role.PATIENT:
            begin_form(world.client(visitor), world.things[visitor.own]["visit"], (marks or MARKS)[visitor.own])
    return world


def _settle(world: World, clinic: Clinic, connection_id: str, owner: str, mark: str, many: int) -> None:
    """One person with an open visit half done, a visit that was sent, its delivery on hold, and results."""
    patient = make.patient(
        clinic,
        f"{mark}-name",
        connection_id=connection_id,
        fhir_id=owner,
        phone=f"{mark}-telephone",
        email="x@example.org",
    )
    world.people[owner] = make.patient_account(patient, f"{owner}@example.org").id
    actor = make.patient_actor(patient, world.people[owner])
    read(patient, connection_id, owner, mark, many)
    visits = [make.visit(patient, in_days=1 + number, appointment_id=f"{owner}-{number}") for number in range(many)]
    sent = [make.visit(patient, in_days=2 + number, appointment_id=f"{owner}-sent-{number}") for number in range(many)]
    version = give(actor, visits[0])
    submissions = [send(visit, patient, mark, version, many) for visit in sent]
    held = hold(clinic, patient, submissions[0], owner, mark)
    overview = labs.results(actor)
    world.things[owner] = {
        "visit": visits[0].id,
        "sent": sent[0].id,
        "submission": submissions[0],
        "consent": version,
        "item": held,
        "report": overview.reports[0][0],
        "trend": next(iter(overview.trends.values())),
        "connection": connection_id,
        "invitation": accounts.invite(system(clinic.id), make.patient(clinic, f"{mark}-invited").id, 14),
        "clinic": clinic.slug,
    }


def read(patient: Patient, connection_id: str, fhir_id: str, mark: str, many: int) -> None:
    """The clinic's record of this person, as just read."""
    with transaction() as current:
        for kind, resources in readings(fhir_id, mark, many).items():
            current.add(
                RecordReading(
                    clinic_id=patient.clinic_id,
                    patient_id=patient.id,
                    connection_id=connection_id,
                    fhir_id=fhir_id,
                    kind=kind.value,
                    complete=True,
                    read_at=now(),
                    tried_at=now(),
                    document={"resources": resources, "beside": []},
                )
            )


def give(actor: Actor, visit: Visit) -> str:
    answers = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "open"}
    given = consent.give(actor, answers, language="en", seen=consent.sheet_for(actor, "en").sha256, visit_id=visit.id)
    assert given.version, given.issues
    return given.version.id


def begin_form(client: FlaskClient, visit_id: str, mark: str) -> None:
    """The first page of the health history with an answer in the person's own words, as a browser posts it."""
    path = client.get(f"/visits/{visit_id}/forms/{FORM}").location
    sheet = next(form for form in page(client, path).posts() if "shown" in dict(form.fields))
    own_words = next(name for name in sheet.typed if name != "csrf_token")
    answer = client.post(path, data=MultiDict(sheet.filled(**{own_words: f"{mark}-answer", "step": "later"})))
    assert answer.status_code == 303, answer.get_data(as_text=True)


def send(visit: Visit, patient: Patient, mark: str, version: str, many: int = 1) -> str:
    """A submission of this visit: something new, in the person's own words, and a form."""
    form = library.entry(FORM).form
    facts = [
        {
            "key": f"new-allergy-{number}",
            "kind": "allergy",
            "label": f"{mark}-new-allergy-{number}",
            "detail": f"{mark}-more",
            "source": None,
            "answer": "added",
            "change": {"text": f"{mark}-new-allergy-{number}", "more": f"{mark}-more"},
            "note": "",
        }
        for number in range(1, many + 1)
    ]
    response = {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "urn:previsit:response", "value": visit.id},
        "questionnaire": form.canonical,
        "status": "completed",
        "authored": now().isoformat(timespec="seconds"),
        "item": [
            {"linkId": "page-visit", "item": [{"linkId": "reason", "answer": [{"valueString": f"{mark}-reason"}]}]}
        ],
    }
    with transaction() as current:
        made = Submission(
            clinic_id=visit.clinic_id,
            visit_id=visit.id,
            patient_id=patient.id,
            round=1,
            reference=f"PV-{visit.id[:10]}",
            sent_at=now(),
            status=Status.SUBMITTED.value,
            document={
                "person": patient.person,
                "by": {"name": patient.person["name"], "account_id": "a" * 16, "language": "en"},
                "facts": facts,
                "sections": {"allergy": {"none_said_by_patient": False}},
                "responses": [response],
                "questionnaires": {form.canonical: form.raw},
                "consent_version_id": version,
            },
        )
        current.add(made)
        current.flush()
        current.add(
            SubmissionStatus(
                clinic_id=visit.clinic_id,
                submission_id=made.id,
                patient_id=patient.id,
                step=1,
                status=Status.SUBMITTED.value,
                at=now(),
                why={"by": patient.person["name"]},
            )
        )
    return made.id


def hold(clinic: Clinic, patient: Patient, submission_id: str, fhir_id: str, mark: str) -> str:
    """A delivery that stopped, with what the server said."""
    actor = system(clinic.id)
    resource = {
        "resourceType": "AllergyIntolerance",
        "identifier": [{"system": "urn:previsit", "value": submission_id}],
        "code": {"text": f"{mark}-delivered"},
        "patient": {"reference": f"Patient/{fhir_id}"},
    }
    payload = bundle_of(
        [create_entry(resource, "urn:uuid:00000000-0000-4000-8000-000000000001", ("urn:previsit", submission_id))]
    )
    with transaction():
        item = delivery.enqueue(
            actor, clinic_id=clinic.id, patient_id=patient.id, submission_id=submission_id, bundle=payload
        )
        ledger.append(
            item,
            Happened.HELD,
            at=now(),
            by=actor,
            reason=Reason.REFUSED,
            detail={"said": [f"{mark}-said"], "entries": []},
        )
    return item.id


def fingerprints(but: Iterable[str] = (), columns: Iterable[str] = ("sign_ins.seen_at",)) -> dict[str, str]:
    """A digest of every table's rows, but for these tables and columns: equal digests, nothing changed."""
    passed, unread = set(but), set(columns)
    with db.engine().connect() as connection:
        return {
            table.name: _digest(
                connection.execute(
                    select(
                        *(column for column in table.columns if f"{table.name}.{column.name}" not in unread)
                    ).order_by(*table.primary_key.columns)
                ).all()
            )
            for table in db.Base.metadata.sorted_tables
            if table.name not in passed
        }


def _digest(rows: Iterable[Any]) -> str:
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}
