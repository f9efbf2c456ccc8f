"""Servers without transactions: entry by entry, what is there is not sent again, and partial is never told as sent."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.db import session
from portal.delivery import service
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.tools import Outcome
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from portal.fhir.bundle import transaction as bundle_of
from tests.sandbox_server import Sandbox, running_sandbox

from .make import Hands, Place, created, kinds, medication, queue, response, updated
from .test_sandbox import Token


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed=False) as running:
        with running.session() as http:
            patient = {"resourceType": "Patient", "id": "pat-1", "gender": "female"}
            http.put(f"{running.base_url}/Patient/pat-1", json=patient).raise_for_status()
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> FhirClient:
    return FhirClient(sandbox.base_url, Wire(sandbox.base_url), Token(sandbox), Limits(connect=1, read=2, total=3))


def whole() -> dict[str, Any]:
    """Answers, a medication that points at them, a changed contact, and who said it: references in both directions of the list."""
    answers = created(response("pat-1"))
    drug = created({**medication("pat-1"), "derivedFrom": [{"reference": answers["fullUrl"]}]})
    contact = updated({"resourceType": "Patient", "id": "pat-1", "gender": "male"}, "1")
    provenance = {
        "fullUrl": f"urn:uuid:{uuid.uuid4()}",
        "resource": {
            "resourceType": "Provenance",
            "target": [{"reference": answers["fullUrl"]}],
            "recorded": "2026-11-21T10:00:00Z",
            "agent": [{"who": {"reference": "Patient/pat-1"}}],
        },
        "request": {"method": "POST", "url": "Provenance"},
    }
    return bundle_of([drug, provenance, answers, contact])


def turn(hands: Hands, client: FhirClient) -> Outcome:
    outcome = send_next(hands.tools(client, atomic=lambda *_: False))
    assert outcome is not None, "nothing was due"
    return outcome


def held(sandbox: Sandbox) -> dict[str, list[dict[str, Any]]]:
    with sandbox.session() as http:
        return {
            kind: [entry["resource"] for entry in http.get(f"{sandbox.base_url}/{kind}").json().get("entry", [])]
            for kind in ("QuestionnaireResponse", "MedicationStatement", "Provenance", "Patient")
        }


def writes(sandbox: Sandbox) -> int:
    return sum(
        request["method"] in ("POST", "PUT") and "/fhir/" in request["path"] for request in sandbox.requests_seen()
    )


def state(item: OutboxItem) -> State:
    status = service.status_of(item.submission_id)
    assert status
    return status.state


def test_everything_arrives_once_in_an_order_in_which_references_resolve(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic, whole())
    assert turn(hands, client).kind is Kind.CONFIRMED
    there = held(sandbox)
    answers = f"QuestionnaireResponse/{there['QuestionnaireResponse'][0]['id']}"
    assert there["MedicationStatement"][0]["derivedFrom"] == [{"reference": answers}]
    assert there["Provenance"][0]["target"] == [{"reference": answers}]
    assert there["Patient"][0]["gender"] == "male"
    assert {len(resources) for resources in there.values()} == {1}
    receipt = session().query(Receipt).filter_by(item_id=item.id).one()
    assert [entry["type"] for entry in receipt.entries] == [
        "MedicationStatement",
        "Provenance",
        "QuestionnaireResponse",
        "Patient",
    ]
    assert all(len(entry["references"]) == 1 for entry in receipt.entries)


@pytest.mark.parametrize("which", ["QuestionnaireResponse", "MedicationStatement", "Provenance", "Patient"])
@pytest.mark.parametrize("fault", ["lost_reply", "down", "truncated", "html"])
def test_a_fault_in_the_middle_is_mended_and_nothing_is_written_twice(
    which: str, fault: str, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic, whole())
    path = "/fhir/" + which
    sandbox.fault(fault, path=path, method="PUT" if which == "Patient" else "POST", times=1)
    outcome = turn(hands, client)
    assert outcome.kind in (Kind.IN_DOUBT, Kind.PARTIAL)
    assert state(item) is State.NOT_CONFIRMED
    for _ in range(4):
        if state(item) is State.CONFIRMED:
            break
        hands.later(200)
        turn(hands, client)
    assert state(item) is State.CONFIRMED
    assert {len(resources) for resources in held(sandbox).values()} == {1}
    assert held(sandbox)["Patient"][0]["meta"]["versionId"] == "2"


def test_one_refused_entry_holds_the_rest_and_says_what_did_arrive(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    bad = created({**medication("pat-1"), "status": "no such status"})
    item = queue(clinic, bundle_of([created(response("pat-1")), bad]))
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.REFUSED)
    seen = service.held_item(clinic.clerk, item.id)
    assert [piece.state for piece in seen.pieces] == ["arrived", "missing"]
    assert "Part of it" in seen.arrived
    assert seen.said


def test_sending_the_rest_again_sends_only_the_rest(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic, whole())
    sandbox.fault("expired", path="/fhir/MedicationStatement", method="POST", times=2)
    assert turn(hands, client).reason is Reason.RECONNECT
    service.resend(clinic.clerk, item.id)
    before = writes(sandbox)
    hands.later(5)
    assert turn(hands, client).kind is Kind.CONFIRMED
    assert writes(sandbox) - before < 4
    assert {len(resources) for resources in held(sandbox).values()} == {1}


def test_a_record_changed_meanwhile_is_not_overwritten_and_nothing_more_is_sent(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic, whole())
    with sandbox.session() as http:
        http.put(
            f"{sandbox.base_url}/Patient/pat-1", json={"resourceType": "Patient", "id": "pat-1", "gender": "other"}
        )
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.CHANGED_MEANWHILE)
    assert held(sandbox)["Patient"][0]["gender"] == "other"
    assert held(sandbox)["QuestionnaireResponse"] == []
    assert kinds(item) == ["queued", "held"]


def test_consent_is_asked_before_each_entry(clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands) -> None:
    item = queue(clinic, whole())
    sandbox.fault("lost_reply", path="/fhir/QuestionnaireResponse", method="POST", times=1)
    turn(hands, client)
    hands.permitted = False
    hands.later(200)
    assert turn(hands, client).kind is Kind.WITHHELD
    assert held(sandbox)["MedicationStatement"] == []
    assert json.dumps(kinds(item)).count("sending") == 1
