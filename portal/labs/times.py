"""When something was measured or reported, no more exactly than it was said. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from portal.labs.words import concept_words

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", re.ASCII)
FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class When:
    """A FHIR date as sent. `precision` is year, month, day, moment or text; `at` is its start, for sorting and drawing."""

    text: str
    precision: str
    at: datetime | None = None
    until: "When | None" = None

    @property
    def day(self) -> date | None:
        """The day, when it was said as exactly as that."""
        return self.at.date() if self.at and self.precision in ("day", "moment") else None

    @property
    def order(self) -> datetime:
        return self.at or FIRST


def when(text: Any) -> When | None:
    """A date in the precision it was given; something unreadable keeps its text; None when there is none."""
    if not isinstance(text, str) or not text.strip():
        return None
    partial = _PARTIAL.fullmatch(text)
    try:
        if partial:
            year, month, day = (int(part) if part else 1 for part in partial.groups())
            precision = ("year", "month", "day")[sum(part is not None for part in partial.groups()[1:])]
            return When(text, precision, datetime(year, month, day, tzinfo=UTC))
        at = datetime.fromisoformat(text)
        return When(text, "moment", at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return When(text, "text")


def measured(resource: Mapping[str, Any]) -> When | None:
    """When the sample or the patient was as reported: effective[x], whatever shape it has."""
    period = resource.get("effectivePeriod")
    if isinstance(period, Mapping):
        return span(period)
    timing = resource.get("effectiveTiming")
    said = when(resource.get("effectiveDateTime") or resource.get("effectiveInstant"))
    return said or (_timed(timing) if isinstance(timing, Mapping) else None)


def _timed(timing: Mapping[str, Any]) -> When | None:
    """From the first to the last of its events; else the bounds of what repeats; else the sender's words for it."""
    listed = timing.get("event")
    events = sorted(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else []
    repeat = timing.get("repeat")
    bounds = repeat.get("boundsPeriod") if isinstance(repeat, Mapping) else None
    if events:
        return span({"start": events[0], "end": events[-1]})
    return span(bounds) if isinstance(bounds, Mapping) else when(concept_words(timing.get("code")))


def span(period: Mapping[str, Any]) -> When | None:
    start, end = when(period.get("start")), when(period.get("end"))
    if start and end and start.text != end.text:
        return When(start.text, start.precision, start.at, until=end)
    return start or end


def reported(resource: Mapping[str, Any]) -> When | None:
    return when(resource.get("issued"))
