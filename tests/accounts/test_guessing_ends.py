"""Guessing ends, from one place and from a thousand, the owner still gets in, and nobody learns who has an account."""

from __future__ import annotations

import os
import re
import time
from datetime import timedelta
from statistics import median

import pytest
import time_machine
from flask import Flask

from portal.accounts import devices, entering, throttle
from portal.accounts import service as accounts
from portal.accounts.devices import Arrival
from portal.clock import now
from portal.errors import TooMany
from tests import make
from tests.accounts.people import ANA, DOOR, Person
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True)
GUESSES = int(os.environ.get("GUESSES", "500"))
"""GUESSES=10000 is the whole figure of bar 15."""


def guess(clinic_id: str, email: str, source: str) -> str:
    try:
        entered = entering.by_password(clinic_id, email, "not the right one", Arrival(source))
    except TooMany:
        return "stopped"
    return "in" if entered else "wrong"


def test_thousands_of_guesses_from_a_thousand_places_are_few_and_the_owner_gets_in(strict: Flask, ana: Person) -> None:
    """Where she has signed in before her browser is known; elsewhere she waits, or the desk helps, or her passkey opens."""
    assert ana.sign_in().status_code == 303
    ana.post("/sign-out", "/security")
    clinic_id = accounts.clinics()[0].id
    heard = [guess(clinic_id, ANA, f"10.{n % 1000 // 250}.{n % 250}.7") for n in range(GUESSES)]
    assert heard.count("wrong") == throttle.PER_ACCOUNT and "in" not in heard
    assert Person(strict, ANA).sign_in().status_code == 429, "a strange browser waits, whoever it is"
    assert ana.sign_in().status_code == 303, "her own does not"
    with time_machine.travel(now() + timedelta(hours=24, minutes=1), tick=False):
        assert Person(strict, ANA).sign_in().status_code == 303


def test_one_place_that_tries_everybody_is_stopped_and_others_are_not(strict: Flask, ana: Person) -> None:
    clinic_id = accounts.clinics()[0].id
    heard = [guess(clinic_id, f"somebody-{n}@example.org", "10.0.0.1") for n in range(100)]
    assert heard.count("wrong") == throttle.PER_SOURCE
    assert guess(clinic_id, ANA, "10.0.0.1") == "stopped" and guess(clinic_id, ANA, "10.0.0.2") == "wrong"


def test_a_household_has_one_address_however_many_it_makes_up(strict: Flask, ana: Person) -> None:
    clinic_id = accounts.clinics()[0].id
    heard = [guess(clinic_id, ANA, f"2001:db8:1:2:{n:x}::1") for n in range(30)]
    assert heard.count("wrong") == throttle.PER_PAIR


MADE_UP = ["", ".", "x.y", "0123456789abcdef.", "é.é", "0123456789abcdef." + "0" * 64]


def test_nobody_is_known_by_a_word_that_they_made_up(strict: Flask, ana: Person) -> None:
    index = accounts.email_index(ANA)
    for number, cookie in enumerate(MADE_UP):
        arrival = Arrival(f"10.3.{number}.1", known=cookie)
        for _ in range(throttle.PER_PAIR):
            throttle.failed(index, arrival)
        with pytest.raises(TooMany):
            throttle.check(index, arrival)


def test_a_browser_is_known_for_the_account_that_it_signed_in_to_only(strict: Flask, ana: Person) -> None:
    word = throttle.known_browser(accounts.email_index("ben@example.org"))
    for n in range(throttle.PER_ACCOUNT):
        throttle.failed(accounts.email_index(ANA), Arrival(f"10.0.{n}.1"))
    with pytest.raises(TooMany):
        throttle.check(accounts.email_index(ANA), Arrival("10.9.9.9", known=word))
    throttle.check(accounts.email_index("ben@example.org"), Arrival("10.9.9.9", known=word))


def test_a_known_browser_does_not_guess_for_ever_either(strict: Flask, ana: Person) -> None:
    ana.sign_in()
    ana.post("/sign-out", "/security")
    heard = [ana.sign_in("not the right one").status_code for _ in range(12)]
    assert heard == [422] * 10 + [429] * 2


def test_account_or_not_makes_no_difference_to_what_is_said(strict: Flask, ana: Person) -> None:
    """At the door and at the passkey: the same status, the same words, the same headers, the same count of guesses."""
    told = []
    for email in (ANA, "nobody@example.org"):
        person = Person(strict, email, address=f"10.1.1.{len(told)}")
        answers = [person.sign_in("not the right one") for _ in range(12)]
        question = person.asked(f"{DOOR}/passkey/ask", DOOR)
        told.append(
            (
                [each.status_code for each in answers],
                [_plain(each.get_data(as_text=True), email) for each in answers],
                sorted(name for name, _ in answers[0].headers),
                [*sorted(question), str(question["allowCredentials"])],
            )
        )
    assert told[0] == told[1]


def test_account_or_not_takes_as_long(strict: Flask, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processor time, interleaved, with hashes that cost something; no name may be read from the clock."""
    from argon2 import PasswordHasher

    from portal.accounts import passwords
    from portal.db import transaction
    from tests.accounts.people import account

    costly = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", costly)
    monkeypatch.setattr(passwords, "_DECOY", costly.hash("nobody"))
    with transaction():
        account(ANA).password_hash = costly.hash(make.PASSWORD)
    monkeypatch.setattr(throttle, "check", lambda *_: None)
    clinic_id, spent = accounts.clinics()[0].id, {ANA: list[float](), "nobody@example.org": list[float]()}
    for n in range(25):
        for email, times in spent.items():
            began = time.process_time()
            guess(clinic_id, email, f"10.2.{n}.1")
            times.append(time.process_time() - began)
    known, unknown = (median(times) for times in spent.values())
    assert 0.7 < known / unknown < 1.4, (known, unknown)


@pytest.mark.parametrize(
    ("address", "place", "counted"),
    [
        ("192.0.2.77", "192.0.2.0", "192.0.2.77"),
        ("::ffff:192.0.2.77", "192.0.2.0", "::ffff:192.0.2.77"),
        ("2001:db8:aa:bb:cc::1", "2001:db8:aa::", "2001:db8:aa:bb::/64"),
        ("", "", ""),
        ("unix:", "", "unix:"),
    ],
)
def test_only_a_part_of_an_address_is_kept(database: str, address: str, place: str, counted: str) -> None:
    assert devices.place(address) == place and devices.counted(address) == counted


@pytest.mark.parametrize(
    ("said", "browser", "system"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1",
            "Safari",
            "iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome",
            "Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140.0",
            "Edge",
            "Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17 Safari/605", "Safari", "Mac"),
        ("<script>alert(1)</script>", "", ""),
        ("", "", ""),
    ],
)
def test_devices_have_names_that_their_owner_knows(database: str, said: str, browser: str, system: str) -> None:
    device = Arrival("", said).device
    assert (device["browser"], device["system"]) == (browser, system)


def _plain(page: str, email: str) -> str:
    return re.sub(r'value="[^"]{20,}"|[0-9a-f]{16}', "", page.replace(email, "WHO"))
