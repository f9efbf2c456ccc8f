"""From what an expression gives to FHIR answers of an item's type."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime
from portal.fhirpath.values import decimal_text

from . import extensions as ext
from .comparing import same_coding
from .extensions import Json
from .items import Item

if TYPE_CHECKING:
    from .valuesets import ValueSets


MAX_PLACES, MAX_DIGITS = 12, 18
_WIDE = Context(prec=400)
_NARROW = Context(prec=MAX_DIGITS, rounding=ROUND_HALF_UP)


def to_answers(item: Item, results: list[Any], value_sets: ValueSets) -> list[Json]:
    """An answer for each result that fits the item; a question that does not repeat takes the first."""
    made: list[Json] = []
    for result in results:
        answer = _ANSWERS[item.type](result, item, value_sets) if item.type in _ANSWERS else None
        if answer is not None and answer not in made:
            made.append(answer)
    return made if item.repeats else made[:1]


def words(value: Any) -> str:
    """A result as the text a person reads in a sentence: codings by display, quantities with unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, Quantity):
        return f"{decimal_text(value.value)} {value.unit}".removesuffix(" 1")
    if isinstance(value, dict):
        return _resource_words(value)
    return "" if value is None else str(value)


def _resource_words(value: Json) -> str:
    if "value" in value:
        return f"{words(value['value'])} {value.get('unit') or value.get('code') or ''}".strip()
    coding = _coding(value)
    if value.get("text") or coding:
        return str(value.get("text") or (coding or {}).get("display") or (coding or {}).get("code") or "")
    if value.get("family") or value.get("given"):
        return " ".join([*map(str, value.get("given") or ()), str(value.get("family") or "")]).strip()
    return str(value.get("display") or value.get("reference") or "")


