"""Nobody learns at the door who is there: the same page, the same statements, one password checked, the same time (bar 16)."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import event

from portal import db
from portal.accounts import passwords
from tests.accounts import same_for_all
from tests.accounts.same_for_all import Ask, Pair

NAMES = (
    "sign-in: a wrong password, nobody's address",
    "sign-in: suspended, nobody's address",
    "invitation: used, never made",
    "invitation: too old, never made",
    "recovery: too old, never made",
    "recovery, sent: too old, never made",
)
SAMPLES, FEW = 60, 30


@pytest.fixture(autouse=True)
def _hashing_that_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some milliseconds a password: less than in earnest, more than the least cost of the other tests."""
    hasher = PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_DECOY", hasher.hash("nobody's password"))


@pytest.fixture
def pairs(app: Flask) -> dict[str, Pair]:
    return same_for_all.pairs(app)


def done_by(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str], int]:
    """The status, the statements in order, and how many passwords were checked."""
    statements: list[str] = []
    checked: list[None] = []
    usual = passwords._hasher.verify

    class Counting:
        def verify(self, known: str, typed: str) -> bool:
            checked.append(None)
            return bool(usual(known, typed))

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(re.sub(r"\s+", " ", statement))

    db.close()
    event.listen(db.engine(), "before_cursor_execute", note)
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "_hasher", Counting())
        status = ask()
    event.remove(db.engine(), "before_cursor_execute", note)
    return status, statements, len(checked)


def test_each_question_does_the_same_whether_somebody_is_there(
    pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(pairs) == set(NAMES)
    for name, (there, missing) in pairs.items():
        there(), missing()  # whatever is made once a process is made
        same_for_all.forget_guesses()
        first = done_by(there, monkeypatch)
        same_for_all.forget_guesses()
        second = done_by(missing, monkeypatch)
        assert (first[0], first[2]) == (second[0], second[2]), name
        assert "\n".join(first[1]) == "\n".join(second[1]), name
        status, statements, checked = first
        assert status == (422 if name.startswith("sign-in") else 410) and statements
        assert checked == (1 if name.startswith("sign-in") else 0), name


def test_the_time_tells_nothing_either(pairs: dict[str, Pair]) -> None:
    """Sixty of each in processor time, for the question that checks a password; `make door` asks each five hundred times."""
    one, other = same_for_all.measure(pairs[NAMES[0]], SAMPLES)
    assert abs(same_for_all.told_apart(one, other) - 0.5) < same_for_all.bound(SAMPLES)


def test_a_door_that_checks_nothing_for_nobody_is_told_by_the_clock_and_by_the_count(
    pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the checks above are not for nothing."""
    usual = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda typed, known: bool(known) and usual(typed, known))
    there, missing = pairs[NAMES[0]]
    assert done_by(there, monkeypatch)[2] == 1 and done_by(missing, monkeypatch)[2] == 0
    one, other = same_for_all.measure((there, missing), FEW)
    assert same_for_all.told_apart(one, other) - 0.5 > same_for_all.bound(FEW)
