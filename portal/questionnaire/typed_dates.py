"""Dates and times as people type them: whole or partial, numbers or month names, day first or month first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, get_month_names

from portal.fhir.letters import normal

from .speaking import locale_of

_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z", re.ASCII)
_PIECES = re.compile(r"\d+|[^\W\d_]+", re.UNICODE)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?::(\d{2}))?\s*([ap]\.?\s?m\.?)?\Z", re.ASCII | re.IGNORECASE)
_LAST_CLOCK = re.compile(
    r"[\s,T]+(\d{1,2}(?:[:.h]\d{2}(?::\d{2})?)?\s*(?:[ap]\.?\s?m\.?)?)\Z", re.ASCII | re.IGNORECASE
)
MONTH_FIRST = {"en-us", "en-ph", "en-ca"}
UNSAID = {"", "en"}
"""Language tags that do not tell the order of day and month."""


class Ambiguous(Exception):
    """The digits could be day and month, or month and day; `example` shows how to say it."""

    def __init__(self, example: str) -> None:
        self.example = example
        super().__init__(example)


class NotReal(Exception):
    """A date that no calendar has, like 31 2 2019."""


class NoYear(Exception):
    """A day and a month, like 3 May."""


def typed_date(text: str, language: str) -> str | None:
    """FHIR date (2019, 2019-03 or 2019-03-27) of what was typed; None when it is no date. Raises Ambiguous, NotReal, NoYear."""
    cleaned = normal("NFKC", text).strip()
    if not cleaned or len(cleaned) > 60:
        return None
    if match := _ISO.match(cleaned):
        return _date(int(match[1]), _int(match[2]), _int(match[3]))
    pieces = [piece for piece in _PIECES.findall(cleaned) if piece.lower() not in _FILLERS]
    if not 1 <= len(pieces) <= 3 or any(piece.isdigit() and not piece.isascii() for piece in pieces):
        return None
    named = [(index, month) for index, piece in enumerate(pieces) if (month := _month(piece, language))]
    if len(named) > 1 or any(
        not piece.isdigit() for index, piece in enumerate(pieces) if (index, 0) and not _month(piece, language)
    ):
        return None
    numbers = [int(piece) for index, piece in enumerate(pieces) if not named or index != named[0][0]]
    if named:
        return _with_name(named[0][1], numbers, pieces)
    return _all_numbers(pieces, language)


_FILLERS = frozenset(
    [
        "de",
        "del",
        "of",
        "the",
        "in",
        "el",
        "la",
        "le",
        "du",
        "den",
        "der",
        "am",
        "at",
        "a",
        "las",
        "th",
        "st",
        "nd",
        "rd",
    ]
)


def _with_name(month: int, numbers: list[int], pieces: list[str]) -> str | None:
    """March 2019, 27 March 2019, 2019 March 27."""
    years = [number for number in numbers if number > 31]
    days = [number for number in numbers if number <= 31]
    if not years and len(days) <= 1:
        raise NoYear
    if len(years) != 1 or len(days) > 1:
        return None
    return _date(years[0], month, days[0] if days else None)


def _all_numbers(pieces: list[str], language: str) -> str | None:
    numbers = [int(piece) for piece in pieces]
    if len(pieces) == 1:
        return _packed(pieces[0])
    if len(pieces) == 2:
        first, second = numbers
        if len(pieces[1]) == 4:
            return _date(second, first, None)
        return _date(first, second, None) if len(pieces[0]) == 4 else None
    if len(pieces[0]) == 4:
        return _date(numbers[0], numbers[1], numbers[2])
    if len(pieces[2]) != 4:
        return None
    day, month = _ordered(numbers[0], numbers[1], numbers[2], language)
    return _date(numbers[2], month, day)


def _packed(piece: str) -> str | None:
    return _date(int(piece), None, None) if len(piece) == 4 else None


def _ordered(first: int, second: int, year: int, language: str) -> tuple[int, int]:
    """(day, month) of two numbers, by the language's custom."""
    if first > 12 or second > 12 or first == second:
        return (second, first) if second > 12 else (first, second)
    tag = language.lower().replace("_", "-")
    if tag in UNSAID:
        example = format_date(date(year if 1 <= year <= 9999 else 2000, second, first), "d MMMM y", locale=Locale("en"))
        raise Ambiguous(str(example))
    return (second, first) if tag in MONTH_FIRST else (first, second)


def parts_date(parts: Mapping[str, str], language: str) -> str | None:
    """FHIR date of separate fields day, month and year; "" when all are empty, None when it is no date."""
    day, month, year = (str(parts.get(name) or "").strip() for name in ("day", "month", "year"))
    if not (day or month or year):
        return ""
    number = _int(month) if month.isdigit() and month.isascii() else _month(month, language) or None
    if not year.isdigit() or not year.isascii() or len(year) != 4 or (month and not number) or (day and not month):
        return None
    if day and not (day.isdigit() and day.isascii()):
        return None
    return _date(int(year), number, _int(day) if day else None)


def _date(year: int, month: int | None, day: int | None) -> str | None:
    if not 1 <= year <= 9999:
        raise NotReal
    try:
        date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        raise NotReal from None
    pieces = [f"{year:04d}", *(f"{number:02d}" for number in (month, day) if number is not None)]
    return "-".join(pieces)


def _int(text: str | None) -> int | None:
    return int(text) if text and len(text) <= 4 else None


def _month(piece: str, language: str) -> int:
    """1–12 for a month's name or its first letters (three or more) in the language, or one the portal speaks; else 0."""
    wanted = _plain(piece)
    if len(wanted) < 3 or wanted.isdigit():
        return 0
    for names in (_months(language), _months("en"), _months("es"), _OTHERS):
        hits = {month for name, month in names if name == wanted or (len(wanted) >= 3 and name.startswith(wanted))}
        if len(hits) == 1:
            return hits.pop()
    return 0


_OTHERS = (("setiembre", 9),)


@lru_cache(maxsize=64)
def _months(language: str) -> tuple[tuple[str, int], ...]:
    names: list[tuple[str, int]] = []
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            found = get_month_names(width, context, locale_of(language))
            names.extend((_plain(str(name)), month) for month, name in found.items())
    return tuple(dict.fromkeys(names))


def _plain(text: str) -> str:
    folded = normal("NFKD", text.casefold())
    return "".join(letter for letter in folded if letter.isalnum())


def typed_time(text: str) -> str | None:
    """FHIR time (14:30:00) of 14:30, 14.30, 2:30 pm, 2pm; None when it is no time."""
    match = _CLOCK.match(normal("NFKC", text).strip())
    if match is None or (match[2] is None and match[4] is None):
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    half = (match[4] or "").lower()[:1]
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02d}:{minute:02d}:{second:02d}" if hour < 24 and minute < 60 and second < 60 else None


def split_clock(text: str) -> tuple[str, str]:
    """("27 3 2019", "14:30") of a date with a time after it; the time is "" when there is none."""
    match = _LAST_CLOCK.search(text.strip())
    if match and typed_time(match[1]):
        return text.strip()[: match.start()], match[1]
    return text, ""
