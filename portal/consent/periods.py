"""FHIR dates as stretches of time: what a partial date, an instant or a Period covers in the clinic's zone. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)

Stretch = tuple[datetime | None, datetime | None]
"""From (included) to (not included); None is open."""

ALWAYS: Stretch = (None, None)


def stretch(text: object, zone: tzinfo) -> Stretch:
    """What a FHIR date or dateTime covers: a year, a month, a whole day of the clinic, or one second.

    Raises ValueError for anything else. A day's end is the next midnight on the clinic's clocks, so a day on which
    they change has 23 or 25 hours.
    """
    if not isinstance(text, str):
        raise ValueError("not a date")
    if _INSTANT.fullmatch(text):
        at = datetime.fromisoformat(text).replace(microsecond=0).astimezone(UTC)
        return at, _plus(at, timedelta(seconds=1))
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError("not a date")
    year, month, day = (int(part or 0) for part in match.groups())
    return _calendar(year, month, day, zone)


def _calendar(year: int, month: int, day: int, zone: tzinfo) -> Stretch:
    start = datetime(year, month or 1, day or 1)  # noqa: DTZ001 - the clinic's wall clock; _local gives it its zone
    if day:
        end = _plus(start, timedelta(days=1))
    elif month:
        end = _first(year + month // 12, month % 12 + 1)
    else:
        end = _first(year + 1, 1)
    return _local(start, zone), end and _local(end, zone)


def _first(year: int, month: int) -> datetime | None:
    return datetime(year, month, 1) if year <= 9999 else None  # noqa: DTZ001


def _plus(at: datetime, step: timedelta) -> datetime | None:
    try:
        return at + step
    except OverflowError:
        return None


def _local(clock: datetime, zone: tzinfo) -> datetime | None:
    try:
        return clock.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None


def period(value: object, zone: tzinfo) -> Stretch:
    """What a FHIR Period covers; absent is always. ValueError when a side is no date or it ends before it starts."""
    if value is None:
        return ALWAYS
    if not isinstance(value, dict) or not (value.keys() & {"start", "end"}):
        raise ValueError("not a period")
    start = stretch(value["start"], zone)[0] if "start" in value else None
    end = stretch(value["end"], zone)[1] if "end" in value else None
    if start and end and start >= end:
        raise ValueError("the period ends before it starts")
    return start, end


def holds(bounds: Stretch, at: datetime) -> bool:
    start, end = bounds
    return (start is None or start <= at) and (end is None or at < end)


def span(dates: Iterable[str], zone: tzinfo) -> Stretch | None:
    """The stretch from the first to the last of a resource's dates; None when there is none or one cannot be read."""
    try:
        parts = [stretch(date, zone) for date in dates]
    except (ValueError, OverflowError):
        return None
    starts = [start for start, _ in parts if start]
    ends = [end for _, end in parts if end]
    if not parts or len(starts) < len(parts) or len(ends) < len(parts):
        return None
    return min(starts), max(ends)


def inside(bounds: Stretch, part: Stretch | None) -> bool:
    """Whether all of `part` lies within the bounds; an unknown part does not."""
    if part is None:
        return False
    start, end = bounds
    return (start is None or bool(part[0] and part[0] >= start)) and (end is None or bool(part[1] and part[1] <= end))


def meets(bounds: Stretch, part: Stretch | None) -> bool:
    """Whether any of `part` lies within the bounds; an unknown part might."""
    if part is None:
        return True
    start, end = bounds
    return (start is None or part[1] is None or part[1] > start) and (end is None or part[0] is None or part[0] < end)
