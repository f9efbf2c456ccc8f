"""The desk's queue: what needs a person and why, how long it waits and when the visit is, who works on it, where it stands."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.accounts import service as accounts
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.delivery import service as delivery
from portal.delivery.states import State
from portal.ehr import service as ehr
from portal.errors import NotAllowed
from portal.fhir.people import standing
from portal.fhir.resources import Json, objects_at
from portal.intake import heads
from portal.intake import service as intake
from portal.review import claims
from portal.review.attention import FILTERS, Around, Why, attention, pressing, to_decide
from portal.review.proposals import moved
from portal.review.record import KINDS, MORE
from portal.review.section import KNOWN, NONE, Section
from portal.review.tying import OUT_OF_USE

Status = intake.Status
REVIEW, PATIENT, SENDING, DONE, ALL = "review", "patient", "sending", "done", "all"
SOON = timedelta(hours=24)
MOST_SHOWN, MOST_COUNTED = 50, 500
"""Rows of a page, of what does not need a person; and how far the finished are counted."""


class Due(StrEnum):
    """How near the visit is to what still needs a person before it."""

    PAST = "past"
    SOON = "soon"
    LATER = "later"


@dataclass(frozen=True)
class Row:
    """One submission in the list. `delivery` is where it is on its way to the record, once accepted; `held` who works on it."""

    submission: intake.Submission
    name: str
    born: str
    tied: bool
    status: Status
    why: tuple[Why, ...]
    to_decide: int
    delivery: delivery.Status | None
    held: claims.Held | None
    at: datetime

    @property
    def view(self) -> str:
        if self.status is Status.ACCEPTED and self.delivery:
            return REVIEW if self.delivery.state is State.HELD else SENDING if self.delivery.state in _MOVING else DONE
        return VIEWS.get(self.status, DONE)

    @property
    def waits(self) -> timedelta:
        """How long it has been waiting for a person."""
        return self.at - self.submission.sent_at

    @property
    def due(self) -> Due:
        left = self.submission.visit.starts_at - self.at
        if self.view != REVIEW or left > SOON:
            return Due.LATER
        return Due.SOON if left > timedelta(0) else Due.PAST

    @property
    def pressing(self) -> int:
        return pressing(self.why)


_MOVING = frozenset({State.WAITING, State.NOT_CONFIRMED})
FACTS = KINDS | {name: kind for name, kind in MORE.items() if name not in ("surveys", "vitals", "labs")}
"""The sections that patients are asked about; the others are only told of by forms."""
VIEWS = {Status.SUBMITTED: REVIEW, Status.IN_REVIEW: REVIEW, Status.RETURNED: PATIENT, Status.CHANGING: PATIENT}
SHOWS: dict[str, Callable[[Row], bool]] = {
    REVIEW: lambda row: row.view == REVIEW,
    PATIENT: lambda row: row.view == PATIENT,
    SENDING: lambda row: row.view == SENDING,
    DONE: lambda row: row.view == DONE,
    ALL: lambda row: True,
}
OVERDUE, MINE, FREE = "overdue", "mine", "free"
ALSO: dict[str, tuple[str, Callable[[Row, Actor], bool]]] = {
    OVERDUE: ("Visit within a day", lambda row, _: row.due is not Due.LATER),
    MINE: ("Taken by me", lambda row, actor: row.held is not None and not row.held.by_other(actor)),
    FREE: ("Taken by nobody", lambda row, _: row.held is None),
}
"""What the queue can be narrowed to besides the reasons in attention.FILTERS."""
SORTS: dict[str, tuple[str, Callable[[Row], tuple[object, ...]]]] = {
    "pressing": (
        "Most pressing",
        lambda row: (row.pressing, row.due is Due.LATER, row.submission.visit.starts_at, row.submission.sent_at),
    ),
    "visit": ("Next visit", lambda row: (row.submission.visit.starts_at, row.submission.sent_at)),
    "waiting": ("Longest waiting", lambda row: (row.submission.sent_at,)),
    "name": ("Name", lambda row: (row.name.casefold(), row.submission.sent_at)),
}


@dataclass(frozen=True)
class Asked:
    """How somebody wants to see the queue; anything unknown counts as the usual."""

    view: str = REVIEW
    only: str = ""
    sort: str = "pressing"
    before: heads.Place | None = None
    """where a page goes on, of a list that is shown a page at a time"""

    def known(self) -> "Asked":
        return Asked(
            self.view if self.view in SHOWS else REVIEW,
            self.only if self.only in FILTERS or self.only in ALSO else "",
            self.sort if self.sort in SORTS else "pressing",
            self.before,
        )


@dataclass(frozen=True)
class Filter:
    """One way to narrow the view: its words and how many that would leave."""

    key: str
    words: str
    count: int


@dataclass(frozen=True)
class Queue:
    """The rows of one view, how many there are in each, and by what the view can be narrowed."""

    asked: Asked
    rows: list[Row]
    counts: dict[str, int]
    filters: list[Filter]
    oldest: datetime | None
    only: str | None = None
    """the name of the one patient who is shown, opened from the clinic's own system; "" when nobody here is that patient"""
    more: heads.Place | None = None
    """where the page after this one goes on"""

    @property
    def view(self) -> str:
        return self.asked.view


