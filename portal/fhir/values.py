"""FHIR's data types in the words a person uses: names, addresses, phones, concepts, quantities, dates as exact as they are. Pure.

Every function is total: whatever JSON stands where a value should, the answer is a text, "" when there is nothing to say.
`say` turns an English msgid into the reader's language; it is the identity here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.fhir.resources import Json, at, objects_at, text_at

Say = Callable[[str], str]


def plain(text: str) -> str:
    """The identity: English as written."""
    return text


# -- dates -------------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(.+))?)?)?")


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A date as exact as it was given: a year, a month, a day, or an instant (`moment`, aware). Never more exact."""

    year: int
    month: int | None = None
    day: int | None = None
    moment: datetime | None = None

    @property
    def first_day(self) -> date:
        """The earliest day it can mean; for ordering only."""
        return date(self.year, self.month or 1, self.day or 1)

    def __str__(self) -> str:
        """FHIR's spelling, an instant as its day."""
        parts = (f"{self.year:04}", *(f"{part:02}" for part in (self.month, self.day) if part is not None))
        return "-".join(parts)


def parse_date(text: Any) -> PartialDate | None:
    """FHIR's date, dateTime or instant; None for anything else, impossible days and a time without a zone included."""
    found = _DATE.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups()[:3])
    try:
        moment = datetime.fromisoformat(text) if found[4] else None
        date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    if moment is not None and moment.tzinfo is None:
        return None
    return PartialDate(year or 0, month, day, moment)


def onset(resource: Json, *names: str) -> str:
    """The first date among the elements `names` (a Period counts by its start), in FHIR's spelling."""
    for name in names:
        held = resource.get(name)
        text = text_at(held, "start") if isinstance(held, dict) else held
        if parse_date(text):
            return str(parse_date(text))
    return ""


# -- people ------------------------------------------------------------------------------------------------------------

NAME_USES = ("official", "usual", "", "nickname", "anonymous", "temp", "maiden", "old")


def name_of(person: Json) -> str:
    """The name to call a Patient, RelatedPerson or Practitioner by: the official one, whole, as written where it was."""
    return name_text(best_name(person))


def best_name(person: Json) -> Json:
    """The HumanName in use: official before usual before others; old ones last. RelatedPerson and Patient alike."""
    names = objects_at(person, "name")
    rank = {use: place for place, use in enumerate(NAME_USES)}
    return min(names, key=lambda each: rank.get(text_at(each, "use"), len(rank)), default={})


def name_text(name: Json) -> str:
    if text_at(name, "text"):
        return text_at(name, "text")
    parts = [*_texts(name, "prefix"), *_texts(name, "given"), text_at(name, "family"), *_texts(name, "suffix")]
    return " ".join(part for part in parts if part)


def address_text(address: Json) -> str:
    """One line, parts in the order of an envelope."""
    if text_at(address, "text"):
        return ", ".join(part.strip() for part in text_at(address, "text").splitlines() if part.strip())
    city, state = text_at(address, "city"), text_at(address, "state")
    code = " ".join(part for part in ("" if not city else state, text_at(address, "postalCode")) if part)
    place = (", " if city and state else " ").join(part for part in (city, code) if part)
    parts = [*_texts(address, "line"), place, "" if city else state, text_at(address, "country")]
    return ", ".join(part for part in parts if part)


TELECOM: dict[tuple[str, str], str] = {
    ("phone", "home"): "Home phone",
    ("phone", "work"): "Work phone",
    ("phone", "mobile"): "Mobile phone",
    ("phone", ""): "Phone",
    ("sms", ""): "Text messages",
    ("email", "home"): "E-mail",
    ("email", "work"): "Work e-mail",
    ("email", ""): "E-mail",
    ("fax", ""): "Fax",
    ("pager", ""): "Pager",
    ("url", ""): "Web page",
}


def telecom_kind(telecom: Json, say: Say = plain) -> str:
    """ "Mobile phone", "E-mail", …"""
    system, use = text_at(telecom, "system"), text_at(telecom, "use")
    return say(TELECOM.get((system, use)) or TELECOM.get((system, "")) or "Contact")


def current(held: Iterable[Json]) -> list[Json]:
    """Telecoms, addresses or names that are not marked as old."""
    return [each for each in held if text_at(each, "use") != "old"]


def telecom_value(person: Json, *systems: str) -> str:
    """The first current value of these systems, best rank first."""
    held = [each for each in current(objects_at(person, "telecom")) if text_at(each, "system") in systems]
    held.sort(key=lambda each: each["rank"] if isinstance(each.get("rank"), int) else 99)
    return next((text_at(each, "value") for each in held if text_at(each, "value")), "")


def language_of(person: Json) -> str:
    """The BCP 47 code of the preferred language, or of the only one, or ""."""
    spoken = objects_at(person, "communication")
    preferred = [each for each in spoken if each.get("preferred") is True] or (spoken if len(spoken) == 1 else [])
    return next((text_at(each, "language", "coding", 0, "code") for each in preferred), "")


# -- concepts and quantities ---------------------------------------------------------------------------------------------


def concept_text(concept: Any) -> str:
    """A CodeableConcept's own text, else what the user selected, else the first display, else a bare code."""
    if text_at(concept, "text"):
        return text_at(concept, "text")
    codings = objects_at(concept, "coding")
    codings.sort(key=lambda each: each.get("userSelected") is not True)
    displays = [text_at(each, "display") for each in codings] + [text_at(each, "code") for each in codings]
    return next((text for text in displays if text), "")


def codes_of(concept: Any) -> set[tuple[str, str]]:
    """(system, code) of a CodeableConcept's codings."""
    return {(text_at(each, "system"), text_at(each, "code")) for each in objects_at(concept, "coding")}


def code_of(concept: Any) -> str:
    """The first code, for the lists of FHIR that have one."""
    return next((text_at(each, "code") for each in objects_at(concept, "coding") if text_at(each, "code")), "")


def number_text(value: Any) -> str:
    """A number with the digits it was sent with: 1.10 stays 1.10."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def quantity_text(quantity: Any) -> str:
    """`< 5.0 mg`: comparator, digits, unit as written."""
    number = number_text(at(quantity, "value"))
    unit = text_at(quantity, "unit") or text_at(quantity, "code")
    return " ".join(part for part in (text_at(quantity, "comparator"), number, unit) if part) if number else ""


def range_text(held: Any, say: Say = plain) -> str:
    """`1 to 2 tablets`; one end alone says so."""
    low, high = at(held, "low"), at(held, "high")
    if quantity_text(low) and quantity_text(high):
        return say("%(low)s to %(high)s") % {"low": number_text(at(low, "value")), "high": quantity_text(high)}
    if quantity_text(low):
        return say("at least %(low)s") % {"low": quantity_text(low)}
    return say("up to %(high)s") % {"high": quantity_text(high)} if quantity_text(high) else ""


def reference_text(reference: Any, found: Json | None = None) -> str:
    """What a Reference is called: its display, else the name of what was found behind it."""
    return text_at(reference, "display") or name_of(found or {}) or text_at(found, "name")


def _texts(holder: Json, name: str) -> list[str]:
    held = holder.get(name)
    return [part.strip() for part in held if isinstance(part, str)] if isinstance(held, list) else []
