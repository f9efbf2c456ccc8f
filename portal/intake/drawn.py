"""Questions drawn once for everybody: the HTML of each by what can differ in it, with a gap where what one person typed goes.

Nothing of anybody stays here: options that are chosen are the form's own, and typed words are put into the gap when a page leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import get_locale
from markupsafe import Markup, escape

from portal.components.html import finished
from portal.intake.fields import AnswerField, ChoiceField, LineField, LookupField, YesNoField
from portal.questionnaire import Node
from portal.questionnaire import extensions as ext
from portal.questionnaire.items import Item

GAP = "\ue000\ue001\ue000"
TABLES = frozenset({"table", "grid"})
MOST = 64
"""Ways to draw one question that are kept."""
LINES = frozenset({"text", "textarea", "integer", "decimal", "date", "time", "url"})
Draw = Callable[[], Markup]


def drawn(field: AnswerField, row: str, draw: Draw) -> Markup:
    """The question as `draw` draws it; from what is kept where it was drawn before in just this way."""
    found = _shape(field, row)
    if found is None:
        return draw()
    shape, typed = found
    kept: dict[Any, str] = field.node.item.kept.setdefault("drawn", {})
    html = kept.get(shape)
    if html is None:
        html = _with_gap(field, draw) if typed else str(draw())
        if html.count(GAP) != bool(typed):
            return draw()
        if len(kept) >= MOST:
            kept.clear()
        kept[shape] = html
    return finished(html.replace(GAP, str(escape(typed))) if typed else html)


def drawn_whole(node: Node, form: Any, language: str, draw: Draw) -> Markup:
    """A part of a page as `draw` draws it; kept while nobody has touched anything in it, as most pages are first seen."""
    shape = _untouched(node, form)
    if shape is None:
        return draw()
    kept: dict[Any, str] = node.item.kept.setdefault("whole", {})
    if (html := kept.get((language, shape))) is None:
        if len(kept) >= MOST:
            kept.clear()
        html = kept[(language, _around(), shape)] = str(draw())
    return finished(html)


def _around() -> str:
    """The language of the page, which is the reader's: staff look at a Spanish form on an English page."""
    return str(get_locale() or "")


def _untouched(node: Node, form: Any) -> tuple[Any, ...] | None:
    """Everything that the drawing depends on; None where something is answered, wrong or worked out."""
    if node.answers or node.issues or node.control in TABLES or not is_plain(node.item):
        return None
    if node.item.is_question and not node.read_only and form[node.name].posted:
        return None
    inner = tuple(_untouched(child, form) for child in node.children)
    if None in inner:
        return None
    more = (node.required, node.disabled, node.read_only, node.instance, node.instances, node.slots)
    return (node.name, node.control, *more, node.can_add, node.can_remove, inner)


def _with_gap(field: AnswerField, draw: Draw) -> str:
    field.gap = GAP
    try:
        return str(draw())
    finally:
        field.gap = ""


def _shape(field: AnswerField, row: str) -> tuple[tuple[Any, ...], str] | None:
    """Everything that the drawing depends on, and what is typed; None where it may depend on more."""
    node = field.node
    if field.posted or node.issues or not is_plain(node.item):
        return None
    typed, state = "", ""
    if isinstance(field, YesNoField):
        state = str(field.slots()[0])
    elif isinstance(field, ChoiceField) and not isinstance(field, LookupField):
        if not field.chosen <= field.keys | {""}:
            return None
        state = ",".join(sorted(field.chosen))
    elif type(field) in (AnswerField, LineField) and node.control in LINES and not node.repeats:
        typed = str(field.slots()[0])
        if "\n" in typed or "\r" in typed or (node.control == "textarea" and node.limits.max_length):
            return None
    else:
        return None
    more = (node.required, node.disabled, node.instance, node.instances, node.slots, node.can_add, node.can_remove)
    said = (bool(typed), state, field.absent_now, node.origin is not None)
    return (field.language, _around(), row, node.name, node.control, *more, *said), typed


def is_plain(item: Item) -> bool:
    """Whether nothing but its own answers changes how a question looks: no expression, and no list that is kept elsewhere."""
    if "plain" not in item.kept:
        item.kept["plain"] = _is_plain(item)
    return bool(item.kept["plain"])


def _is_plain(item: Item) -> bool:
    worked_out = item.text_formulas or item.bounds or item.toggles or item.answer_formula or item.candidate_formula
    parts = (child for child in item.children if child.type == "display")
    lists = item.raw.get("answerValueSet") or ext.value(item.extensions, "unitValueSet")
    return not (
        worked_out or lists or any(p.conditions or p.enable_formula or p.text_formulas or p.hidden for p in parts)
    )
