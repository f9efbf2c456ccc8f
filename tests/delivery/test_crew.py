"""Several workers: who lives is seen, and what is to be done once is done once, whoever dies meanwhile."""

import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest

from portal import db
from portal.clock import now
from portal.delivery import crew
from portal.delivery.models import SharedJob, WorkerSeen
from portal.delivery.worker import Job
from portal.errors import PortalError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    made = Clock()
    monkeypatch.setattr(crew, "now", made.now)
    return made


class Clock:
    def __init__(self) -> None:
        self.at = now()

    def now(self) -> datetime:
        return self.at

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Chore:
    """A job that counts who did it, and does `meanwhile` while it is at it."""

    def __init__(self) -> None:
        self.done = 0
        self.meanwhile = lambda: None

    def run(self) -> None:
        self.done += 1
        self.meanwhile()


def workers(chore: Chore, many: int, every: float = 300) -> list[tuple[crew.Member, Job]]:
    made = [crew.member() for _ in range(many)]
    for each in made:
        each.beat()
    return [(each, each.once(Job("calendar", every, chore.run))) for each in made]


def test_of_many_workers_one_does_what_is_to_be_done_once(tables: str, clock: Clock) -> None:
    chore = Chore()
    crewed = workers(chore, 3)
    for _ in range(4):
        for _, job in crewed:
            job.run()
    assert chore.done == 1
    clock.later(301)
    for member, job in crewed:
        member.beat()
        job.run()
    assert chore.done == 2


def test_nobody_begins_what_a_living_worker_is_still_at_however_long_it_takes(tables: str, clock: Clock) -> None:
    chore = Chore()
    (mine, my_job), (_, other) = workers(chore, 2)

    def long() -> None:
        chore.meanwhile = lambda: None
        for _ in range(8):
            clock.later(50)
            mine.beat()
            other.run()

    chore.meanwhile = long
    my_job.run()
    assert chore.done == 1, "the other began it as well"
    other.run()
    assert chore.done == 2, "its time had come when the first was through"


def test_the_turn_of_a_worker_that_died_at_it_is_anothers_once_it_counts_as_gone(tables: str, clock: Clock) -> None:
    chore = Chore()
    (killed, _), (other, other_job) = workers(chore, 2, every=10)
    with db.transaction() as current:  # as a kill leaves it: taken and never given back
        current.add(SharedJob(name="calendar", next_at=clock.at + timedelta(seconds=10), by=killed.id))
    clock.later(30)
    other.beat()
    other_job.run()
    assert chore.done == 0
    clock.later(40)
    other.beat()
    other_job.run()
    assert chore.done == 1


def test_a_job_that_fails_is_given_back_and_waits_for_its_next_time(tables: str, clock: Clock) -> None:
    chore = Chore()
    (_, job), (_, other) = workers(chore, 2)

    def fail() -> None:
        raise PortalError

    chore.meanwhile = fail
    with pytest.raises(PortalError):
        job.run()
    other.run()
    assert chore.done == 1
    clock.later(301)
    chore.meanwhile = lambda: None
    other.run()
    assert chore.done == 2


def test_a_date_that_a_wrong_clock_wrote_stops_nothing(tables: str, clock: Clock) -> None:
    chore = Chore()
    clock.later(400 * 24 * 3600)
    [(_, job)] = workers(chore, 1)
    job.run()
    clock.later(-400 * 24 * 3600)
    [(_, again)] = workers(chore, 1)
    again.run()
    assert chore.done == 2


@pytest.mark.parametrize("many", [6])
def test_workers_that_look_at_the_same_moment_do_not_do_it_twice(tables: str, many: int) -> None:
    done: Counter[str] = Counter()
    barrier = threading.Barrier(many)

    def work(number: int) -> None:
        member = crew.member()
        member.beat()
        job = member.once(Job("calendar", 300, lambda: done.update(["calendar"])))
        barrier.wait(20)
        job.run()
        db.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == {"calendar": 1}


def test_who_lives_is_told_with_the_last_sign_of_life_and_who_left_quietly_is_not(tables: str, clock: Clock) -> None:
    first, second, third = (crew.member() for _ in range(3))
    first.beat()
    clock.later(120)
    second.beat()
    third.beat()
    third.leave()
    told = crew.mates(clock.at)
    assert [each.alive for each in told] == [True, False]
    assert told[1].seen_at == clock.at - timedelta(seconds=120)
    clock.later(2 * 24 * 3600)
    crew.member().beat()
    assert len(crew.mates(clock.at)) == 1
    assert db.session().query(WorkerSeen).count() == 1, "who is long gone is cleared away"
