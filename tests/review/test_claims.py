"""Who works on a submission: two people never collide, and the second is told who and when and loses nothing."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from portal import db
from portal.actors import Actor, Role
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import session, transaction
from portal.errors import NotAllowed
from portal.review import claims, service
from portal.review.models import Claim, Decision
from portal.review.service import Asked
from tests import make
from tests.conftest import csrf
from tests.review.conftest import DESK, World
from tests.review.test_pages import path, post, text, typed
from tests.review.test_service import ORDINARY, choose, decide, opened


def ruiz(world: World) -> Actor:
    return make.staff_actor(make.staff(world.clinic, Role.CLINICIAN, "Dr Ruiz", "ruiz@example.org"))


def later(world: World, submission: str, minutes: int) -> None:
    """The last thing that was done to it was so many minutes earlier."""
    with transaction() as current:
        for row in [*current.scalars(select(Claim)), *current.scalars(select(Decision))]:
            row.at -= timedelta(minutes=minutes)


def test_one_takes_it_and_the_other_is_told_who_and_when(world: World) -> None:
    submission, other = world.submit(*ORDINARY), ruiz(world)
    assert service.take(world.actor(), submission) is None
    held = service.take(other, submission)
    assert held
    assert (held.by, held.account_id) == ("Dr Lee", world.accounts[Role.CLINICIAN])
    assert now() - held.since < timedelta(minutes=1)
    assert len(session().scalars(select(Claim)).all()) == 1


def test_taking_it_twice_is_taking_it_once(world: World) -> None:
    submission = world.submit(*ORDINARY)
    for _ in range(2):
        assert service.take(world.actor(), submission) is None
    assert len(session().scalars(select(Claim)).all()) == 1


def test_nothing_is_saved_or_finished_by_another_until_it_is_taken_over(world: World) -> None:
    submission, other = world.submit(*ORDINARY), ruiz(world)
    decide(world, submission, only="Latex")
    service.take(world.actor(), submission)
    late = service.decide(other, submission, choose(opened(world, submission)), DESK)
    assert late.held
    assert late.held.by == "Dr Lee"
    assert late.saved == 0
    finished = service.finish(other, submission, DESK)
    assert finished.held
    assert finished.to is None
    assert service.decide(other, submission, choose(opened(world, submission)), DESK, over=True).saved == 2
    back = service.decide(world.actor(), submission, choose(opened(world, submission), reason="x"), DESK)
    assert back.held
    assert back.held.by == "Dr Ruiz"


def test_it_is_free_again_after_a_time_in_which_nothing_was_done(world: World) -> None:
    submission, other = world.submit(*ORDINARY), ruiz(world)
    service.take(world.actor(), submission)
    later(world, submission, 29)
    assert service.take(other, submission) is not None
    decide(world, submission, only="Latex")
    later(world, submission, 29)
    assert service.take(other, submission) is not None, "deciding something goes on with it"
    later(world, submission, 2)
    assert service.take(other, submission) is None


def test_it_can_be_let_go_by_whoever_has_it_only(world: World) -> None:
    submission, other = world.submit(*ORDINARY), ruiz(world)
    service.take(world.actor(), submission)
    service.let_go(other, submission)
    assert service.take(other, submission) is not None
    service.let_go(world.actor(), submission)
    assert service.take(other, submission) is None


def test_who_may_not_review_takes_nothing(world: World) -> None:
    submission = world.submit(*ORDINARY)
    for act in (service.take, service.let_go):
        with pytest.raises(NotAllowed):
            act(world.actor(Role.ADMINISTRATOR), submission)


def test_of_ten_who_take_it_at_once_one_has_it(world: World) -> None:
    submission, barrier = world.submit(*ORDINARY), Barrier(10)
    people = [
        make.staff_actor(make.staff(world.clinic, Role.CLINICIAN, f"Dr {place}", f"d{place}@example.org"))
        for place in range(10)
    ]
    told: list[object] = []
    session().rollback()

    def go(actor: Actor) -> None:
        barrier.wait(30)
        try:
            told.append(service.take(actor, submission))
        finally:
            db.close()

    threads = [Thread(target=go, args=(each,)) for each in people]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(told) == 10
    assert told.count(None) == 1
    assert len(session().scalars(select(Claim)).all()) == 1


def test_it_is_audited_and_told_in_the_story_and_in_the_queue(world: World) -> None:
    submission, other = world.submit(*ORDINARY), ruiz(world)
    service.take(world.actor(), submission)
    service.take(other, submission, over=True)
    events = session().scalars(select(AuditRow.event).where(AuditRow.subject == f"submissions:{submission}")).all()
    assert events.count("submission-taken") == 2
    told = [(moment.what, moment.who, moment.detail) for moment in opened(world, submission).story]
    assert ("Taken to work on", "Dr Ruiz", "Taken over from Dr Lee") in told
    (row,) = service.queue(world.actor(), Asked()).rows
    assert row.held
    assert row.held.by == "Dr Ruiz"
    assert [each.key for each in service.queue(other).filters if each.key in ("mine", "free")] == ["mine"]
    assert "Dr Ruiz since" in text(world.signed_in(), "/desk")


def test_who_has_which_of_several_is_told_at_once(world: World) -> None:
    ids = [world.submit(*ORDINARY, visit=make.visit(world.patient)) for _ in range(3)]
    for each in ids:
        service.take(world.actor(), each)
    assert set(claims.standing(ids)) == set(ids)


def test_on_the_page_nothing_typed_is_lost_and_one_press_takes_it_over(world: World) -> None:
    submission = world.submit(*ORDINARY)
    first = world.signed_in()
    assert first.post(f"{path(submission)}/take", data={"csrf_token": csrf(first, path(submission))}).status_code == 303
    ruiz(world)
    late = world.enter("ruiz@example.org")
    page = text(late, path(submission))
    assert "Dr Lee has taken this" in page
    form = typed(page, "reject", reason="Typed by the second <b>")
    answer = post(late, path(submission), step="finish", **form)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Not saved: Dr Lee has taken this" in body
    assert body.count("Typed by the second &lt;b&gt;") == 3
    assert "Take over and save" in body
    assert post(late, path(submission), step="over", **form).status_code == 303
    assert "You have taken this" in text(late, path(submission))
    assert {row.detail["by"] for row in session().scalars(select(Decision))} == {"Dr Ruiz"}
    assert "Dr Ruiz has taken this" in text(first, path(submission))


def test_whoever_opens_it_sees_who_else_has_it_open(world: World) -> None:
    submission, other = world.submit(*ORDINARY), ruiz(world)
    service.open_submission(other, submission, DESK)
    assert "Also open here:</strong> Dr Ruiz" in text(world.signed_in(), path(submission))


def test_a_finished_one_is_taken_by_nobody(world: World) -> None:
    submission = world.submit(*ORDINARY)
    service.take(world.actor(), submission)
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    assert opened(world, submission).held is None
    assert service.take(ruiz(world), submission) is None
    assert len(session().scalars(select(Claim)).all()) == 1
