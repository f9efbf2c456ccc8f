"""What real servers do differently when they are written to, each against a server that does just that."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from portal.delivery import bundle as bundles
from portal.delivery import service
from portal.delivery.bundle import Payload
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.tools import Outcome
from portal.ehr.client import FhirClient
from portal.ehr.http import Answer, Limits, Wire
from tests.sandbox_server import Sandbox, running_sandbox

from .gated import Clinic, running
from .make import Hands, Place, bundle, created, kinds, medication, queue, response, updated
from .test_sandbox import Token

LIMITS = Limits(connect=1, read=2, total=3)
ALLERGY = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/pat-1"}}


class Careless(Clinic):
    """Heeds no If-Match, and makes anew what an update does not find."""

    def _on_base(self, entry: dict[str, Any]) -> bool:
        return True


@pytest.fixture
def careless() -> Careless:
    made = Careless()
    made.put({"resourceType": "Patient", "id": "pat-1"})
    made.put(ALLERGY)
    return made


@pytest.fixture
def client(careless: Careless) -> Iterator[FhirClient]:
    with running(careless) as base:
        yield FhirClient(base, Wire(base), None, LIMITS)


def changed() -> dict[str, Any]:
    return updated({**ALLERGY, "criticality": "high"}, "1")


def turn(hands: Hands, client: FhirClient, **more: Any) -> Outcome:
    outcome = send_next(hands.tools(client, **more))
    assert outcome is not None, "nothing was due"
    return outcome


@pytest.mark.parametrize("meanwhile", ["removed", "changed"])
def test_an_update_whose_target_is_no_longer_as_it_was_is_not_even_sent(
    clinic: Place, careless: Careless, client: FhirClient, hands: Hands, meanwhile: str
) -> None:
    item = queue(clinic, bundle(created(response("pat-1")), changed()))
    if meanwhile == "removed":
        del careless.resources["AllergyIntolerance/a1"]
    else:
        careless.put({**ALLERGY, "criticality": "low"})
    before = dict(careless.resources)
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.CHANGED_MEANWHILE)
    assert careless.resources == before
    assert "POST" not in careless.log
    assert {piece.state for piece in service.held_item(clinic.clerk, item.id).pieces} == {"missing"}


def test_an_update_on_the_version_that_was_seen_is_sent(
    clinic: Place, careless: Careless, client: FhirClient, hands: Hands
) -> None:
    queue(clinic, bundle(created(response("pat-1")), changed()))
    assert turn(hands, client).kind is Kind.CONFIRMED


# -- a server that says transaction and keeps the part that it could do ------------------------------------------------------


class Halving(Clinic):
    """Does what it can of a transaction and refuses the rest, in one answer (`per_entry`) or as a whole."""

    per_entry = True

    def transact(self, bundle: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        kept = [entry for entry in bundle["entry"] if self._on_base(entry)]
        status, answer = super().transact({**bundle, "entry": kept})
        if len(kept) == len(bundle["entry"]):
            return status, answer
        if not self.per_entry:
            return 412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict"}]}
        done = iter(answer["entry"])
        refused = {"response": {"status": "412 Precondition Failed"}}
        told = [next(done) if entry in kept else refused for entry in bundle["entry"]]
        return 200, {**answer, "entry": told}


@pytest.mark.parametrize("per_entry", [True, False])
def test_a_part_of_a_refused_transaction_is_never_taken_for_the_whole(
    clinic: Place, hands: Hands, per_entry: bool
) -> None:
    server = Halving()
    server.per_entry = per_entry
    server.put({"resourceType": "Patient", "id": "pat-1"})
    server.put(ALLERGY)
    item = queue(clinic, bundle(created(response("pat-1")), changed()))

    def meanwhile(step: str) -> None:
        if step == "marked":
            server.put({**ALLERGY, "criticality": "low"})

    with running(server) as base:
        client = FhirClient(base, Wire(base), None, LIMITS)
        while (status := service.status_of(item.submission_id)) and status.state is not State.HELD:
            hands.later(200)
            assert turn(hands, client, checkpoint=meanwhile).kind is not Kind.CONFIRMED
    assert status and status.reason is Reason.PARTLY_THERE
    assert server.resources["AllergyIntolerance/a1"]["criticality"] == "low"
    pieces = service.held_item(clinic.clerk, item.id).pieces
    assert [piece.state for piece in pieces] == ["arrived", "missing"]


# -- a server that takes each entry, but no transaction, from us ---------------------------------------------------------


class NoWhole(FhirClient):
    """What a client meets at a server that wants more permission for a transaction than for its entries."""

    def transaction(self, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return Answer(403)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed=False) as started:
        with started.session() as http:
            url = f"{started.base_url}/Patient/pat-1"
            http.put(url, json={"resourceType": "Patient", "id": "pat-1"}).raise_for_status()
        yield started


def test_refused_as_a_whole_though_every_entry_is_granted_it_goes_in_pieces(
    clinic: Place, sandbox: Sandbox, hands: Hands
) -> None:
    client = NoWhole(sandbox.base_url, Wire(sandbox.base_url), Token(sandbox), LIMITS)
    item = queue(clinic)
    asked: list[dict[str, str]] = []

    def reaches(_clinic_id: str, payload: Payload) -> bool:
        asked.append(payload.needs())
        return True

    while (status := service.status_of(item.submission_id)) and status.state is not State.CONFIRMED:
        assert turn(hands, client, reaches=reaches).kind is not Kind.HELD, kinds(item)
    assert asked == [{"QuestionnaireResponse": "c", "MedicationStatement": "c"}]
    assert kinds(item)[-1] == "confirmed"
    with sandbox.session() as http:
        for kind in ("QuestionnaireResponse", "MedicationStatement"):
            assert len(http.get(f"{sandbox.base_url}/{kind}", timeout=5).json()["entry"]) == 1


def test_refused_as_a_whole_and_not_granted_in_pieces_it_is_held(clinic: Place, sandbox: Sandbox, hands: Hands) -> None:
    client = NoWhole(sandbox.base_url, Wire(sandbox.base_url), Token(sandbox), LIMITS)
    queue(clinic)
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.NO_PERMISSION)


def test_needs_are_told_type_by_type() -> None:
    payload = bundles.read(
        bundle(created(response("p")), created(medication("p")), updated({**ALLERGY}, "1"), changed())
    )
    assert payload.needs() == {"QuestionnaireResponse": "c", "MedicationStatement": "c", "AllergyIntolerance": "u"}
