"""From which age patients of a clinic answer for themselves, and on which day that is. The day is the clinic's own."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from portal.accounts.models import Clinic
from portal.accounts.proxy_models import ProxyAge
from portal.actors import Actor, Permission, Role
from portal.clock import now
from portal.db import session, transaction
from portal.errors import NotAllowed

USUAL = 18
YOUNGEST, OLDEST = 12, 25


def of_age(clinic_id: str) -> int:
    """In years."""
    found = session().get(ProxyAge, clinic_id)
    return found.years if found else USUAL


def set_age(actor: Actor, years: int) -> None:
    """For the system (the command line) and administrators. ValueError for an age that nobody means."""
    if actor.role is not Role.SYSTEM and not actor.may(Permission.MANAGE_STAFF):
        raise NotAllowed
    if not YOUNGEST <= years <= OLDEST:
        raise ValueError(f"an age between {YOUNGEST} and {OLDEST}")
    with transaction() as current:
        known = current.get(ProxyAge, actor.clinic_id)
        if known:
            known.years = years
        else:
            current.add(ProxyAge(clinic_id=actor.clinic_id, years=years))


def born(person: Any) -> date | None:
    """Of a patient or somebody invited; None where the day is not known."""
    try:
        return date.fromisoformat(str(person.get("birthDate") or ""))
    except ValueError:
        return None


def birthday(day: date, years: int) -> date:
    """The day on which somebody born on `day` is so old; 29 February comes on 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def grown_up(person: Any, clinic_id: str) -> bool:
    """Whether they answer for themselves; somebody whose birth date is not known does."""
    day = born(person)
    return day is None or birthday(day, of_age(clinic_id)) <= today(clinic_id)


def today(clinic_id: str) -> date:
    return now().astimezone(ZoneInfo(session().get_one(Clinic, clinic_id).timezone)).date()
