"""The weight of each option (itemWeight, ordinalValue): of its own question, for the same code may weigh otherwise in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import extensions as ext
from .extensions import Extensions, Json
from .items import Item

if TYPE_CHECKING:
    from .definition import Form

Key = tuple[Any, Any]
"""(system, code) of a coding, system None where it has none; ("", the value as text) of anything else."""
NAMES = ("itemWeight", "ordinalValue", "coding-ordinalValue", "valueset-ordinalValue", "codesystem-ordinalValue")


def weight(extensions: Extensions) -> Decimal | None:
    """The itemWeight (SDC) or ordinalValue (R4, by any of its addresses) among these extensions."""
    for name in NAMES:
        value = ext.value(extensions, name)
        if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
            return Decimal(str(value))
    return None


def option_weight(option: Json) -> Decimal | None:
    """The weight of an answerOption: on the option, or on its coding or value."""
    for element in (option, *(value for key, value in option.items() if key.lstrip("_").startswith("value"))):
        found = weight(ext.of(element))
        if found is not None:
            return found
    return None


def weight_of(form: Form, item: Item | None, value: Any) -> Decimal | None:
    """The weight of an answer's value: its own, else that of the question's option, else, where the form offers no
    options for the question, the first the form gives to that code anywhere."""
    own = weight(ext.of(value))
    if own is not None:
        return own
    if item is not None and (item.raw.get("answerOption") or item.raw.get("answerValueSet")):
        return _found(_item_weights(form, item), value)
    return _found(_all_weights(form), value)


def has_weights(form: Form, item: Item) -> bool:
    """Whether the question offers weighted options."""
    return bool(_item_weights(form, item))


def _found(table: Mapping[Key, Decimal], value: Any) -> Decimal | None:
    if not isinstance(value, dict):
        return table.get(("", str(value)))
    if (system := value.get("system")) is not None:
        return table.get((system, value.get("code")), table.get((None, value.get("code"))))
    return next((found for (_, code), found in table.items() if code == value.get("code")), None)


def _item_weights(form: Form, item: Item) -> Mapping[Key, Decimal]:
    kept: dict[int, dict[Key, Decimal]] = form.caches.setdefault("weights", {})
    if item.ordinal not in kept:
        kept[item.ordinal] = dict(_weights(form, item))
    return kept[item.ordinal]


def _all_weights(form: Form) -> Mapping[Key, Decimal]:
    kept: dict[Key, Decimal] | None = form.caches.get("all weights")
    if kept is None:
        kept = form.caches["all weights"] = {}
        for item in form.questions():
            for key, found in _item_weights(form, item).items():
                kept.setdefault(key, found)
    return kept


def _weights(form: Form, item: Item) -> Iterator[tuple[Key, Decimal]]:
    for option in item.raw.get("answerOption") or ():
        value = next((part for key, part in option.items() if key.startswith("value")), None)
        if value is not None and (found := option_weight(option)) is not None:
            yield _key(value), found
    for answer in form.value_sets.answers(item) if item.raw.get("answerValueSet") else ():
        if (found := weight(ext.of(answer["valueCoding"]))) is not None:
            yield _key(answer["valueCoding"]), found


def _key(value: Any) -> Key:
    return (value.get("system"), value.get("code")) if isinstance(value, dict) else ("", str(value))
