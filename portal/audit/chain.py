"""The hash chain over audit rows: h(n) = HMAC(key, h(n-1) + canonical row), as the stand-alone verifier works it out too."""

import hashlib
from collections.abc import Iterable
from typing import Any

from portal.audit import verifier
from portal.audit.models import AuditRow

GENESIS = verifier.GENESIS
_STORED = verifier.FIELDS[:-2]


def link(key: bytes, before: str, row: AuditRow) -> str:
    """The hash (64 hex characters) of `row` after `before`."""
    return verifier.link(key, before, counted(row))


def counted(row: AuditRow) -> dict[str, Any]:
    """What counts of a row. The sealed detail counts by its ciphertext, so that erasing a person keeps the chain whole."""
    values = {name: getattr(row, name) for name in _STORED}
    values["recorded_at"] = row.recorded_at.isoformat(timespec="microseconds")
    values["detail"] = hashlib.sha256(row.detail_sealed).hexdigest()
    return values


def exported(row: AuditRow) -> dict[str, Any]:
    return {**counted(row), "hash": row.hash}


def first_break(key: bytes, rows: Iterable[AuditRow], end: tuple[str, int, str]) -> int | None:
    """The sequence number at which the chain of one clinic (rows in order of seq) stops being true, or None.

    `end` is the head's (clinic, seq, hash): a chain that is true but stops short of it, or goes on past it, is broken too.
    """
    clinic, seq, digest = end
    found = verifier.breaks(key, map(exported, rows), {clinic: (seq, digest)} if seq else {})
    return found[0].seq if found else None
