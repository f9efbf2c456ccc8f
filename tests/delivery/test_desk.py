"""The held desk: who may work there, what it shows, and what a person can do about a delivery."""

from datetime import timedelta

import pytest

from portal.actors import Actor, Role
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import ledger, overdue, service
from portal.delivery.errors import AlreadyQueued, NotHeld, Undeliverable
from portal.delivery.models import DeliveryEvent, Endpoint, OutboxItem
from portal.delivery.states import PATIENT_WORDS, STATE_AFTER, WORDS, Kind, Reason, State, words
from portal.delivery.timing import Timing
from portal.errors import NotAllowed, NotFound

from .make import Place, another_patient, bundle, created, kinds, lifted, place, queue, response


def hold(at: Place, item: OutboxItem, reason: Reason = Reason.REFUSED, **detail: object) -> None:
    with transaction():
        ledger.append(lifted(item), Kind.HELD, at=now(), by=at.clerk, reason=reason, detail=detail)


def test_the_same_acceptance_twice_is_one_delivery(clinic: Place) -> None:
    payload = bundle()
    first = queue(clinic, payload, submission_id="s" * 16)
    again = queue(clinic, payload, submission_id="s" * 16)
    assert first.id == again.id
    assert session().query(OutboxItem).count() == 1
    with pytest.raises(AlreadyQueued):
        queue(clinic, bundle(), submission_id="s" * 16)


def test_a_bundle_that_could_not_be_found_again_is_never_queued(clinic: Place) -> None:
    mixed = bundle(created(response("pat-1")), created(response("pat-2")))
    with pytest.raises(Undeliverable) as refused:
        queue(clinic, mixed)
    assert refused.value.problems == ["it is about more than one patient"]
    assert session().query(OutboxItem).count() == 0


def test_queueing_stands_or_falls_with_the_acceptance_it_belongs_to(clinic: Place) -> None:
    with pytest.raises(RuntimeError), transaction():
        queue(clinic)
        raise RuntimeError
    assert session().query(OutboxItem).count() == 0
    assert session().query(DeliveryEvent).count() == 0


def test_nobody_sees_or_moves_a_delivery_of_another_clinic(clinic: Place) -> None:
    item = queue(clinic)
    hold(clinic, item)
    stranger = place("pat-9").clerk
    assert service.held(stranger) == []
    for act in (service.held_item, service.resend):
        with pytest.raises(NotFound):
            act(stranger, item.id)
    with pytest.raises(NotFound):
        service.close(stranger, item.id, "because I can")


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PRIVACY_OFFICER, Role.SYSTEM, Role.ANYONE])
def test_only_those_who_work_on_held_deliveries_come_in(clinic: Place, role: Role) -> None:
    with pytest.raises(NotAllowed):
        service.held(Actor(role, clinic.clinic_id))


def test_a_delivery_that_is_not_held_is_not_moved_by_hand(clinic: Place) -> None:
    item = queue(clinic)
    with pytest.raises(NotHeld):
        service.resend(clinic.clerk, item.id)
    with pytest.raises(NotHeld):
        service.close(clinic.clerk, item.id, "entered by hand")
    hold(clinic, item)
    service.resend(clinic.clerk, item.id)
    with pytest.raises(NotHeld):
        service.resend(clinic.clerk, item.id)


def test_closing_needs_a_reason_and_keeps_it_with_who_gave_it(clinic: Place) -> None:
    item = queue(clinic)
    hold(clinic, item)
    assert [issue.code for issue in service.close(clinic.clerk, item.id, "  . ")] == ["required"]
    assert [issue.code for issue in service.close(clinic.clerk, item.id, "x" * 501)] == ["too-long"]
    assert service.close(clinic.clerk, item.id, "entered by hand") == []
    last = ledger.history(item.id)[-1]
    assert (last.kind, last.by, last.detail["why"]) == ("closed", clinic.clerk.account_id, "entered by hand")
    status = service.status_of(item.submission_id)
    assert status and status.state is State.CLOSED and status.words == "Your clinic has your answers."


