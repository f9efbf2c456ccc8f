"""When something was measured or reported, no more exactly than it was said. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

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
    events = timing.get("event") if isinstance(timing, Mapping) else None
    return when(resource.get("effectiveDateTime") or resource.get("effectiveInstant") or (events or [None])[0])


def span(period: Mapping[str, Any]) -> When | None:
    start, end = when(period.get("start")), when(period.get("end"))
    if start and end and start.text != end.text:
        return When(start.text, start.precision, start.at, until=end)
    return start or end


def reported(resource: Mapping[str, Any]) -> When | None:
    return when(resource.get("issued"))
