"""The hash chain over audit rows: h(n) = HMAC(key, h(n-1) + canonical row), as the stand-alone verifier works it out too."""

import hashlib
from collections.abc import Mapping
from typing import Any

from portal.audit import verifier
from portal.audit.models import AuditRow

GENESIS = verifier.GENESIS
_STORED = verifier.FIELDS[:-2]
_COLUMNS = AuditRow.__table__.columns.keys()


def link(key: bytes, before: str, row: Mapping[str, Any]) -> str:
    """The hash (64 hex characters) of a row, by its columns, after `before`."""
    return verifier.link(key, before, counted(row))


def counted(row: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of a row. The sealed detail counts by its ciphertext, so that erasing a person keeps the chain whole."""
    values = {name: row[name] for name in _STORED}
    values["recorded_at"] = row["recorded_at"].isoformat(timespec="microseconds")
    values["detail"] = hashlib.sha256(row["detail_sealed"]).hexdigest()
    return values


def exported(row: AuditRow) -> dict[str, Any]:
    return {**counted({name: getattr(row, name) for name in _COLUMNS}), "hash": row.hash}
