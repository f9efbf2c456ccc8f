"""The score of a response: the weight of each coded answer, their sum, and what the form itself calculates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .answers import Entry, typed
from .context import Context
from .definition import Form
from .extensions import Json
from .filling import Filling
from .scores import has_weights, weight_of


@dataclass(frozen=True, slots=True)
class Score:
    link_id: str
    text: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Scores:
    """`answers` have a weight (itemWeight, ordinalValue) in the form; `calculated` are its calculated numbers.

    `total` is the sum of the weights, None when no answer has one. Questions without an answer count nothing:
    `unanswered` names those that have weighted options, so that a part of a score is not taken for the whole.
    """

    answers: tuple[Score, ...]
    calculated: tuple[Score, ...]
    total: Decimal | None
    unanswered: tuple[str, ...]


def score(form: Form, response: Json, context: Context) -> Scores:
    """The scores of a response, of what applies."""
    evaluation, top = Filling(form, response, context).inside()
    live = [entry for entry in _entries(top) if evaluation.enabled(entry)]
    answers = [found for entry in live if not entry.item.calculated for found in _weights(form, entry)]
    calculated = [found for entry in live if entry.item.calculated for found in _numbers(entry)]
    weighted = [e for e in live if not e.item.calculated and has_weights(form, e.item)]
    return Scores(
        answers=tuple(answers),
        calculated=tuple(calculated),
        total=sum((found.value for found in answers), Decimal(0)) if answers else None,
        unanswered=tuple(entry.item.link_id for entry in weighted if not entry.answers),
    )


def _entries(entry: Entry) -> list[Entry]:
    """Every question, answered or not, through existing repetitions."""
    found: list[Entry] = []
    for child in entry.item.children:
        for inner in entry.all(child):
            found.extend([inner] if child.is_question else [])
            found.extend(_entries(inner))
    return found


def _weights(form: Form, entry: Entry) -> list[Score]:
    found = [weight_of(form, entry.item, value) for kind, value in map(typed, entry.answers) if kind]
    return [_score(entry, weight) for weight in found if weight is not None]


def _numbers(entry: Entry) -> list[Score]:
    values = [value.get("value") if isinstance(value, dict) else value for _, value in map(typed, entry.answers)]
    return [_score(entry, Decimal(str(v))) for v in values if isinstance(v, (int, Decimal)) and not isinstance(v, bool)]


def _score(entry: Entry, value: Decimal) -> Score:
    return Score(entry.item.link_id, str(entry.item.raw.get("text") or ""), value)
