"""One code, one use: the accepted step of an app's code only goes up, on each database, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from portal import db
from portal.accounts import totp
from portal.clock import now
from tests.accounts.people import ANA, Person, app_of, code_of


@pytest.mark.parametrize(
    ("moves", "opens"),
    [
        ([0, 0], [True, False]),
        ([0, 30, 30], [True, True, False]),
        ([30, 0], [True, False]),
        ([0, 30, 0, 60], [True, True, False, True]),
    ],
    ids=["same code twice", "next, then again", "older after newer", "the one before, after the next"],
)
def test_the_step_of_an_accepted_code_only_goes_up(ana: Person, moves: list[int], opens: list[bool]) -> None:
    """Each move is the moment whose code is given, at a time when the window of one step still takes it."""
    ana.sign_in()
    ana.add_app()
    start = now() + timedelta(minutes=5)
    for seconds, right in zip(moves, opens, strict=True):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            code = code_of(ANA)
        with time_machine.travel(start + timedelta(seconds=30), tick=False):
            assert totp.accept(app_of(ANA).account_id, code) is right, seconds


@pytest.mark.parametrize("drift", [-90, -60, -30, 0, 30, 60, 90])
def test_a_clock_may_be_one_step_off_and_no_more(ana: Person, drift: int) -> None:
    ana.sign_in()
    ana.add_app()
    here = now() + timedelta(minutes=5)
    with time_machine.travel(here + timedelta(seconds=drift), tick=False):
        code = code_of(ANA)
    with time_machine.travel(here, tick=False):
        assert totp.accept(app_of(ANA).account_id, code) is (abs(drift) <= 30)


def test_of_twenty_equal_codes_at_the_same_moment_exactly_one_opens(ana: Person) -> None:
    ana.sign_in()
    ana.add_app()
    with time_machine.travel(now() + timedelta(minutes=1), tick=False):
        code, account_id = code_of(ANA), app_of(ANA).account_id
        db.close()

        def give(_: int) -> bool:
            try:
                return totp.accept(account_id, code)
            finally:
                db.close()

        with ThreadPoolExecutor(20) as pool:
            assert sorted(pool.map(give, range(20))) == [False] * 19 + [True]
