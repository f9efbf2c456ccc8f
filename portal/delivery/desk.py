"""The held desk: what stopped and why, what did and did not arrive, what a person can do; and how the line is doing as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import bundle, ledger
from portal.delivery.crew import Mate, mates
from portal.delivery.errors import MayBeThere, NotHeld
from portal.delivery.models import DeliveryEvent, Endpoint, OutboxItem
from portal.delivery.standing import Status, status
from portal.delivery.states import NOTHING, OPEN, SOME, UNFINISHED, UNKNOWN, Kind, Reason, State, Words, words
from portal.delivery.wrong_record import CORRECTION
from portal.errors import Issue, NotAllowed, NotFound
from portal.fhir import exact
from portal.sealing import SealBroken

REASON_LEAST, REASON_MOST = 3, 500
TO_REVIEW = "taken back to be reviewed again"


@dataclass(frozen=True)
class HeldHead:
    """One line of the list."""

    item_id: str
    submission_id: str
    patient_id: str
    since: datetime
    reason: Reason
    words: Words
    answers: bool = True
    """whether answers are behind it that can be read; a withdrawal of consent, or a correction, has none"""
    correction: bool = False
    """whether it corrects a wrong record: staff decide about it under Corrections"""


@dataclass(frozen=True)
class Piece:
    """One entry of what was to be written. `state`: arrived, missing, twice or unknown; `differences` as in a receipt."""

    type: str
    method: str
    state: str
    references: Sequence[str]
    differences: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class HeldItem:
    """Everything a clerk needs about one held (or withheld, or finished) item."""

    head: HeldHead
    status: Status
    arrived: str
    said: Sequence[str]
    pieces: Sequence[Piece]
    behind: int
    events: Sequence[DeliveryEvent]

    @property
    def workable(self) -> bool:
        return self.status.state in (State.HELD, State.WITHHELD)

    @property
    def reviewable(self) -> bool:
        """Whether it may be corrected in review: nothing of it is in the record, so a new version cannot double anything."""
        return self.head.answers and self.status.state is State.HELD and _nothing_there(self.events[-1])

    @property
    def review_first(self) -> bool:
        """Whether to review it again is the next step, rather than to send it again."""
        return self.reviewable and self.head.words.owner == "Reviewer"


def held(actor: Actor) -> list[HeldHead]:
    """What is on hold in this clinic, the oldest first. Audited: the list tells who they are."""
    _allowed(actor)
    audit.seen(actor, Event.QUEUE_SEEN, subject="queue:held", patient_id=None)
    other = aliased(DeliveryEvent)
    last = select(func.max(other.seq)).where(other.item_id == OutboxItem.id).correlate(OutboxItem).scalar_subquery()
    rows = session().execute(
        select(OutboxItem, DeliveryEvent)
        .join(DeliveryEvent, DeliveryEvent.item_id == OutboxItem.id)
        .where(OutboxItem.clinic_id == actor.clinic_id, OutboxItem.state == State.HELD.value, DeliveryEvent.seq == last)
        .order_by(DeliveryEvent.at)
    )
    return [_head(item, event) for item, event in rows]


def held_item(actor: Actor, item_id: str) -> HeldItem:
    """One item with its reason, its pieces and its events; NotFound when it is not this clinic's. Audited as seen."""
    _allowed(actor)
    item = _theirs(actor, item_id)
    audit.seen(actor, Event.DELIVERY_SEEN, subject=f"outbox_items:{item.id}", patient_id=item.patient_id)
    events = ledger.history(item.id)
    last = events[-1]
    return HeldItem(
        head=_head(item, last),
        status=status(item),
        arrived=_arrived(last),
        said=last.detail.get("said", ()),
        pieces=_pieces(item, last),
        behind=_behind(item),
        events=events,
    )


def resend(actor: Actor, item_id: str) -> None:
    """Put a held or withheld item back in the line; the worker looks first whether it arrived, and asks the gate again."""
    _allowed(actor)
    with transaction():
        item = _theirs(actor, item_id, lock=True)
        if item.state not in (State.HELD, State.WITHHELD):
            raise NotHeld
        _resend(actor, item)


