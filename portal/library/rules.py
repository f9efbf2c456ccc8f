"""When a form is asked: for which kinds of visit, at what age, and how long after it was last answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

OLDEST = 130
MOST_MONTHS = 240
MOST_KINDS = 30
LONGEST_KIND = 120
LAST = 99


@dataclass(frozen=True)
class Rule:
    """`kinds` of visit as the calendar names them (none: every visit); ages in whole years, both included; `months`: not again
    when it was answered within so many. `order` is the place among the forms of a visit."""

    required: bool = True
    order: int = 50
    kinds: tuple[str, ...] = ()
    from_age: int | None = None
    to_age: int | None = None
    months: int | None = None

    def stored(self) -> dict[str, Any]:
        return {**asdict(self), "kinds": list(self.kinds)}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Rule:
        return cls(**{**stored, "kinds": tuple(stored.get("kinds") or ())})


@dataclass(frozen=True)
class Occasion:
    """A visit as a rule sees it. `age` is None when the birth date is not known; `answered`: url → when it was last sent in."""

    kind: str
    age: int | None
    at: datetime
    answered: Mapping[str, datetime] = field(default_factory=dict)


def applies(rule: Rule, url: str, occasion: Occasion) -> bool:
    return _kind(rule, occasion.kind) and _age(rule, occasion.age) and _due(rule, occasion, url)


def _kind(rule: Rule, kind: str) -> bool:
    return not rule.kinds or plain(kind) in {plain(each) for each in rule.kinds}


def plain(kind: str) -> str:
    """A kind of visit apart from the case of its letters and its spacing."""
    return " ".join(kind.split()).casefold()


def _age(rule: Rule, age: int | None) -> bool:
    """Whose age is not known is asked: a question too many is better than one too few."""
    if age is None:
        return True
    return (rule.from_age is None or age >= rule.from_age) and (rule.to_age is None or age <= rule.to_age)


def _due(rule: Rule, occasion: Occasion, url: str) -> bool:
    last = occasion.answered.get(url)
    return rule.months is None or last is None or last < months_before(occasion.at, rule.months)


def months_before(moment: datetime, months: int) -> datetime:
    """The same day so many months earlier; the last day of that month where it is shorter."""
    years, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    following = date(years + month // 11, (month + 1) % 12 + 1, 1)
    return moment.replace(year=years, month=month + 1, day=min(moment.day, (following - timedelta(days=1)).day))


def age_on(born: str | None, day: date) -> int | None:
    """Whole years on a day; None for a birth date that is not known to the day."""
    try:
        birth = date.fromisoformat(born or "")
    except ValueError:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def sentence(rule: Rule) -> str:
    """The rule as staff read it."""
    who = f"before {_listed(rule.kinds)}" if rule.kinds else "before every visit"
    again = f", unless answered in the last {_months(rule.months)}" if rule.months else ""
    return f"{'Required' if rule.required else 'Optional'} {who}{_ages(rule)}{again}."


def _listed(kinds: tuple[str, ...]) -> str:
    named = [f"“{kind}”" for kind in kinds]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _ages(rule: Rule) -> str:
    if rule.from_age is not None and rule.to_age is not None:
        return f", for people of {rule.from_age} to {rule.to_age} years"
    if rule.from_age is not None:
        return f", for people of {rule.from_age} years and older"
    return f", for people of up to {rule.to_age} years" if rule.to_age is not None else ""


def _months(months: int) -> str:
    return "month" if months == 1 else f"{months} months"
