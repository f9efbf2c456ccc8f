"""The fixed answers a question begins with: `initial`, or the options marked as selected."""

from __future__ import annotations

from .answers import CHOICES, TYPE_KEYS, fitted
from .comparing import same_coding
from .extensions import Json
from .items import Item


def fixed_answers(item: Item) -> list[Json]:
    """FHIR answers; a value that is not of the item's type is left out."""
    if not item.is_question:
        return []
    values = [_value(initial) for initial in item.raw.get("initial") or ()]
    if not values:
        values = [
            _value(option) for option in item.raw.get("answerOption") or () if option.get("initialSelected") is True
        ]
    options = item.raw.get("answerOption") if item.type in CHOICES else ()
    allowed = {*TYPE_KEYS[item.type], *(key for option in options or () for key in _value(option))}
    fit = (fitted(item.type, value) for value in values if value)
    found = [_offered(value, item) for value in fit if value and set(value) <= allowed]
    return found if item.repeats else found[:1]


def _offered(value: Json, item: Item) -> Json:
    """A coding as the form's own option writes it, with its system and display."""
    coding = value.get("valueCoding")
    options = (option.get("valueCoding") for option in item.raw.get("answerOption") or ())
    same = (one for one in options if isinstance(one, dict) and isinstance(coding, dict) and same_coding(one, coding))
    return next(({"valueCoding": one} for one in same), value)


def _value(raw: Json) -> Json:
    return next(({key: value} for key, value in raw.items() if key.startswith("value")), {})