def queue(actor: Actor, asked: Asked | None = None, patient_id: str | None = None) -> Queue:
    """The clinic's submissions (or one patient's), each visit by its latest one, the most pressing on top. Audited.

    What needs a person is shown whole, everything else a page at a time, what was sent last first.
    """
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    asked = (asked or Asked()).known()
    audit.seen(actor, Event.QUEUE_SEEN, subject=f"queue:{asked.view}", patient_id=None)
    moving = delivery.unfinished(actor.clinic_id)
    held = [(_view(head, moving), head) for head in heads.unfinished(actor, moving, patient_id)]
    counts = Counter(view for view, _ in held)
    counts[DONE] = heads.count_done(actor, moving, MOST_COUNTED, patient_id)
    chosen = [head for view, head in held if asked.view in (view, ALL)]
    page, more = (chosen, None) if asked.view == REVIEW else _page(actor, asked, chosen, moving, patient_id)
    rows = _rows(actor, page)
    in_view = [row for row in rows if SHOWS[asked.view](row)]
    kept = [row for row in in_view if not asked.only or _is(row, asked.only, actor)]
    return Queue(
        asked,
        sorted(kept, key=SORTS[asked.sort][1]),
        {name: counts.total() if name == ALL else counts[name] for name in SHOWS},
        _filters(in_view, actor),
        min((head.sent_at for view, head in held if view == REVIEW), default=None),
        None if patient_id is None else _name(actor, patient_id),
        more,
    )


def _view(head: heads.Head, moving: Mapping[str, bool]) -> str:
    """The list it is in, as Row.view tells it; `moving`: what is on its way, and whether it is on hold there."""
    if head.status is Status.ACCEPTED:
        return REVIEW if moving[head.id] else SENDING
    return VIEWS[head.status]


def _page(
    actor: Actor, asked: Asked, chosen: list[heads.Head], moving: Mapping[str, bool], patient_id: str | None
) -> tuple[list[heads.Head], heads.Place | None]:
    """The next of them, the latest sent first; and where the page after goes on, if there is one."""
    if asked.view in (DONE, ALL):
        chosen = chosen + heads.done(actor, moving, MOST_SHOWN + 1, asked.before, patient_id)
    newest = sorted(chosen, key=lambda head: head.place, reverse=True)
    page = [head for head in newest if asked.before is None or head.place < asked.before][: MOST_SHOWN + 1]
    return page[:MOST_SHOWN], page[MOST_SHOWN - 1].place if len(page) > MOST_SHOWN else None


