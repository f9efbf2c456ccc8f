"""Dates, date-times and times of any precision: FHIR's partial values, compared part by part.

`parts` holds what is known, largest first: (year[, month[, day[, hour[, minute[, second]]]]]) or (hour[, minute[, second]]);
seconds are a Decimal that keeps its digits. `offset` is minutes east of UTC, None when not said.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import ClassVar, Self

Parts = tuple[int | Decimal, ...]

DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
CLOCK = re.compile(r"([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?)?")
ZONE = re.compile(r"(Z|[+-][0-9]{2}:[0-9]{2})$")
MAX_TEXT = 40


class Temporal:
    """What the three have in common."""

    __slots__ = ("offset", "parts")
    MOST: ClassVar[int] = 0

    def __init__(self, parts: Parts, offset: int | None = None) -> None:
        self.parts = parts
        self.offset = offset

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Temporal) and self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def key(self) -> tuple[object, ...]:
        return (type(self).__name__, self.parts, self.offset)


class FhirDate(Temporal):
    """A date with year, month or day precision."""

    __slots__ = ()
    MOST = 3

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`2014`, `2014-01` or `2014-01-05`; None when it is no date."""
        parts = date_parts(text)
        return None if parts is None else cls(parts)

    def __str__(self) -> str:
        return date_text(self.parts)


class FhirDateTime(Temporal):
    """A date-time with any precision from the year to the fraction of a second."""

    __slots__ = ()
    MOST = 6

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`2014`, `2014-01-05T14`, `2014-01-05T14:30:00.123+01:00`; a `T` may follow the date alone. None when wrong."""
        if len(text) > MAX_TEXT:
            return None
        day, _, clock = text.partition("T")
        parts = date_parts(day)
        if parts is None:
            return None
        if not clock:
            return cls(parts)
        found = zoned_clock(clock)
        if found is None or len(parts) != 3:
            return None
        times, offset = found
        return cls(parts + times, offset)

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """The FHIR value of an aware datetime, to the millisecond."""
        away = moment.utcoffset()
        second = Decimal(moment.second * 1000 + moment.microsecond // 1000).scaleb(-3)
        parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, second)
        return cls(parts, None if away is None else int(away.total_seconds() // 60))

    def __str__(self) -> str:
        if len(self.parts) <= 3:
            return date_text(self.parts)
        return f"{date_text(self.parts[:3])}T{clock_text(self.parts[3:])}{zone_text(self.offset)}"


class FhirTime(Temporal):
    """A time of day with hour, minute, second or finer precision; a zone only where written before FHIRPath 2.0."""

    __slots__ = ()
    MOST = 3

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`14`, `14:30`, `14:30:00.123`, with or without a leading `T`; None when it is no time."""
        parts = clock_parts(text.removeprefix("T"))
        return None if parts is None else cls(parts)

    @classmethod
    def parse_with_zone(cls, text: str) -> Self | None:
        """The same, and `14:30-05:00` or `14:30Z`: what FHIRPath allowed before 2.0."""
        found = zoned_clock(text.removeprefix("T"))
        return None if found is None else cls(*found)

    def __str__(self) -> str:
        return clock_text(self.parts) + zone_text(self.offset)


def date_parts(text: str) -> Parts | None:
    match = DATE.fullmatch(text)
    if match is None:
        return None
    parts = tuple(int(group) for group in match.groups() if group is not None)
    try:
        date(*(*parts, 1, 1)[:3])
    except ValueError:
        return None
    return parts


def clock_parts(text: str) -> Parts | None:
    match = CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = match.groups()
    if int(hour) > 23 or int(minute or 0) > 59:
        return None
    parts: Parts = (int(hour),)
    if minute is not None:
        parts += (int(minute),)
    if second is not None:
        seconds = Decimal(second)
        if seconds >= 61:
            return None
        parts += (seconds,)  # 60 is a leap second
    return parts


