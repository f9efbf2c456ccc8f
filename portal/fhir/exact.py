"""JSON exactly as sent: decimals keep their digits (1.10 stays 1.10), and odd input is refused before anything believes it."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

import simplejson

MAX_DEPTH = 64
MAX_DIGITS = 18
MAX_EXPONENT = 12
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


_ENCODER = simplejson.JSONEncoder(use_decimal=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class UnreadableJson(ValueError):
    """Not JSON that a FHIR system may send; the message says what is wrong and holds none of the content."""


class UnwritableJson(ValueError):
    """A text that no FHIR system may be sent and no database keeps; the message holds none of the content."""


def dumps(value: Any) -> str:
    """Compact JSON text, keys in their order, Decimals digit for digit.

    Raises UnwritableJson for NUL characters and lone surrogates, which `loads` would refuse.
    """
    text: str = _ENCODER.encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UnwritableJson("a text holds half of a character (a lone surrogate)") from None
    if "\\u0000" in text and _NUL.search(text):
        raise UnwritableJson("a text holds a NUL character")
    return text


def loads(text: str | bytes) -> Any:
    """The value, with Decimal for every number that has a fraction or an exponent.

    Raises UnreadableJson for: bytes that are not UTF-8, NaN or Infinity, duplicate keys, more than 64 levels,
    numbers beyond 18 digits or an exponent beyond 12, NUL characters and lone surrogates.
    """
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(
            decoded, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_object
        )
        decoded.encode()
        _check(value, texts="\\u" in decoded)
    except UnicodeError as wrong:
        raise UnreadableJson("it is not UTF-8 text") from wrong
    except RecursionError as wrong:
        raise UnreadableJson(f"it is nested deeper than {MAX_DEPTH} levels") from wrong
    except json.JSONDecodeError as wrong:
        raise UnreadableJson(f"it is not JSON (line {wrong.lineno}, column {wrong.colno})") from wrong
    return value


def written(value: Any) -> Any:
    """The value as `dumps` takes it into another value as it stands, without writing it again."""
    return text(dumps(value))


def text(dumped: str) -> Any:
    """What `dumps` has written, to stand as it is in another value."""
    return simplejson.RawJSON(dumped)


def reloads(text: bytes) -> Any:
    """What `dumps` wrote and nobody could have changed since: the same value, a third of the time, no checks."""
    return json.loads(text, parse_float=Decimal)


def _refuse(constant: str) -> NoReturn:
    raise UnreadableJson(f"{constant} is not a number in JSON")


def _decimal(text: str) -> Decimal:
    digits, _, exponent = text.lower().partition("e")
    if len(digits) > MAX_DIGITS + 3 or len(exponent) > 3 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise UnreadableJson("a number is out of bounds")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise UnreadableJson("a number is out of bounds")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise UnreadableJson("a name appears twice in one object")
    return made


def _check(value: Any, *, texts: bool) -> None:
    """Depth always; texts only where the JSON has escapes that could hide what UTF-8 cannot say."""
    level, depth = [value], 1
    while level:
        if depth >= MAX_DEPTH and any(each for each in level if type(each) in _HOLDS):
            raise UnreadableJson(f"it is nested deeper than {MAX_DEPTH} levels")
        if texts:
            for each in level:
                _texts(each)
        inner = (each.values() if type(each) is dict else each for each in level if type(each) in _HOLDS)
        level = [member for members in inner for member in members if type(member) in _HOLDS or texts]
        depth += 1


_HOLDS = (dict, list)


def _texts(value: Any) -> None:
    for text in value if type(value) is dict else (value,):
        if isinstance(text, str):
            if "\x00" in text:
                raise UnreadableJson("it holds a NUL character")
            text.encode()
