"""5.5 Conversion: iif, toX and convertsToX."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from portal.fhirpath import quantity as quantities
from portal.fhirpath.env import Env, Items, one, truth
from portal.fhirpath.equality import price
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.formats import rewritten
from portal.fhirpath.functions.registry import Body, function
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import CALENDAR_WORDS, Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime, Temporal
from portal.fhirpath.values import (
    DECIMAL_TEXT,
    INTEGER_MAX,
    INTEGER_MIN,
    INTEGER_TEXT,
    LONG_MAX,
    LONG_MIN,
    Long,
    decimal_text,
)

YES = frozenset({"true", "t", "yes", "y", "1", "1.0"})
NO = frozenset({"false", "f", "no", "n", "0", "0.0"})
LONGEST_WORD = 5
QUANTITY_TEXT = re.compile(r"([+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?)[ \t]*(?:'([^']{1,100})'|([A-Za-z]{1,20}))?")


@function("iif", "each", "each", "each?")
def iif(env: Env, items: Items, criterion: Body, then: Body, otherwise: Body | None = None) -> Items:
    """Only the branch that is taken is evaluated; `$this` is the input, nothing or one item (FHIRPath 5.5.1)."""
    if len(items) > 1:
        raise FhirPathEvaluationError(f"iif() takes one item, not {len(items)}")
    this = env.this
    env.this = items
    try:
        if truth(criterion(env), "iif()") is True:
            return then(env)
        return otherwise(env) if otherwise is not None else []
    finally:
        env.this = this


def to_boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.lower() if len(value) <= LONGEST_WORD else ""
        return True if word in YES else (False if word in NO else None)
    if isinstance(value, int | Decimal) and value in (0, 1):
        return bool(value)
    return None


def to_integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and INTEGER_TEXT.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and INTEGER_MIN <= value <= INTEGER_MAX:
        return int(value)
    return None


def to_long(value: Any) -> int | None:
    if isinstance(value, str) and INTEGER_TEXT.fullmatch(value):
        value = int(value)
    return Long(value) if isinstance(value, int) and LONG_MIN <= value <= LONG_MAX else None


def to_decimal(value: Any) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) or (isinstance(value, str) and DECIMAL_TEXT.fullmatch(value)):
        return Decimal(value)
    return None


def to_string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, int):
        return str(int(value))
    return str(value) if isinstance(value, Temporal | Quantity) else None


def to_date(value: Any) -> FhirDate | None:
    if isinstance(value, FhirDate):
        return value
    if isinstance(value, str):
        value = FhirDateTime.parse(value)
    return FhirDate(value.parts[:3]) if isinstance(value, FhirDateTime) else None


def to_date_time(value: Any) -> FhirDateTime | None:
    if isinstance(value, FhirDateTime):
        return value
    if isinstance(value, FhirDate):
        return FhirDateTime(value.parts)
    return FhirDateTime.parse(value) if isinstance(value, str) else None


def to_time(value: Any) -> FhirTime | None:
    if isinstance(value, FhirTime):
        return value
    return FhirTime.parse_with_zone(value) if isinstance(value, str) else None


def to_quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal):
        return Quantity(Decimal(value))
    match = QUANTITY_TEXT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    number, code, word = match.groups()
    if word is not None:
        unit = CALENDAR_WORDS.get(word)
        return None if unit is None else Quantity(Decimal(number), unit, calendar=True)
    return Quantity(Decimal(number), code or quantities.ONE)


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Long": to_long,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_date_time,
    "Time": to_time,
}


def single(items: Items, name: str) -> Any:
    if len(items) == 1 and type(items[0]) is Node and name == "String" and isinstance(items[0].value, str):
        return items[0].value
    return one(items, f"to{name}()")


def converting(name: str, convert: Callable[[Any], Any]) -> None:
    kinds = ("value?",) if name in ("Date", "DateTime") else ()

    def to(env: Env, items: Items, layout: Any = None) -> Items:
        value = convert(laid_out(env, single(items, name), layout))
        if isinstance(value, str):
            env.text(value)
        return [] if value is None else [value]

    def converts(env: Env, items: Items, layout: Any = None) -> Items:
        return [] if not items else [convert(laid_out(env, single(items, name), layout)) is not None]

    function(f"to{name}", *kinds)(to)
    function(f"convertsTo{name}", *kinds)(converts)


def laid_out(env: Env, value: Any, layout: Any) -> Any:
    """Text in a format of its own as FHIR writes it; everything else as it is."""
    if layout is None or not isinstance(value, str):
        return value
    if not isinstance(layout, str):
        raise FhirPathEvaluationError("a format of dates is text")
    env.spend(20)
    return rewritten(value, layout)


for _name, _convert in CONVERSIONS.items():
    converting(_name, _convert)


def quantity_in(env: Env, value: Any, unit: Any) -> Quantity | None:
    if type(value) is Node and type(value.value) is dict and value.value.get("comparator"):
        raise FhirPathEvaluationError("a Quantity with a comparator is not one value")
    env.spend(5)
    found = to_quantity(value)
    if found is None or unit is None:
        return found
    if not isinstance(unit, str):
        raise FhirPathEvaluationError("toQuantity() takes a unit as text")
    unit = unit.strip("'")
    target = Quantity(found.value, CALENDAR_WORDS.get(unit, unit), unit in CALENDAR_WORDS)
    price(env, found, target)
    plain = found.unit == quantities.ONE and not isinstance(value, Quantity)
    made = None if plain else quantities.converted(found, unit)
    if made is not None or found.unit != quantities.ONE:
        return made
    known = target.calendar or quantities.is_known(unit)
    return target if known else None  # a plain number is told its unit (FHIRPath 3.0, §5.5.7)


@function("toQuantity", "value?")
def to_quantity_(env: Env, items: Items, unit: Any = None) -> Items:
    found = quantity_in(env, one(items, "toQuantity()"), unit)
    return [] if found is None else [found]


@function("convertsToQuantity", "value?")
def converts_to_quantity(env: Env, items: Items, unit: Any = None) -> Items:
    return [] if not items else [quantity_in(env, one(items, "convertsToQuantity()"), unit) is not None]
