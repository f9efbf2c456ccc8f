"""The world of F9: two people, one keeps labelled answers back; what every way out of the house says of them."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import pytest

from portal import db
from portal.actors import Role
from portal.audit.models import AuditRow
from portal.clock import now
from portal.consent import redaction
from portal.consent import service as consent
from portal.consent.models import ConsentVersion
from portal.db import session, transaction
from portal.delivery.models import OutboxItem
from portal.intake.models import CardPicture, Status, Submission, SubmissionStatus
from portal.labs import questions
from portal.labs import service as labs
from portal.library import service as library
from tests import make
from tests.consent.make import label
from tests.labs.make import LOINC, observation
from tests.labs.test_questions import keep, make_connection

LABELS = ("PSY", "ETH", "ETHUD", "OPIOIDUD", "SDV", "SEX", "HIV", "MH")
KEEPS = {"share": "yes", "sensitive": "no", "results": "yes", "research": "yes", "until": "open"}
POLICY = consent.Policy.BASIC_NORMAL
EXTRACT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"
CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
URL = "https://example.org/f9"
LAUNCH = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-launchContext"
INITIAL = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression"
STAFF = {
    Role.CLINICIAN: "clinician@example.org",
    Role.FRONT_DESK: "front-desk@example.org",
    Role.ADMINISTRATOR: "administrator@example.org",
    Role.PRIVACY_OFFICER: "privacy-officer@example.org",
}


def canary(name: str, what: str) -> str:
    return f"canary-{name}-{what}"


def form() -> dict[str, Any]:
    asked: list[dict[str, Any]] = [{"linkId": "plain", "type": "string", "text": "Anything else?"}]
    for name in LABELS:
        marked = [{"url": redaction.INLINE_LABEL, "valueCoding": label(name)}]
        code = [{"system": LOINC, "code": "72133-2", "display": canary(name, "code")}]
        secret = {"linkId": f"secret-{name}", "type": "string", "text": canary(name, "question"), "code": code}
        asked.append({**secret, "extension": [*marked, {"url": EXTRACT, "valueBoolean": True}]})
        when = [{"question": f"secret-{name}", "operator": "exists", "answerBoolean": True}]
        asked.append({"linkId": f"then-{name}", "type": "string", "text": canary(name, "then"), "enableWhen": when})
        path = f"%resource.item.where(linkId = 'secret-{name}').answer.count() + 4711"
        sum_of = {"language": "text/fhirpath", "expression": path}
        total = {"linkId": f"total-{name}", "type": "integer", "text": canary(name, "total"), "readOnly": True}
        asked.append({**total, "extension": [{"url": CALCULATED, "valueExpression": sum_of}]})
    return {
        "resourceType": "Questionnaire",
        "url": URL,
        "version": "1",
        "name": "F9",
        "title": "About you",
        "status": "active",
        "item": asked,
    }


def response(answered: bool) -> dict[str, Any]:
    said: list[dict[str, Any]] = [{"linkId": "plain", "answer": [{"valueString": "Nothing else"}]}]
    for name in LABELS if answered else ():
        said.append({"linkId": f"secret-{name}", "answer": [{"valueString": canary(name, "answer")}]})
        said.append({"linkId": f"then-{name}", "answer": [{"valueString": canary(name, "dependent")}]})
        said.append({"linkId": f"total-{name}", "answer": [{"valueInteger": 4712}]})
    whole = {"resourceType": "QuestionnaireResponse", "questionnaire": f"{URL}|1", "status": "completed"}
    text = {"text": {"status": "generated", "div": "".join(canary(name, "narrative") for name in LABELS)}}
    return {**whole, "authored": "2026-11-22T08:00:00Z", "item": said, **(text if answered else {})}


@dataclass
class Person:
    patient_id: str
    submission_id: str
    question_ids: list[str]
    visit_id: str
    account_id: str
    address: str | None
    """of a result on the patient's own pages"""


@dataclass
class World:
    app: Any
    clinic_id: str
    enter: Any
    keeper: Person
    silent: Person
    """who never answered what the other keeps back"""


@pytest.fixture
def world(app, sign_in) -> World:
    clinic = make.clinic(forms=())
    connection = make_connection(clinic)
    make.ask(clinic.id, json.dumps(form()).encode(), "f9.json")
    for role, email in STAFF.items():
        make.staff(clinic, role, role.value, email)
    keeper = _person(clinic, connection, "keeper", answered=True)
    silent = _person(clinic, connection, "silent", answered=False)
    clinic_id = clinic.id
    db.close()
    return World(app, clinic_id, sign_in, keeper, silent)


