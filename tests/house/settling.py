"""Settles one synthetic person in a clinic: what they said, what was sent, what is on hold, what the record says of them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from portal.accounts import service as accounts
from portal.accounts.models import Clinic, Patient
from portal.actors import Actor, system
from portal.audit import asking
from portal.audit import service as audit
from portal.clock import now
from portal.consent import service as consent
from portal.db import transaction
from portal.delivery import ledger
from portal.delivery import service as delivery
from portal.delivery.models import OutboxItem
from portal.delivery.states import Kind as Happened
from portal.delivery.states import Reason
from portal.ehr.models import RecordReading
from portal.emergency.models import Emergency
from portal.fhir.bundle import create_entry
from portal.fhir.bundle import transaction as bundle_of
from portal.intake import sending
from portal.intake.given import given
from portal.intake.models import CardPicture, Draft, Status, Submission, SubmissionStatus, Visit
from portal.labs import questions
from portal.labs import service as labs
from portal.library import service as library
from portal.notices import service as notices
from portal.questionnaire.signing import Signed
from portal.review.models import TieDecision, TieVerdict
from tests import make
from tests.house.helping import helped
from tests.house.reading import Page
from tests.house.records import readings
from tests.house.signing_in import asked_who_they_are, connected, tied, ways_in

FORM = "health-history"
SIGNED = "consent-to-treatment"
Json = dict[str, Any]


def settle(clinic: Clinic, connection_id: str, owner: str, mark: str, many: int) -> tuple[str, dict[str, str]]:
    """One person with an open visit, a visit that was sent, its delivery on hold, and results: their account, and their things."""
    patient = make.patient(
        clinic,
        f"{mark}-name",
        connection_id=connection_id,
        fhir_id=owner,
        phone=f"{mark}-telephone",
        email="x@example.org",
    )
    account_id = make.patient_account(patient, f"{owner}@example.org").id
    actor = make.patient_actor(patient, account_id)
    read(patient, connection_id, owner, mark, many)
    visits = [make.visit(patient, in_days=1 + number, appointment_id=f"{owner}-{number}") for number in range(many)]
    sent = [make.visit(patient, in_days=2 + number, appointment_id=f"{owner}-sent-{number}") for number in range(many)]
    version = give(actor, visits[0])
    signed(visits[0], mark)
    connected(actor, connection_id, owner)
    submissions = [send(visit, patient, mark, version, many) for visit in sent]
    held = hold(clinic, patient, submissions[0], owner, mark)
    for submission_id in submissions[1:]:
        accept(clinic, submission_id, owner, mark)
    overview = labs.results(actor)
    place = overview.place_of(overview.reports[0][1].rows[0])
    question, _ = questions.ask(actor, place, f"What does {mark} mean?", consent.Policy.BASIC_NORMAL)
    assert question
    asked = next(each for each in library.asked(clinic.id) if each.slug == FORM)
    return account_id, {
        "visit": visits[0].id,
        "sent": sent[0].id,
        "submission": submissions[0],
        "consent": version,
        "item": held,
        "report": overview.reports[0][0],
        "trend": next(iter(overview.trends.values())),
        "result": place,
        "paper": next(iter(overview.papers)),
        "question": question.id,
        "entry": (entry := audit.who_looked(actor)[0].id),
        "audit question": asked_who_looked(actor, entry, mark),
        "connection": connection_id,
        "launch": asked_who_they_are(connection_id, owner),
        "tie": tied(connection_id, owner),
        "invitation": accounts.invite(system(clinic.id), make.patient(clinic, f"{mark}-invited").id, 14).token,
        "clinic": clinic.slug,
        "patient": patient.id,
        "correction": wrongly_tied(patient, mark),
        "stop": notices.stop_token(patient.id),
        **helped(patient),
        **ways_in(clinic.id, patient.id),
        "emergency": opened_in_an_emergency(patient, account_id, mark),
        "file": given({"item": [card(mark)]})[0].mark,
        "card": pictured(visits[0], mark),
        "form": asked.form_id,
        "form version": asked.version_id,
    }


def wrongly_tied(patient: Patient, mark: str) -> str:
    """A tie of this person that was taken back after something had gone to the wrong record."""
    written = {"type": "AllergyIntolerance", "reference": f"AllergyIntolerance/{mark}", "made": True, "what": mark}
    detail = {"by": "Dr Lee", "reason": f"not {mark}", "record": "Patient/other", "fields": {}, "seen": []}
    with transaction() as current:
        made = TieDecision(
            clinic_id=patient.clinic_id,
            patient_id=patient.id,
            verdict=TieVerdict.UNDO.value,
            at=now(),
            left=1,
            detail={**detail, "written": [written]},
        )
        current.add(made)
        current.flush()
        return made.id


def asked_who_looked(actor: Actor, entry: str, mark: str) -> str:
    """A question to the privacy officer about a line of "who looked"."""
    asking.ask(actor, entry, f"Why did somebody open {mark}?")
    return asking.of_patient(actor)[0].id


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


def opened_in_an_emergency(patient: Patient, account_id: str, mark: str) -> str:
    """An emergency of yesterday that nobody has checked."""
    began = now() - timedelta(days=1)
    with transaction() as current:
        made = Emergency(
            clinic_id=patient.clinic_id,
            account_id=account_id,
            patient_id=patient.id,
            session_id="0" * 16,
            began_at=began,
            until=began + timedelta(hours=1),
            ended_at=began + timedelta(minutes=5),
            detail={"who": "Dr Lee", "reason": f"{mark}-emergency", "checked_by": None, "finding": None},
        )
        current.add(made)
    return made.id


def signed(visit: Visit, mark: str) -> None:
    """A form that the person has signed."""
    asked = next(each for each in library.asked(visit.clinic_id) if each.slug == SIGNED)
    mine = Signed(
        f"{mark}-typed", f"{mark}-name", "a" * 16, now().isoformat(), "self", "en", f"{mark}-words", "0" * 64, "0"
    )
    response = {"resourceType": "QuestionnaireResponse", "item": [card(mark)]}
    document = {"canonical": asked.url, "version_id": asked.version_id, "touched": [], "complete": True}
    with transaction() as current:
        current.add(
            Draft(
                clinic_id=visit.clinic_id,
                visit_id=visit.id,
                patient_id=visit.patient_id,
                task=f"form:{SIGNED}",
                form_version_id=asked.version_id,
                version=1,
                saved_at=now(),
                document={**document, "signed": asdict(mine)},
                response=response,
            )
        )


def card(mark: str) -> Json:
    """A question that was answered with a file."""
    data = b64encode(f"The card of {mark}".encode()).decode()
    file = {"contentType": "text/plain", "title": f"{mark}-card.txt", "data": data}
    return {"linkId": "card", "answer": [{"valueAttachment": file}]}


def pictured(visit: Visit, mark: str) -> str:
    """A picture of an insurance card, as it is kept."""
    with transaction() as current:
        made = CardPicture(
            clinic_id=visit.clinic_id,
            patient_id=visit.patient_id,
            visit_id=visit.id,
            given_at=now(),
            about={"side": "front", "by": mark, "size": 1, "hash": ""},
            picture=b64encode(f"The front of {mark}".encode()).decode(),
        )
        current.add(made)
        current.flush()
        return made.id


def begin_form(client: FlaskClient, visit_id: str, mark: str) -> None:
    """The first page of the health history with an answer in the person's own words, as a browser posts it."""
    path = client.get(f"/visits/{visit_id}/forms/{FORM}").location
    shown = client.get(path)
    assert shown.status_code == 200, f"{path}: {shown.status}"
    sheet = max(Page(shown.get_data(as_text=True)).posts(), key=lambda form: len(form.typed))
    own_words = next(name for name in sheet.typed if name != "csrf_token")
    answer = client.post(path, data=MultiDict(sheet.filled(**{own_words: f"{mark}-answer", "step": "later"})))
    assert answer.status_code == 303, answer.get_data(as_text=True)


