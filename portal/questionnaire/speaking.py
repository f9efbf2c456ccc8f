"""An answer as the words a person reads back: dates, yes and no, units, in their language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import DateTimePattern, match_skeleton, parse_pattern
from babel.numbers import get_decimal_symbol

from . import extensions as ext
from .answers import typed
from .comparing import number
from .extensions import Json
from .words import localised

YES_NO = {
    "en": ("Yes", "No"),
    "es": ("Sí", "No"),
    "fr": ("Oui", "Non"),
    "de": ("Ja", "Nein"),
    "pt": ("Sim", "Não"),
    "it": ("Sì", "No"),
    "nl": ("Ja", "Nee"),
    "nb": ("Ja", "Nei"),
    "no": ("Ja", "Nei"),
    "sv": ("Ja", "Nej"),
    "da": ("Ja", "Nej"),
    "pl": ("Tak", "Nie"),
    "ar": ("نعم", "لا"),
    "zh": ("是", "否"),
    "ja": ("はい", "いいえ"),
}


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The Babel locale of a language tag; British English when it is unknown."""
    for tag in (language, language.split("-", maxsplit=1)[0]):
        try:
            return Locale.parse(tag.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_GB")


def say(answer: Json, language: str = "") -> str:
    """One answer in words; "" for an answer without a value."""
    kind, value = typed(answer)
    if not kind:
        return ""
    return _SAY.get(kind, _as_text)(value, locale_of(language), language)


def _as_text(value: Any, locale: Locale, language: str) -> str:
    return str(value)


DAY = "yMMMMd"
"""A whole date, the month by its name: in English the day first, as on every page around the form."""


def _boolean(value: Any, locale: Locale, language: str) -> str:
    yes, no = YES_NO.get(locale.language, YES_NO["en"])
    return yes if value else no


def _number(value: Any, locale: Locale, language: str) -> str:
    """Every digit that was given, with the point or comma of the language."""
    exact = number(value)
    if exact is None:
        return str(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 40:
        return str(exact)
    return format(exact, "f").replace(".", str(get_decimal_symbol(locale)))


def _date(value: Any, locale: Locale, language: str) -> str:
    pieces = str(value).split("-")
    try:
        numbers = [int(piece) for piece in pieces] + [1, 1]
        moment = date(*numbers[:3])
    except (TypeError, ValueError):
        return str(value)
    return str(_pattern(("y", "yMMMM", DAY)[min(len(pieces), 3) - 1], locale).apply(moment, locale))


@lru_cache(maxsize=64)
def _pattern(skeleton: str, locale: Locale) -> DateTimePattern:
    """How a language writes these parts of a date; Babel looks for it anew each time, as long as for all else of a page."""
    if skeleton == DAY:
        return parse_pattern("d MMMM y") if locale.language == "en" else locale.date_formats["long"]
    found = match_skeleton(skeleton, locale.datetime_skeletons)
    return parse_pattern(locale.datetime_skeletons[found or skeleton])


def _date_time(value: Any, locale: Locale, language: str) -> str:
    day, _, clock = str(value).partition("T")
    if not clock:
        return _date(day, locale, language)
    return f"{_date(day, locale, language)} {_time(clock[:8].rstrip('Z'), locale, language)}"


def _time(value: Any, locale: Locale, language: str) -> str:
    try:
        moment = time.fromisoformat(str(value)[:5])
    except ValueError:
        return str(value)
    return f"{moment:%H:%M}"


def _coding(value: Any, locale: Locale, language: str) -> str:
    if not isinstance(value, dict):
        return str(value)
    return localised(value, "display", language) or str(value.get("code") or "")


def _quantity(value: Any, locale: Locale, language: str) -> str:
    if not isinstance(value, dict) or value.get("value") is None:
        return ""
    unit = localised(value, "unit", language) or str(value.get("code") or "")
    return f"{value.get('comparator') or ''}{_number(value['value'], locale, language)} {unit}".strip()


def _reference(value: Any, locale: Locale, language: str) -> str:
    return str(value.get("display") or value.get("reference") or "") if isinstance(value, dict) else str(value)


def _attachment(value: Any, locale: Locale, language: str) -> str:
    return str(value.get("title") or value.get("contentType") or "") if isinstance(value, dict) else ""


_SAY: dict[str, Callable[[Any, Locale, str], str]] = {
    "valueBoolean": _boolean,
    "valueDecimal": _number,
    "valueInteger": _number,
    "valueDate": _date,
    "valueDateTime": _date_time,
    "valueTime": _time,
    "valueCoding": _coding,
    "valueQuantity": _quantity,
    "valueReference": _reference,
    "valueAttachment": _attachment,
}


def absent_reason(answer: Json) -> str:
    """The data-absent-reason code that stands in place of a value ("asked-declined" …), or ""."""
    for key, twin in answer.items():
        if key.startswith("_value") or key == "extension":
            found = ext.value(ext.of(twin if key != "extension" else answer), "data-absent-reason")
            if isinstance(found, str):
                return found
    return ""
