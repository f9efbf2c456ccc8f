"""Is this answer equal to, less than or greater than that one: by FHIR type, with partial dates and units."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.fhirpath.quantity import Quantity
from portal.fhirpath.quantity import compare as measured

from .extensions import Json

UCUM = "http://unitsofmeasure.org"
Ordering = int | None
"""-1, 0, 1, or None where the two cannot be compared (another unit, not enough of the date)."""


def compare(kind: str, left: Any, right: Any) -> Ordering:
    """Order two values of the value[x] or answer[x] type `kind` ("Decimal", "Quantity", "Coding" …)."""
    return _COMPARE.get(kind, _equal_only)(left, right)


def number(value: Any) -> Decimal | None:
    """A JSON number as an exact decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    try:
        return value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None


def _numbers(left: Any, right: Any) -> Ordering:
    first, second = number(left), number(right)
    if first is None or second is None:
        return None
    return (first > second) - (first < second)


def _equal_only(left: Any, right: Any) -> Ordering:
    return 0 if left == right and type(left) is type(right) else None


def _texts(left: Any, right: Any) -> Ordering:
    if not isinstance(left, str) or not isinstance(right, str):
        return None
    return (left > right) - (left < right)


def _codings(left: Any, right: Any) -> Ordering:
    """Same code in the same system; a coding without a system is compared by its code alone."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return None
    return 0 if same_coding(left, right) else None


def same_coding(left: Json, right: Json) -> bool:
    if left.get("code") is None and right.get("code") is None:
        return left.get("display") == right.get("display") and left.get("display") is not None
    first, second = left.get("system") or None, right.get("system") or None
    return left.get("code") == right.get("code") and (first is None or second is None or bool(first == second))


def _quantities(left: Any, right: Any) -> Ordering:
    """In one unit, or in two that UCUM turns into one another: 900 g is less than 1 kg. What says no unit on the right is a
    number in whichever the left is in. Of "less than 5" it is known that it is less than 5, and not how it stands to 4."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return None
    if not unit_of(right) or _same_unit(left, right):
        found: Ordering = _numbers(left.get("value"), right.get("value"))
    else:
        first, second = _measured(left), _measured(right)
        found = measured(first, second) if first is not None and second is not None else None
    ours, theirs = left.get("comparator"), right.get("comparator")
    if found is None or ours == theirs:
        return found
    sign = _SIGNS.get(str(ours)) if theirs is None else None
    return sign if sign is not None and (found == sign or (found == 0 and len(str(ours)) == 1)) else None


_SIGNS = {"<": -1, "<=": -1, ">": 1, ">=": 1}
"""Where a quantity with a comparator lies, as seen from its number."""


def _same_unit(left: Json, right: Json) -> bool:
    """By code, or by what both call it where one has no code."""
    said = left.get("unit")
    called = said is not None and said == right.get("unit") and not (left.get("code") and right.get("code"))
    return called or unit_of(left) == unit_of(right)


def _measured(quantity: Json) -> Quantity | None:
    amount, unit = number(quantity.get("value")), unit_of(quantity)
    known = amount is not None and unit and quantity.get("system") in (None, UCUM)
    return Quantity(amount, unit) if known and amount is not None else None


def unit_of(quantity: Json) -> str:
    return str(quantity.get("code") or quantity.get("unit") or "")


def _references(left: Any, right: Any) -> Ordering:
    """To the same resource: by its address, else by its identifier, else by what it is called."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return None
    name = next((name for name in ("reference", "identifier", "display") if left.get(name) or right.get(name)), "")
    first, second = left.get(name), right.get(name)
    if isinstance(first, dict) and isinstance(second, dict):
        first, second = ((one.get("system"), one.get("value")) for one in (first, second))
    return 0 if name and first == second else None


def _moments(left: Any, right: Any) -> Ordering:
    """Dates and times as far as both are known: 2019 and 2019-03 cannot be ordered, 2018 and 2019-03 can."""
    first, second = _parts(left), _parts(right)
    if first is None or second is None:
        return None
    if len(first[0]) > 3 and len(second[0]) > 3 and (first[1] is None) == (second[1] is None):
        first, second = (_instant(first), None), (_instant(second), None)
    for ours, theirs in zip(first[0], second[0], strict=False):
        if ours != theirs:
            return -1 if ours < theirs else 1
    return 0 if len(first[0]) == len(second[0]) else None


Parts = tuple[tuple[Decimal, ...], timezone | None]


def _parts(value: Any) -> Parts | None:
    """2019-03-27T14:30+01:00 -> ((2019, 3, 27, 14, 30), +01:00)."""
    if not isinstance(value, str):
        return None
    date, _, rest = value.partition("T")
    clock, zone = _zone(rest)
    try:
        return tuple(Decimal(piece) for piece in [*date.split("-"), *(clock.split(":") if clock else ())]), zone
    except InvalidOperation:
        return None


def _zone(rest: str) -> tuple[str, timezone | None]:
    if rest.endswith("Z"):
        return rest[:-1], UTC
    for sign in "+-":
        clock, found, offset = rest.partition(sign)
        if found and len(offset) == 5 and offset.replace(":", "").isdigit():
            minutes = int(offset[:2]) * 60 + int(offset[3:])
            return clock, timezone(timedelta(minutes=minutes if sign == "+" else -minutes))
    return rest, None


def _instant(parts: Parts) -> tuple[Decimal, ...]:
    numbers, zone = parts
    padded = [int(n) for n in numbers[:5]] + [0] * (5 - len(numbers[:5]))
    try:
        moment = datetime(*padded, tzinfo=zone or UTC).astimezone(UTC)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):
        return numbers
    seconds = numbers[5:6] if len(numbers) > 5 else ()
    return (*(Decimal(n) for n in moment.timetuple()[:5]), *seconds)


def _clock(left: Any, right: Any) -> Ordering:
    """10:30:00 and 10:30:00.0 are the same time."""
    first, second = (one.split(":") if isinstance(one, str) else [] for one in (left, right))
    try:
        ours, theirs = [Decimal(piece) for piece in first], [Decimal(piece) for piece in second]
    except InvalidOperation:
        return None
    return (ours > theirs) - (ours < theirs) if ours and theirs else None


_COMPARE: dict[str, Callable[[Any, Any], Ordering]] = {
    "Boolean": _equal_only,
    "Decimal": _numbers,
    "Integer": _numbers,
    "Date": _moments,
    "DateTime": _moments,
    "Time": _clock,
    "String": _texts,
    "Uri": _texts,
    "Coding": _codings,
    "Quantity": _quantities,
    "Reference": _references,
}


def same_answer(left: Json, right: Json) -> bool:
    """Whether two answers say the same: by code for codings, by value for the rest."""
    for key, value in left.items():
        if key.startswith("value") and key in right:
            return compare(key[5:], value, right[key]) == 0
    return False
