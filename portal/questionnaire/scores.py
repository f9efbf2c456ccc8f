"""Scores: the weight of each option (itemWeight, ordinalValue), and what an answered form adds up to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import extensions as ext
from .extensions import Extensions, Json

if TYPE_CHECKING:
    from .definition import Form

Key = tuple[Any, Any]
"""(system, code); system None where the coding has none."""


def weight(extensions: Extensions) -> Decimal | None:
    """The itemWeight (SDC) or ordinalValue (R4) among these extensions."""
    for name in ("itemWeight", "ordinalValue"):
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


def score_table(form: Form) -> dict[Key, Decimal]:
    """The weight of every coded option of the form, its value sets and code systems included."""
    table: dict[Key, Decimal] | None = form.caches.get("scores")
    if table is None:
        table = form.caches["scores"] = dict(_weights(form))
    return table


def _weights(form: Form) -> Iterator[tuple[Key, Decimal]]:
    for item in form.questions():
        for option in item.raw.get("answerOption") or ():
            coding, found = option.get("valueCoding"), option_weight(option)
            if isinstance(coding, dict) and found is not None:
                yield (coding.get("system"), coding.get("code")), found
        for answer in form.value_sets.answers(item) if item.raw.get("answerValueSet") else ():
            found = weight(ext.of(answer["valueCoding"]))
            if found is not None:
                yield (answer["valueCoding"].get("system"), answer["valueCoding"].get("code")), found