def _person(clinic, connection: str, name: str, *, answered: bool) -> Person:
    patient = make.patient(clinic, name, connection_id=connection, fhir_id="ana" if answered else "ben")
    me = make.patient_actor(patient, make.patient_account(patient, f"{name}@example.org").id)
    keep(patient, connection, _results() if answered else [], fhir_id=patient.fhir_id)
    visit = make.visit(patient, appointment_id=name)
    open_to_all = {**KEEPS, "sensitive": "yes"}
    asked, address = [], None
    if answered:
        _choose(me, open_to_all)
        overview = labs.results(me)
        address = overview.reports[0][0]
        for place in sorted({overview.place_of(row) for _, report in overview.reports for row in report.rows}):
            made, issues = questions.ask(me, place, canary(LABELS[len(asked)], "words"), POLICY)
            assert made, issues
            asked.append(made.id)
    version = _choose(me, KEEPS, visit.id)
    submission_id = _submission(visit, patient, response(answered), version)
    if answered:
        _picture(visit)
    return Person(patient.id, submission_id, asked, visit.id, str(me.account_id), address)


def _picture(visit) -> None:
    """Of an insurance card that was not sent: the patient's own to look at."""
    with transaction() as current:
        current.add(
            CardPicture(
                clinic_id=visit.clinic_id,
                patient_id=visit.patient_id,
                visit_id=visit.id,
                given_at=now(),
                about={"side": "front"},
                picture=b64encode(canary("card", "value").encode()).decode(),
            )
        )


def _results() -> list[dict[str, Any]]:
    subject = {"reference": "Patient/ana"}
    return [
        {
            **observation(name, code=f"{number}-1", name=canary(name, "test"), subject=subject, valueString=canary(name, "value")),
            "meta": {"security": [label(name)]},
        }
        for number, name in enumerate(LABELS)
    ]  # fmt: skip


def _choose(me, chosen: dict[str, str], visit_id: str | None = None) -> str:
    shown = consent.sheet_for(me, "en")
    given = consent.give(me, chosen, language="en", seen=shown.sha256, visit_id=visit_id)
    assert given.version, given.issues
    return given.version.id


def _submission(visit, patient, said: dict[str, Any], version: str) -> str:
    asked = next(iter(library.asked(visit.clinic_id)))
    compiled = library.compiled(visit.clinic_id, asked.version_id, None)
    with transaction() as current:
        made = Submission(
            clinic_id=visit.clinic_id,
            visit_id=visit.id,
            patient_id=patient.id,
            round=1,
            reference=f"PV-F9F9-{visit.id[:4].upper()}",
            sent_at=now(),
            status=Status.SUBMITTED.value,
            document={
                "person": patient.person,
                "by": {"name": patient.person["name"], "account_id": "a" * 16, "language": "en"},
                "facts": [],
                "sections": {},
                "responses": [{**said, "identifier": {"system": "urn:previsit:response", "value": visit.id}}],
                "questionnaires": {compiled.canonical: compiled.raw},
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
                why={"by": "x"},
            )
        )
    return made.id


def parts(world: World, person: Person) -> dict[str, str | None]:
    """What each part of an address may name of this person; None for what is nobody's or cannot be theirs. A page with a part
    that is not listed here fails the test: it is a new way out, and this is the place to say what stands there."""
    return {
        "submission_id": person.submission_id,
        "visit_id": person.visit_id,
        "patient_id": person.patient_id,
        "question_id": person.question_ids[0] if person.question_ids else None,
        "item_id": _id_of(OutboxItem, person),
        "entry_id": _id_of(AuditRow, person),
        "version_id": _id_of(ConsentVersion, person),
        "card_id": _id_of(CardPicture, person),
        "address": person.address,
        "slug": "f9",
        "mark": "0" * 16,
        "account_id": person.account_id,
        "key": "medication",
        "page_key": "f9",
        **dict.fromkeys(
            ("connection_id", "emergency_id", "form_id", "grant_id", "launch_id", "tie_id", "token", "topic")
        ),
    }


def _id_of(model: Any, person: Person) -> str | None:
    found = session().query(model).filter_by(patient_id=person.patient_id).first()
    return str(found.id) if found else None


def ways_out(world: World, person: Person) -> dict[str, str]:
    """endpoint → address, of every page there is that can be opened with what is this person's."""
    held = parts(world, person)
    adapter = world.app.url_map.bind("localhost")
    rules = [rule for rule in world.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    assert {part for rule in rules for part in rule.arguments} <= set(held), "a new part of an address"
    open_to = [rule for rule in rules if all(held[part] is not None for part in rule.arguments)]
    found = {
        rule.endpoint: adapter.build(rule.endpoint, {part: held[part] for part in rule.arguments}) for rule in open_to
    }
    more = {"list": "/desk?show=all", "search": f"/desk?show=all&patient={person.patient_id}"}
    more |= {f"{state} questions": f"/desk/questions?show={state}" for state in ("answered", "closed")}
    more |= {f"question {number}": f"/desk/questions/{each}" for number, each in enumerate(person.question_ids)}
    return found | more


def leaks(text: str) -> list[str]:
    """Canaries of the person, and the total that counts a hidden answer (4712). The form's own words are everybody's: that
    they stand on a page tells nothing, as the page of a person who never answered shows them too."""
    found = set(re.findall(r"canary-\w+-(?:answer|dependent|narrative|words|value|test)", text))
    return sorted(found | set(re.findall(r"\b4712\b", text)))
