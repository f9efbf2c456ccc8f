"""One labelled canary for each label, looked for in everything that the gate lets through (bar 92, 94)."""

import json
from threading import Barrier, Thread
from types import SimpleNamespace

import pytest

from portal.actors import Role
from portal.consent import redaction, service
from portal.db import close
from portal.fhir import exact
from tests import make
from tests.consent.make import label

LABELS = ("PSY", "ETH", "ETHUD", "OPIOIDUD", "SDV", "SEX", "HIV", "MH")
CHOSEN = {"share": "yes", "sensitive": "no", "results": "yes", "research": "yes", "until": "open"}
POLICY = service.Policy.ALL_AUTHORIZED


def canary(name):
    return f"canary-{name}-7f3a"


def observation(name):
    return {"resourceType": "Observation", "id": name, "meta": {"security": [label(name)]}, "valueString": canary(name)}


def form(name):
    marked = [{"url": redaction.INLINE_LABEL, "valueCoding": label(name)}]
    asked = [
        {"linkId": "plain", "type": "string"},
        {"linkId": f"link-{canary(name)}", "type": "string", "extension": marked},
    ]
    return {"resourceType": "Questionnaire", "status": "active", "item": asked}


def response(name):
    said = [{"linkId": "plain", "answer": [{"valueString": "seen"}]}]
    said.append({"linkId": f"link-{canary(name)}", "answer": [{"valueString": canary(name)}]})
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": said, "text": {"div": canary(name)}}


@pytest.fixture
def world(app):
    with app.app_context():
        clinic = make.clinic()
        patient = make.patient(clinic)
        me = make.patient_actor(patient)
        roles = {Role.CLINICIAN: "Dr Lee", Role.FRONT_DESK: "Sam", Role.ADMINISTRATOR: "Jo"}
        staff = [make.staff_actor(make.staff(clinic, role, name)) for role, name in roles.items()]
        yield SimpleNamespace(clinic=clinic, patient=patient, me=me, staff=staff)


@pytest.mark.parametrize("name", LABELS)
def test_what_is_kept_back_comes_out_nowhere(world, name):
    made = service.give(world.me, CHOSEN, language="en", seen=service.sheet_for(world.me, "en").sha256)
    assert made.version
    holder = {
        "resourceType": "DiagnosticReport",
        "id": "d",
        "contained": [observation(name)],
        "result": [{"reference": f"#{name}"}],
    }
    out = []
    for actor in world.staff:
        for purpose in ("TREAT", "HOPERAT", "HPAYMT", "HRESCH", "BTG"):
            asked = {"policy": POLICY, "purpose": purpose}
            assert not service.permits(actor, world.patient.id, observation(name), **asked).permit
            out.append(
                service.visible(
                    actor, world.patient.id, [observation(name), holder, {"resourceType": "Patient"}], **asked
                )
            )
            out.append(service.redacted(actor, world.patient.id, response(name), form(name), **asked))
    assert canary(name) not in json.dumps(out)
    seen = service.redacted(
        world.staff[0], world.patient.id, response(name), form(name), policy=POLICY, purpose="TREAT"
    )
    assert [each["linkId"] for each in seen["item"]] == ["plain"]
    for document in (observation(name), redaction.labelled(response(name), form(name))):
        bundle = exact.dumps({"entry": [{"resource": document}]})
        waiting = SimpleNamespace(clinic_id=world.clinic.id, patient_id=world.patient.id, payload=bundle)
        assert not service.may_send(waiting, POLICY).permitted


def test_the_patient_still_sees_all_of_it(world):
    service.give(world.me, CHOSEN, language="en", seen=service.sheet_for(world.me, "en").sha256)
    for name in LABELS:
        assert service.permits(world.me, world.patient.id, observation(name), policy=POLICY).permit


def test_many_presses_at_once_are_one_version(world):
    seen = service.sheet_for(world.me, "en").sha256
    together, made = Barrier(8, timeout=30), []

    def press():
        together.wait()
        made.append(service.give(world.me, CHOSEN, language="en", seen=seen).version.id)
        close()

    close()
    presses = [Thread(target=press, daemon=True) for _ in range(8)]
    for each in presses:
        each.start()
    for each in presses:
        each.join(60)
    assert len(set(made)) == 1 and len(made) == 8 and len(service.history(world.me)) == 1
