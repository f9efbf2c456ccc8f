"""A patient with a record that has been read, two visits, and somebody who confirms: for the tests of confirming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from portal.accounts.models import Patient
from portal.actors import system
from portal.clock import now
from portal.consent import service as consent
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.ehr.models import Connection, ConnectionState, RecordReading
from portal.intake import asking, block_page, confirming, sending
from portal.intake.block_page import Said, SectionPage
from portal.intake.confirming import Saved
from portal.intake.models import Submission, Visit
from portal.intake.sections import SECTIONS
from tests import make

Json = dict[str, Any]
AGE = timedelta(hours=1)
CHOICES = {"share": "yes", "sensitive": "yes", "emergency": "yes", "results": "yes", "research": "no", "until": "open"}
NOTHING = dict.fromkeys(SECTIONS, "none")
"""Whatever is asked about, there is none."""
OURS = {"reference": "Patient/p1"}
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "3"},
    "telecom": [
        {"system": "phone", "use": "mobile", "value": "555 0100"},
        {"system": "email", "value": "a@example.org"},
    ],
    "contact": [
        {
            "name": {"text": "Diego Morales"},
            "relationship": [{"text": "Husband"}],
            "telecom": [{"system": "phone", "value": "555 0116"}],
        }
    ],
}
METFORMIN: Json = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "subject": OURS,
    "medicationCodeableConcept": {"text": "Metformin"},
    "dosageInstruction": [{"text": "one in the morning"}],
    "authoredOn": "2019-05-20",
    "requester": {"display": "Dr Okoro"},
}
PENICILLIN: Json = {
    "resourceType": "AllergyIntolerance",
    "id": "a1",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Penicillin"},
    "patient": OURS,
}
APPENDIX: Json = {
    "resourceType": "Procedure",
    "id": "o1",
    "status": "completed",
    "subject": OURS,
    "code": {"text": "Appendix"},
    "performedDateTime": "2003-07",
}
RECORD = (PATIENT, METFORMIN, PENICILLIN, APPENDIX)
CONNECTION = "http://127.0.0.1:9/fhir"
"""Nobody is there: everything that is to be known has been read."""


class Home:
    """`resources` are on the record, as just read; whatever else was looked for is not there."""

    def __init__(self, *resources: Json) -> None:
        clinic = make.clinic(forms=())
        self.connection = _connection(clinic.id)
        ana = make.patient(clinic, connection_id=self.connection, fhir_id="p1")
        make.patient_account(ana)
        self.patient_id, self.me = ana.id, make.patient_actor(ana, "a" * 16)
        self.visit = make.visit(ana, in_days=1)
        self.path = f"/visits/{self.visit.id}/confirm"
        self.records(*resources)

    @property
    def ana(self) -> Patient:
        return session().get_one(Patient, self.patient_id)

    @property
    def visit(self) -> Visit:
        """The one that is being prepared, whatever session is open."""
        return session().get_one(Visit, self._visit_id)

    @visit.setter
    def visit(self, of: Visit) -> None:
        self._visit_id = of.id

    def records(self, *resources: Json) -> None:
        with transaction() as current:
            current.query(RecordReading).delete()
            for kind in ehr.Kind:
                held = [each for each in resources if each["resourceType"] in _TYPES[kind]]
                current.add(
                    RecordReading(
                        clinic_id=self.ana.clinic_id,
                        patient_id=self.ana.id,
                        connection_id=self.connection,
                        fhir_id="p1",
                        kind=kind.value,
                        complete=True,
                        tried_at=now(),
                        read_at=now(),
                        document={"resources": held, "beside": []},
                    )
                )

    def page(self, key: str, visit: Visit | None = None, again: tuple[str, ...] = ()) -> SectionPage:
        return confirming.page(self.me, visit or self.visit, key, AGE, again=again)

    def says(self, key: str, said: Said, visit: Visit | None = None, again: tuple[str, ...] = ()) -> Saved:
        of, seen = visit or self.visit, self.page(key, visit, again).version
        return confirming.save(self.me, of.id, key, said, seen, AGE, again=again)

    def all_right(
        self,
        visit: Visit | None = None,
        answers: Mapping[str, str] | None = None,
        typed: Mapping[str, Any] | None = None,
    ) -> None:
        """Through every page that is open: still right, but for `answers` by label, with what was `typed`."""
        of = visit or self.visit
        for _ in range(10):
            key = confirming.first_open(self.me, of, AGE)
            if key is None or self.done(of):
                return
            lines = {line.name: line.label for line in self.page(key, of).lines}
            chosen = {name: (answers or {}).get(label, "same") for name, label in lines.items()}
            changes = {name: (typed or {}).get(label, {}) for name, label in lines.items()}
            saved = self.says(key, Said(chosen, changes, any=NOTHING), of)
            assert not saved.issues, saved.issues
        raise AssertionError("the pages do not end")

    def done(self, visit: Visit | None = None) -> bool:
        return next(each for each in sending.tasks(self.me, visit or self.visit) if each.kind == "facts").settled

    def sends(self, visit: Visit | None = None) -> Submission:
        of, shown = visit or self.visit, consent.sheet_for(self.me, "en").sha256
        assert consent.give(self.me, CHOICES, language="en", seen=shown, visit_id=of.id).version
        made = sending.submit(self.me, of.id, "en", AGE)
        assert made.submission, made.missing
        return made.submission


_TYPES: dict[ehr.Kind, set[str]] = {
    ehr.Kind.PATIENT: {"Patient"},
    ehr.Kind.MEDICATIONS: {"MedicationRequest", "MedicationStatement"},
    ehr.Kind.ALLERGIES: {"AllergyIntolerance"},
    ehr.Kind.CONDITIONS: {"Condition"},
    ehr.Kind.COVERAGE: {"Coverage"},
    ehr.Kind.RELATED: {"RelatedPerson"},
    ehr.Kind.PROCEDURES: {"Procedure"},
    ehr.Kind.IMMUNIZATIONS: {"Immunization"},
    ehr.Kind.FAMILY: {"FamilyMemberHistory"},
    ehr.Kind.TEAM: {"CareTeam"},
} | {kind: set() for kind in (ehr.Kind.APPOINTMENTS, ehr.Kind.LABS, ehr.Kind.VITALS, ehr.Kind.SURVEYS)}


def _connection(clinic_id: str) -> str:
    made = Connection(
        clinic_id=clinic_id, name="Riverside", base_url=CONNECTION, client_id="x", auth_origins=[], made_at=now()
    )
    with transaction() as current:
        current.add(made)
        current.flush()
        state = {"connection_id": made.id, "number": 1, "state": "active", "at": now(), "why": ""}
        current.add(ConnectionState(clinic_id=clinic_id, **state))
    return made.id


def rule(home: Home, **changes: tuple[str, int]) -> None:
    """The clinic asks these blocks so."""
    blocks = {**asking.usual().blocks, **{key: asking.Rule(*change) for key, change in changes.items()}}
    asking.set_asked(system(home.ana.clinic_id), replace(asking.usual(), blocks=blocks))


def lines(home: Home, key: str) -> dict[str, block_page.FactLine]:
    return {line.label: line for line in home.page(key).lines}
