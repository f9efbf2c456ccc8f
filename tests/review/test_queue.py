"""The queue: what needs a person and why, how near the visit is, what it can be narrowed to and how it is sorted."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from portal.actors import Actor, system
from portal.clock import now
from portal.db import transaction
from portal.delivery import ledger
from portal.delivery.models import OutboxItem
from portal.delivery.states import Kind, Reason
from portal.intake import heads
from portal.intake.models import Submission
from portal.review import queue as queues
from portal.review import service
from portal.review.attention import FILTERS, RETIRED, Around, attention
from portal.review.models import Verdict
from portal.review.queue import ALSO, SORTS, Due
from portal.review.record import KINDS, MORE, WORDS
from portal.review.service import Asked, Queue
from tests import make
from tests.review.builders import ASTHMA, PATIENT, PENICILLIN, fact, new, phone
from tests.review.conftest import DESK, World
from tests.review.test_pages import text
from tests.review.test_service import ORDINARY, decide

URGENT = [{"key": "phq-9-item-9", "words": "Thoughts of being better off dead", "labels": []}]
CONFLICT = [{"section": "allergy", "key": "x", "label": "Latex", "said": []}]


def seen(world: World, **wished: Any) -> Queue:
    return service.queue(world.actor(), Asked(**wished))


def arrange(world: World, name: str, *facts: Any, hours: float = 72, tied: bool = True, **more: Any) -> str:
    """Somebody else's submission, for a visit in so many hours."""
    held = {"connection_id": world.connection.id, "fhir_id": name.replace(" ", "-").lower()} if tied else {}
    patient = make.patient(world.clinic, name, **held)
    visit = make.visit(patient)
    with transaction():
        visit.starts_at = now() + timedelta(hours=hours)
    return world.submit(*facts, patient=patient, visit=visit, **more)


REASONS: dict[str, tuple[dict[str, Any], Around]] = {
    "today": ({"urgent": URGENT}, Around()),
    "untied": ({}, Around(tied=False)),
    "held": ({}, Around(held=True)),
    "conflict": ({"conflicts": CONFLICT}, Around()),
    "screen": ({"looks": 1, "told": 3}, Around()),
    "allergy": ({"facts": [fact("allergy", PENICILLIN, "stopped", "Penicillin")]}, Around()),
    "stale": ({}, Around(stale=True)),
    "answered": ({}, Around(round=2)),
}


@pytest.mark.parametrize("key", FILTERS)
def test_each_thing_that_needs_a_person_is_named_first(key: str) -> None:
    document, around = REASONS[key]
    first = attention({"facts": [phone("changed", "555 0199")], **document}, around)[0]
    assert first.key == key
    assert first.care or key == "answered"


def test_the_reasons_come_in_the_order_in_which_they_press() -> None:
    everything: dict[str, Any] = {}
    for document, _ in REASONS.values():
        everything |= document
    found = attention(everything, Around(tied=False, round=2, stale=True, held=True))
    assert [why.key for why in found] == [
        "today",
        "untied",
        "held",
        "conflict",
        "stale",
        "screen",
        "answered",
        "allergy",
    ]


def test_a_record_that_was_merged_or_set_aside_is_told_in_the_queue_once_it_was_read(world: World) -> None:
    submission = world.submit(phone("changed", "555 0199"))
    merged = {**PATIENT, "active": False, "link": [{"type": "replaced-by", "other": {"reference": "Patient/8"}}]}
    for patient, told in ((PATIENT, False), (merged, True), ({**PATIENT, "active": False}, True)):
        world.record(contact=(patient,))
        (row,) = [each for each in seen(world).rows if each.submission.id == submission]
        assert (RETIRED in row.why) is told
    assert [each.submission.id for each in seen(world, only="untied").rows] == [submission]


