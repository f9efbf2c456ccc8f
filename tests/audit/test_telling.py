"""The trail as FHIR: every event of the closed list, of every kind of person and outcome, is an AuditEvent by R4 and by BALP."""

from __future__ import annotations

import copy
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle

from portal.accounts.models import Clinic
from portal.actors import Purpose, Role, system
from portal.audit import exporting, telling
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.audit.meanings import DECIDED, MEANS
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import DataKey, close, session, transaction
from portal.errors import NotAllowed
from portal.fhir import exact
from tests import make
from tests.audit import balp

SITE = telling.Site("https://intake.example.org")
WHO = ((Role.SYSTEM, None), (Role.CLINICIAN, "a" * 16), (Role.PATIENT, "b" * 16), (Role.PROXY, "f" * 16))
SUBJECTS = (
    "submissions:0123456789abcdef",
    "patients:0123456789abcdef",
    "queue:review",
    "page:review.desk",
    "accounts:",
)
DETAILS: tuple[dict[str, Any], ...] = (
    {},
    {"basis": ["abc-care/3 provision[0] deny", "abc-care/2 root permit"], "why": "token"},
    {"basis": ["https://example.org/Policy-deny"], "why": "é\x07 not a code"},
)


@pytest.fixture(scope="module")
def told() -> list[tuple[AuditRow, dict[str, Any]]]:
    """Every event × who × about whom × outcome, told without a database."""
    rows = []
    for (number, event), (role, account), patient, outcome in product(enumerate(Event), WHO, (None, "c" * 16), Outcome):
        row = _Row(number, event, role, account, patient, outcome)
        rows.append((row, telling.event(row, SITE)))  # type: ignore[arg-type]
    return rows  # type: ignore[return-value]


class _Row:
    def __init__(
        self, number: int, event: Event, role: Role, account: str | None, patient: str | None, outcome: Outcome
    ) -> None:
        self.id, self.clinic_id, self.seq, self.hash = f"{number:016x}", "d" * 16, number + 1, "0" * 64
        self.recorded_at, self.event, self.outcome, self.role = now(), event.value, outcome.value, role.value
        self.account_id, self.patient_id, self.purpose = account, patient, list(Purpose)[number % len(Purpose)].value
        self.subject, self.request_id = SUBJECTS[number % len(SUBJECTS)], "e" * 32 if number % 2 else None
        self.detail = {"who": "Dr Canary Lee", **DETAILS[number % len(DETAILS)]}


def test_every_event_means_something_in_fhir() -> None:
    assert set(MEANS) == set(Event)


def test_every_event_is_an_audit_event_and_follows_its_pattern(told: list[Any]) -> None:
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row, event in told:
        assert balp.problems(event) == [], (row.event, row.role, row.patient_id, row.outcome)
        seen.setdefault((str(event["type"]), row.role, row.patient_id is None, row.outcome), event)
    assert len(told) == len(Event) * 24
    for event in seen.values():  # one of each shape: building R4's own model of all would take half a minute
        AuditEvent.model_validate_json(exact.dumps(event))


def test_what_succeeded_claims_its_pattern_and_what_failed_claims_none(told: list[Any]) -> None:
    for row, event in told:
        meaning, claimed = MEANS[Event(row.event)], event.get("meta", {}).get("profile", [])
        if meaning is DECIDED:
            continue
        wanted = meaning.profile is not None and row.outcome == "0"
        if meaning.profile != "PrivacyDisclosure.Source":
            assert bool(claimed) is wanted, row.event
            assert not wanted or ("Patient" in claimed[0]) is (row.patient_id is not None)


def test_no_name_and_no_words_leave_with_it(told: list[Any]) -> None:
    assert not any("Canary" in exact.dumps(event) for _, event in told)


def test_the_rules_notice_what_is_wrong(told: list[Any]) -> None:
    """Each rule of the checker fails when what it asks for is taken away."""
    read = next(event for row, event in told if row.event == "visit-seen" and row.account_id and row.patient_id)
    for spoil in (
        lambda event: event["agent"].pop(0),
        lambda event: event["agent"].pop(1),
        lambda event: event["agent"][0].pop("network"),
        lambda event: event["entity"].pop(0),
        lambda event: event.update(action="U"),
        lambda event: event.update(outcome="8"),
        lambda event: event["subtype"].pop(0),
        lambda event: event["source"].pop("observer"),
        lambda event: event["agent"][0].update(requestor=True),
        lambda event: event["entity"][0].update(query="eA==", name="x"),
        lambda event: event["meta"].update(profile=["https://example.org/none"]),
    ):
        spoiled = copy.deepcopy(read)
        spoil(spoiled)
        assert balp.problems(spoiled)


def test_days_are_exported_whole_once_and_audited(app: object) -> None:
    clinic = make.clinic(forms=())
    patient = make.patient(clinic)
    make.patient_account(patient)
    officer = make.staff_actor(make.staff(clinic, Role.PRIVACY_OFFICER))
    before = {row.id for row in session().query(AuditRow)}
    today = now().date()
    events = list(exporting.events(officer, SITE, today - timedelta(days=1), today + timedelta(days=1)))
    assert before <= {each["id"] for each in events} and len({each["id"] for each in events}) == len(events)
    assert all(balp.problems(each) == [] for each in events)
    assert [
        each for each in exporting.events(officer, SITE, today - timedelta(days=9), today - timedelta(days=8))
    ] == []
    close()  # what was noted apart is seen by a new look
    assert session().query(AuditRow).filter(AuditRow.event == Event.AUDIT_EXPORTED.value).count() == 2
    Bundle.model_validate_json(exact.dumps(exporting.bundle(iter(events))))
    clinic = session().get_one(Clinic, officer.clinic_id)
    with pytest.raises(NotAllowed):
        list(exporting.events(make.staff_actor(make.staff(clinic)), SITE, today, today))


def test_events_of_an_erased_person_are_told_without_their_words(app: object) -> None:
    clinic_id = make.clinic(forms=()).id
    patient_id = make.patient(session().get_one(Clinic, clinic_id)).id
    with transaction() as current:
        subject = f"patients:{patient_id}"
        audit.record(system(clinic_id), Event.RECORD_READ, subject=subject, patient_id=patient_id, detail={"x": 1})
        current.delete(current.get_one(DataKey, patient_id))
    close()
    events = list(exporting.events(system(clinic_id), SITE, now().date(), now().date()))
    told = [each for each in events if "record-read" in exact.dumps(each)]
    assert len(told) == 1 and balp.problems(told[0]) == []
