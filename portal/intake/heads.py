"""What staff's lists need of submissions: the latest round of each visit by its lifted columns only, and those done with a page at a time.

What still needs anybody is few however long a clinic has been here; what is done with grows for ever, so it is neither read nor
counted whole. Nothing sealed is opened before it is known what a page shows.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased

from portal.actors import STAFF, Actor, Role
from portal.columns import know_keys
from portal.db import session
from portal.errors import NotAllowed
from portal.intake.models import Status, Submission

OPEN = (Status.SUBMITTED, Status.IN_REVIEW, Status.RETURNED, Status.CHANGING)
DONE = (Status.ACCEPTED, Status.WITHDRAWN)
"""Accepted is done with unless it is still on its way to the record: delivery tells which."""
AT_ONCE = 500
Place = tuple[datetime, str]
"""Where one stands among the others: when it was sent, and its id."""


@dataclass(frozen=True)
class Head:
    """The latest round of a visit, unopened."""

    id: str
    patient_id: str
    status: Status
    sent_at: datetime

    @property
    def place(self) -> Place:
        return self.sent_at, self.id


def unfinished(actor: Actor, on_the_way: Collection[str], patient_id: str | None = None) -> list[Head]:
    """What is not done with: sent, under review or with the patient, and of those accepted which are `on_the_way`."""
    _staff(actor)
    found = _heads(_mine(actor, patient_id).where(Submission.status.in_([each.value for each in OPEN])))
    ids = sorted(on_the_way)
    for start in range(0, len(ids), AT_ONCE):
        some = Submission.id.in_(ids[start : start + AT_ONCE])
        found += _heads(_mine(actor, patient_id).where(some, Submission.status == Status.ACCEPTED.value))
    return found


def done(
    actor: Actor, on_the_way: Collection[str], most: int, before: Place | None = None, patient_id: str | None = None
) -> list[Head]:
    """What is done with, the latest sent first, at most so many; `before` goes on from the last of the page before."""
    _staff(actor)
    each = [_newest(_mine(actor, patient_id), status, before) for status in DONE]
    both = merge(*each, key=lambda head: head.place, reverse=True)
    return list(islice((head for head in both if head.id not in on_the_way), most))


def count_done(actor: Actor, on_the_way: Collection[str], most: int, patient_id: str | None = None) -> int:
    """How many are done with; counting stops when it is more than `most`."""
    _staff(actor)
    wanted = _mine(actor, patient_id).where(Submission.status.in_([each.value for each in DONE]))
    some = wanted.with_only_columns(Submission.id).limit(most + len(on_the_way) + 1).subquery()
    held = sorted(on_the_way)
    still = sum(
        session().scalar(select(func.count()).select_from(wanted.where(_within(held, start)).subquery())) or 0
        for start in range(0, len(held), AT_ONCE)
    )
    return min((session().scalar(select(func.count()).select_from(some)) or 0) - still, most + 1)


def opened(actor: Actor, heads: Collection[Head]) -> list[Submission]:
    """These, whole; with the keys of all of them in one question."""
    _staff(actor)
    know_keys({head.patient_id for head in heads})
    wanted = select(Submission).where(
        Submission.clinic_id == actor.clinic_id, Submission.id.in_([head.id for head in heads])
    )
    return sorted(
        session().scalars(wanted).unique(), key=lambda each: each.sent_at
    )  # sorted there, a clinic would be read


def _mine(actor: Actor, patient_id: str | None) -> Select[str, str, str, datetime]:
    later = aliased(Submission)
    wanted = select(Submission.id, Submission.patient_id, Submission.status, Submission.sent_at).where(
        Submission.clinic_id == actor.clinic_id,
        ~exists().where(later.visit_id == Submission.visit_id, later.round > Submission.round),
    )
    return wanted if patient_id is None else wanted.where(Submission.patient_id == patient_id)


def _within(ids: list[str], start: int) -> ColumnElement[bool]:
    return Submission.id.in_(ids[start : start + AT_ONCE])


def _heads(wanted: Select[str, str, str, datetime]) -> list[Head]:
    return [Head(key, patient, Status(status), at) for key, patient, status, at in session().execute(wanted)]


def _newest(mine: Select[str, str, str, datetime], status: Status, before: Place | None) -> Iterator[Head]:
    """Of one status, by its index, read as far as somebody goes on asking."""
    while True:
        wanted = mine.where(Submission.status == status.value, *(_after(*before) if before else ()))
        found = _heads(wanted.order_by(Submission.sent_at.desc(), Submission.id.desc()).limit(AT_ONCE))
        yield from found
        if len(found) < AT_ONCE:
            return
        before = found[-1].place


def _after(at: datetime, key: str) -> tuple[ColumnElement[bool], ...]:
    """The first says it to the index, the second exactly."""
    return Submission.sent_at <= at, (Submission.sent_at < at) | (Submission.id < key)


def _staff(actor: Actor) -> None:
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
