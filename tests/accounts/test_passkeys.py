"""A passkey signs what it was asked, for this site, by its owner, once; anything else opens nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from webauthn.helpers import bytes_to_base64url

from portal.accounts import service as accounts
from portal.accounts import staffing
from portal.accounts.passkeys import Site
from portal.actors import Role
from portal.clock import now
from tests import make
from tests.accounts.authenticator import PRESENT, VERIFIED, Passkey
from tests.accounts.people import ANA, DOOR, Person, account
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True)
Json = dict[str, Any]


@pytest.fixture
def passkey(ana: Person) -> Passkey:
    """Ana's, made while she was signed in; she is signed out again."""
    made = Passkey()
    ana.sign_in()
    assert ana.add_passkey(made).status_code == 200
    ana.post("/sign-out", "/security")
    assert not ana.is_in()
    return made


def test_a_passkey_opens_by_itself_and_the_password_then_needs_a_second_step(
    strict: Flask, ana: Person, passkey: Passkey
) -> None:
    assert Person(strict, ANA).sign_in().location == "/sign-in/code"
    answer = ana.use_passkey(passkey)
    assert answer.status_code == 303 and ana.is_in()
    assert "With a passkey" in ana.text("/security")


def test_staff_set_up_a_passkey_as_their_second_factor(strict: Flask) -> None:
    make.staff(make.clinic(forms=()))
    lee, key = Person(strict, "clinician@example.org"), Passkey()
    lee.sign_in()
    assert lee.get("/desk").location == "/security/set-up"
    lee.add_passkey(key)
    assert lee.get("/desk").status_code == 200
    again = Person(strict, lee.email)
    again.use_passkey(key)
    assert again.get("/desk").status_code == 200


def changed(part: str, value: Any) -> Callable[[str], str]:
    def change(answer: str) -> str:
        said: Json = json.loads(answer)
        (said if part in said else said["response"])[part] = value
        return json.dumps(said)

    return change


def same(answer: str) -> str:
    return answer


LIES: dict[str, tuple[Callable[[Passkey], Passkey], Callable[[Json], Json], Callable[[str], str]]] = {
    "from another site": (lambda key: replace(key, origin="http://1ocalhost"), dict, same),
    "from a page below a look-alike": (lambda key: replace(key, origin="http://localhost.evil.example"), dict, same),
    "for another site": (lambda key: replace(key, host="evil.example"), dict, same),
    "without its owner's finger": (lambda key: replace(key, flags=PRESENT), dict, same),
    "without anybody there": (lambda key: replace(key, flags=VERIFIED), dict, same),
    "another key under the same name": (lambda key: replace(Passkey(), id=key.id, handle=key.handle), dict, same),
    "a key nobody knows": (lambda key: replace(key, id=b"x" * 32), dict, same),
    "somebody else's name": (lambda key: replace(key, handle=b"0123456789abcdef"), dict, same),
    "another question": (same, lambda asked: {**asked, "challenge": bytes_to_base64url(b"x" * 64)}, same),  # type: ignore[dict-item]
    "a broken signature": (same, dict, changed("signature", bytes_to_base64url(b"x" * 70))),  # type: ignore[dict-item]
    "no signature": (same, dict, changed("signature", None)),  # type: ignore[dict-item]
    "client data that is no JSON": (same, dict, changed("clientDataJSON", "eA")),  # type: ignore[dict-item]
    "authenticator data cut short": (same, dict, changed("authenticatorData", "eA")),  # type: ignore[dict-item]
    "of another type": (same, dict, changed("type", "password")),  # type: ignore[dict-item]
}


def test_no_lie_opens_anything(ana: Person, passkey: Passkey) -> None:
    for lie, (key, question, answer) in LIES.items():
        asked = ana.asked(f"{DOOR}/passkey/ask", DOOR)
        told = answer(key(passkey).signed(question(asked)))
        assert ana.post(f"{DOOR}/passkey", DOOR, credential=told).status_code == 422, lie
        assert not ana.is_in(), lie
    assert ana.use_passkey(passkey).status_code == 303, "the truth still opens"