def test_everything_held_for_one_reason_goes_back_together(clinic: Place) -> None:
    items = [queue(clinic, patient_id=another_patient(clinic, f"p{n}")) for n in range(3)]
    for item, reason in zip(items, (Reason.RECONNECT, Reason.RECONNECT, Reason.REFUSED), strict=True):
        hold(clinic, item, reason)
    assert service.resend_all(clinic.clerk, Reason.RECONNECT) == 2
    assert [head.item_id for head in service.held(clinic.clerk)] == [items[2].id]


def test_what_is_certain_follows_from_what_was_seen_not_from_the_reason_alone(clinic: Place) -> None:
    entry = {"index": 0, "method": "POST", "type": "QuestionnaireResponse", "checked": True, "differences": []}
    cases = [
        ({}, "Nothing of this", {"missing"}),
        ({"unsure": True}, "may or may not", {"unknown"}),
        ({"entries": [{**entry, "references": ["QuestionnaireResponse/1"]}]}, "Part of it", {"arrived", "unknown"}),
    ]
    for detail, words_, states in cases:
        item = queue(clinic, patient_id=another_patient(clinic, f"x{len(words_)}{len(states)}"))
        hold(clinic, item, Reason.NO_PERMISSION, **detail)
        seen = service.held_item(clinic.clerk, item.id)
        assert words_ in seen.arrived
        assert {piece.state for piece in seen.pieces} == states


def test_every_reason_and_every_state_has_its_words() -> None:
    for reason in Reason:
        assert all((words(reason).happened, words(reason).arrived, words(reason).next_step, words(reason).owner))
    assert set(PATIENT_WORDS) == set(State)
    assert set(STATE_AFTER) == set(Kind)
    assert set(WORDS) <= set(Reason)


def test_how_the_line_is_doing_is_told_without_names(clinic: Place) -> None:
    first = queue(clinic)
    queue(clinic, patient_id=another_patient(clinic, "pat-2"))
    hold(clinic, first)
    view = service.overview(clinic.clinic_id)
    assert (view.waiting, view.not_confirmed, view.held) == (1, 0, 1)
    assert view.oldest and view.alarm(view.oldest + timedelta(minutes=14)) is None
    assert view.alarm(view.oldest + timedelta(minutes=16)) == "late"
    assert view.alarm(view.oldest + timedelta(hours=5)) == "urgent"
    assert service.overview(place("pat-7").clinic_id).alarm(now()) is None


def test_what_waited_three_days_behind_a_silent_server_is_held_though_nobody_could_try_it(clinic: Place) -> None:
    item = queue(clinic)
    start = now()
    with transaction() as current:
        current.add(Endpoint(clinic_id=clinic.clinic_id, silences=9, pauses=9, down_since=start, open_until=start))
    assert overdue.hold(clinic.clinic_id, lambda: start + timedelta(hours=71), Timing()) == 0
    assert overdue.hold(clinic.clinic_id, lambda: start + timedelta(hours=73), Timing()) == 1
    assert kinds(item) == ["queued", "held"]


def test_after_a_restore_nothing_is_sent_before_it_was_looked_for(clinic: Place) -> None:
    item = queue(clinic)
    assert overdue.after_restore(now) == 1
    status = service.status_of(item.submission_id)
    assert status and status.state is State.NOT_CONFIRMED


def test_nothing_of_the_answers_rests_in_the_open(clinic: Place) -> None:
    item = queue(clinic)
    hold(clinic, item, Reason.REFUSED, said=["left knee is not a code"])
    for table in ("outbox_items", "delivery_events"):
        rows = session().connection().exec_driver_sql(f"SELECT * FROM {table}").all()
        assert rows
        assert not any(b"knee" in _bytes(cell) or b"Ibuprofen" in _bytes(cell) for row in rows for cell in row)


def _bytes(cell: object) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