@pytest.mark.parametrize("answer", ["changed", "stopped", "added", "unsure"])
@pytest.mark.parametrize("kind", ["contact", "medication", "allergy", "condition", "procedure", "coverage"])
def test_no_answer_that_differs_goes_unnamed(kind: str, answer: str) -> None:
    found = attention({"facts": [{"kind": kind, "answer": answer}]}, Around())
    assert found
    assert found[0].key != "nothing"


def test_a_form_that_tells_of_an_allergy_stands_out() -> None:
    found = attention({"facts": [], "told": 2, "says": ["AllergyIntolerance", "Observation"]}, Around())
    assert found[0].care


def test_the_most_pressing_is_on_top_then_the_next_visit(world: World) -> None:
    arrange(world, "Calm Later", phone("changed", "555 0199"), hours=90)
    arrange(world, "Calm Soon", phone("changed", "555 0199"), hours=30)
    arrange(world, "Allergy", new("allergy", "Latex"), hours=90)
    arrange(world, "Nobody Knows", phone("same"), hours=90, tied=False)
    arrange(world, "Today", phone("same"), hours=90, urgent=URGENT)
    names = [row.name for row in seen(world).rows]
    assert names == ["Today", "Nobody Knows", "Allergy", "Calm Soon", "Calm Later"]


def test_it_is_sorted_as_asked(world: World) -> None:
    arrange(world, "Bea", new("allergy", "Latex"), hours=50)
    arrange(world, "Abe", phone("same"), hours=70)
    arrange(world, "Cid", phone("same"), hours=30)
    orders = {key: [row.name for row in seen(world, sort=key).rows] for key in SORTS}
    assert orders == {
        "pressing": ["Bea", "Cid", "Abe"],
        "visit": ["Cid", "Bea", "Abe"],
        "waiting": ["Bea", "Abe", "Cid"],
        "name": ["Abe", "Bea", "Cid"],
    }


def test_it_can_be_narrowed_to_each_reason_and_the_counts_agree(world: World) -> None:
    arrange(world, "Today", phone("same"), urgent=URGENT)
    arrange(world, "Both", new("allergy", "Latex"), urgent=URGENT)
    arrange(world, "Soon", phone("same"), hours=3)
    arrange(world, "Nobody Knows", phone("same"), tied=False)
    for each in seen(world).filters:
        assert len(seen(world, only=each.key).rows) == each.count > 0
    assert {row.name for row in seen(world, only="today").rows} == {"Today", "Both"}
    assert [row.name for row in seen(world, only="overdue").rows] == ["Soon"]
    assert {each.key for each in seen(world).filters} == {"today", "untied", "allergy", "overdue", "free"}


def test_what_nobody_knows_is_the_usual_view(world: World) -> None:
    world.submit(*ORDINARY)
    assert seen(world, view="x", only="y", sort="z").asked == Asked()
    assert not set(FILTERS) & set(ALSO)


@pytest.mark.parametrize(("hours", "due"), [(-1, Due.PAST), (23, Due.SOON), (25, Due.LATER)])
def test_a_visit_that_is_near_or_has_begun_is_said(world: World, hours: float, due: Due) -> None:
    arrange(world, "Eva Lind", phone("same"), hours=hours)
    (row,) = seen(world).rows
    assert row.due is due
    words = {Due.PAST: "Visit has begun", Due.SOON: "Within a day"}
    page = text(world.signed_in(), "/desk")
    assert [word in page for word in words.values()] == [due is each for each in words]