def resend_all(actor: Actor, reason: Reason) -> int:
    """Put back everything that is held for one reason (a server was down for days, a connection was renewed)."""
    _allowed(actor)
    heads = [head for head in held(actor) if head.reason is reason]
    with transaction():
        items = [_theirs(actor, head.item_id, lock=True) for head in sorted(heads, key=lambda head: head.item_id)]
        still = [item for item in items if item.state == State.HELD]
        for item in still:
            _resend(actor, item)
    return len(still)


def close(actor: Actor, item_id: str, reason: str) -> list[Issue]:
    """End a held item with a person's reason (for example "entered by hand"); the next of this patient may go."""
    _allowed(actor)
    why = " ".join(reason.split())
    if len(why) < REASON_LEAST:
        return [Issue("reason", "required", "Say in a few words why this is closed")]
    if len(why) > REASON_MOST:
        return [Issue("reason", "too-long", "The reason must be %(most)s characters or fewer", {"most": REASON_MOST})]
    with transaction():
        item = _theirs(actor, item_id, lock=True)
        if item.state not in (State.HELD, State.WITHHELD):
            raise NotHeld
        ledger.append(item, Kind.CLOSED, at=now(), by=actor, detail={"why": why})
        item.fence += 1
        _audit(actor, item, Event.DELIVERY_CLOSED)
    return []


