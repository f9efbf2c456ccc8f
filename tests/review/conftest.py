"""A clinic with its desk: staff, a patient tied to a record that has been read, and a submission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.accounts.models import Account, Clinic, Patient
from portal.actors import Actor, Role, system
from portal.clock import now
from portal.consent import service as consent
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.ehr.models import RecordReading
from portal.intake.models import Status, Submission, SubmissionStatus, Visit
from portal.review.record import KINDS
from portal.review.service import Desk
from portal.settings import Settings
from tests import make
from tests.review.builders import HELD, Json

DESK = Desk(timedelta(minutes=15), "basic-normal")
CANONICAL = "https://clinic.example/Questionnaire/history|1.0"
QUESTIONNAIRE: Json = {
    "resourceType": "Questionnaire",
    "url": "https://clinic.example/Questionnaire/history",
    "version": "1.0",
    "status": "active",
    "title": "Health history",
    "item": [{"linkId": "smoke", "text": "Do you smoke?", "type": "boolean"}],
}
RESPONSE: Json = {
    "resourceType": "QuestionnaireResponse",
    "identifier": {"system": "urn:previsit:response", "value": "6a1f0d5e-0000-5000-8000-000000000001"},
    "questionnaire": CANONICAL,
    "status": "completed",
    "authored": "2026-11-20T09:30:00+00:00",
    "item": [{"linkId": "smoke", "text": "Do you smoke?", "answer": [{"valueBoolean": True}]}],
}


@dataclass
class World:
    """One clinic, its people and what they may do in a test."""

    app: Flask
    enter: Callable[..., FlaskClient]
    clinic_id: str
    patient_id: str
    visit_id: str
    connection_id: str
    accounts: dict[Role, str]
    rounds: dict[str, int] = field(default_factory=dict)

    @property
    def clinic(self) -> Clinic:
        return session().get_one(Clinic, self.clinic_id)

    @property
    def patient(self) -> Patient:
        return session().get_one(Patient, self.patient_id)

    @property
    def visit(self) -> Visit:
        return session().get_one(Visit, self.visit_id)

    @property
    def connection(self) -> ehr.Connection:
        return session().get_one(ehr.Connection, self.connection_id)

    def actor(self, role: Role = Role.CLINICIAN) -> Actor:
        return make.staff_actor(session().get_one(Account, self.accounts[role]))

    def signed_in(self, role: Role = Role.CLINICIAN) -> FlaskClient:
        return self.enter(f"{role.value}@example.org")

    def record(self, **sections: tuple[Json, ...]) -> None:
        """What the clinic's record says, as just read."""
        with transaction() as current:
            for name, held in {**HELD, **sections}.items():
                kind = KINDS[name].value
                row = current.query(RecordReading).filter_by(patient_id=self.patient.id, kind=kind).one_or_none()
                if row is None:
                    row = RecordReading(
                        clinic_id=self.clinic.id,
                        patient_id=self.patient.id,
                        connection_id=self.connection.id,
                        fhir_id=self.patient.fhir_id,
                        kind=kind,
                        complete=True,
                        tried_at=now(),
                    )
                    current.add(row)
                row.read_at, row.document = now(), {"resources": list(held), "beside": []}

    def submit(self, *facts: Json, patient: Patient | None = None, visit: Visit | None = None, **more: Any) -> str:
        """A submission with these facts; its id."""
        patient, visit = patient or self.patient, visit or self.visit
        document = {
            "person": patient.person,
            "by": {"name": patient.person["name"], "account_id": "a" * 16, "language": "en"},
            "facts": list(facts),
            "sections": {"allergy": {"none_said_by_patient": False}},
            "responses": [RESPONSE],
            "questionnaires": {CANONICAL: QUESTIONNAIRE},
            "consent_version_id": self.consent(patient, visit),
            **more,
        }
        round = self.rounds[visit.id] = self.rounds.get(visit.id, 0) + 1
        with transaction() as current:
            made = Submission(
                clinic_id=self.clinic.id,
                visit_id=visit.id,
                patient_id=patient.id,
                round=round,
                reference=f"PV-{visit.id[:8]}-{round}",
                sent_at=now(),
                status=Status.SUBMITTED.value,
                document=document,
            )
            current.add(made)
            current.flush()
            current.add(self._sent(made))
        return made.id

    def consent(self, patient: Patient, visit: Visit) -> str:
        """The patient lets the clinic use everything."""
        answers = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "open"}
        actor = make.patient_actor(patient, "a" * 16)
        shown = consent.sheet_for(actor, "en")
        given = consent.give(actor, answers, language="en", seen=shown.sha256, visit_id=visit.id)
        assert given.version, given.issues
        return given.version.id

    def _sent(self, made: Submission) -> SubmissionStatus:
        return SubmissionStatus(
            clinic_id=self.clinic.id,
            submission_id=made.id,
            patient_id=made.patient_id,
            step=1,
            status=Status.SUBMITTED.value,
            at=made.sent_at,
            why={"by": "patient"},
        )


@pytest.fixture
def world(config: Settings, sign_in: Callable[..., FlaskClient], app: Flask) -> Iterator[World]:
    db.Base.metadata.create_all(db.engine())
    clinic = make.clinic()
    connection = ehr.register(
        system(clinic.id), name="Riverside record", base_url="http://127.0.0.1:8799/fhir", client_id="previsit"
    )
    patient = make.patient(clinic, "Adaeze Okafor", connection_id=connection.id, fhir_id="7")
    staff = {role: make.staff(clinic, role, name) for role, name in NAMES.items()}
    accounts = {role: account.id for role, account in staff.items()}
    made = World(app, sign_in, clinic.id, patient.id, make.visit(patient).id, connection.id, accounts)
    made.record()
    yield made


NAMES = {Role.FRONT_DESK: "Sam Taylor", Role.CLINICIAN: "Dr Lee", Role.ADMINISTRATOR: "Jo Park"}
