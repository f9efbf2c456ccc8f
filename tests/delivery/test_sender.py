"""One turn after the other against a FHIR server over HTTP: what each kind of answer makes of an item, and of the others."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.audit.service import verify
from portal.db import close, new_id, session, transaction
from portal.delivery import claim, service
from portal.delivery.errors import LeaseLost
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.timing import Timing
from portal.delivery.tools import Outcome
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire
from tests.ports import dead_port

from .gated import Clinic, running
from .make import Hands, Place, another_patient, bundle, created, kinds, lifted, medication, queue, response, updated

OUTCOME = json.dumps(
    {"resourceType": "OperationOutcome", "issue": [{"code": "invalid", "diagnostics": "no such code"}]}
)
JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def server() -> Clinic:
    made = Clinic()
    made.put({"resourceType": "Patient", "id": "pat-1", "gender": "female"})
    return made


@pytest.fixture
def client(server: Clinic) -> Iterator[FhirClient]:
    with running(server) as base:
        yield FhirClient(base, Wire(base), None, Limits(connect=1, read=1, total=2))


def nowhere() -> FhirClient:
    """A server that nobody runs."""
    base = f"http://127.0.0.1:{dead_port()}/fhir"
    return FhirClient(base, Wire(base), None, Limits(connect=1, read=1, total=2))


def turn(hands: Hands, client: Any, **more: Any) -> Outcome:
    outcome = send_next(hands.tools(client, **more))
    assert outcome is not None, "nothing was due"
    return outcome


def state(item: OutboxItem) -> State:
    status = service.status_of(item.submission_id)
    assert status is not None
    return status.state


def posts(server: Clinic) -> int:
    return server.log.count("POST")


# -- the good day ----------------------------------------------------------------------------------------------------


def test_a_receipt_says_what_the_server_holds(clinic: Place, server: Clinic, client: FhirClient, hands: Hands) -> None:
    patient = {"resourceType": "Patient", "id": "pat-1", "gender": "male"}
    item = queue(clinic, bundle(created(response("pat-1")), updated(patient, "1")))
    assert turn(hands, client).kind is Kind.CONFIRMED
    receipt = session().query(Receipt).filter_by(item_id=item.id).one()
    assert [entry["references"] for entry in receipt.entries] == [["QuestionnaireResponse/r1-0"], ["Patient/pat-1"]]
    assert [entry["version"] for entry in receipt.entries] == ["1", "2"]
    assert receipt.changed == 0 and receipt.checked_at == hands.at


def test_what_the_server_altered_is_counted_and_named(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    usual = server.put
    server.put = lambda held: usual({**held, "language": "en"} if held["resourceType"] != "Patient" else held)  # type: ignore[method-assign]
    assert turn(hands, client).kind is Kind.CONFIRMED
    status = service.status_of(item.submission_id)
    assert status and status.changed == 2
    receipt = session().query(Receipt).filter_by(item_id=item.id).one()
    assert receipt.entries[0]["differences"] == [
        {"path": "QuestionnaireResponse.language", "kind": "added", "ours": None, "theirs": "en"}
    ]


def test_the_bytes_that_are_sent_are_the_bytes_that_were_accepted(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    payload = bundle(created(response("pat-1", item=[{"linkId": "é", "answer": [{"valueString": "1.10 \u2028 “x”"}]}])))
    queue(clinic, payload)
    turn(hands, client)
    held = next(one for one in server.resources.values() if one["resourceType"] == "QuestionnaireResponse")
    assert held["item"] == payload["entry"][0]["resource"]["item"]


# -- the server cannot be reached --------------------------------------------------------------------------------------


def test_a_server_out_of_reach_is_certain_and_is_left_alone_then_probed_by_one_before_anything_is_sent(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    first = queue(clinic)
    second = queue(clinic, patient_id=another_patient(clinic, "pat-2"))
    down = hands.tools(nowhere(), atomic=lambda *_: True)
    outcome = send_next(down)
    assert outcome and outcome.kind is Kind.NOT_SENT
    assert state(first) is state(second) is State.WAITING
    assert send_next(down) is None, "the server was not left alone"
    hands.later(6)
    outcome = send_next(down)
    assert outcome and outcome.kind is None, "the probe touched an item"
    assert kinds(second) == ["queued"]
    assert send_next(down) is None
    assert service.overview(clinic.clinic_id).down_since is not None
    hands.later(40)
    assert {turn(hands, client).kind, turn(hands, client).kind} == {Kind.CONFIRMED}
    assert service.overview(clinic.clinic_id).down_since is None


def test_three_days_without_getting_through_is_held_and_never_dropped(clinic: Place, hands: Hands) -> None:
    item = queue(clinic)
    down = hands.tools(nowhere(), atomic=lambda *_: True, timing=Timing(pause_longest=1, pause_first=1))
    probes = 0
    while state(item) is State.WAITING:
        hands.later(3700)
        with transaction() as current:  # every try is the item's own
            current.execute(claim.Endpoint.__table__.delete())
        assert send_next(down)
        probes += 1
        assert probes < 200
    assert state(item) is State.HELD
    assert service.held(clinic.clerk)[0].reason is Reason.NOT_REACHED
    assert 60 < probes < 90


def test_a_busy_server_is_given_the_time_it_asked_for_and_looked_at_before_the_next_try(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    server.answers = [(503, {"Retry-After": "120"}, b"")]
    assert turn(hands, client).kind is Kind.BUSY
    assert state(item) is State.WAITING
    hands.later(119)
    assert send_next(hands.tools(client)) is None
    hands.later(2)
    before = len(server.log)
    assert turn(hands, client).kind is Kind.ABSENT
    assert any("QuestionnaireResponse" in line for line in server.log[before:])
    assert turn(hands, client).kind is Kind.CONFIRMED


# -- doubt -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lose", "swallow"])
def test_after_a_lost_reply_it_is_looked_for_once_the_server_has_had_its_bound(
    fault: str, clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    setattr(server, fault, 1)
    assert turn(hands, client).kind is Kind.IN_DOUBT
    assert state(item) is State.NOT_CONFIRMED
    hands.later(119)
    assert send_next(hands.tools(client)) is None
    hands.later(2)
    if fault == "swallow":
        assert turn(hands, client).kind is Kind.ABSENT
        assert state(item) is State.WAITING
    assert turn(hands, client).kind is Kind.CONFIRMED
    assert set(server.keys().values()) == {1}
    assert posts(server) == (1 if fault == "lose" else 2)


def test_a_clock_that_jumps_ahead_does_not_shorten_the_bound(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    queue(clinic)
    server.swallow = 1
    hands_mark = [["boot", 1000.0]]
    tools = hands.tools(client)
    object.__setattr__(tools, "mark", lambda: hands_mark[0])
    send_next(tools)
    hands.later(365 * 86400)
    outcome = send_next(tools)
    assert outcome and outcome.kind is None, "it looked before the bound was over"
    hands_mark[0] = ["boot", 1121.0]
    hands.later(365 * 86400)
    outcome = send_next(tools)
    assert outcome and outcome.kind is Kind.ABSENT


def test_a_clock_that_was_a_year_ahead_leaves_no_lease_and_no_date_stuck(
    clinic: Place, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    hands.later(365 * 86400)
    assert claim.take(hands.clock, Timing())
    with transaction():
        lifted(item).next_at = hands.at
    hands.later(-365 * 86400)
    assert turn(hands, client).kind is Kind.CONFIRMED


def test_a_page_of_html_instead_of_an_answer_is_in_doubt_then_held_when_looking_finds_no_fhir_either(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    server.answers = [(200, {"Content-Type": "text/html"}, b"<html>sign in to the guest network</html>")]
    assert turn(hands, client).kind is Kind.IN_DOUBT
    matching = server.matching
    server.matching = lambda *_: []  # type: ignore[method-assign]
    hands.later(130)
    assert turn(hands, client).kind is Kind.ABSENT
    server.matching = matching  # type: ignore[method-assign]
    assert turn(hands, client).kind is Kind.CONFIRMED
    assert state(item) is State.CONFIRMED


def test_an_answer_about_another_patient_raises_the_alarm_and_is_held_whatever_is_found_later(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    payload = bundle(created(response("pat-1")))
    item = queue(clinic, payload)
    other = {**payload["entry"][0]["resource"], "id": "x", "subject": {"reference": "Patient/other"}}
    body = {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"resource": other, "response": {"status": "201", "location": "QuestionnaireResponse/x"}}],
    }
    server.answers = [(200, JSON, json.dumps(body).encode())]
    assert turn(hands, client).kind is Kind.IN_DOUBT
    assert session().query(AuditRow).filter_by(event=Event.WRONG_PATIENT.value).count() == 1
    hands.later(130)
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.WRONG_PATIENT)
    assert service.held_item(clinic.clerk, item.id).pieces[0].state == "missing"


def test_a_server_that_fails_everyone_is_not_stormed_but_one_poison_item_does_not_shut_its_door(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    for number in range(6):
        queue(clinic, patient_id=another_patient(clinic, f"p{number}"))
    server.answers = [(500, {}, b"")]
    outcomes = [turn(hands, client).kind for _ in range(6)]
    assert outcomes.count(Kind.CONFIRMED) == 5
    assert service.overview(clinic.clinic_id).down_since is None
    for number in range(6):
        queue(clinic, patient_id=another_patient(clinic, f"q{number}"))
    hands.later(10)
    server.answers = [(502, {}, b"")] * 9
    for _ in range(3):
        assert turn(hands, client).kind is Kind.IN_DOUBT
    assert send_next(hands.tools(client)) is None
    assert service.overview(clinic.clinic_id).down_since == hands.at


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.REFUSED),
        (401, Reason.RECONNECT),
        (403, Reason.NO_PERMISSION),
        (404, Reason.REFUSED),
        (422, Reason.REFUSED),
        (302, Reason.REDIRECTED),
    ],
)
def test_what_is_refused_is_held_with_the_servers_words_and_never_tried_again_by_itself(
    status: int, reason: Reason, clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    server.answers = [(status, JSON, OUTCOME.encode())]
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, reason)
    assert state(item) is State.HELD
    seen = service.held_item(clinic.clerk, item.id)
    assert "no such code" in seen.said[0]
    assert {piece.state for piece in seen.pieces} == {"missing"}
    hands.later(100_000)
    assert send_next(hands.tools(client)) is None
    assert posts(server) == 1


def test_a_record_changed_meanwhile_is_never_overwritten(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    patient = {"resourceType": "Patient", "id": "pat-1", "gender": "male"}
    item = queue(clinic, bundle(created(response("pat-1")), updated(patient, "1")))
    other = {"resourceType": "Patient", "id": "pat-1", "gender": "other"}
    assert turn(hands, client, checkpoint=_at("marked", lambda: server.put(other))).kind is Kind.CONFLICTED
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.CHANGED_MEANWHILE)
    assert server.resources["Patient/pat-1"]["gender"] == "other"
    seen = service.held_item(clinic.clerk, item.id)
    assert {piece.state for piece in seen.pieces} == {"missing"}


def _at(step: str, act: Callable[[], None]) -> Callable[[str], None]:
    return lambda reached: act() if reached == step else None


def test_what_is_there_twice_is_held_with_both_places_and_nothing_is_deleted(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    payload = bundle(created(response("pat-1")))
    item = queue(clinic, payload)
    for name in ("a", "b"):
        server.put({**payload["entry"][0]["resource"], "id": name})
    outcome = turn(hands, client)
    assert (outcome.kind, outcome.reason) == (Kind.HELD, Reason.DUPLICATE_UPSTREAM)
    piece = service.held_item(clinic.clerk, item.id).pieces[0]
    assert piece.state == "twice"
    assert sorted(piece.references) == ["QuestionnaireResponse/a", "QuestionnaireResponse/b"]


# -- consent -----------------------------------------------------------------------------------------------------------


def test_a_choice_taken_back_while_it_waits_keeps_it_here(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    hands.permitted = False
    assert turn(hands, client).kind is Kind.WITHHELD
    assert state(item) is State.WITHHELD
    assert posts(server) == 0
    assert send_next(hands.tools(client)) is None


def test_the_gate_is_asked_again_before_every_single_sending(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    queue(clinic)
    server.swallow = 1
    turn(hands, client)
    hands.later(130)
    assert turn(hands, client).kind is Kind.ABSENT
    hands.permitted = False
    assert turn(hands, client).kind is Kind.WITHHELD
    assert posts(server) == 1


# -- order, poison, leases ---------------------------------------------------------------------------------------------


def test_one_patients_deliveries_keep_their_order_and_a_held_one_keeps_the_next_waiting(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    first, second = queue(clinic), queue(clinic)
    server.answers = [(422, JSON, OUTCOME.encode())]
    assert turn(hands, client).item_id == first.id
    hands.later(100_000)
    assert send_next(hands.tools(client)) is None
    assert service.held_item(clinic.clerk, first.id).behind == 1
    assert service.close(clinic.clerk, first.id, "entered by hand") == []
    assert turn(hands, client).item_id == second.id
    assert state(second) is State.CONFIRMED


def test_a_poison_item_delays_nobody_else_and_is_held_in_the_end(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    poison = queue(clinic)
    with transaction():
        lifted(poison).payload_sealed = b"not what was sealed here"
    others = [queue(clinic, patient_id=another_patient(clinic, f"p{n}")) for n in range(5)]
    ids = [turn(hands, client).item_id for _ in range(6)]
    assert set(ids) == {poison.id, *(item.id for item in others)}
    assert {state(item) for item in others} == {State.CONFIRMED}
    for _ in range(10):
        hands.later(4000)
        send_next(hands.tools(client))
    assert state(poison) is State.HELD
    assert service.held(clinic.clerk)[0].reason is Reason.OWN_FAULT
    assert list(service.held_item(clinic.clerk, poison.id).pieces) == []


def test_an_item_is_leased_to_one_worker_and_an_old_lease_writes_nothing(clinic: Place, hands: Hands) -> None:
    item = queue(clinic)
    timing = Timing(lease=300)
    first = claim.take(hands.clock, timing)
    assert first and claim.take(hands.clock, timing) is None
    hands.later(301)
    second = claim.take(hands.clock, timing)
    assert second and second.item_id == item.id and second.fence == first.fence + 1
    with pytest.raises(LeaseLost), claim.held(first):
        pass
    with claim.held(second) as mine:
        assert mine.id == item.id


def test_a_person_who_sends_again_fences_off_whoever_still_held_it(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    server.answers = [(422, JSON, OUTCOME.encode())]
    turn(hands, client)
    fence = lifted(item).fence
    service.resend(clinic.clerk, item.id)
    assert lifted(item).fence == fence + 1
    assert state(item) is State.NOT_CONFIRMED
    hands.later(1)
    assert turn(hands, client).kind is Kind.ABSENT
    assert turn(hands, client).kind is Kind.CONFIRMED


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_every_step_is_in_the_audit_trail_and_the_chain_holds(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    queue(clinic)
    turn(hands, client)
    events = [row.event for row in session().query(AuditRow).order_by(AuditRow.seq)]
    assert events == ["delivery-queued", "delivery-attempted", "delivery-confirmed"]
    assert verify(clinic.clinic_id) is None


def test_the_lifted_state_is_always_the_last_events(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    item = queue(clinic)
    server.lose = 1
    turn(hands, client)
    assert lifted(item).state == state(item)
    hands.later(130)
    turn(hands, client)
    assert lifted(item).state == state(item) == State.CONFIRMED
    close()


def test_a_submission_with_several_deliveries_is_told_as_its_least_finished_one(
    clinic: Place, server: Clinic, client: FhirClient, hands: Hands
) -> None:
    submission = new_id()
    queue(clinic, submission_id=submission)
    turn(hands, client)
    queue(clinic, bundle(created(medication("pat-1"))), submission_id=submission, round=2)
    status = service.status_of(submission)
    assert status and status.state is State.WAITING
    hands.later(timedelta(minutes=1).total_seconds())
    turn(hands, client)
    status = service.status_of(submission)
    assert status and status.state is State.CONFIRMED
