"""What a changed answer can reach in a form: whose applying, value, limits, options or rules it may change; the rest stays known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import extensions as ext
from .formulas import Formula
from .graph import scope
from .items import Item
from .shapes import ROOTS

if TYPE_CHECKING:
    from .definition import Form

_OUTSIDE = re.compile(r"\b(today|now|timeOfDay|memberOf|resolve|subsumes|subsumedBy|defineVariable)\s*\(")
_KNOWN = ROOTS | {"context", "qitem", "questionnaire", "Questionnaire", "ucum", "sct", "loinc"}
ANY = 0
"""Stands for every item among what is looked at: the form itself."""
OUTSIDE = -1
"""Stands for time, the patient's record and lists kept elsewhere."""


class Reach:
    """Of one form. `of` an answer: every item that must be looked at anew; `outside`: those that must be with each request."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._moved: dict[int, set[Item]] = {}
        self._judged: dict[int, set[Item]] = {}
        self._known: dict[int, frozenset[Item]] = {}
        for item in (form.root, *form.all_items):
            self._survey(item)

    def of(self, items: Iterable[Item]) -> frozenset[Item]:
        """The items themselves, what leans on them, what leans on that, and so on."""
        return frozenset().union(*(self._from(item) for item in items))

    @property
    def outside(self) -> frozenset[Item]:
        if OUTSIDE not in self._known:
            moved = self._moved.get(OUTSIDE, set())
            self._known[OUTSIDE] = self.of(moved) | self._judged.get(OUTSIDE, set())
        return self._known[OUTSIDE]

    def _survey(self, item: Item) -> None:
        """`_moved`: by what is looked at, the items that it may switch, or whose value it may change. `_judged`: those
        that it may only make right or wrong."""
        for condition in item.conditions:
            self._note(self._moved, condition.question.ordinal, item)
        for formula in filter(None, (item.enable_formula, item.calculation)):
            for looked in self._looks(formula, item):
                self._note(self._moved, looked, item)
        for formula in _judging(item):
            for looked in self._looks(formula, item):
                self._note(self._judged, looked, item)
        units = item.type == "quantity" and ext.value(item.extensions, "unitValueSet")
        if item.is_question and (units or self._form.value_sets.elsewhere(item)):
            self._note(self._judged, OUTSIDE, item)

    def _note(self, table: dict[int, set[Item]], looked: int, item: Item) -> None:
        table.setdefault(looked, set()).add(item)

    def _looks(self, formula: Formula, item: Item, seen: frozenset[int] = frozenset()) -> Iterator[int]:
        """The ordinals of the items that a formula may look at; ANY when that cannot be told."""
        if id(formula) in seen:
            return
        seen = seen | {id(formula)}
        if formula.is_query or _OUTSIDE.search(formula.text):
            yield OUTSIDE
        if formula.use.document or formula.use.rooted:
            yield ANY
        if formula.use.focus == "whole":
            yield item.ordinal
        yield from (found.ordinal for text in formula.literals() if (found := self._form.by_link.get(text)))
        for hole in formula.holes:
            yield from self._looks(hole, item, seen)
        visible = scope(item, formula)
        for name in formula.names() - _KNOWN:
            if variable := visible.get(name):
                yield from self._looks(variable.formula, variable.owner, seen)
            else:
                yield OUTSIDE

    def _from(self, item: Item) -> frozenset[Item]:
        if item.ordinal not in self._known:
            self._known[item.ordinal] = frozenset(self._spread(item))
        return self._known[item.ordinal]

    def _spread(self, start: Item) -> set[Item]:
        """What stands above an item is looked at with it; what applies or not takes all that stands in it along."""
        moved, judged, waiting = {start}, set[Item](), [start]
        while waiting:
            for looked in waiting.pop().ancestors():
                judged |= self._judged.get(looked.ordinal, set())
                for found in self._moved.get(looked.ordinal, ()):
                    if found not in moved:
                        new = {found, *found.descendants()} - moved
                        moved |= new
                        waiting.extend(new)
        return moved | judged


def _judging(item: Item) -> Iterator[Formula]:
    yield from item.bounds.values()
    yield from (rule.formula for rule in item.rules)
    yield from (formula for _, formula in item.toggles)
    yield from item.text_formulas.values()
    yield from filter(None, (item.answer_formula, item.candidate_formula))
