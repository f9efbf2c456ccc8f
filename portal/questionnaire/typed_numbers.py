"""Numbers as people type them: point or comma by language, thousands, exact decimals, ASCII digits only (bar 56)."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.numbers import get_decimal_symbol, get_group_symbol

from .speaking import locale_of

MAX_DIGITS = 18
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z", re.ASCII)
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")


class Unclear(Exception):
    """A text that may mean two numbers: 1.500 is one and a half, or one thousand five hundred."""

    def __init__(self, first: str, second: str) -> None:
        self.first, self.second = first, second
        super().__init__(first, second)


class TooLong(Exception):
    """More digits than a record can hold."""


def typed_number(text: str, language: str) -> Decimal | None:
    """The exact number, its trailing zeros kept (of ".5" a half, of "-0" nought); None when it is none. Raises Unclear, TooLong."""
    cleaned = text.strip().replace("−", "-")
    if len(cleaned) > 60:
        raise TooLong
    point, group = _symbols(language)
    plain = _ungrouped(cleaned, point, group)
    if plain is None or not _PLAIN.match(plain):
        return None
    if sum(letter.isdigit() for letter in plain) > MAX_DIGITS:
        raise TooLong
    found = Decimal(plain)
    return found if found else abs(found)


def _symbols(language: str) -> tuple[str, str]:
    locale = locale_of(language)
    point, group = get_decimal_symbol(locale), get_group_symbol(locale)
    return (point if point in ".," else "."), (group if group in ".," else "," if point == "." else ".")


def _ungrouped(text: str, point: str, group: str) -> str | None:
    """The text with a point for decimals and no thousands separators."""
    if _SPACES.search(text):
        pieces = _SPACES.split(text)
        if not all(re.fullmatch(r"[0-9]{3}", piece.split(point)[0]) for piece in pieces[1:]):
            return None
        text = "".join(pieces)
    if group not in text:
        return text.replace(point, ".") if text.count(point) <= 1 else None
    whole, _, rest = text.partition(point)
    if group in rest:
        return None
    if re.fullmatch(rf"[+-]?[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+", whole):
        if group == "." and not rest and whole.count(group) == 1:
            raise Unclear(whole.replace(group, point), whole.replace(group, ""))
        return f"{whole.replace(group, '')}.{rest}" if rest else whole.replace(group, "")
    return text.replace(group, ".") if not rest and text.count(group) == 1 else None