def send(visit: Visit, patient: Patient, mark: str, version: str, many: int = 1) -> str:
    """A submission of this visit: something new, in the person's own words, and a form."""
    asked = next(each for each in library.asked(visit.clinic_id) if each.slug == FORM)
    form = library.compiled(visit.clinic_id, asked.version_id, None)
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
            {"linkId": "page-visit", "item": [{"linkId": "reason", "answer": [{"valueString": f"{mark}-reason"}]}]},
            card(mark),
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
    with transaction():
        item = queue(actor, patient.id, submission_id, fhir_id, mark)
        said = {"said": [f"{mark}-said"], "entries": []}
        ledger.append(item, Happened.HELD, at=now(), by=actor, reason=Reason.REFUSED, detail=said)
    return item.id


def accept(clinic: Clinic, submission_id: str, fhir_id: str, mark: str) -> None:
    """A submission that was accepted and waits to be delivered."""
    actor = system(clinic.id)
    with transaction() as current:
        submission = current.get_one(Submission, submission_id)
        queue(actor, submission.patient_id, submission_id, fhir_id, mark)
        sending.move(actor, submission, Status.ACCEPTED)


def queue(actor: Actor, patient_id: str, submission_id: str, fhir_id: str, mark: str) -> OutboxItem:
    resource = {
        "resourceType": "AllergyIntolerance",
        "identifier": [{"system": "urn:previsit", "value": submission_id}],
        "code": {"text": f"{mark}-delivered"},
        "patient": {"reference": f"Patient/{fhir_id}"},
    }
    address = "urn:uuid:00000000-0000-4000-8000-000000000001"
    payload = bundle_of([create_entry(resource, address, ("urn:previsit", submission_id))])
    return delivery.enqueue(
        actor, clinic_id=actor.clinic_id, patient_id=patient_id, submission_id=submission_id, bundle=payload
    )
