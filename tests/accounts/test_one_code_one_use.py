"""One code, one use: the accepted step of an app's code only goes up, on each database, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import time_machine

from portal import db
from portal.accounts import totp
from portal.clock import now
from tests.accounts.people import ANA, Person, app_of, code_of

MOVES = {
    "same code twice": ([0, 0], [True, False]),
    "next, then again": ([0, 30, 30], [True, True, False]),
    "older after newer": ([30, 0], [True, False]),
    "the one before, after the next": ([0, 30, 0, 60], [True, True, False, True]),
}
"""The moments whose codes are given, within the window of one step, and which of them are taken."""


def given(account_id: str, shown_at: datetime, at: datetime) -> bool:
    with time_machine.travel(shown_at, tick=False):
        code = code_of(ANA)
    with time_machine.travel(at, tick=False):
        return totp.accept(account_id, code)


def test_the_step_of_an_accepted_code_only_goes_up(ana: Person) -> None:
    ana.sign_in()
    ana.add_app()
    account_id = app_of(ANA).account_id
    for number, (name, (moves, taken)) in enumerate(MOVES.items(), 1):
        start = now() + timedelta(minutes=10 * number)
        here = start + timedelta(seconds=30)
        assert [given(account_id, start + timedelta(seconds=each), here) for each in moves] == taken, name


def test_a_clock_may_be_one_step_off_and_no_more(ana: Person) -> None:
    ana.sign_in()
    ana.add_app()
    account_id = app_of(ANA).account_id
    for number, drift in enumerate((-90, -60, -30, 0, 30, 60, 90), 1):
        here = now() + timedelta(minutes=10 * number)
        assert given(account_id, here + timedelta(seconds=drift), here) is (abs(drift) <= 30), drift


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
