"""Numbers, times and periods as people say them. Pure."""

from portal.measures.periods import Period

UNSAID = "not shown"
FEW = "Too few to say how many."


def number(value: int | None) -> str:
    return UNSAID if value is None else f"{value:,}"


def many(value: int, one: str, several: str) -> str:
    return f"{value:,} {one if value == 1 else several}"


def span(period: Period) -> str:
    """1–7 November 2026, or the whole month or quarter by its months."""
    first, last = period.start, period.last
    if period.kind == "month":
        return f"{first:%B %Y}"
    if period.kind == "quarter":
        return f"{first:%B} to {last:%B %Y}"
    return f"{first.day}–{last.day} {first:%B %Y}"


def brief(period: Period) -> str:
    """The same, to stand under a column."""
    first = period.start
    return {
        "week": f"{first.day}–{period.last.day} {first:%b}",
        "month": f"{first:%b %Y}",
        "quarter": f"{first:%b}–{period.last:%b}",
    }[period.kind]


def lasting(seconds: int) -> str:
    """As people say it: 40 seconds, 3½ minutes, 5 hours, 2 days."""
    if seconds < 90:
        return many(seconds, "second", "seconds")
    for size, one, several in ((86400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes")):
        if seconds >= 1.5 * size:
            halves = round(seconds * 2 / size)
            whole = halves // 2
            return f"{whole}{'½' if halves % 2 and whole < 10 else ''} {one if halves == 2 else several}"
    return many(seconds, "second", "seconds")


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


def counts(value: int | None, words: str, none: str) -> str:
    """The words with the number in them; others where there is none, or too few to say."""
    return FEW if value is None else words.format(f"{value:,}") if value else none
