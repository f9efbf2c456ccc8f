"""Everybody sees who looked at their information, and nobody sees who looked at somebody else's."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys import swift
from tests.journeys.conftest import Walker
from tests.journeys.steps import open_submission

Person = Callable[..., Walker]


def test_a_patient_sees_who_opened_their_answers_and_another_patient_does_not(
    new_patient: Person, staff: Person
) -> None:
    sasha, kim = new_patient("Sasha Brook"), new_patient("Kim Hill")
    swift.submit(sasha)
    swift.submit(kim)
    sam = staff("desk")
    open_submission(sam, "Sasha Brook")
    sasha.open("/who-looked")
    sasha.sees("Sam Taylor opened your answers")
    sasha.sees("front desk")
    kim.open("/who-looked")
    kim.sees("You sent the answers to the clinic.")
    assert "Sam Taylor opened your answers" not in kim.page.content()
    assert "Sasha" not in kim.page.content()