def _boolean(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    if isinstance(result, str) and result.lower() in ("true", "false"):
        result = result.lower() == "true"
    return {"valueBoolean": result} if isinstance(result, bool) else None


def _amount(result: Any) -> Decimal | int | None:
    if isinstance(result, Quantity):
        return result.value
    if isinstance(result, dict):
        result = result.get("value")
    if isinstance(result, str):
        try:
            result = Decimal(result)
        except ArithmeticError:
            return None
    if isinstance(result, bool) or not isinstance(result, (int, Decimal)):
        return None
    amount: int | Decimal = result
    return amount if isinstance(amount, int) or amount.is_finite() else None


def _decimal(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    amount = _amount(result)
    return None if amount is None else {"valueDecimal": rounded(Decimal(amount), item)}


def rounded(amount: Decimal, item: Item) -> Decimal:
    """A worked-out number within what a record holds: the item's decimal places (else 12), 18 digits; shorter ones stay."""
    places = ext.value(item.extensions, "maxDecimalPlaces")
    most = places if isinstance(places, int) and 0 <= places <= MAX_PLACES else MAX_PLACES
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > most:
        amount = amount.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP, _WIDE)
        amount = amount.normalize(_WIDE) if most == MAX_PLACES else amount
    return amount if len(amount.as_tuple().digits) <= MAX_DIGITS else _NARROW.plus(amount)


def _integer(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    amount = _amount(result)
    if amount is None or abs(Decimal(amount)) > 2**31 or amount != int(amount):
        return None
    return {"valueInteger": int(amount)}


def _date(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    if isinstance(result, FhirDateTime):
        result = FhirDate(result.parts[:3])
    if isinstance(result, str):
        result = FhirDate.parse(result.partition("T")[0])
    return {"valueDate": str(result)} if isinstance(result, FhirDate) else None


def _date_time(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    if isinstance(result, str):
        result = FhirDateTime.parse(result)
    if isinstance(result, (FhirDate, FhirDateTime)):
        return {"valueDateTime": str(result).removesuffix("T")}
    return None


def _time(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    if isinstance(result, str):
        result = FhirTime.parse(result)
    if not isinstance(result, FhirTime):
        return None
    shown = str(result).removeprefix("T")
    return {"valueTime": shown if shown.count(":") == 2 else f"{shown}:00"}


def _text(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    shown = words(result)
    return {"valueString": shown} if shown.strip() else None


def _url(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    return {"valueUri": result} if isinstance(result, str) and result else None


def _coding(result: Json) -> Json | None:
    """The Coding in a Coding or CodeableConcept."""
    if isinstance(result.get("coding"), list):
        return next((coding for coding in result["coding"] if isinstance(coding, dict)), None)
    said = "code" in result or ("display" in result and "reference" not in result)
    return result if said and "value" not in result else None


def _choice(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    """A coding, with the display of the form's own option; a plain value chooses the option that equals it. Where the form
    lists every option, one that it does not list is no answer."""
    codings = [c for c in result.get("coding") or [_coding(result)] if c] if isinstance(result, dict) else []
    listed = value_sets.answers(item)
    for option in listed:
        if any(same_coding(coding, option.get("valueCoding") or {}) for coding in codings):
            return option
        if not codings and _equals(result, option):
            return option
    if codings:
        return None if listed and item.type == "choice" else {"valueCoding": codings[0]}
    if item.type == "open-choice" and isinstance(result, str) and result:
        return {"valueString": result}
    return None


def _equals(result: Any, option: Json) -> bool:
    coding = option.get("valueCoding")
    if isinstance(coding, dict):
        return isinstance(result, str) and result in (coding.get("code"), coding.get("display"))
    return any(value == result or str(value) == str(result) for key, value in option.items() if key.startswith("value"))


def _quantity(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    if isinstance(result, Quantity):
        coded = {"unit": result.unit, "system": "http://unitsofmeasure.org", "code": result.unit}
        return {"valueQuantity": {"value": rounded(result.value, item), **coded}}
    amount = _amount(result)
    if amount is None:
        return None
    said = (
        {k: result[k] for k in ("comparator", "unit", "system", "code") if k in result}
        if isinstance(result, dict)
        else {}
    )
    return {"valueQuantity": {"value": rounded(Decimal(amount), item), **(said or default_unit(item))}}


def default_unit(item: Item) -> Json:
    """The unit a bare number gets: the item's unit, or its only unitOption, as Quantity fields."""
    coding = ext.value(item.extensions, "unit")
    options = ext.values(item.extensions, "unitOption")
    if not isinstance(coding, dict) and len(options) == 1:
        coding = options[0]
    return quantity_unit(coding) if isinstance(coding, dict) else {}


def quantity_unit(coding: Json) -> Json:
    """A unit Coding as the unit, system and code of a Quantity."""
    fields = {
        "unit": coding.get("display") or coding.get("code"),
        "system": coding.get("system"),
        "code": coding.get("code"),
    }
    return {key: value for key, value in fields.items() if value}


def _attachment(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    """An Attachment, the one of a DocumentReference, or what a Binary holds."""
    if not isinstance(result, dict):
        return None
    if result.get("resourceType") == "Binary":
        result = {key: result[key] for key in ("contentType", "data") if key in result}
    elif result.get("resourceType") == "DocumentReference":
        listed = [one.get("attachment") for one in result.get("content") or () if isinstance(one, dict)]
        result = next((one for one in listed if isinstance(one, dict)), {})
    return {"valueAttachment": result} if result and "resourceType" not in result else None


def _reference(result: Any, item: Item, value_sets: ValueSets) -> Json | None:
    if isinstance(result, str) and result:
        return {"valueReference": {"reference": result}}
    if not isinstance(result, dict):
        return None
    if isinstance(result.get("resourceType"), str) and result.get("id"):
        return {"valueReference": {"reference": f"{result['resourceType']}/{result['id']}"}}
    return {"valueReference": result} if "reference" in result or "identifier" in result else None


_ANSWERS: dict[str, Callable[[Any, Item, ValueSets], Json | None]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "integer": _integer,
    "date": _date,
    "dateTime": _date_time,
    "time": _time,
    "string": _text,
    "text": _text,
    "url": _url,
    "choice": _choice,
    "open-choice": _choice,
    "attachment": _attachment,
    "reference": _reference,
    "quantity": _quantity,
}
