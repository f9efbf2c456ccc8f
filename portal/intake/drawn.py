"""Questions drawn once for everybody: the HTML of each by what can differ in it, with a gap where what one person typed goes.

Nothing of anybody stays here: options that are chosen are the form's own, and typed words are put into the gap when a page leaves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from hashlib import blake2s
from typing import Any

from flask_babel import get_locale
from markupsafe import Markup, escape

from portal.components.html import finished
from portal.intake import showing
from portal.intake.fields import AnswerField, ChoiceField, LineField, LookupField, YesNoField
from portal.questionnaire import Node
from portal.questionnaire import extensions as ext
from portal.questionnaire.items import Item
from portal.questionnaire.nodes import absorbed
from portal.questionnaire.richtext import unmarked

GAP = f"\ue000{secrets.token_hex(6)}\ue000"
"""What no form says by itself."""
MOST = 64
"""Ways to draw one question that are kept."""
LINES = frozenset({"text", "textarea", "integer", "decimal", "date", "time", "url"})
Draw = Callable[[], Markup]
Drawn = tuple[str, str]
"""HTML as it is sent, and what tells it apart: the same with a mark in place of each box in it."""
Macro = Callable[[str], Callable[..., Markup]]
"""A macro of intake/questions.html by its name."""


class Drawing:
    """Draws the nodes of one page. A macro (question, intro, group, display, known, again, table) is asked only for what
    was not drawn before in just this way."""

    def __init__(self, form: Any, language: str, macro: Macro, shown: frozenset[str] = frozenset()) -> None:
        """`shown`: the marks of the boxes that the reader has on the page already, drawn in just this way: they come empty."""
        self._form, self._macro, self._shown = form, macro, shown
        self._said = (language, str(get_locale() or ""))
        """the language of the form, and that of the page around it: staff look at a Spanish form on an English page"""

    def blocks(self, nodes: Iterable[Node], page_title: str = "") -> Markup:
        """Each node in a box of its own; a part that is called as the page is begins without its name."""
        return finished(self._blocks(nodes, page_title)[0])

    def one(self, node: Node, row: str = "") -> Markup:
        """A question or a part with all that stands in it. `row` names the row of the table it stands in."""
        return finished(self._one(node, row)[0])

    def _blocks(self, nodes: Iterable[Node], page_title: str = "") -> Drawn:
        return _joined(self._block(block, page_title) for block in showing.blocks(nodes))

    def _block(self, block: Node | showing.Table, page_title: str) -> Drawn:
        if isinstance(block, showing.Table):
            return self._box(block.name, self._table(block, page_title))
        if page_title and _is_the_page(block, page_title):
            return _joined((_same(self._static(block, "intro")), self._blocks(block.children)))
        return self._box(block.name, self._one(block), off=block.disabled)

    def _box(self, name: str, drawn: Drawn, *, off: bool = False) -> Drawn:
        html, known = drawn
        mark = blake2s(f"{off:d}{known}".encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        kind = "pv-question pv-question--off" if off else "pv-question"
        inside = "" if mark in self._shown else html
        return f'<div class="{kind}" dir="auto" id="box-{name}" data-as="{mark}">{inside}</div>', mark

    def _table(self, block: showing.Table, page_title: str) -> Drawn:
        """A table goes whole or not at all."""
        shown, self._shown = self._shown, frozenset()
        try:
            return _same(self._macro("table")(block, self._form, page_title))
        finally:
            self._shown = shown

    def _one(self, node: Node, row: str = "") -> Drawn:
        if node.type == "group":
            return self._group(node)
        if node.type == "display":
            return _same(self._static(node, "display"))
        made = [_same(self._known(node, row) if node.read_only else self._question(node, row))]
        if may_lead_on(node.item):
            made += [_same('<div class="pv-boxes pv-follow">'), self._blocks(node.children), _same("</div>")]
        if node.repeats and node.instance is not None:
            made.append(_same(self._macro("again")(node, self._form)))
        return _joined(made)

    def _group(self, node: Node) -> Drawn:
        """Around its questions as it was drawn before, unless something is wrong with it or worked out."""
        inner = self._blocks(node.children)
        if node.issues or not is_plain(node.item):
            before, after = self._around(node)
        else:
            is_open = bool(node.collapsible) and showing.has_answers(node)
            repeated = (node.instance, node.instances, node.can_add, node.can_remove)
            shape = (*self._said, node.name, node.required, node.read_only, is_open, *repeated)
            kept = _kept(node.item, "group")
            if (around := kept.get(shape)) is None:
                around = kept[shape] = self._around(node)
            before, after = around
        return _joined((_same(before), inner, _same(after)))

    def _around(self, node: Node) -> tuple[str, str]:
        before, _, after = str(self._macro("group")(node, self._form, finished(GAP))).partition(GAP)
        return before, after

    def _static(self, node: Node, macro: str) -> Markup:
        """Words of the form."""
        if node.issues or not is_plain(node.item):
            return self._macro(macro)(node, self._form)
        kept, shape = _kept(node.item, macro), (*self._said, node.name)
        if (html := kept.get(shape)) is None:
            html = kept[shape] = str(self._macro(macro)(node, self._form))
        return finished(html)

    def _known(self, node: Node, row: str) -> Markup:
        """What a person cannot change."""
        form, draw = self._form, self._macro
        if node.issues or node.origin or not is_plain(node.item):
            return draw("known")(node, form, row)
        shape = (*self._said, row, node.name, bool(node.answers), node.disabled, node.calculated)
        kept = _kept(node.item, "known")
        if (html := kept.get(shape)) is None:
            form.gap = GAP
            html = kept[shape] = str(draw("known")(node, form, row))
            form.gap = ""
        return finished(html.replace(GAP, str(escape(form.told(node)))))

    def _question(self, node: Node, row: str) -> Markup:
        field: AnswerField = self._form[node.name]
        if node.issues:  # what is wrong stands on the node, not on the field
            return self._macro("question")(node, self._form, row)
        return drawn(field, (*self._said, row), lambda: self._macro("question")(node, self._form, row))


def _same(html: str) -> Drawn:
    return html, html


def _joined(parts: Iterable[Drawn]) -> Drawn:
    listed = list(parts)
    return "".join(html for html, _ in listed), "".join(known for _, known in listed)


def _is_the_page(node: Node, page_title: str) -> bool:
    return node.type == "group" and not node.repeats and not node.collapsible and unmarked(node.text) == page_title


def _kept(item: Item, what: str) -> dict[Any, Any]:
    """What was drawn of an item before."""
    kept: dict[Any, Any] = item.kept.setdefault(f"drawn {what}", {})
    if len(kept) >= MOST:
        kept.clear()
    return kept


def drawn(field: AnswerField, around: tuple[str, ...], draw: Draw) -> Markup:
    """The question as `draw` draws it; from what is kept where it was drawn before in just this way."""
    found = _shape(field)
    if found is None:
        return draw()
    shape, typed = found
    kept = _kept(field.node.item, "question")
    html: str | None = kept.get((around, shape))
    if html is None:
        html = _with_gap(field, draw) if typed else str(draw())
        if html.count(GAP) != bool(typed):
            return draw()
        kept[(around, shape)] = html
    return finished(html.replace(GAP, str(escape(typed))) if typed else html)


def _with_gap(field: AnswerField, draw: Draw) -> str:
    field.gap = GAP
    try:
        return str(draw())
    finally:
        field.gap = ""


def _shape(field: AnswerField) -> tuple[tuple[Any, ...], str] | None:
    """Everything that the drawing depends on, and what is typed; None where it may depend on more."""
    node = field.node
    if field.posted or node.issues or node.origin or not is_plain(node.item):
        return None
    typed, state = "", ""
    if isinstance(field, YesNoField):
        state = str(field.slots()[0])
    elif isinstance(field, ChoiceField) and not isinstance(field, LookupField):
        chosen = field.chosen
        if not chosen <= field.keys | {""}:
            return None
        state = ",".join(sorted(chosen))
    elif type(field) in (AnswerField, LineField) and node.control in LINES and not node.repeats:
        typed = str(field.slots()[0])
        if "\n" in typed or "\r" in typed or (node.control == "textarea" and node.limits.max_length):
            return None
    else:
        return None
    more = (node.required, node.disabled, node.instance, node.instances, node.slots, node.can_add, node.can_remove)
    said = (bool(typed), state, field.absent_now)
    return (node.name, node.control, *more, *said), typed


def may_lead_on(item: Item) -> bool:
    """Whether further questions can stand below this one, now or after another answer."""
    return not all(map(absorbed, item.children))


def is_plain(item: Item) -> bool:
    """Whether nothing but its own answers changes how a question looks: no expression, and no list that is kept elsewhere."""
    if "plain" not in item.kept:
        item.kept["plain"] = _is_plain(item)
    return bool(item.kept["plain"])


def _is_plain(item: Item) -> bool:
    worked_out = item.text_formulas or item.bounds or item.toggles or item.answer_formula or item.candidate_formula
    parts = filter(absorbed, item.children)
    lists = item.raw.get("answerValueSet") or ext.value(item.extensions, "unitValueSet")
    return not (
        worked_out or lists or any(p.conditions or p.enable_formula or p.text_formulas or p.hidden for p in parts)
    )