NO_ANSWERS = [
    "",
    "{}",
    "[]",
    "null",
    "1",
    '"x"',
    "{" * 9000,
    "[" * 9000,
    '{"id":' * 2000,
    "x" * 100_000,
    '{"id":"é","rawId":"é"}',
]


def test_what_is_no_answer_is_no_answer(ana: Person, passkey: Passkey) -> None:
    for said in NO_ANSWERS:
        ana.asked(f"{DOOR}/passkey/ask", DOOR)
        assert ana.post(f"{DOOR}/passkey", DOOR, credential=said).status_code == 422, said[:20]
    assert ana.use_passkey(passkey).status_code == 303


def test_a_question_is_answered_once_by_whoever_was_asked_and_within_five_minutes(
    strict: Flask, ana: Person, passkey: Passkey
) -> None:
    asked = ana.asked(f"{DOOR}/passkey/ask", DOOR)
    cookie = ana.client.get_cookie("previsit").value  # type: ignore[union-attr]
    told = passkey.signed(asked)
    other = Person(strict, ANA)
    other.get(DOOR)
    assert other.post(f"{DOOR}/passkey", DOOR, credential=told).status_code == 422, "asked of another browser"
    assert ana.post(f"{DOOR}/passkey", DOOR, credential=told).status_code == 303
    thief = Person(strict, ANA)
    thief.client.set_cookie("previsit", cookie)
    assert thief.post(f"{DOOR}/passkey", DOOR, credential=told).status_code == 422, "answered already"
    late = Person(strict, ANA)
    told = passkey.signed(late.asked(f"{DOOR}/passkey/ask", DOOR))
    with time_machine.travel(now() + timedelta(minutes=5, seconds=1), tick=False):
        assert late.post(f"{DOOR}/passkey", DOOR, credential=told).status_code == 422


def test_the_counter_of_a_key_that_counts_only_goes_up(strict: Flask, ana: Person) -> None:
    key = Passkey(counts=True)
    ana.sign_in()
    ana.add_passkey(key)
    copy = replace(key)
    assert Person(strict, ANA).use_passkey(key).status_code == 303
    assert Person(strict, ANA).use_passkey(key).status_code == 303
    assert Person(strict, ANA).use_passkey(copy).status_code == 422


def test_a_passkey_of_another_clinic_and_of_somebody_suspended_opens_nothing(strict: Flask, ana: Person) -> None:
    far = make.clinic("hillside", "Hillside", forms=())
    make.staff(far, Role.CLINICIAN, "Far", "far@example.org")
    person, key = Person(strict, "far@example.org"), Passkey()
    person.sign_in(door="/at/hillside/sign-in")
    person.add_passkey(key)
    assert Person(strict, "far@example.org").use_passkey(key).status_code == 422, "at the other clinic's door"
    boss = make.staff_actor(make.staff(far, Role.ADMINISTRATOR, "Boss", "boss@example.org"))
    staffing.suspend(boss, account("far@example.org").id, left=False)
    door = "/at/hillside/sign-in"
    asked = person.asked(f"{door}/passkey/ask", door)
    assert person.post(f"{door}/passkey", door, credential=key.signed(asked)).status_code == 422
    assert person.get("/desk").status_code == 303
    assert accounts.clinics()


def test_a_key_is_made_for_one_account_only(strict: Flask, ana: Person, passkey: Passkey) -> None:
    make.patient_account(make.patient(accounts.clinics()[0], "Ben"), "ben@example.org")
    ben = Person(strict, "ben@example.org")
    ben.sign_in()
    assert ben.add_passkey(passkey).status_code == 422
    asked = ben.asked("/security/passkey/ask", "/security/passkey")
    forged = Passkey().made({**asked, "challenge": bytes_to_base64url(b"y" * 64)})
    assert ben.post("/security/passkey", "/security/passkey", credential=forged).status_code == 422


@pytest.mark.parametrize(
    ("origin", "offered"),
    [
        ("http://localhost:8000", True),
        ("https://intake.example.org", True),
        ("http://127.0.0.1:8000", False),
        ("https://[::1]", False),
    ],
)
def test_passkeys_are_offered_where_browsers_take_them(database: str, origin: str, offered: bool) -> None:
    assert Site(origin).offered is offered