def test_what_is_done_is_never_overdue(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    with transaction():
        world.visit.starts_at = now() - timedelta(hours=1)
    (row,) = seen(world, view="sending").rows
    assert row.due is Due.LATER


def test_what_the_record_changed_since_is_told_in_the_queue_without_asking_the_clinic(world: World) -> None:
    world.submit(phone("same"), fact("condition", ASTHMA, "same", "Asthma"))
    world.record()
    assert "stale" not in {why.key for why in seen(world).rows[0].why}
    world.record(condition=({**ASTHMA, "meta": {"versionId": "10"}, "code": {"text": "COPD"}},))
    assert seen(world).rows[0].why[0].key == "stale"
    world.record(condition=())
    assert seen(world).rows[0].why[0].key == "stale"


def test_a_new_version_of_the_record_that_says_the_same_is_no_change(world: World) -> None:
    world.submit(phone("same"), fact("condition", ASTHMA, "same", "Asthma"))
    newer = {"meta": {"versionId": "77"}}
    world.record(contact=({**PATIENT, **newer, "maritalStatus": {"text": "M"}},), condition=({**ASTHMA, **newer},))
    assert [why.key for why in seen(world).rows[0].why] == ["nothing"]


def test_a_delivery_that_was_stopped_needs_a_person(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    assert seen(world).counts["review"] == 0
    with transaction() as current:
        item = current.query(OutboxItem).filter_by(submission_id=submission).one()
        ledger.append(item, Kind.HELD, at=now(), by=system(world.clinic.id), reason=Reason.REFUSED)
    (row,) = seen(world).rows
    assert row.why[0].key == "held"
    assert seen(world).counts == {"review": 1, "patient": 0, "sending": 0, "done": 0, "all": 1}


def test_what_was_answered_after_a_question_is_told(world: World) -> None:
    first = world.submit(*ORDINARY)
    decide(world, first)
    decide(world, first, verdict=Verdict.ASK, reason="Sure?", only="Latex")
    service.finish(world.actor(), first, DESK)
    world.submit(*ORDINARY)
    assert [row.why[0].key for row in seen(world, only="answered").rows] == ["answered"]


def test_the_page_tells_why_how_long_and_offers_what_is_there(world: World) -> None:
    arrange(world, "Today", phone("same"), urgent=URGENT)
    page = text(world.signed_in(), "/desk?sort=visit")
    for words in ("Something here needs a clinician today", "Just now", "For a clinician today", "Most pressing"):
        assert words in page
    assert "The record moved on" not in page, "nothing to narrow to"
    assert "Nothing in this list has that" in text(world.signed_in(), "/desk?why=stale")


def test_every_section_of_the_record_has_words_at_the_desk(world: World) -> None:
    assert set(WORDS) == {*KINDS, *MORE}
    facts = [{**new("contact", "x y", place=place), "kind": kind} for place, kind in enumerate(WORDS, 1)]
    page = text(world.signed_in(), f"/desk/submissions/{world.submit(*facts)}")
    assert "What the record says now" in page


def test_what_is_finished_is_shown_a_page_at_a_time_and_none_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST_SHOWN", 2)
    monkeypatch.setattr(queues, "MOST_COUNTED", 3)
    sent = [arrange(world, f"Person {number}") for number in range(5)]
    with transaction() as current:
        for submission_id in sent:
            current.get_one(Submission, submission_id).status = "withdrawn"
    pages, before = [], None
    for _ in range(3):
        found = service.queue(world.actor(), Asked("done", before=before))
        pages.append([row.submission.id for row in found.rows])
        before = found.more
    assert [len(page) for page in pages] == [2, 2, 1] and before is None
    assert sorted(each for page in pages for each in page) == sorted(sent)
    assert found.counts["done"] == 4, "counting stops when it is more than the most"


def test_the_desk_opens_only_what_it_shows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a clinic has finished, nothing of it is read to show what needs a person."""
    sent = [arrange(world, f"Person {number}") for number in range(3)]
    with transaction() as current:
        for submission_id in sent[1:]:
            current.get_one(Submission, submission_id).status = "withdrawn"
    opened: list[str] = []
    usual = heads.opened

    def note(actor: Actor, page: Collection[heads.Head]) -> list[Submission]:
        opened.extend(each.id for each in page)
        return usual(actor, page)

    monkeypatch.setattr(heads, "opened", note)
    service.queue(world.actor())
    assert sent[0] in opened and not set(sent[1:]) & set(opened)
