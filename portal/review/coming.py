"""Who is coming and how far they are: the visits of the next days, and those of one patient who is on the telephone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from portal.accounts import finding
from portal.accounts import service as accounts
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.errors import NotAllowed
from portal.intake import service as intake

DAYS_AHEAD = 30
STATES = ("not-joined", "joined", "submitted", "in-review", "returned", "accepted", "withdrawn", "cancelled")
"""How far somebody can be, in the order of the list's narrowing."""


@dataclass(frozen=True)
class Upcoming:
    """One visit in the list. `state` is the latest submission's status, "joined", or "not-joined"."""

    visit: intake.Visit
    name: str
    born: str
    phone: str
    state: str
    tied: bool
    submission_id: str | None

    @property
    def invitable(self) -> bool:
        """Whether a link would be of any use to them."""
        return self.state == "not-joined" and self.visit.starts_at > now()


class Tied(Protocol):
    """What the list needs of a patient."""

    id: str
    fhir_id: str | None

    @property
    def person(self) -> Any: ...


@dataclass(frozen=True)
class Day:
    """The visits of one day on the clinic's clock; `name` is "Today" and the like, or nothing."""

    date: date
    name: str
    visits: tuple[Upcoming, ...]


def upcoming(actor: Actor, days: int = DAYS_AHEAD) -> list[Upcoming]:
    """The visits from the start of yesterday to `days` ahead, the next one first. Audited."""
    _seen(actor)
    visits = intake.upcoming(actor, now() - timedelta(days=1), now() + timedelta(days=days))
    return _told(actor, visits, accounts.patients(actor, {visit.patient_id for visit in visits}))


def found(actor: Actor, words: str) -> list[Upcoming]:
    """The visits, past ones too, of everybody whom these words may mean, the latest first. Audited without the words."""
    _seen(actor)
    people = {each.id: each for each in finding.find(actor, words)}
    return _told(actor, intake.visits_with(actor, set(people)), people)


def by_day(visits: Iterable[Upcoming], zone: ZoneInfo) -> list[Day]:
    """From today on; then what has been, the latest first."""
    today, days = now().astimezone(zone).date(), dict[date, list[Upcoming]]()
    for each in visits:
        days.setdefault(each.visit.starts_at.astimezone(zone).date(), []).append(each)
    names = {today + timedelta(days=ahead): name for ahead, name in ((-1, "Yesterday"), (0, "Today"), (1, "Tomorrow"))}
    order = sorted(days, key=lambda day: (day < today, abs(day - today)))
    return [Day(day, names.get(day, ""), tuple(days[day])) for day in order]


def _seen(actor: Actor) -> None:
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    audit.seen(actor, Event.QUEUE_SEEN, subject="queue:visits", patient_id=None)


def _told(actor: Actor, visits: list[intake.Visit], people: dict[str, Any]) -> list[Upcoming]:
    sent, joined = intake.last_sent(actor, visits), accounts.joined(set(people))
    return [_line(visit, people[visit.patient_id], sent.get(visit.id), visit.patient_id in joined) for visit in visits]


def _line(visit: intake.Visit, patient: Tied, sent: tuple[str, str] | None, joined: bool) -> Upcoming:
    person, cancelled = patient.person, visit.state == intake.VisitState.CANCELLED
    submission_id, state = sent or (None, "joined" if joined else "not-joined")
    return Upcoming(
        visit,
        str(person["name"]),
        str(person.get("birthDate") or ""),
        str(person.get("phone") or ""),
        visit.state if cancelled else state,
        bool(patient.fhir_id),
        submission_id,
    )
