"""A create that finds an earlier answer of ours: what the record goes on saying is never told as what was accepted now."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portal import db
from portal.db import session
from portal.delivery import placed, sender, service
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.tools import Outcome
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from tests.sandbox_server import Sandbox, running_sandbox

from .make import URN, Hands, Place, bundle, created, kinds, medication, queue, response, updated
from .test_sandbox import Token

Resource = dict[str, Any]
BOTH_WAYS = pytest.mark.parametrize("whole", [True, False], ids=["transaction", "entry by entry"])


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed=False) as running:
        put(running, {"resourceType": "Patient", "id": "pat-1", "gender": "female"})
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> FhirClient:
    return FhirClient(sandbox.base_url, Wire(sandbox.base_url), Token(sandbox), Limits(connect=1, read=2, total=3))


def put(sandbox: Sandbox, resource: Resource) -> None:
    with sandbox.session() as http:
        http.put(f"{sandbox.base_url}/{resource['resourceType']}/{resource['id']}", json=resource).raise_for_status()


def there(sandbox: Sandbox, kind: str) -> list[Resource]:
    with sandbox.session() as http:
        return [each["resource"] for each in http.get(f"{sandbox.base_url}/{kind}").json().get("entry", [])]


def weight(kilograms: float = 71, at: str = "2026-11-21T10:00:00Z", **more: Any) -> Resource:
    """A result under the one name that it has each time its question is answered."""
    return {
        "resourceType": "Observation",
        "identifier": [{"system": URN, "value": "weight"}],
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/pat-1"},
        "effectiveDateTime": at,
        "issued": at,
        "performer": [{"reference": "Patient/pat-1"}],
        "valueQuantity": {"value": kilograms, "unit": "kg"},
        **more,
    }


def told(result: Resource) -> Resource:
    """A delivery of new answers and the result made of them."""
    answers = created(response("pat-1"))
    return bundle(answers, created({**result, "derivedFrom": [{"reference": answers["fullUrl"]}]}))


def turn(hands: Hands, client: Any, *, whole: bool) -> Outcome:
    hands.later(5)
    outcome = send_next(hands.tools(client, atomic=lambda *_: whole))
    assert outcome is not None, "nothing was due"
    return outcome


def changed_by(item: OutboxItem) -> int:
    return session().query(Receipt).filter_by(item_id=item.id).one().changed


OTHERWISE: dict[str, Resource] = {
    "another value": weight(80),
    "a value of another kind": {
        **{name: held for name, held in weight().items() if name != "valueQuantity"},
        "valueString": "about 80",
    },
    "no value any more": {name: held for name, held in weight().items() if name != "valueQuantity"},
    "another code": weight(code={"coding": [{"system": "http://loinc.org", "code": "3141-9"}]}),
    "another status": weight(status="amended"),
    "something to say with it": weight(note=[{"text": "with shoes on"}]),
    "another day that was asked for": weight(effectiveDateTime="2026-11-20"),
    "another part": weight(component=[{"code": {"text": "shoes"}, "valueQuantity": {"value": 1, "unit": "kg"}}]),
}


@BOTH_WAYS
@pytest.mark.parametrize("says", OTHERWISE)
def test_what_says_something_else_than_the_earlier_answer_is_held_and_nothing_is_sent(
    says: str, whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    queue(clinic, told(weight()))
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    item = queue(clinic, told(OTHERWISE[says]))
    outcome = turn(hands, client, whole=whole)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.EARLIER_ANSWER)
    assert kinds(item) == ["queued", "held"]
    assert [each["valueQuantity"]["value"] for each in there(sandbox, "Observation")] == [71]
    assert len(there(sandbox, "QuestionnaireResponse")) == 1
    seen = service.held_item(clinic.clerk, item.id)
    assert seen.review_first and "Nothing of this" in seen.arrived
    assert {piece.state for piece in seen.pieces} == {"missing"}


@BOTH_WAYS
def test_sent_again_it_is_held_again_and_taken_back_it_can_be_put_right_in_place(
    whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    queue(clinic, told(weight()))
    turn(hands, client, whole=whole)
    item = queue(clinic, told(weight(80)), submission_id="s" * 16)
    turn(hands, client, whole=whole)
    service.resend(clinic.clerk, item.id)
    assert turn(hands, client, whole=whole).reason is Reason.EARLIER_ANSWER
    assert service.held_item(clinic.clerk, item.id).review_first
    service.take_back(clinic.reviewer, "s" * 16)
    found = there(sandbox, "Observation")[0]
    right = {**found, "valueQuantity": {"value": 80, "unit": "kg"}}
    queue(clinic, bundle(updated(right, found["meta"]["versionId"])), submission_id="s" * 16, round=2)
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    queue(clinic, told(weight(80)))
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    queue(clinic, told(weight(71)))
    assert turn(hands, client, whole=whole).reason is Reason.EARLIER_ANSWER


@BOTH_WAYS
@pytest.mark.parametrize(
    "again",
    [weight(), weight(at="2026-11-23T09:00:00Z"), weight(performer=[{"display": "Their mother"}])],
    ids=["word for word", "told later", "told by another"],
)
def test_the_same_answer_once_more_is_in_the_record(
    again: Resource, whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    queue(clinic, told(weight()))
    turn(hands, client, whole=whole)
    queue(clinic, told(again))
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    assert len(there(sandbox, "Observation")) == 1
    assert len(there(sandbox, "QuestionnaireResponse")) == 2


@BOTH_WAYS
def test_what_the_record_keeps_a_little_differently_is_no_other_answer(
    whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic, told(weight()))
    keeping(sandbox, client)
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    assert changed_by(item) > 0
    again = queue(clinic, told(weight()))
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    assert changed_by(again) > 0
    queue(clinic, told(weight(71.5)))
    assert turn(hands, client, whole=whole).reason is Reason.EARLIER_ANSWER


def keeping(sandbox: Sandbox, client: FhirClient) -> None:
    """From now on the record adds displays and categories, and writes numbers its own way."""
    search = client.search

    def kept(resource: Resource) -> Resource:
        if resource["resourceType"] != "Observation":
            return resource
        coded = {"coding": [{**one, "display": "Body weight"} for one in resource["code"]["coding"]]}
        value = {**resource["valueQuantity"], "value": float(resource["valueQuantity"]["value"]), "code": "kg"}
        return {**resource, "code": coded, "category": [{"text": "Vital signs"}], "valueQuantity": value}

    def told_so(*args: Any, **more: Any) -> Any:
        seen = search(*args, **more)
        return type(seen)(**{**vars(seen), "matches": tuple(kept(each) for each in seen.matches)})

    client.search = told_so  # type: ignore[method-assign]


@BOTH_WAYS
def test_what_was_corrected_in_the_record_by_hand_is_there(
    whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    queue(clinic, told(weight()))
    turn(hands, client, whole=whole)
    found = there(sandbox, "Observation")[0]
    put(sandbox, {**found, "valueQuantity": {"value": 80, "unit": "kg"}})
    queue(clinic, told(weight(80)))
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED


@BOTH_WAYS
def test_what_is_no_longer_in_the_record_is_made_anew(
    whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    queue(clinic, told(weight()))
    turn(hands, client, whole=whole)
    with sandbox.session() as http:
        http.delete(f"{sandbox.base_url}/Observation/{there(sandbox, 'Observation')[0]['id']}").raise_for_status()
    queue(clinic, told(weight(80)))
    assert turn(hands, client, whole=whole).kind is Kind.CONFIRMED
    assert [each["valueQuantity"]["value"] for each in there(sandbox, "Observation")] == [80]


@BOTH_WAYS
def test_an_earlier_answer_that_shows_only_after_sending_is_not_told_as_arrived(
    whole: bool, clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    """Its search did not find it before; its conditional create did."""
    queue(clinic, told(weight()))
    turn(hands, client, whole=whole)
    hide_until_written(client)
    item = queue(clinic, told(weight(80)))
    outcome = turn(hands, client, whole=whole)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.EARLIER_ANSWER)
    status = service.status_of(item.submission_id)
    assert status and status.state is State.HELD
    seen = service.held_item(clinic.clerk, item.id)
    assert [piece.state for piece in seen.pieces] == ["arrived", "missing"]
    assert "Part of it" in seen.arrived and not seen.reviewable


def hide_until_written(client: FhirClient) -> None:
    search, sent = client.search, []

    def blind(kind: str, *args: Any, **more: Any) -> Any:
        seen = search(kind, *args, **more)
        return seen if sent or kind != "Observation" else type(seen)(**{**vars(seen), "matches": ()})

    def noting(write: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **more: Any) -> Any:
            sent.append(uuid.uuid4())
            return write(*args, **more)

        return noted

    client.search = blind  # type: ignore[method-assign]
    client.transaction = noting(client.transaction)  # type: ignore[method-assign]
    client.write = noting(client.write)  # type: ignore[method-assign]


def test_a_thing_of_another_name_is_nobodys_earlier_answer(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands
) -> None:
    for _ in range(2):
        queue(clinic, bundle(created(medication("pat-1"))))
        assert turn(hands, client, whole=True).kind is Kind.CONFIRMED
    assert len(there(sandbox, "MedicationStatement")) == 2


def test_what_was_delivered_before_is_opened_while_nobody_waits_for_the_database(
    clinic: Place, sandbox: Sandbox, client: FhirClient, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Payloads can hold pictures, and a write on SQLite waits for whoever writes."""
    asked: list[bool] = []

    def watched(clinic_id: str, patient_id: str) -> dict[str, placed.Placed]:
        asked.append(db.writing())
        return placed.confirmed(clinic_id, patient_id)

    monkeypatch.setattr(sender, "confirmed", watched)
    for kilograms in (71, 80):
        queue(clinic, told(weight(kilograms)))
        turn(hands, client, whole=True)
    assert asked == [False, False]
