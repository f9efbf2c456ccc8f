"""How the clinic's trail stands: whether its links hold, where it ends, and up to where its end was signed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import select

from portal import db
from portal.actors import Actor, Permission
from portal.audit import chain, service, verifier
from portal.audit.events import Event
from portal.audit.models import AuditHead, AuditRow
from portal.audit.signing import Place
from portal.db import session
from portal.errors import NotAllowed

_TABLE = AuditRow.__table__
MOST = 20_000
"""The newest entries that a page looks through, half a second's work; `portal audit verify` looks through all."""


@dataclass(frozen=True)
class Signed:
    """Where the clinic's trail ended when its end was last signed, and whether the trail still says the same there."""

    seq: int
    at: datetime
    agrees: bool


@dataclass(frozen=True)
class Standing:
    """`broken_at` is the first entry that is not true, None when all that were looked at are."""

    entries: int
    looked_at: int
    broken_at: int | None
    why: str
    signed: Signed | None
    could_not_read: bool
    """the signed ends are kept where the portal cannot read or believe them: that is no sign of a break, and none of wholeness"""

    @property
    def whole(self) -> bool:
        return self.broken_at is None and (self.signed is None or self.signed.agrees)


def standing(actor: Actor, place: Place) -> Standing:
    """Of the actor's clinic, checked now; the look is an event itself. NotAllowed for those who may not read the trail."""
    if not actor.may(Permission.SEE_AUDIT):
        raise NotAllowed
    service.noted(actor, Event.AUDIT_SEEN, "standing")
    head = session().get_one(AuditHead, actor.clinic_id, populate_existing=True)
    entries, end = head.seq, head.hash
    first = max(0, entries - MOST)
    after = {actor.clinic_id: (first, _hash_at(actor, first) or "")} if first else None
    key, ends = db.keys().derived("audit"), {actor.clinic_id: (entries, end)}
    broken = next(iter(verifier.breaks(key, _rows(actor, first, entries), ends, after=after)), None)
    signed, unreadable = _signed(actor, place)
    return Standing(
        entries, entries - first, broken.seq if broken else None, broken.why if broken else "", signed, unreadable
    )


def _hash_at(actor: Actor, seq: int) -> str | None:
    wanted = select(AuditRow.hash).where(AuditRow.clinic_id == actor.clinic_id, AuditRow.seq == seq)
    return session().scalar(wanted)


def _rows(actor: Actor, after: int, until: int) -> Iterator[verifier.Row]:
    rows = select(*_TABLE.columns).where(
        _TABLE.c.clinic_id == actor.clinic_id, _TABLE.c.seq > after, _TABLE.c.seq <= until
    )
    for row in session().execute(rows.order_by(_TABLE.c.seq).execution_options(yield_per=1000)).mappings():
        yield {**chain.counted(dict(row)), "hash": row["hash"]}


def _signed(actor: Actor, place: Place) -> tuple[Signed | None, bool]:
    """The last end of this clinic's trail that was signed; and whether the file of them could not be read or believed."""
    try:
        if not place.heads.exists():
            return None, False
        public = load_pem_public_key(place.public.read_bytes())
        assert isinstance(public, Ed25519PublicKey)
        heads = verifier.believed(public, place.heads.read_text().splitlines())
    except (OSError, ValueError, AssertionError, json.JSONDecodeError):
        return None, True
    mine = [head for head in verifier.standing(heads) if head["clinic_id"] == actor.clinic_id]
    if not mine:
        return None, False
    last = mine[-1]
    agrees = _hash_at(actor, last["seq"]) == last["hash"]
    return Signed(last["seq"], datetime.fromisoformat(last["at"]), agrees), False