def take_back(actor: Actor, submission_id: str) -> None:
    """End what is held of a submission so that it can be reviewed again, in the caller's transaction; the old bytes stay.

    Only while it is certain that nothing of it is in the record: MayBeThere otherwise, NotHeld when nothing is held.
    """
    with transaction() as current:
        last = current.scalars(
            select(OutboxItem)
            .where(OutboxItem.submission_id == submission_id, OutboxItem.clinic_id == actor.clinic_id)
            .order_by(OutboxItem.round.desc())
            .limit(1)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()
        if last is None or last.state not in (State.HELD, State.WITHHELD):
            raise NotHeld
        if not _nothing_there(ledger.history(last.id)[-1]):
            raise MayBeThere
        ledger.append(last, Kind.CLOSED, at=now(), by=actor, detail={"why": TO_REVIEW})
        last.fence += 1
        _audit(actor, last, Event.DELIVERY_CLOSED)


@dataclass(frozen=True)
class Overview:
    """How the line is doing (bar 89), without health data. `oldest` is when the oldest unfinished item was queued."""

    waiting: int
    not_confirmed: int
    held: int
    oldest: datetime | None
    down_since: datetime | None
    workers: Sequence[Mate]

    @property
    def at_work(self) -> list[Mate]:
        return [each for each in self.workers if each.alive]

    def alarm(self, at: datetime) -> str | None:
        """`late` from 15 minutes, `urgent` from 4 hours; None while all is well."""
        age = at - self.oldest if self.oldest else timedelta()
        return "urgent" if age >= timedelta(hours=4) else "late" if age >= timedelta(minutes=15) else None


def overview(clinic_id: str) -> Overview:
    """Counts by state, the oldest item still on its way, and since when the server has been silent."""
    rows = session().execute(
        select(OutboxItem.state, func.count())
        .where(OutboxItem.clinic_id == clinic_id, OutboxItem.state.in_([state.value for state in UNFINISHED]))
        .group_by(OutboxItem.state)
    )
    counts: dict[str, int] = {state: count for state, count in rows}
    on_its_way = [state.value for state in OPEN]
    oldest = session().scalar(
        select(func.min(OutboxItem.queued_at)).where(
            OutboxItem.clinic_id == clinic_id, OutboxItem.state.in_(on_its_way)
        )
    )
    down = session().scalar(select(Endpoint.down_since).where(Endpoint.clinic_id == clinic_id))
    return Overview(
        counts.get(State.WAITING, 0),
        counts.get(State.NOT_CONFIRMED, 0),
        counts.get(State.HELD, 0),
        oldest,
        down,
        mates(now()),
    )


def _allowed(actor: Actor) -> None:
    if not actor.may(Permission.WORK_HELD):
        raise NotAllowed


def _theirs(actor: Actor, item_id: str, *, lock: bool = False) -> OutboxItem:
    query = select(OutboxItem).where(OutboxItem.id == item_id, OutboxItem.clinic_id == actor.clinic_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    item = session().scalars(query).one_or_none()
    if item is None:
        raise NotFound
    return item


def _resend(actor: Actor, item: OutboxItem) -> None:
    """The fence rises, so that whoever may still hold an old lease is out."""
    at = now()
    last = ledger.history(item.id)[-1]
    ledger.append(item, Kind.RESENT, at=at, by=actor, reason=Reason.ASKED, detail={"after": last.reason})
    item.fence += 1
    item.crashes = 0
    item.leased_until = None
    item.next_at = at
    _audit(actor, item, Event.DELIVERY_RESENT)


def _audit(actor: Actor, item: OutboxItem, event: Event) -> None:
    audit.record(
        actor,
        event,
        subject=f"outbox_items:{item.id}",
        patient_id=item.patient_id,
        detail={"submission": item.submission_id},
    )


def _head(item: OutboxItem, event: DeliveryEvent) -> HeldHead:
    reason = Reason(event.reason)
    answers = not {"withdrawal", CORRECTION} & set(item.basis or ())
    correction = CORRECTION in (item.basis or {})
    return HeldHead(item.id, item.submission_id, item.patient_id, event.at, reason, words(reason), answers, correction)


def _arrived(last: DeliveryEvent) -> str:
    """What is certain about the record. A reason met while looking, or when some of it was seen, proves less."""
    if last.detail.get("unsure"):
        return UNKNOWN
    if any(entry["references"] for entry in last.detail.get("entries", []) if entry["method"] == "POST"):
        return words(Reason(last.reason)).arrived if last.reason == Reason.DUPLICATE_UPSTREAM else SOME
    return words(Reason(last.reason)).arrived


def _nothing_there(last: DeliveryEvent) -> bool:
    return last.kind == Kind.WITHHELD or _arrived(last) == NOTHING


def _pieces(item: OutboxItem, last: DeliveryEvent) -> list[Piece]:
    seen = {entry["index"]: entry for entry in last.detail.get("entries", [])}
    unseen = "missing" if _arrived(last) == NOTHING else "unknown"
    try:
        payload = bundle.read(exact.loads(item.payload))
    except SealBroken:
        return []
    return [_piece(entry, seen.get(entry.index), unseen) for entry in payload.entries]


def _piece(entry: bundle.Entry, seen: dict[str, Any] | None, unseen: str) -> Piece:
    if seen is None or not seen["checked"]:
        return Piece(entry.type, entry.method, unseen, (), ())
    count = len(seen["references"])
    state = "twice" if count > 1 else "arrived" if count and _as_sent(entry, seen) else "missing"
    return Piece(entry.type, entry.method, state, seen["references"], seen["differences"])


def _as_sent(entry: bundle.Entry, seen: dict[str, Any]) -> bool:
    """An update has arrived when its target is no longer what it was, and is as we wanted it."""
    return entry.method == "POST" or not seen["differences"]


def waits_for(status: Status) -> str:
    """The held delivery of the same patient that one which is waiting stands behind; "" for none."""
    if status.state is not State.WAITING:
        return ""
    ours = aliased(OutboxItem)
    found = session().scalar(
        select(OutboxItem.id)
        .join(ours, ours.patient_id == OutboxItem.patient_id)
        .where(ours.id == status.item_id, OutboxItem.position < ours.position, OutboxItem.state == State.HELD.value)
        .order_by(OutboxItem.position)
        .limit(1)
    )
    return found or ""


def _behind(item: OutboxItem) -> int:
    """How many of the same patient wait for this one."""
    count = session().scalar(
        select(func.count()).where(
            OutboxItem.patient_id == item.patient_id,
            OutboxItem.position > item.position,
            OutboxItem.state.in_([state.value for state in OPEN]),
        )
    )
    return count or 0