def _rows(actor: Actor, page: list[heads.Head]) -> list[Row]:
    latest = {each.visit_id: each for each in heads.opened(actor, page)}
    ids = [each.id for each in latest.values()]
    people = accounts.patients(actor, {each.patient_id for each in latest.values()})
    sent = delivery.statuses_of([each.id for each in latest.values() if each.status == Status.ACCEPTED])
    read, held, at = _read(actor, latest.values()), claims.standing(ids), now()
    stale = {each.id for each in latest.values() if _moved(each, read)}
    retired = {patient_id for (patient_id, kind), found in read.items() if kind is ehr.Kind.PATIENT and _retired(found)}
    return [
        _row(
            each,
            people[each.patient_id].person,
            Around(
                bool(people[each.patient_id].fhir_id),
                each.round,
                each.id in stale,
                _stopped(sent.get(each.id)),
                each.patient_id in retired,
            ),
            sent.get(each.id),
            held.get(each.id),
            at,
        )
        for each in latest.values()
    ]


def _stopped(sent: delivery.Status | None) -> bool:
    return sent is not None and sent.state is State.HELD


def _row(
    submission: intake.Submission,
    person: Json,
    around: Around,
    sent: delivery.Status | None,
    held: claims.Held | None,
    at: datetime,
) -> Row:
    status, document = Status(submission.status), submission.document
    return Row(
        submission=submission,
        name=str(person["name"]),
        born=str(person.get("birthDate") or ""),
        tied=around.tied,
        status=status,
        why=attention(document, around),
        to_decide=to_decide(document),
        delivery=sent,
        held=held if VIEWS.get(status) == REVIEW else None,
        at=at,
    )


Read = Mapping[tuple[str, ehr.Kind], list[Json]]
"""What the record said when it was read since somebody sent, by patient and kind."""


def _read(actor: Actor, submissions: Iterable[intake.Submission]) -> Read:
    """Of those still to review; nothing is asked of the clinic."""
    open_ = [each for each in submissions if VIEWS.get(Status(each.status)) == REVIEW]
    since: dict[str, datetime] = {}
    for each in open_:
        since[each.patient_id] = min(each.sent_at, since.get(each.patient_id, each.sent_at))
    return ehr.read_since(actor, since, FACTS.values()) if since else {}


def _retired(patients: list[Json]) -> bool:
    """Whether the record was merged into another, or set aside."""
    return any(standing(each).standing in OUT_OF_USE for each in patients)


def _moved(submission: intake.Submission, read: Read) -> bool:
    """Whether it is still to review and the record says something else about its facts."""
    if VIEWS.get(Status(submission.status)) != REVIEW:
        return False
    sections = {
        name: Section(KNOWN if read[submission.patient_id, kind] else NONE, tuple(read[submission.patient_id, kind]))
        for name, kind in FACTS.items()
        if (submission.patient_id, kind) in read
    }
    facts = objects_at(submission.document, "facts") if sections else []
    return any(moved(fact, sections) for fact in facts)


def _filters(rows: list[Row], actor: Actor) -> list[Filter]:
    words = {**FILTERS, **{key: also[0] for key, also in ALSO.items()}}
    made = [Filter(key, text, sum(_is(row, key, actor) for row in rows)) for key, text in words.items()]
    return [each for each in made if each.count]


def _is(row: Row, key: str, actor: Actor) -> bool:
    if key in ALSO:
        return ALSO[key][1](row, actor)
    return any(why.key == key for why in row.why)


def _name(actor: Actor, patient_id: str) -> str:
    """Of a patient of this clinic; "" for anybody else."""
    return next((str(each.person["name"]) for each in accounts.patients(actor, {patient_id}).values()), "")


def filed_as(actor: Actor, patient_id: str, reference: str) -> str | None:
    """The submission whose answers are in this patient's record as `reference` (`QuestionnaireResponse/id`), or None."""
    kind = reference.partition("/")[0]
    there = delivery.placed(actor.clinic_id, patient_id, kind)
    return next((each.submission_id for each in there if each.reference == reference), None)
