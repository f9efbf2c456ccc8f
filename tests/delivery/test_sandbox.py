"""Delivery against the synthetic clinic over HTTP: sent once, read back, and the truth told on its bad days."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.delivery import service
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, State
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from tests.sandbox_server import Sandbox, running_sandbox

from .make import SWIFT, Hands, Place, kinds, queue


class Token:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.held = sandbox, sandbox.token()

    def token(self, limits: Limits) -> str:
        return self.held

    def renewed(self, refused: str, limits: Limits) -> str:
        self.held = self.sandbox.token()
        return self.held


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed=False) as running:
        with running.session() as http:
            http.put(
                f"{running.base_url}/Patient/pat-1", json={"resourceType": "Patient", "id": "pat-1"}
            ).raise_for_status()
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> FhirClient:
    limits = Limits(connect=1, read=1, total=2)
    return FhirClient(sandbox.base_url, Wire(sandbox.base_url), Token(sandbox), limits)


def there(sandbox: Sandbox, kind: str = "QuestionnaireResponse") -> int:
    with sandbox.session() as http:
        return len(http.get(f"{sandbox.base_url}/{kind}").json().get("entry", []))


def test_what_was_accepted_is_sent_once_and_read_back(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    outcome = send_next(hands.tools(client))
    assert outcome and outcome.kind is Kind.CONFIRMED
    assert kinds(item) == ["queued", "sending", "answered", "confirmed"]
    status = service.status_of(item.submission_id)
    assert status and status.state is State.CONFIRMED and status.changed == 0
    assert there(sandbox) == 1
    assert send_next(hands.tools(client)) is None


def test_a_lost_reply_is_found_after_the_bound_and_never_sent_twice(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    sandbox.fault("lost_reply", method="POST", times=1, path="/fhir")
    outcome = send_next(hands.tools(client, timing=SWIFT))
    assert outcome and outcome.kind is Kind.IN_DOUBT
    status = service.status_of(item.submission_id)
    assert status and status.state is State.NOT_CONFIRMED
    assert send_next(hands.tools(client, timing=SWIFT)) is None
    hands.later(60)
    outcome = send_next(hands.tools(client, timing=SWIFT))
    assert outcome and outcome.kind is Kind.CONFIRMED
    assert there(sandbox) == 1
