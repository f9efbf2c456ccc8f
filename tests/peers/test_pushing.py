"""The contract of delivery, on servers that nobody here wrote: once, read back, never falsely said to have arrived."""

from collections.abc import Callable
from typing import Any

import pytest

from portal import working
from portal.delivery import service as delivery
from portal.delivery.models import OutboxItem
from portal.delivery.sender import send_next
from portal.delivery.states import Kind, Reason, State
from portal.delivery.timing import Timing
from portal.delivery.tools import Outcome
from portal.ehr import service
from portal.ehr.models import Connection
from tests.delivery.make import Hands, kinds, updated
from tests.ehr.make import Place

from .clinic import Person, allergy, answers, insured, many, new_phone, ours, person, state_of
from .running import NARROW, Peer
from .table import Tell

Connect = Callable[..., Connection]
TURNS = 12
ROOMY = Timing(lease=120, send=60, bound=1)
"""Room for a busy machine: a turn that takes long must not be taken for a worker that slept."""


@pytest.fixture
def someone(peer: Peer, clinic: Place, connect: Connect) -> Person:
    connection = connect()
    assert service.test(clinic.admin, connection.id).ok
    return person(peer, clinic, connection)


def work(hands: Hands, item: OutboxItem, just_before_it_is_sent: Callable[[], object] = lambda: None) -> Outcome | None:
    """The worker's turns until the item rests, the clock going on to each next date."""
    last = None

    def checkpoint(step: str) -> None:
        if step == "marked":
            just_before_it_is_sent()

    for _ in range(TURNS):
        outcome = send_next(hands.tools(working._client, timing=ROOMY, reaches=working._reaches, checkpoint=checkpoint))
        last = outcome or last
        if state_of(item).state in (State.CONFIRMED, State.HELD):
            return last
        hands.later(60)
    raise AssertionError(f"the item never rests: {kinds(item)}")


def something(peer: Peer, someone: Person) -> dict[str, Any]:
    """Answers where the server keeps such, else an allergy that the patient told of."""
    return answers(someone) if peer.keeps("QuestionnaireResponse") else ours(someone)


def test_what_was_accepted_arrives_once_and_is_read_back(peer: Peer, someone: Person, hands: Hands, tell: Tell) -> None:
    first, second = something(peer, someone), ours(someone)
    item = someone.queue(first, second, new_phone(someone))
    work(hands, item)
    status = state_of(item)
    assert status.state is State.CONFIRMED, (kinds(item), status)
    assert (many(peer, first), many(peer, second)) == (1, 1)
    assert peer.read(someone.reference)["telecom"][0]["value"] == "+44 20 7946 0000"
    assert status.changed == 0
    if "partial" in kinds(item):
        tell("adapts", "entry by entry")
    tell("passed")


def test_a_picture_of_a_card_arrives_with_its_insurance(peer: Peer, someone: Person, hands: Hands, tell: Tell) -> None:
    picture = b"\xff\xd8\xff" + bytes(range(256)) * 400
    cover, paper = insured(someone, picture)
    item = someone.queue(cover, paper)
    work(hands, item)
    assert state_of(item).state is State.CONFIRMED, (kinds(item), state_of(item))
    assert (many(peer, cover), many(peer, paper)) == (1, 1)
    assert state_of(item).changed == 0
    if "partial" in kinds(item):
        tell("adapts", "entry by entry")
    tell("passed")


def test_answers_arrive_or_are_held_where_they_could_not_be_found_again(
    peer: Peer, someone: Person, hands: Hands, tell: Tell
) -> None:
    first = answers(someone)
    item = someone.queue(first)
    work(hands, item)
    if peer.keeps("QuestionnaireResponse"):
        assert (state_of(item).state, many(peer, first)) == (State.CONFIRMED, 1), kinds(item)
        tell("passed")
    else:
        assert (state_of(item).state, state_of(item).reason) == (State.HELD, Reason.REFUSED), kinds(item)
        assert many(peer, first) == 0
        tell("not offered", "held, nothing stored")


def test_a_record_that_moved_meanwhile_is_not_overwritten(
    peer: Peer, someone: Person, hands: Hands, tell: Tell
) -> None:
    first = something(peer, someone)
    item = someone.queue(first, new_phone(someone))
    peer.put({**someone.stored, "birthDate": "1980-01-03"})
    work(hands, item)
    assert (state_of(item).state, state_of(item).reason) == (State.HELD, Reason.CHANGED_MEANWHILE)
    assert many(peer, first) == 0
    assert "telecom" not in peer.read(someone.reference)
    tell("passed")


