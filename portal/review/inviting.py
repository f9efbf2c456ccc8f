"""The link that lets somebody in: shown once, to read out or to send."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.accounts import service as accounts
from portal.actors import Actor, Permission
from portal.clock import now
from portal.db import transaction
from portal.errors import Issue, NotAllowed, NotFound
from portal.intake import service as intake
from portal.review.coming import DAYS_AHEAD
from portal.review.tying import settle


@dataclass(frozen=True)
class NewVisit:
    """What is typed to invite somebody who is not in the appointment list: all texts, as typed."""

    name: str = ""
    birth_date: str = ""
    email: str = ""
    phone: str = ""
    day: str = ""
    time: str = ""
    what: str = ""


@dataclass(frozen=True)
class Invited:
    """A link's token and the code that it asks for, shown once and kept nowhere, with whom they are for; or `issues`."""

    token: str = ""
    code: str = ""
    name: str = ""
    visit_id: str = ""
    issues: list[Issue] = field(default_factory=list)


def invite(actor: Actor, visit_id: str, days: int) -> Invited:
    """A new link for the person of one of the listed visits; NotFound for any other."""
    if not actor.may(Permission.INVITE):
        raise NotAllowed
    visits = intake.upcoming(actor, now() - timedelta(days=1), now() + timedelta(days=DAYS_AHEAD))
    visit = next((each for each in visits if each.id == visit_id), None)
    if visit is None:
        raise NotFound
    name = str(accounts.patient(actor, visit.patient_id).person["name"])
    made = accounts.invite(actor, visit.patient_id, days)
    return Invited(made.token, made.code, name, visit.id)


def invite_new(actor: Actor, typed: NewVisit, days: int) -> Invited:
    """Expect a person who is not in the appointment list, with their visit, and make their link.

    Their record is looked for afterwards: exactly one by the rules ties them, anything else waits for a person.
    """
    if not actor.may(Permission.INVITE):
        raise NotAllowed
    issues = check(typed)
    starts_at = _moment(typed, accounts.clinic(actor.clinic_id).timezone)
    if issues or starts_at is None:
        return Invited(issues=issues or [Issue("time", "wrong", BAD_TIME)])
    with transaction():
        patient = accounts.expect_patient(actor, None, None, _person(typed))
        expected = intake.Expected(
            connection_id=None,
            appointment_id=None,
            starts_at=starts_at,
            cancelled=False,
            detail={"what": typed.what.strip() or "Visit", "with": None, "where": None},
        )
        visit, _ = intake.expect(actor, patient.id, expected)
        made = accounts.invite(actor, patient.id, days)
    if actor.may(Permission.MATCH):
        settle(actor, patient.id)
    return Invited(made.token, made.code, typed.name.strip(), visit.id)


BAD_DAY = "Enter the day of the visit as YYYY-MM-DD, for example 2027-03-27"
BAD_TIME = "Enter the time of the visit, for example 14:30"
BAD_BIRTH = "Enter the date of birth as YYYY-MM-DD, for example 1985-03-27"


def check(typed: NewVisit) -> list[Issue]:
    """What has to be mended before anybody can be invited."""
    wrong = {
        "name": (not typed.name.strip(), "Enter the person's name"),
        "birth_date": (not _past(typed.birth_date), BAD_BIRTH),
        "email": (
            bool(typed.email.strip()) and "@" not in typed.email.strip("@ "),
            "Enter an e-mail address, like name@example.org",
        ),
        "day": (_day(typed.day) is None, BAD_DAY),
        "time": (_clock(typed.time) is None, BAD_TIME),
    }
    return [Issue(where, "wrong", words) for where, (is_wrong, words) in wrong.items() if is_wrong]


def _person(typed: NewVisit) -> dict[str, str | None]:
    return {
        "name": " ".join(typed.name.split()),
        "birthDate": typed.birth_date.strip(),
        "email": typed.email.strip() or None,
        "phone": typed.phone.strip() or None,
        "language": "en",
    }


def _past(text: str) -> bool:
    found = _day(text)
    return found is not None and found <= now().date()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if len(text.strip()) == 10 else None
    except ValueError:
        return None


def _clock(text: str) -> tuple[int, int] | None:
    hours, found, minutes = text.strip().partition(":")
    right = (
        found and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit() and len(minutes) == 2
    )
    return (int(hours), int(minutes)) if right and int(hours) < 24 and int(minutes) < 60 else None


def _moment(typed: NewVisit, zone: str) -> datetime | None:
    """The time of the visit on the clinic's clock, as UTC."""
    day, clock = _day(typed.day), _clock(typed.time)
    if day is None or clock is None:
        return None
    return datetime(day.year, day.month, day.day, *clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)