def zoned_clock(text: str) -> tuple[Parts, int | None] | None:
    """A time of day and the minutes east of UTC that may follow it."""
    zone = ZONE.search(text) if len(text) <= MAX_TEXT else None
    offset = None if zone is None else zone_minutes(zone.group(1))
    times = clock_parts(text[: zone.start()] if zone else text)
    return None if times is None or (zone is not None and offset is None) else (times, offset)


def zone_minutes(text: str) -> int | None:
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours * 60 + minutes > 14 * 60 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def date_text(parts: Parts) -> str:
    return "-".join([f"{parts[0]:04d}", *(f"{part:02d}" for part in parts[1:])])


def clock_text(parts: Parts) -> str:
    words = [f"{part:02d}" for part in parts[:2]]
    if len(parts) == 3:
        second = f"{parts[2]:f}"
        words.append(second if len(second.partition(".")[0]) == 2 else f"0{second}")
    return ":".join(words)


def zone_text(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    sign, size = ("-", -offset) if offset < 0 else ("+", offset)
    return f"{sign}{size // 60:02d}:{size % 60:02d}"


def shifted(parts: Parts, minutes: int) -> Parts | None:
    """The parts of a date-time with a time, moved by whole minutes, at the same precision."""
    if minutes == 0:
        return parts
    year, month, day, hour, minute = (int(part) for part in (*parts, 0)[:5])
    try:
        moved = datetime(year, month, day, hour, minute, tzinfo=UTC) + timedelta(minutes=minutes)
    except (OverflowError, ValueError):
        return None
    whole = (moved.year, moved.month, moved.day, moved.hour, moved.minute)
    return (*whole, *parts[5:])[: len(parts)]


def compare(left: Temporal, right: Temporal, zone: int | None = None) -> int | None:
    """-1, 0 or 1; None when the precisions do not tell, or when only one has a zone and none is assumed.

    zone: minutes east of UTC for values that say none. Dates compare with date-times; a time only with times.
    """
    first, second = left.parts, right.parts
    if isinstance(left, FhirTime):
        return compare_clocks(left, right)
    if len(first) > 3 and len(second) > 3 and left.offset != right.offset:
        first_offset = zone if left.offset is None else left.offset
        second_offset = zone if right.offset is None else right.offset
        if first_offset is None or second_offset is None:
            return None
        first_utc, second_utc = shifted(first, -first_offset), shifted(second, -second_offset)
        if first_utc is None or second_utc is None:
            return None
        first, second = first_utc, second_utc
    return _compared(first, second)


def compare_clocks(left: Temporal, right: Temporal) -> int | None:
    """Times of day; of two zones, on the clock of UTC; None when only one has a zone."""
    if left.offset == right.offset:
        return _compared(left.parts, right.parts)
    if left.offset is None or right.offset is None:
        return None
    return _compared(clock_in_utc(left.parts, left.offset), clock_in_utc(right.parts, right.offset))


def clock_in_utc(parts: Parts, offset: int) -> Parts:
    minutes = (int(parts[0]) * 60 + int((*parts, 0)[1]) - offset) % 1440
    return (minutes // 60, minutes % 60, *parts[2:])[: len(parts)]


def _compared(first: Parts, second: Parts) -> int | None:
    for mine, yours in zip(first, second, strict=False):
        if mine != yours:
            return -1 if mine < yours else 1
    return 0 if len(first) == len(second) else None


def same_kind(left: Temporal, right: Temporal) -> bool:
    return isinstance(left, FhirTime) == isinstance(right, FhirTime)


def of_python(value: date | time) -> Temporal:
    """The FHIR value of Python's datetime, date or time."""
    if isinstance(value, datetime):
        return FhirDateTime.at(value)
    if isinstance(value, date):
        return FhirDate((value.year, value.month, value.day))
    return FhirTime((value.hour, value.minute, Decimal(value.second * 1000 + value.microsecond // 1000).scaleb(-3)))
