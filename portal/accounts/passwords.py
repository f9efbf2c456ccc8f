"""Passwords by NIST SP 800-63B-4: length and a blocklist, no composition rules; argon2id at rest."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.accounts import breached, guessing
from portal.actors import STAFF, Role
from portal.errors import Issue
from portal.fhir.letters import normal

ALONE, WITH_ANOTHER = 15, 8
"""The shortest that opens by itself, and the shortest that never does (SP 800-63B-4, 3.1.1.2)."""
LONGEST = 128
_hasher = PasswordHasher()
_DECOY = _hasher.hash("nobody's password, verified so that an unknown address takes as long as a known one")


def shortest(role: Role, *, staff_need_two: bool) -> int:
    """A patient may take their second factor away again, so their password has to stand alone."""
    return WITH_ANOTHER if role in STAFF and staff_need_two else ALONE


def issues(password: str, context: tuple[str, ...] = (), at_least: int = ALONE) -> list[Issue]:
    """What is wrong with a new password; `context` are words that would be guessed first (name, e-mail, clinic)."""
    text = _same(password)
    if len(text) < at_least:
        return [
            Issue(
                "password",
                "short",
                "Use at least %(n)d characters. Four random words are easy to remember.",
                {"n": at_least},
            )
        ]
    if len(text) > LONGEST:
        return [Issue("password", "long", "Use at most %(n)d characters.", {"n": LONGEST})]
    if guessing.guessable(text.casefold(), _about(context)):
        return [
            Issue(
                "password",
                "guessable",
                "That is easy to guess. Choose words that have nothing to do with you or the clinic.",
            )
        ]
    if breached.is_known(text):
        return [
            Issue(
                "password",
                "breached",
                "This password is known from a theft of data somewhere else. Choose another one.",
            )
        ]
    return []


def _about(context: tuple[str, ...]) -> set[str]:
    """Every word of the person's and the clinic's names and addresses."""
    signs = str.maketrans("@.-_'", "     ")
    return {word for phrase in context for word in _same(phrase).casefold().translate(signs).split()}


def hashed(password: str) -> str:
    return _hasher.hash(_same(password))


def matches(password: str, known: str | None) -> bool:
    """Whether `password` is the one behind `known`; takes as long when there is no such account (`None`) or none was set yet."""
    try:
        return _hasher.verify(known or _DECOY, _same(password)) and bool(known)
    except (VerificationError, InvalidHashError):
        return False


def _same(password: str) -> str:
    """The same text however it was typed: NFKC (SP 800-63B-4); half characters, which nothing can be made of, fall away."""
    return normal("NFKC", password).encode("utf-8", "ignore").decode()
