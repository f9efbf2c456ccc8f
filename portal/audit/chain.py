"""The hash chain over audit rows: h(n) = HMAC(key, h(n-1) + canonical row), as the stand-alone verifier works it out too."""

import hashlib
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
