"""The scores of a response as JSON: weights, their sum, and every value the form calculates, numbers or not."""

from __future__ import annotations

from collections.abc import Iterator

from portal.questionnaire import Context, Filling, Form, Trouble, score
from portal.questionnaire.answers import Entry
from portal.questionnaire.evaluation import Evaluation

from .files import Json


def scored(form: Form, response: Json, context: Context) -> tuple[Json, list[Trouble]]:
    """{total, answers: [{linkId, text, value}], calculated: [{linkId, text, answer}], unanswered: [linkId]}"""
    scores = score(form, response, context)
    filling = Filling(form, response, context)
    evaluation, top = filling.inside()
    made: Json = {
        "total": scores.total,
        "answers": [{"linkId": one.link_id, "text": one.text, "value": one.value} for one in scores.answers],
        "calculated": [
            {
                "linkId": entry.item.link_id,
                "text": str(entry.item.raw.get("text") or ""),
                "answer": entry.answers,
            }
            for entry in _calculated(evaluation, top)
        ],
        "unanswered": list(scores.unanswered),
    }
    return made, filling.troubles


def _calculated(evaluation: Evaluation, entry: Entry) -> Iterator[Entry]:
    """Calculated questions that apply, in the order of the form, through every repetition."""
    for child in entry.item.children:
        for inner in entry.existing(child):
            if not evaluation.enabled(inner):
                continue
            if inner.item.calculated and inner.answers:
                yield inner
            yield from _calculated(evaluation, inner)
