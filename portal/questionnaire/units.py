"""A measured number in the unit that a question asks for: as it is, converted where UCUM says how, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from portal.fhirpath import quantity

from . import extensions as ext
from .comparing import number
from .converting import quantity_unit
from .extensions import Json
from .items import Item

UCUM = "http://unitsofmeasure.org"
LEAST_DIGITS = 4
"""Digits of a converted number: one more than it had, and no fewer than these."""


def in_unit(item: Item, value: Any) -> Any:
    """A Quantity in one of the units of the question; any other value as it is; None where it cannot be brought into one:
    the number alone would be another number."""
    units = list(_wanted(item))
    if not units or not isinstance(value, dict) or "value" not in value:
        return value
    said = [text for text in (value.get("code"), value.get("unit")) if text]
    if units_open(item) or any(text in (unit.get("code"), unit.get("display")) for unit in units for text in said):
        return value
    return next((found for unit in units if (found := _converted(item, value, unit)) is not None), None)


def measured(item: Item, value: Any) -> Any:
    """What an expression gives for a question: a Quantity for a number as in_unit has it. A mere number (1) stays."""
    if item.type not in ("integer", "decimal", "quantity"):
        return value
    if isinstance(value, quantity.Quantity):
        if value.calendar or value.unit == "1":
            return value
        value = {"value": value.value, "unit": value.unit, "system": UCUM, "code": value.unit}
    return in_unit(item, value)


def units_open(item: Item) -> bool:
    """Whether a unit that is not in the list may be given (SDC unitOpen: optionsOrType, optionsOrString)."""
    return ext.value(item.extensions, "unitOpen") in ("optionsOrType", "optionsOrString", True)


def _wanted(item: Item) -> Iterator[Json]:
    codings = [ext.value(item.extensions, "unit"), *ext.values(item.extensions, "unitOption")]
    return (coding for coding in codings if isinstance(coding, dict))


def _converted(item: Item, value: Json, unit: Json) -> Json | None:
    amount, source, target = number(value.get("value")), _code(value), _code(unit)
    if amount is None or not amount.is_finite() or not source or not target:
        return None
    found = quantity.converted(quantity.Quantity(amount, source), target)
    if found is None or found.calendar:
        return None
    kept = {"comparator": value["comparator"]} if "comparator" in value else {}
    return {**kept, "value": _shortened(found.value, amount, item.type == "integer"), **quantity_unit(unit)}


def _code(element: Json) -> str:
    """The UCUM code of a Quantity or of a unit; words are taken for one where there is no other code."""
    if element.get("system") not in (None, UCUM):
        return ""
    return str(element.get("code") or element.get("unit") or "")


def _shortened(amount: Decimal, before: Decimal, whole: bool) -> Decimal:
    if whole:
        return amount.to_integral_value(ROUND_HALF_UP)
    digits = max(LEAST_DIGITS, len(before.as_tuple().digits) + 1)
    found = Context(prec=digits, rounding=ROUND_HALF_UP).plus(amount).normalize()
    return found if found.as_tuple().exponent <= 0 else found.quantize(Decimal(1))  # type: ignore[operator]
