"""Who is written to, and when: nobody twice, nobody too late, nobody at night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from portal.accounts.models import Clinic
from portal.db import session, transaction
from portal.intake import service as intake
from portal.intake.models import Visit
from portal.notices import planning, sending, service
from portal.notices.models import Notice, State
from portal.notices.planning import Quiet
from portal.settings import Settings
from tests import make
from tests.accounts import proxying
from tests.house.settling import send
from tests.notices.conftest import NOON, Box, kinds, office, person, run, text
from tests.review.conftest import World
from tests.review.conftest import world as world  # the fixture


def test_from_the_invitation_to_the_reminders_nobody_is_told_twice(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        ana = person(clinic)
        make.visit(ana, in_days=20)
        assert run(config, box) == 0, "too early"
        clock.shift(timedelta(days=7))
        assert run(config, box) == 1
        clock.shift(timedelta(days=1))
        assert run(config, box) == 0
        make.patient_account(ana)
        clock.shift(timedelta(days=5, hours=1))  # 7 days before
        assert run(config, box) == 1
        assert run(config, box) == 0
        clock.shift(timedelta(days=5))  # 2 days before
        assert run(config, box) == 1
        clock.shift(timedelta(days=1))
        assert run(config, box) == 0
    assert kinds() == ["invitation", "reminder", "reminder"]
    assert [message["To"] for message in box.got] == ["ana@example.org"] * 3


def test_several_visits_in_a_week_ask_once(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = person(clinic)
        for days in (8, 9, 10):
            make.visit(ana, in_days=days, appointment_id=str(days))
        assert run(config, box) == 1


def test_somebody_with_an_account_is_asked_to_prepare_a_new_visit(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = person(clinic, email=None)
        make.patient_account(ana, "own@example.org")
        make.visit(ana, in_days=10)
        assert run(config, box) == 1
    assert kinds() == ["asked"]
    assert box.got[0]["To"] == "own@example.org"
    assert "http://localhost/visits\n" in text(box.got[0])


def test_who_answers_for_a_child_is_asked_instead_of_the_child_until_their_time_is_over(
    config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        noah = make.patient(clinic, "Noah Bennett", birthDate="2018-05-14", email="family@example.org")
        proxying.proxy(noah, email="father@example.org", relation="parent", scope=("forms",), until="2026-12-20")
        make.visit(noah, in_days=10)
        assert run(config, box) == 1
        clock.shift(timedelta(days=20))
        make.visit(noah, in_days=10, appointment_id="later")
        assert run(config, box) == 1
        clock.shift(timedelta(days=10))
        make.visit(noah, in_days=10, appointment_id="after")
        run(config, box)
    assert [str(message["To"])[:6] for message in box.got] == ["father", "father", "family"]


@pytest.mark.parametrize("state", ["cancelled", "over", "soon", "far"])
def test_nobody_is_asked_about_a_visit_that_needs_nothing_now(
    state: str, config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False):
        visit = make.visit(person(clinic), in_days={"over": -1.0, "soon": 0.1, "far": 15.0}.get(state, 3.0))
        if state == "cancelled":
            with transaction():
                session().get_one(Visit, visit.id).state = "cancelled"
        assert run(config, box) == 0


def test_who_has_sent_is_not_reminded_and_who_is_asked_something_is_told_once(
    world: World, config: Settings, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False):
        make.patient_account(world.patient)
        submission = world.submit()
        assert run(config, box) == 0
        move(world, submission, "in-review")
        move(world, submission, "returned")
        assert run(config, box) == 1
        assert run(config, box) == 0
    assert kinds() == ["returned"]


def move(world: World, submission_id: str, to: str) -> None:
    actor = world.actor()
    with transaction():
        intake.move(actor, intake.submission(actor, submission_id), intake.Status(to), {"by": "Dr Lee"})


def test_what_happened_long_ago_is_no_news_when_messages_are_switched_on(
    world: World, config: Settings, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make.patient_account(world.patient)
        submission = world.submit()
        move(world, submission, "in-review")
        move(world, submission, "returned")
        clock.shift(planning.FRESH + timedelta(hours=1))
        run(config, box)
    assert "returned" not in kinds()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23T20:59", "2026-11-23T20:59"),
        ("2026-11-23T21:00", "2026-11-24T08:00"),
        ("2026-11-24T02:00", "2026-11-24T08:00"),
        ("2026-11-24T07:59", "2026-11-24T08:00"),
        ("2026-11-24T08:00", "2026-11-24T08:00"),
        ("2026-03-28T23:30", "2026-03-29T08:00"),  # the clock changes in this night
    ],
)
def test_at_night_nothing_is_sent_that_can_wait(at: str, expected: str) -> None:
    zone = ZoneInfo("Europe/London")
    local, wanted = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (at, expected))
    assert Quiet(21, 8).after(local.astimezone(UTC), zone) == wanted


def test_quiet_hours_by_day_and_none_at_all() -> None:
    noon = NOON
    assert Quiet(0, 0).after(noon, ZoneInfo("UTC")) == noon
    assert Quiet(11, 14).after(noon, ZoneInfo("UTC")).hour == 14


def test_a_message_planned_at_night_goes_in_the_morning(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON.replace(hour=23), tick=False) as clock:
        make.visit(person(clinic), in_days=10)
        assert run(config, box) == 0
        clock.shift(timedelta(hours=9, minutes=1))
        assert run(config, box) == 1


@pytest.mark.parametrize("after", ["joined", "cancelled", "stopped", "sent"])
def test_what_is_no_longer_needed_is_dropped_before_it_is_sent(
    after: str, config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON.replace(hour=23), tick=False) as clock:
        ana = person(clinic)
        if after in {"stopped", "sent"}:
            make.patient_account(ana)
        visit = make.visit(ana, in_days=10)
        run(config, box)
        if after == "joined":
            make.patient_account(ana)
        elif after == "stopped":
            service.stop(service.stop_token(ana.id))
        elif after == "cancelled":
            with transaction():
                session().get_one(Visit, visit.id).state = "cancelled"
        else:
            send(visit, ana, "mark", "0" * 16)
        clock.shift(timedelta(hours=10))
        planned = session().query(Notice).one()
        sending.send_due(office(box))
        assert planned.state == State.DROPPED
    assert not box.got
