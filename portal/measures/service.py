"""What the clinic's administrators and those who watch over privacy may see: periods that are over, and the queue now. Audited."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from portal.accounts import counting as invitations
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.errors import NotAllowed, NotFound
from portal.intake import counting as answers
from portal.measures import cells, days, tally
from portal.measures.cells import Figures
from portal.measures.periods import KINDS, Period, ended, holding
from portal.measures.secrecy import Number
from portal.measures.tally import Counts, Middle

SHOWN_BESIDE = 8
"""How many periods a chart holds: the one that is looked at and those before it."""


@dataclass(frozen=True)
class Shown:
    """Everything the page says. `chosen` is None while no period of this kind is over; `next_on` is when the next one comes."""

    kind: str
    chosen: Figures | None
    series: tuple[Figures, ...]
    periods: tuple[Period, ...]
    since: date | None
    until: date | None
    next_on: date | None
    late: bool
    """whether days that are over have not been counted"""
    waiting: "Waiting"
    at: datetime


@dataclass(frozen=True)
class Waiting:
    """The queue at this moment. `many` is None when it is too few to say."""

    many: int | None
    ages: Middle | None


def measures(actor: Actor, kind: str, start: date | None = None, *, event: Event = Event.MEASURES_SEEN) -> Shown:
    """The figures of one period of the actor's clinic, the newest unless `start` names one. NotFound for one that is not over."""
    if not actor.may(Permission.SEE_MEASURES):
        raise NotAllowed
    if kind not in KINDS:
        raise NotFound
    audit.seen(actor, event, subject=f"clinics:{actor.clinic_id}", patient_id=None)
    counted = days.counted_days(actor.clinic_id)
    today = now().astimezone(ZoneInfo(invitations.zone(actor.clinic_id))).date()
    first, until = min(counted, default=None), max(counted, default=None)
    if first is None or until is None:
        if start is not None:
            raise NotFound
        return Shown(kind, None, (), (), None, None, None, False, _waiting(actor), now())
    after_last = date.fromordinal(until.toordinal() + 1)
    periods = ended(first, after_last, kind)
    running = holding(after_last, kind)
    chosen = _chosen(periods, start)
    beside = periods[: periods.index(chosen) + 1][-SHOWN_BESIDE:] if chosen else []
    series = tuple(_figures(actor.clinic_id, counted, each, first, after_last) for each in beside)
    return Shown(
        kind,
        series[-1] if series else None,
        series,
        tuple(reversed(periods)),
        first,
        until,
        running.end,
        (today - until).days > 2,
        _waiting(actor),
        now(),
    )


def _chosen(periods: list[Period], start: date | None) -> Period | None:
    if start is None:
        return periods[-1] if periods else None
    found = next((each for each in periods if each.start == start), None)
    if found is None:
        raise NotFound
    return found


class _Days(dict[date, Counts]):
    """The counted days of one clinic, told apart by which they are: a day that was counted never changes."""

    def __init__(self, clinic_id: str, counted: dict[date, Counts]) -> None:
        super().__init__(counted)
        self.mark = (clinic_id, min(counted), max(counted))

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.mark)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Days) and self.mark == other.mark


def _figures(clinic_id: str, counted: dict[date, Counts], period: Period, first: date, until: date) -> Figures:
    return _quarter(_Days(clinic_id, counted), holding(period.start, "quarter"), first, until)[period]


@lru_cache(maxsize=16)
def _quarter(counted: _Days, whole: Period, first: date, until: date) -> dict[Period, Figures]:
    return cells.quarter(whole, counted, first, until)


def _waiting(actor: Actor) -> Waiting:
    at = now()
    ages = [str(int((at - sent).total_seconds())) for sent in answers.waiting(actor.clinic_id, at)]
    if Number(len(ages), len(ages)).small:
        return Waiting(None, None)
    values = tally.counted(("waiting", "", age, str(number)) for number, age in enumerate(ages))
    return Waiting(len(ages), tally.middle(values.get("waiting", {}).get("", {})))
