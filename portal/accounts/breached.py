"""Passwords that are known from breaches, by the operator's own file: SHA-1 digests in order, one a line, looked up where they lie.

The file is one that "Have I Been Pwned" gives for download (HASH:COUNT, ordered by hash), or any other list, digested and sorted.
Nothing leaves the machine and nothing is read into memory: a look is some thirty reads.
"""

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import BinaryIO

from portal.errors import Misconfigured

VARIABLE = "PREVISIT_BREACHED_PASSWORDS"
_LINE = re.compile(rb"([0-9A-Fa-f]{40})(:[0-9]{1,12})?\r?")
_LONGEST = 64
"""Bytes of a line, its end included."""


def is_known(password: str) -> bool:
    """Whether `password` is in the operator's file; False when there is none. Misconfigured when it cannot be read."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return False
    path = Path(named)
    try:
        _believed(path)
        with path.open("rb") as file:
            return _holds(file, hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode())
    except OSError as wrong:
        raise Misconfigured(f"The file that {VARIABLE} names cannot be read: {path}") from wrong


@cache
def _believed(path: Path) -> None:
    """Misconfigured for a file that is no such list: its first and last lines are looked at, once."""
    with path.open("rb") as file:
        first = file.readline(_LONGEST)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    if not (_digest(first) and _digest(last) and _digest(first) <= _digest(last)):
        raise Misconfigured(
            f"The file that {VARIABLE} names is not a list of SHA-1 digests in order, one a line: {path}. "
            "See SECURITY.md on how to make one."
        )


def _holds(file: BinaryIO, wanted: bytes) -> bool:
    """Whether a line begins with `wanted`: the lines are in order, so half of what is left falls away with each look."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        file.seek(max(0, middle - 1))
        if middle:
            file.readline(_LONGEST)  # to the beginning of the first line that begins at `middle` or after
        start = file.tell()
        found = _digest(file.readline(_LONGEST)) if start < high else b""
        if found == wanted:
            return True
        low, high = (start + 1, high) if found and found < wanted else (low, middle)
    return False


def _digest(line: bytes) -> bytes:
    """The digest that a line begins with, in capitals; b"" for what is no such line."""
    found = _LINE.fullmatch(line.rstrip(b"\n"))
    return found[1].upper() if found else b""
