"""The one place that asks what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """Aware UTC, to the microsecond."""
    return datetime.now(UTC)
