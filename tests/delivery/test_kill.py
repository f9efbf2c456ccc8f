"""Workers killed at every step boundary: a short run of the harness, and the proof that it would notice."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest

from .kill import databases
from .killing import BROKEN, POINTS, RELEASES, SOUND, VARIANTS, Case, Result, broken, forking, run

pytestmark = pytest.mark.xdist_group("kill")
DATABASES = databases()


def at_point(database: str, point: str) -> Case:
    number = POINTS.index(point)
    return Case(database, point, RELEASES[number % 3], number=number)


def in_flight(database: str, release: str) -> Case:
    return Case(database, "written", release, number=1)


def asleep(database: str, release: str) -> Case:
    return Case(database, "marked", release, action="stop", number=1)


CASES = [
    *(at_point(database, point) for database in DATABASES for point in POINTS),
    *(in_flight(database, release) for database in DATABASES for release in RELEASES),
    *(asleep(database, release) for database in DATABASES for release in ("before", "woken")),
    *(broken(variant) for variant in BROKEN),
]


@pytest.fixture(scope="module")
def outcome() -> Iterator[Callable[[Case], Result]]:
    """All of them at once, a few at a time: a case mostly waits for leases and bounds to pass."""
    with ProcessPoolExecutor(3, mp_context=forking()) as pool:
        running = {case: pool.submit(run, case) for case in CASES}
        yield lambda case: running[case].result(timeout=200)


Outcome = Callable[[Case], Result]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_here_loses_nothing_doubles_nothing_and_nobody_is_told_falsely(
    outcome: Outcome, database: str, point: str
) -> None:
    result = outcome(at_point(database, point))
    assert result.reached, "the worker never came to this point"
    assert (result.lost, result.doubled, result.false) == (0, 0, [])
    assert result.finished


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("release", RELEASES)
def test_a_request_still_being_worked_on_when_its_worker_dies_is_not_sent_a_second_time(
    outcome: Outcome, database: str, release: str
) -> None:
    result = outcome(in_flight(database, release))
    assert result.sound, result


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("release", ["before", "woken"])
def test_a_worker_that_sleeps_past_its_lease_wakes_to_find_itself_fenced_off(
    outcome: Outcome, database: str, release: str
) -> None:
    result = outcome(asleep(database, release))
    assert result.sound, result
    assert result.writes == 1, "the woken worker opened a socket"


@pytest.mark.parametrize("variant", BROKEN)
def test_a_worker_without_one_of_its_precautions_is_caught_by_this_harness(outcome: Outcome, variant: str) -> None:
    result = outcome(broken(variant))
    assert result.caught and not result.sound, result


@pytest.mark.parametrize("variant", BROKEN)
def test_a_broken_variant_lacks_its_precaution_and_nothing_else(variant: str) -> None:
    assert replace(VARIANTS[variant], bound=SOUND.bound) == SOUND


def test_to_send_again_without_looking_is_also_a_lie(outcome: Outcome) -> None:
    assert any("confirmed" in words for words in outcome(broken("blind")).false)
    assert any("waiting" in words for words in outcome(broken("unmarked")).false)
