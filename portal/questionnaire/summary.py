"""Check your answers: what was asked and answered, section by section, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import extensions as ext
from .addresses import index_of, name_of
from .answers import Entry
from .comparing import same_answer, unit_of
from .evaluation import Evaluation
from .extensions import Json
from .items import Item
from .nodes import required
from .options import fixed_options
from .origins import Origin, origin
from .paging import PageLayout
from .richtext import unmarked
from .speaking import absent_reason, say
from .texts import text_of
from .words import localised


@dataclass(frozen=True, slots=True)
class Row:
    """`state`: answered, prefilled (not confirmed), absent (said why there is no answer), missing (required), empty."""

    page_key: str
    name: str
    question: str
    answers: tuple[str, ...]
    link_id: str
    state: str
    trail: tuple[str, ...] = ()
    origin: Origin | None = None
    read_only: bool = False


@dataclass(slots=True)
class Section:
    page_key: str
    title: str
    rows: list[Row] = field(default_factory=list)
    kept: dict[Any, str] = field(default_factory=dict, repr=False, compare=False)
    """how it was drawn before, by whatever else that depends on; gone when an answer in it is different"""


def section(evaluation: Evaluation, layout: PageLayout, title: str) -> Section:
    """A page, with a row for each question on it that applies and can be seen."""
    top = evaluation.top
    for group in layout.trail:
        top = top.one(group)
    rows = (row for item in layout.roots for entry in top.all(item) for row in _rows(evaluation, entry, layout.key, ()))
    return Section(layout.key, title, list(rows))


def _rows(evaluation: Evaluation, entry: Entry, page: str, trail: tuple[str, ...]) -> Iterator[Row]:
    item = entry.item
    if item.hidden or item.type == "display" or not evaluation.enabled(entry):
        return
    text = unmarked(text_of(evaluation, entry, "text"))
    if item.is_question:
        yield _row(evaluation, entry, page, text, trail)
    elif item.instanced and entry.parent is not None and len(entry.parent.all(item)) > 1:
        text = f"{text} ({index_of(entry) + 1})".strip()
    inner = (*trail, text) if text else trail
    for child in item.children:
        for below in entry.all(child):
            yield from _rows(evaluation, below, page, inner)


def _row(evaluation: Evaluation, entry: Entry, page: str, text: str, trail: tuple[str, ...]) -> Row:
    said = tuple(_said(evaluation, entry.item, answer) or absent_reason(answer) for answer in entry.answers)
    noted = next((found for answer in entry.answers if (found := origin(answer))), None)
    return Row(
        page_key=page,
        name=name_of(entry),
        question=text,
        answers=said,
        link_id=entry.item.link_id,
        state=_state(evaluation, entry, noted),
        trail=trail,
        origin=noted,
        read_only=entry.item.calculated or entry.item.read_only,
    )


def _said(evaluation: Evaluation, item: Item, answer: Json) -> str:
    """An answer in the words of the language: as the option or the unit that was offered says it there."""
    language = evaluation.context.language
    offered = (option.label for option in fixed_options(evaluation, item) if same_answer(answer, option.value))
    label = unmarked(next(offered, ""))
    if label:
        return label
    amount = answer.get("valueQuantity")
    if isinstance(amount, dict):
        codings = [ext.value(item.extensions, "unit"), *ext.values(item.extensions, "unitOption")]
        units = (
            unit
            for unit in codings
            if isinstance(unit, dict) and unit_of(amount) in (unit.get("code"), unit.get("display"))
        )
        spoken = next((localised(unit, "display", language) for unit in units if "_display" in unit), None)
        return say({"valueQuantity": {**amount, "unit": spoken} if spoken else amount}, language)
    unit = ext.value(item.extensions, "unit") if item.type in ("integer", "decimal") else None
    spoken = localised(unit, "display", language) or str(unit.get("code") or "") if isinstance(unit, dict) else ""
    told = say(answer, language)
    return f"{told} {spoken}".strip() if told else ""


def _state(evaluation: Evaluation, entry: Entry, noted: Origin | None) -> str:
    if not entry.answers:
        return "missing" if required(evaluation, entry) else "empty"
    if any(absent_reason(answer) for answer in entry.answers):
        return "absent"
    return "prefilled" if noted else "answered"
