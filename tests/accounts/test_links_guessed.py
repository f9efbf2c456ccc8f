"""Every link that lets somebody in: wrong answers end it, a source that tries many is stopped, and it tells of few addresses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.accounts import proxy_links, renewing, throttle
from portal.accounts import service as accounts
from portal.accounts.devices import Arrival
from portal.accounts.models import Clinic
from portal.actors import Role, system
from portal.errors import Gone, Issue, TooMany
from tests import make
from tests.accounts import proxying
from tests.accounts.proxying import BORN

WRONG, RIGHT = "1999-01-01", "1985-03-27"
Link = Callable[[str, Arrival], bool]
"""Answers with a birth date, from somewhere; whether that was right."""


def invitation(clinic: Clinic) -> Link:
    made = accounts.invite(system(clinic.id), make.patient(clinic).id, 14)
    return lambda born, arrival: accounts.prove(made.token, made.code, born, arrival) is not None


def for_a_helper(clinic: Clinic) -> Link:
    token = proxying.link(make.patient(clinic))
    return lambda born, arrival: proxy_links.prove(token, BORN if born == RIGHT else born, arrival) is not None


def way_back(clinic: Clinic) -> Link:
    patient = make.patient(clinic)
    account = make.patient_account(patient, f"{patient.id}@example.org")
    made = renewing.offer(system(clinic.id), account, factors_too=False)
    password = "six wet stones beside a kettle"
    return lambda born, arrival: (
        renewing.renew(made.token, made.code, born, password, staff_need_two=True, arrival=arrival) == []
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("link", [invitation, for_a_helper, way_back])
def test_wrong_answers_end_a_link_and_a_source_that_tries_many_is_stopped(
    app: object, monkeypatch: pytest.MonkeyPatch, link: Callable[[Clinic], Link]
) -> None:
    monkeypatch.setattr(throttle, "PER_SOURCE", accounts.MOST_FAILURES + 1)
    clinic, guesser, other = make.clinic(forms=()), Arrival("192.0.2.1"), Arrival("198.51.100.1")
    first, second = link(clinic), link(clinic)
    for _ in range(accounts.MOST_FAILURES):
        assert not first(WRONG, guesser)
    with pytest.raises(Gone):
        first(RIGHT, other)
    assert not second(WRONG, guesser)
    with pytest.raises(TooMany):
        second(RIGHT, guesser)
    assert second(RIGHT, other), "whoever sits elsewhere is not held up"


def _joined(clinic: Clinic) -> Callable[[str], list[Issue]]:
    made = accounts.invite(system(clinic.id), make.patient(clinic, "Ben Ode").id, 14)
    proof = accounts.prove(made.token, made.code, RIGHT)
    return lambda email: accounts.join(made.token, proof, email, make.PASSWORD, "en").issues


def _helping(clinic: Clinic) -> Callable[[str], list[Issue]]:
    token = proxying.link(make.patient(clinic, "Ben Ode"))
    proof = proxy_links.prove(token, BORN)
    return lambda email: proxy_links.join(token, proof, email, make.PASSWORD, "en").issues


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("link", [_joined, _helping])
def test_a_link_tells_of_five_addresses_at_most_whether_they_are_used_here(
    app: object, link: Callable[[Clinic], Callable[[str], list[Issue]]]
) -> None:
    clinic = make.clinic(forms=())
    for number in range(accounts.MOST_FAILURES + 1):
        make.staff(clinic, Role.CLINICIAN, "Somebody", f"known{number}@example.org")
    join = link(clinic)
    for number in range(accounts.MOST_FAILURES):
        assert [issue.where for issue in join(f"known{number}@example.org")] == ["email"]
    with pytest.raises(Gone):
        join(f"known{accounts.MOST_FAILURES}@example.org")