def test_a_record_that_moves_as_we_send_is_not_overwritten(
    peer: Peer, someone: Person, hands: Hands, tell: Tell
) -> None:
    item = someone.queue(new_phone(someone))
    work(hands, item, lambda: peer.put({**someone.stored, "birthDate": "1980-01-03"}))
    assert (state_of(item).state, state_of(item).reason) == (State.HELD, Reason.CHANGED_MEANWHILE), kinds(item)
    assert "telecom" not in peer.read(someone.reference)
    if "not-sent" in kinds(item):
        tell("adapts", "seen by our own look")
    else:
        assert {"conflicted", "in-doubt"} & set(kinds(item)), "the server itself has to refuse an old version"
    tell("passed")


def test_what_is_refused_as_we_send_is_never_said_to_have_arrived(
    peer: Peer, someone: Person, hands: Hands, tell: Tell
) -> None:
    first = ours(someone)
    item = someone.queue(first, new_phone(someone))
    work(hands, item, lambda: peer.put({**someone.stored, "birthDate": "1980-01-03"}))
    status = state_of(item)
    assert status.state is State.HELD, kinds(item)
    assert "telecom" not in peer.read(someone.reference)
    if many(peer, first):
        assert status.reason in (Reason.PARTLY_THERE, Reason.CHANGED_MEANWHILE), "a part is there, and is told"
        pieces = delivery.held_item(someone.place.clerk, item.id).pieces
        assert [piece.state for piece in pieces] == ["arrived", "missing"]
        tell("adapts", "the part is told")
    else:
        assert status.reason is Reason.CHANGED_MEANWHILE
    tell("passed")


def test_a_token_that_ended_is_renewed_within_the_push(peer: Peer, someone: Person, hands: Hands, tell: Tell) -> None:
    first = ours(someone)
    item = someone.queue(first)
    work(hands, item, peer.forget_tokens)
    assert state_of(item).state is State.CONFIRMED, kinds(item)
    assert not {"in-doubt", "unchecked", "held"} & set(kinds(item))
    assert many(peer, first) == 1
    tell("passed")


def test_a_lost_reply_is_found_again_and_stored_once(peer: Peer, someone: Person, hands: Hands, tell: Tell) -> None:
    first, second = something(peer, someone), ours(someone)
    item = someone.queue(first, second)
    hands.later(60)  # what was queued on a slow machine is due by then
    peer.lose_replies()
    outcome = send_next(hands.tools(working._client, timing=ROOMY, reaches=working._reaches))
    assert outcome and outcome.kind in (Kind.IN_DOUBT, Kind.PARTIAL), outcome
    assert state_of(item).state is State.NOT_CONFIRMED
    work(hands, item)
    assert state_of(item).state is State.CONFIRMED, kinds(item)
    assert (many(peer, first), many(peer, second)) == (1, 1)
    tell("passed")


def test_the_same_bytes_again_store_nothing_more(peer: Peer, someone: Person, hands: Hands, tell: Tell) -> None:
    first = ours(someone)
    item = someone.queue(first)
    work(hands, item)
    client = working._client(someone.place.clinic_id)
    condition = {"If-None-Exist": str(first["request"]["ifNoneExist"])}
    if "partial" in kinds(item):
        answer = client.write("POST", first["resource"]["resourceType"], _bytes(first["resource"]), condition)
    else:
        answer = client.transaction(item.payload.encode())
    assert answer.status == 200, answer
    assert many(peer, first) == 1
    tell("passed")


def test_one_bad_entry_and_nothing_is_stored(peer: Peer, someone: Person, hands: Hands, tell: Tell) -> None:
    first = ours(someone)
    missing = updated(allergy(someone, id="never-there"), "1")
    item = someone.queue(first, missing)
    work(hands, item)
    assert state_of(item).state is State.HELD
    assert many(peer, first) == 0
    tell("passed")


def test_what_is_there_twice_is_told_and_not_sent_a_third_time(
    peer: Peer, someone: Person, hands: Hands, tell: Tell
) -> None:
    first = ours(someone)
    for _ in range(2):
        peer.put(first["resource"])
    item = someone.queue(first)
    work(hands, item)
    assert (state_of(item).state, state_of(item).reason) == (State.HELD, Reason.DUPLICATE_UPSTREAM), kinds(item)
    assert many(peer, first) == 2
    tell("passed")


def test_scopes_that_do_not_reach_hold_the_push_and_store_nothing(
    peer: Peer, clinic: Place, connect: Connect, hands: Hands, tell: Tell
) -> None:
    connection = connect(NARROW)
    service.test(clinic.admin, connection.id)
    someone = person(peer, clinic, connection)
    first = answers(someone)
    item = someone.queue(first)
    work(hands, item)
    assert (state_of(item).state, state_of(item).reason) == (State.HELD, Reason.NO_PERMISSION), kinds(item)
    assert many(peer, first) == 0
    tell("passed")


def _bytes(resource: object) -> bytes:
    from portal.fhir import exact

    return exact.dumps(resource).encode()
