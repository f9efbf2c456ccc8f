"""JSON exactly as sent: decimals keep their digits (1.10 stays 1.10), and odd input is refused before anything believes it."""

import json
from decimal import Decimal
from typing import Any, NoReturn

import simplejson

MAX_DEPTH = 64
MAX_DIGITS = 18
MAX_EXPONENT = 12


class UnreadableJson(ValueError):
    """Not JSON that a FHIR system may send; the message says what is wrong and holds none of the content."""


def dumps(value: Any) -> str:
    """Compact JSON text, keys in their order, Decimals digit for digit."""
    return simplejson.dumps(value, use_decimal=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


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
        _walk(value, 1)
    except UnicodeError as wrong:
        raise UnreadableJson("it is not UTF-8 text") from wrong
    except RecursionError as wrong:
        raise UnreadableJson(f"it is nested deeper than {MAX_DEPTH} levels") from wrong
    except json.JSONDecodeError as wrong:
        raise UnreadableJson(f"it is not JSON (line {wrong.lineno}, column {wrong.colno})") from wrong
    return value


def _refuse(constant: str) -> NoReturn:
    raise UnreadableJson(f"{constant} is not a number in JSON")


def _decimal(text: str) -> Decimal:
    digits, _, exponent = text.lower().partition("e")
    if len(digits) > MAX_DIGITS + 3 or len(exponent) > 3 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise UnreadableJson("a number is out of bounds")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS + 1:
        raise UnreadableJson("a number is out of bounds")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise UnreadableJson("a name appears twice in one object")
    return made


def _walk(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnreadableJson(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, member in value.items():
            _text(name)
            _walk(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _walk(member, depth + 1)
    elif isinstance(value, str):
        _text(value)


def _text(value: str) -> None:
    if "\x00" in value:
        raise UnreadableJson("it holds a NUL character")
    value.encode()
