"""Passwords by NIST SP 800-63B-4: length and a blocklist, no composition rules; argon2id at rest."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import Issue

SHORTEST = 15
LONGEST = 128
_hasher = PasswordHasher()
_DECOY = _hasher.hash("nobody's password, verified so that an unknown address takes as long as a known one")


def issues(password: str, context: tuple[str, ...] = ()) -> list[Issue]:
    """What is wrong with a new password; `context` are words that would be guessed first (name, e-mail, clinic)."""
    text = _same(password)
    if len(text) < SHORTEST:
        return [
            Issue(
                "password",
                "short",
                "Use at least %(n)d characters. Four random words are easy to remember.",
                {"n": SHORTEST},
            )
        ]
    if len(text) > LONGEST:
        return [Issue("password", "long", "Use at most %(n)d characters.", {"n": LONGEST})]
    if _guessable(text.casefold(), context):
        return [
            Issue(
                "password",
                "guessable",
                "That is easy to guess. Choose words that have nothing to do with you or the clinic.",
            )
        ]
    return []


def _guessable(text: str, context: tuple[str, ...]) -> bool:
    left = text
    for word in sorted(
        {part.casefold() for phrase in context for part in phrase.replace("@", " ").split()}, key=len, reverse=True
    ):
        if len(word) > 2:
            left = left.replace(word, "")
    letters = set(left) - set(" -_.")
    return len(letters) < 5 or left.isdigit()


def hashed(password: str) -> str:
    return _hasher.hash(_same(password))


def matches(password: str, known: str | None) -> bool:
    """Whether `password` is the one behind `known`; takes as long when there is no such account (`None`)."""
    try:
        return _hasher.verify(known or _DECOY, _same(password)) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def _same(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
