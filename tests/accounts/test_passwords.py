"""New passwords by NIST SP 800-63B-4: long enough, not guessed first, and nothing else is asked of them."""

from __future__ import annotations

import time
import unicodedata

import pytest

from portal.accounts import guessing, passwords
from portal.accounts.passwords import ALONE, WITH_ANOTHER
from portal.actors import STAFF, Role

CONTEXT = ("Ana Morales", "ana.morales@example.org", "Riverside Clinic")
GUESSED = [
    "password",
    "password1",
    "passw0rd",
    "p@ssw0rd!",
    "123456789",
    "1234567890",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "iloveyou",
    "iloveyou2",
    "princess1",
    "sunshine!",
    "superman1",
    "football1",
    "baseball1",
    "michael123",
    "jennifer1",
    "trustno1!",
    "welcome1",
    "welcome2026",
    "letmein1",
    "dragon123",
    "monkey123",
    "master123",
    "qazwsxedc",
    "zaq12wsx",
    "abcdefgh",
    "abcd1234",
    "asdfghjkl",
    "zxcvbnm1",
    "11111111",
    "00000000",
    "121212121",
    "987654321",
    "liverpool1892",
    "chelsea1905",
    "barcelona10",
    "january2026",
    "summer2026!",
    "winter-2025",
    "monday01",
    "friday13th",
    "starwars1",
    "pokemon25",
    "batman99",
    "charlie1",
    "jordan23",
    "ashley12",
    "daniel01",
    "password!",
    "drowssap",
    "passwordpassword",
    "changeme123",
    "admin1234",
    "administrator1",
    "test1234",
    "secret123",
    "computer1",
    "internet1",
    "samsung1",
    "google123",
    "facebook1",
    "hello123",
    "hallo123",
    "contraseña1",
    "teamomucho",
    "estrella1",
    "princesa1",
    "canada2026",
    "mexico123",
    "españa2026",
    "germany1!",
    "switzerland1",
    "anamorales",
    "ana.morales1985",
    "ana@example.org",
    "riverside1",
    "riversideclinic",
    "riverside-clinic-2026",
    "moralesana1",
    "selaromana",
    "aaaaaaaaaaaaaaa",
    "abababababababab",
    "abcabcabcabcabc",
    "147258369",
    "741852963",
    "p4ssw0rd123",
    "qwertzuiop",
    "azertyuiop",
    "mypassword1",
    "doctor123",
    "hospital1",
    "patient01",
    "previsit1",
    "password12345678",
]
KEPT = (
    "four plain words and a fish",
    "correct horse battery staple",
    "synthetic people only",
    "tres gatos comen una manzana",
    "xK9#mQ2$vL5@pR7&",
    "gj7xq-mm2vt-kd9wz",
    "синий чайник на крыше",
    "四つの青い魚が泳いでいる水",
    "  spaces  count  too  here ",
    "l'été dernier, nous marchions",
)


@pytest.mark.parametrize("password", GUESSED)
def test_what_is_guessed_first_is_refused_even_when_it_is_long_enough(password: str) -> None:
    for text in (
        password,
        password.upper(),
        password.title(),
        f"{password}!",
        f"{password}{password}",
        f"{password}2026",
    ):
        if len(text) >= WITH_ANOTHER:
            assert [each.code for each in passwords.issues(text, CONTEXT, WITH_ANOTHER)] == ["guessable"], text


@pytest.mark.parametrize("password", KEPT)
def test_nothing_but_length_is_asked_of_what_nobody_guesses(password: str) -> None:
    assert passwords.issues(password, CONTEXT, min(ALONE, len(password))) == []


def test_the_words_stand_for_more_than_three_thousand_common_passwords() -> None:
    endings = ("", "1", "123", "2026", "!")
    covered = {f"{word}{end}" for word in guessing.COMMON for end in endings if len(word) + len(end) >= WITH_ANOTHER}
    assert guessing.size() > 2_000 and len(covered) > 2_000
    assert all(passwords.issues(each, (), WITH_ANOTHER) for each in sorted(covered)[::7])


@pytest.mark.parametrize("role", sorted(Role))
def test_what_can_open_by_itself_has_fifteen_characters(role: Role) -> None:
    for need_two in (True, False):
        least = passwords.shortest(role, staff_need_two=need_two)
        assert least == (WITH_ANOTHER if role in STAFF and need_two else ALONE)
        text = "gj7xqmm2vtkd9wzhbn"
        assert passwords.issues(text[: least - 1], (), least)[0].code == "short"
        assert passwords.issues(text[:least], (), least) == []


def test_sixty_four_characters_are_taken_and_a_thousand_are_not() -> None:
    assert passwords.issues("gj7x qmm2 vtkd 9wzh plum hats 4 crows under a slow blue bridge", ()) == []
    assert passwords.issues("gj7x" * 300, ())[0].code == "long"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_the_same_letters_typed_on_another_keyboard_are_the_same_password(form: str) -> None:
    typed = "ﬁve café straße ½ Å"
    assert passwords.matches(unicodedata.normalize(form, typed), passwords.hashed(typed))


@pytest.mark.parametrize(
    "odd", ["\x00" * 20, "half \ud83d of a letter here", "\u202e right to left passphrase", "a\u0300" * 30]
)
def test_odd_characters_break_nothing(odd: str) -> None:
    passwords.issues(odd, CONTEXT)
    assert passwords.matches(odd, passwords.hashed(odd))


def test_an_account_without_a_password_is_opened_by_none() -> None:
    for typed in ("", "nobody's password", "x"):
        assert not passwords.matches(typed, "") and not passwords.matches(typed, None)


def test_looking_takes_no_time_whatever_was_typed() -> None:
    began = time.process_time()
    for text in ("a" * 128, "password" * 16, "qwertyuiop" * 12, "x9" * 64, "".join(chr(0x400 + n) for n in range(128))):
        passwords.issues(text, CONTEXT)
    assert time.process_time() - began < 1
