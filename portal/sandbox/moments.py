"""Dates of FHIR as ranges: `2026`, `2026-11`, a day, a second or a Period each cover a stretch of time.

A range is a pair of UTC texts of fixed width that sort as time does, the end exclusive. A date without a zone is read
in UTC, the zone this clinic lives in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Range = tuple[str, str]
EARLIEST, LATEST = "0000", "9999-12-31T24"

_WRITTEN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
)


def range_of(value: Any) -> Range | None:
    """The stretch that a date, dateTime, instant or Period covers; None for anything else."""
    if isinstance(value, str):
        return written(value)
    if isinstance(value, Mapping) and ("start" in value or "end" in value):
        start, end = written(str(value.get("start", ""))), written(str(value.get("end", "")))
        return (start[0] if start else EARLIEST, end[1] if end else LATEST)
    return None


def written(text: str) -> Range | None:
    """The stretch a written date covers; None when it is no date."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        start = datetime.fromisoformat(
            f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
            f"{(fraction or '')[:7]}{'+00:00' if zone in (None, 'Z') else zone}"
        ).astimezone(UTC)
        return stamp(start), stamp(_end(start, month, day, hour, second, fraction))
    except (ValueError, OverflowError):
        return None


def _end(
    start: datetime, month: str | None, day: str | None, hour: str | None, second: str | None, fraction: str | None
) -> datetime:
    if fraction:
        return start + timedelta(milliseconds=1)
    if hour:
        return start + (timedelta(seconds=1) if second else timedelta(minutes=1))
    if day:
        return start + timedelta(days=1)
    if month:
        return (start + timedelta(days=32)).replace(day=1)
    return start.replace(year=start.year + 1)


def stamp(moment: datetime) -> str:
    """A moment as UTC text of fixed width."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").zfill(26)


def instant(moment: datetime) -> str:
    """A moment as a FHIR instant in milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
