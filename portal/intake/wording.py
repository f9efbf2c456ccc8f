"""Dates of a record in the words of a person: as exact as the record has them, how long ago, and when they were read."""

from datetime import datetime

from portal import pages
from portal.clock import now
from portal.fhir.values import PartialDate, parse_date
from portal.questionnaire import Origin


def when(text: str) -> str:
    """ "May 2019", "3 May 2019", "2019"; words that are no date stay as they are."""
    found = parse_date(text)
    if found is None:
        return text
    if found.month is None:
        return str(found.year)
    return pages.month(found.first_day) if found.day is None else pages.day(found.first_day)


def ago(text: str) -> str:
    """How long ago, no more exact than the date is; "" for what is no date, is still to come, or is so lately that the date says it."""
    found = parse_date(text)
    if found is None:
        return ""
    years, months = _passed(found)
    if years > 1:
        return pages.words("%(count)s years ago", count=years)
    if found.month is None:
        return ""
    return pages.words("%(count)s months ago", count=months) if months > 1 else ""


def filled_in(origin: Origin, *, may_change: bool = True) -> str:
    """What is said beside an answer that nobody has confirmed yet: from where it is, of when, and when that was read."""
    said = _read_from(origin) if origin.read else pages.words("Filled in for you.")
    return f"{said} {pages.words('Change it if it is not right.')}" if may_change else said


def _read_from(origin: Origin) -> str:
    where = origin.where or pages.words("your medical record")
    read = pages.then(datetime.fromisoformat(origin.read))
    if origin.of:
        day = when(origin.of[:10])
        return pages.words("Filled in from %(source)s: of %(day)s, read %(time)s.", source=where, day=day, time=read)
    return pages.words("Filled in from %(source)s, read %(time)s.", source=where, time=read)


def _passed(found: PartialDate) -> tuple[int, int]:
    """Whole years and months since."""
    today, began = now().date(), found.first_day
    months = (today.year - began.year) * 12 + today.month - began.month - (1 if today.day < began.day else 0)
    years = today.year - began.year if found.month is None else months // 12
    return years, months
