"""What the clinic's record holds of a patient's choices follows them: an older Consent becomes inactive there, a withdrawal arrives."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from portal.accounts.models import Patient
from portal.consent import service as consent
from portal.consent.decision import Policy
from portal.db import close, session, transaction
from portal.delivery import service as delivery
from portal.delivery.models import OutboxItem
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, State
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from portal.fhir import bundle
from portal.fhir.structure import problems
from tests import make
from tests.delivery.make import Hands
from tests.delivery.test_sandbox import Token
from tests.sandbox_server import running_sandbox

ALL = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "open"}


@pytest.fixture
def world(app, tmp_path: Path):
    with app.app_context(), running_sandbox(tmp_path, seed=False) as sandbox:
        with sandbox.session() as http:
            there = {"resourceType": "Patient", "id": "pat-1"}
            http.put(f"{sandbox.base_url}/Patient/pat-1", json=there).raise_for_status()
        clinic = make.clinic()
        patient = make.patient(clinic)
        with transaction():
            session().get_one(Patient, patient.id).fhir_id = "pat-1"
        client = FhirClient(
            sandbox.base_url, Wire(sandbox.base_url), Token(sandbox), Limits(connect=2, read=5, total=10)
        )
        hands = Hands()

        def tools():
            hands.later(3600)
            return replace(hands.tools(client), gate=lambda item: consent.may_send(item, Policy.BASIC_NORMAL))

        me = make.patient_actor(patient)
        yield SimpleNamespace(sandbox=sandbox, clinic=clinic, patient=patient, me=me, tools=tools)


def give(world, **changes):
    return consent.give(
        world.me, {**ALL, **changes}, language="en", seen=consent.sheet_for(world.me, "en").sha256
    ).version


def deliver(world, version):
    """The care Consent as an accepted submission sends it, with what it replaces."""
    sent = consent.resource_for_delivery(world.me, version.id)
    known = (sent["identifier"][0]["system"], sent["identifier"][0]["value"])
    entries = [bundle.create_entry(sent, f"urn:uuid:{version.id[:8]}-0000-5000-8000-000000000000", known)]
    for number, (old, there) in enumerate(consent.superseded(world.clinic.id, world.patient.id, version.id), 1):
        assert problems(old) == []
        entries.append(bundle.update_entry(old, f"urn:uuid:{version.id[:8]}-0000-5000-8000-00000000000{number}", there))
    delivery.enqueue(
        world.me,
        clinic_id=world.clinic.id,
        patient_id=world.patient.id,
        submission_id=version.id[::-1],
        bundle=bundle.transaction(entries),
    )
    outcome = send_next(world.tools())
    assert outcome and outcome.kind is Kind.CONFIRMED, outcome


def there(world):
    with world.sandbox.session() as http:
        entries = http.get(f"{world.sandbox.base_url}/Consent").json().get("entry", [])
    found = [each["resource"] for each in entries]
    return sorted((each["identifier"][0]["value"], each["status"], each["provision"]["type"]) for each in found)


def test_a_later_choice_makes_the_earlier_one_inactive_in_the_record(world):
    first = give(world)
    deliver(world, first)
    assert there(world) == [(f"{first.id}-care", "active", "permit")]
    second = give(world, research="yes")
    deliver(world, second)
    assert sorted(there(world)) == sorted(
        [(f"{first.id}-care", "inactive", "permit"), (f"{second.id}-care", "active", "permit")]
    )
    assert consent.superseded(world.clinic.id, world.patient.id, second.id) == [], "once is enough"


def test_taking_it_back_reaches_the_record_by_itself(world):
    first = give(world)
    deliver(world, first)
    taken = consent.withdraw(world.me, language="en")
    outcome = send_next(world.tools())
    assert outcome and outcome.kind is Kind.CONFIRMED, "a withdrawal is sent though nothing else may be"
    assert sorted(there(world)) == sorted(
        [(f"{first.id}-care", "inactive", "permit"), (f"{taken.id}-care", "active", "deny")]
    )
    status = delivery.status_of(taken.id)
    assert status and status.state is State.CONFIRMED
    consent.withdraw(world.me, language="en")
    assert send_next(world.tools()) is None, "twice is once"


def test_a_record_that_holds_nothing_of_ours_is_told_nothing(world):
    give(world)
    consent.withdraw(world.me, language="en")
    assert send_next(world.tools()) is None and there(world) == []


def test_e27_what_was_sent_before_it_was_taken_back_says_when_it_was_sent(world):
    first = give(world)
    deliver(world, first)
    consent.withdraw(world.me, language="en")
    sent, waiting = sorted(consent.sent(world.me), key=lambda each: each.state is not State.CONFIRMED)
    assert sent.state is State.CONFIRMED and sent.sent_at and sent.checked_at
    assert waiting.state is not State.CONFIRMED and waiting.sent_at is None


def test_the_desk_offers_no_answers_to_read_behind_a_withdrawal(world, sign_in):
    first = give(world)
    deliver(world, first)
    taken = consent.withdraw(world.me, language="en").id
    make.staff(world.clinic, email="lee@example.org")
    items = {row.submission_id: row.id for row in session().query(OutboxItem)}
    close()
    client = sign_in("lee@example.org")
    for submission_id, item_id in items.items():
        page = client.get(f"/desk/held/{item_id}").get_data(as_text=True)
        offered = re.findall(r'"(/desk/submissions/[^"]+)"', page)
        assert offered == ([] if submission_id == taken else [f"/desk/submissions/{submission_id}"])
    assert taken in items and len(items) == 2
