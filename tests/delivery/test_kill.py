"""Workers killed at every step boundary: a short run of the harness, and the proof that it would notice."""

import os

import pytest

from .killing import POINTS, RELEASES, Case, run

DATABASES = ["sqlite", *(["postgresql"] if os.environ.get("PREVISIT_TEST_POSTGRES") else [])]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_here_loses_nothing_doubles_nothing_and_nobody_is_told_falsely(
    database: str, point: str
) -> None:
    number = POINTS.index(point)
    result = run(Case(database, point, RELEASES[number % 3], number=number))
    assert result.reached, "the worker never came to this point"
    assert (result.lost, result.doubled, result.false) == (0, 0, [])
    assert result.finished


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("release", RELEASES)
def test_a_request_still_being_worked_on_when_its_worker_dies_is_not_sent_a_second_time(
    database: str, release: str
) -> None:
    result = run(Case(database, "written", release, number=1))
    assert result.sound, result


@pytest.mark.parametrize("database", DATABASES)
def test_a_worker_that_sleeps_past_its_lease_wakes_to_find_itself_fenced_off(database: str) -> None:
    result = run(Case(database, "marked", "before", action="stop", number=1))
    assert result.sound, result
    assert result.writes == 1, "the woken worker opened a socket"


def test_conditional_create_without_read_back_is_caught_by_this_harness() -> None:
    result = run(Case("sqlite", "written", "late", variant="blind"))
    assert result.doubled
    assert any("confirmed" in words for words in result.false)
