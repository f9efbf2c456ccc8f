"""The hash chain over audit rows: h(n) = HMAC(key, h(n-1) + canonical row)."""

import hashlib
import hmac
from collections.abc import Iterable

from portal.audit.models import AuditRow
from portal.fhir import exact

GENESIS = "0" * 64
_FIELDS = (
    "id",
    "clinic_id",
    "seq",
    "event",
    "outcome",
    "role",
    "account_id",
    "patient_id",
    "subject",
    "purpose",
    "request_id",
)


def link(key: bytes, before: str, row: AuditRow) -> str:
    """The hash (64 hex characters) of `row` after `before`.

    The sealed detail counts by its ciphertext, so that erasing a person keeps the chain whole.
    """
    canonical = {name: getattr(row, name) for name in _FIELDS}
    canonical["recorded_at"] = row.recorded_at.isoformat(timespec="microseconds")
    canonical["detail"] = hashlib.sha256(row.detail_sealed).hexdigest()
    return hmac.new(key, (before + exact.dumps(canonical)).encode(), hashlib.sha256).hexdigest()


def first_break(key: bytes, rows: Iterable[AuditRow], end: tuple[int, str]) -> int | None:
    """The sequence number at which the chain of one clinic (rows in order of seq) stops being true, or None.

    `end` is the head's (seq, hash): a chain that is true but stops short of it, or goes on past it, is broken too.
    """
    seq, before = 0, GENESIS
    for row in rows:
        if row.seq != seq + 1 or not hmac.compare_digest(row.hash, link(key, before, row)):
            return seq + 1
        seq, before = row.seq, row.hash
    return None if (seq, before) == end else seq + 1
