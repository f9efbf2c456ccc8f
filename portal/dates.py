"""Dates as staff read them in a list: short, never broken over two lines, the days around today by name."""

from __future__ import annotations

from datetime import date, datetime

NAMES = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def born(words: date | str | None) -> str:
    """A birth date as a record has it, whole or in part: 30 Aug 1979, Aug 1979, 1979. What is no date stays as it is."""
    return spoken(words) if words else "not known"


def shortly(at: datetime, now: datetime) -> str:
    """A moment beside now, both in the clinic's zone: today 09:31, 23 Nov 10:00, 15 Oct 2025 08:30."""
    named = NAMES.get((at.date() - now.date()).days)
    year = "" if at.year == now.year else f" {at.year}"
    return f"{named or f'{at.day} {at:%b}{year}'} {at:%H:%M}"


def spoken(words: date | str) -> str:
    """A day or a month as people say it; everything else as it stands."""
    shapes = {7: ("%Y-%m", "{:%b %Y}"), 10: ("%Y-%m-%d", "{0.day} {0:%b %Y}")}
    text = str(words)
    read, said = shapes.get(len(text), ("", ""))
    try:
        return said.format(datetime.strptime(text, read)) if read else text  # noqa: DTZ007
    except ValueError:
        return text
