"""Access tokens, refresh tokens and authorization codes: opaque, kept as hashes, each in the family of one sign-in."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from portal.sandbox.store import Unit


@dataclass(frozen=True)
class Ticket:
    """`kind` is access, refresh or code; `patient` an id; `expires` in seconds since 1970."""

    kind: str
    family: str
    client: str
    scope: str
    patient: str | None
    expires: float
    used: bool
    detail: dict[str, Any]


def issue(unit: Unit, ticket: Ticket) -> str:
    """A new secret that stands for the ticket."""
    secret = secrets.token_urlsafe(32)
    unit.connection.execute(
        "INSERT INTO ticket (hash, kind, family, client, scope, patient, expires, used, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (
            _hash(secret),
            ticket.kind,
            ticket.family,
            ticket.client,
            ticket.scope,
            ticket.patient,
            ticket.expires,
            json.dumps(ticket.detail),
        ),
    )
    return secret


def find(unit: Unit, secret: str, kind: str) -> Ticket | None:
    """The live ticket of a secret, used or not; None when there is none or it has expired."""
    row = unit.connection.execute(
        "SELECT kind, family, client, scope, patient, expires, used, detail FROM ticket WHERE hash = ? AND kind = ?"
        " AND expires > ?",
        (_hash(secret), kind, unit.now.timestamp()),
    ).fetchone()
    if row is None:
        return None
    kind_, family, client, scope, patient, expires, used, detail = row
    return Ticket(kind_, family, client, scope, patient, expires, bool(used), json.loads(detail))


def use_up(unit: Unit, secret: str) -> bool:
    """Mark a one-time ticket as used; False when it was used before."""
    marked = unit.connection.execute("UPDATE ticket SET used = 1 WHERE hash = ? AND used = 0", (_hash(secret),))
    return marked.rowcount == 1


def forget(unit: Unit, secret: str) -> None:
    unit.connection.execute("DELETE FROM ticket WHERE hash = ?", (_hash(secret),))


def revoke_family(unit: Unit, family: str) -> None:
    unit.connection.execute("DELETE FROM ticket WHERE family = ?", (family,))


def forget_expired(unit: Unit) -> None:
    unit.connection.execute("DELETE FROM ticket WHERE expires < ?", (unit.now.timestamp(),))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
