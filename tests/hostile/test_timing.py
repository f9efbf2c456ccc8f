"""The clock does not tell what is there (F15): somebody else's things and nobody's take as long; so do a known and an unknown address."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from portal.accounts import passwords, throttle
from portal.accounts.models import Account, SignIn
from portal.clock import now
from portal.db import session, transaction
from tests import make
from tests.house.addresses import FOREIGN, NOBODYS, Way, insiders, ways
from tests.house.doors import DOORS
from tests.house.world import KNOWN, World

WHOLE = bool(os.environ.get("PREVISIT_HOSTILE_WHOLE"))
SAMPLES = 200 if WHOLE else 3
GUESSES = 500 if WHOLE else 9
MOST = 0.020
"""Seconds of processor time between the two medians."""


@contextmanager
def steadily() -> Iterator[None]:
    """Without pauses to tidy memory up, which would fall on one side or the other."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def apart(one: Callable[[int], object], other: Callable[[int], object], samples: int) -> float:
    """How far the medians of the two lie apart, in seconds, taken in turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    with steadily():
        for number in range(samples):
            for act, times in zip((one, other), spent, strict=True):
                began = time.process_time()
                act(number)
                times.append(time.process_time() - began)
    return abs(median(spent[0]) - median(spent[1]))


def asked(world: World, way: Way, thing: str) -> Callable[[int], object]:
    visitor = insiders(way, KNOWN)[0]
    client, path = world.signed_in(visitor), way.path(world, visitor, thing)
    data = None if way.safe else {**way.door.form, **world.csrf}
    with transaction() as current:  # a long run outlives a proof
        current.execute(update(SignIn).values(proved_at=now(), seen_at=now()))

    def act(_: int) -> object:
        assert client.open(path, method=way.method, data=data).status_code == 404, f"{way} of {thing}"
        return None

    return act


def test_the_clock_does_not_tell_what_is_there(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    named = [
        way
        for way in ways(world.app, "GET", "POST")
        if way.endpoint in DOORS and way.door.roles is not None and way.door.of
    ]
    wanted = named if WHOLE else named[::5]
    found = {str(way): apart(asked(world, way, FOREIGN), asked(world, way, NOBODYS), SAMPLES) for way in wanted}
    worst = max(found, key=lambda name: found[name])
    with capsys.disabled():
        print(
            f"\nF15: {len(found)} of {len(named)} addresses × {SAMPLES} pairs: medians at most {found[worst] * 1000:.1f} ms apart ({worst})"
        )
    assert len(named) > 40 and len(found) >= 12 and found[worst] < MOST


def test_the_clock_does_not_tell_who_has_an_account(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the door, over HTTP, with hashes that cost something and nobody held back."""
    costly = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", costly)
    monkeypatch.setattr(passwords, "_DECOY", costly.hash("nobody"))
    monkeypatch.setattr(throttle, "check", lambda *_: None)
    path, client = "/at/riverside/sign-in", world.app.test_client()
    with transaction():
        account = session().get_one(Account, world.people["ana"])
        account.password_hash = costly.hash(make.PASSWORD)
        email = account.profile["email"]

    def guess(who: str) -> Callable[[int], object]:
        def act(_: int) -> object:
            page = client.get(path).get_data(as_text=True)
            token = page.split('name="csrf_token"')[-1].split('value="')[1].split('"')[0]
            given = {"email": who, "password": "not the right one at all", "csrf_token": token}
            assert client.post(path, data=given).status_code == 422
            return None

        return act

    found = apart(guess(email), guess("nobody@example.org"), GUESSES)
    with capsys.disabled():
        print(f"\nF15: {GUESSES} guesses at a known and an unknown address: medians {found * 1000:.1f} ms apart")
    assert found < MOST


def test_a_difference_is_noticed() -> None:
    """So that the tests above cannot pass because nothing is ever measured."""

    def busy(_: int) -> None:
        until = time.process_time() + 2 * MOST
        while time.process_time() < until:
            pass

    assert apart(busy, lambda _: None, 3) > MOST
