"""What the worker brings to each item: the consent gate, the clients, the clock, the waits; and what it finds on the item."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import SystemRandom
from typing import Any

from portal.clock import now
from portal.delivery import bundle, ledger, uptime
from portal.delivery.abilities import Abilities
from portal.delivery.bundle import Payload
from portal.delivery.claim import Claim, Clock
from portal.delivery.classify import Landed
from portal.delivery.client import Clients, RecordClient
from portal.delivery.models import DeliveryEvent, OutboxItem
from portal.delivery.states import Kind, Reason
from portal.delivery.timing import Timing
from portal.delivery.uptime import Mark
from portal.fhir import exact


@dataclass(frozen=True)
class Passage:
    """What the consent gate says about an item: may it leave now, and why (a code, no health data)."""

    permitted: bool
    reason: str = ""


Gate = Callable[[OutboxItem], Passage]
Checkpoint = Callable[[str], None]
Atomic = Callable[[str, RecordClient], bool]
"""clinic id, client → whether the server takes transactions; may raise ehr.errors"""

Reaches = Callable[[str, Payload], bool]
"""clinic id, payload → whether what the server granted us covers every entry of it by itself"""


def not_known(_clinic_id: str, _payload: Payload) -> bool:
    """What was granted is not known: a refusal of the whole stands."""
    return False


def no_checkpoint(_step: str) -> None:
    """Outside the kill harness nothing happens between two steps."""


@dataclass(frozen=True)
class Tools:
    gate: Gate
    clients: Clients
    clock: Clock = now
    timing: Timing = field(default_factory=Timing)
    chance: Callable[[], float] = SystemRandom().random
    mark: Callable[[], Mark] = uptime.mark
    atomic: Atomic = field(default_factory=Abilities)
    reaches: Reaches = not_known
    checkpoint: Checkpoint = no_checkpoint


@dataclass(frozen=True)
class Outcome:
    """What one turn of the worker did: the event it ended on, or None when the item was left as it was."""

    item_id: str
    kind: Kind | None
    reason: Reason = Reason.NONE


@dataclass(frozen=True)
class Past:
    """What an item's events prove, without the database: for use while the network is waited for."""

    kind: Kind
    reason: Reason
    tries: int
    began: datetime | None
    unfit_checks: int
    landed: tuple[Landed, ...]
    alerted: Reason | None
    piecewise: bool
    split: bool
    sending_at: datetime | None
    sending_up: Mark | None
    ended: Kind | None
    ended_at: datetime | None
    ended_up: Mark | None


@dataclass(frozen=True)
class Work:
    """One claimed item in hand. `progress`: what is known to be at the server, entry by entry, when it is sent piecewise."""

    claim: Claim
    body: bytes
    payload: Payload
    past: Past
    progress: tuple[dict[str, Any], ...] = ()
    before: Mapping[str, bundle.Resource] = field(default_factory=dict)
    """what earlier deliveries put into the record under a name that this one creates, as sent last, by its reference"""

    @property
    def begun(self) -> bool:
        return any(entry["references"] and entry["method"] == "POST" for entry in self.progress)


FAILING = frozenset({Kind.NOT_SENT, Kind.BUSY, Kind.IN_DOUBT, Kind.UNCHECKED, Kind.CONFLICTED})
TRYING = FAILING | {Kind.SENDING}


def in_hand(claim: Claim, item: OutboxItem) -> Work:
    body = item.payload.encode()
    return Work(claim, body, bundle.read(exact.loads(body)), past(ledger.history(item.id)))


def past(events: list[DeliveryEvent]) -> Past:
    """The lessons of an item's events, oldest first; tries and dates count since a person last sent it again."""
    current = ledger.this_round(events)
    sent = max((index for index, event in enumerate(events) if event.kind == Kind.SENDING), default=None)
    sending = events[sent] if sent is not None else None
    ended = events[sent + 1] if sent is not None and sent + 1 < len(events) else None
    return Past(
        kind=Kind(events[-1].kind),
        reason=Reason(events[-1].reason),
        tries=sum(_failed(event) for event in current),
        began=next((event.at for event in current if event.kind in TRYING), None),
        unfit_checks=_unfit(current),
        landed=_landed(current),
        alerted=next((Reason(event.reason) for event in current if event.detail.get("alert")), None),
        piecewise=any(event.kind == Kind.PARTIAL or event.detail.get("piecewise") for event in events),
        split=ended is not None and (ended.kind == Kind.CONFLICTED or ended.reason == Reason.PARTLY_THERE),
        sending_at=sending.at if sending else None,
        sending_up=sending.detail.get("up") if sending else None,
        ended=Kind(ended.kind) if ended else None,
        ended_at=ended.at if ended else None,
        ended_up=ended.detail.get("up") if ended else None,
    )


def _failed(event: DeliveryEvent) -> bool:
    return event.kind in FAILING or (event.kind == Kind.PARTIAL and event.reason != Reason.NONE)


def _unfit(events: list[DeliveryEvent]) -> int:
    """How many of the last looks in a row met something that is not a FHIR server."""
    count = 0
    for event in reversed(events):
        if (event.kind, event.reason) != (Kind.UNCHECKED, Reason.NOT_FHIR):
            break
        count += 1
    return count


def _landed(events: list[DeliveryEvent]) -> tuple[Landed, ...]:
    """Where the server said it put things, in this round; the later word counts."""
    told = [Landed(*one) for event in events for one in event.detail.get("landed", [])]
    return tuple({one.index: one for one in told}.values())
