"""One evaluation of a filling: what is enabled, what a formula gives, which values are calculated; each thing once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal import fhirpath
from portal.fhirpath.env import plain

from .answers import Entry, typed
from .conditions import meets, truth
from .context import Context
from .converting import to_answers
from .definition import Form
from .document import Document
from .extensions import Json
from .formulas import Formula
from .host import FormHost
from .issues import Trouble
from .items import Condition, Item
from .names import PENDING, Names, NotLooked
from .shapes import ROOTS
from .units import measured

_BUDGET = fhirpath.Budget(steps=50_000, size=200_000)
"""Of one expression: far more than a real form needs, far less than 250 ms (bar 53)."""
_NOTHING: Mapping[str, Any] = {}
ROUNDS = 4
MAX_BREACHES = 3
"""After so many stopped expressions no further one is begun: a form must not add up what one may not do."""


class Evaluation:
    """Answers "is this entry enabled", "what does this formula give" for one tree of entries, remembering each."""

    def __init__(self, form: Form, top: Entry, context: Context, base: Json) -> None:
        self.form = form
        self.top = top
        self.context = context
        self.base = base
        self.troubles: list[Trouble] = []
        self.looking = False
        self.given = False
        """a response from elsewhere is being checked: a required question in an optional part, or under a question without
        an answer, is asked for only where that part or answer is in it"""
        self.sent: dict[str, str] | None = None
        """a response that was sent is being read: what is answered applies; the words each question was asked in, by linkId"""
        self.contained: dict[str, str] = {}
        """what it contains: the type of each resource, by its id"""
        self._document: Document | None = None
        self._impure = form.graph.impure_ordinals
        self._root: fhirpath.Node | None = None
        self._host: FormHost | None = None
        self.names = Names(self)
        self.written = 0
        self._breaches = 0

    # -- enabled -------------------------------------------------------------------------------------------------

    def enabled(self, entry: Entry) -> bool:
        """Whether the item applies here: its own conditions and those of everything it stands in."""
        known = entry.enabled
        if known is None:
            entry.enabled = True
            known = entry.enabled = self._decide(entry)
        return known

    def _decide(self, entry: Entry) -> bool:
        if entry.parent is not None and not self.enabled(entry.parent):
            return False
        if self.sent is not None and entry.answered:
            return True
        if not self._conditions(entry):
            return False
        formula = entry.item.enable_formula
        if formula is None or self._shown(formula, entry):
            return True
        if entry.answered:
            self._discard()  # it was counted as applying until now
        return False

    def _conditions(self, entry: Entry) -> bool:
        item = entry.item
        if not item.conditions:
            return True
        results = (self._holds(condition, entry) for condition in item.conditions)
        return any(results) if item.any_condition else all(results)

    def _counted(self, entry: Entry) -> bool:
        """Whether an entry is in the response as expressions see it: yes while an expression has yet to decide."""
        if entry.enabled is None and entry.item.ordinal in self._impure:
            return entry.parent is None or self._counted(entry.parent)
        return self.enabled(entry)

    def _shown(self, formula: Formula, entry: Entry) -> bool:
        """An expression that fails leaves its question on the page (bar 53); of a response from elsewhere it is believed."""
        result = self.evaluate(formula, entry, "enableWhenExpression")
        return (entry.answered or not (self.given or self.sent is not None)) if result is None else truth(result)

    def _holds(self, condition: Condition, entry: Entry) -> bool:
        answers = [a for target in self.targets(entry, condition.question) for a in target.answers]
        if condition.operator == "exists":
            return any(typed(answer)[0] for answer in answers) is condition.answer
        held = [meets(condition, answer) for answer in answers if typed(answer)[0]]
        if condition.operator == "!=":  # R4: no answer equals. Without any it does not hold: so for HL7's validator,
            return bool(held) and all(held)  # LHC-Forms and Smart Forms
        return any(held)

    def targets(self, entry: Entry, question: Item) -> list[Entry]:
        """The enabled entries of a question, in the nearest repetition that holds both it and this entry."""
        around = set(question.ancestors())
        here: Entry | None = entry.parent
        while here is not None and here.item not in around:
            here = here.parent
        return [target for target in (here or self.top).below(question) if self.enabled(target)]

    # -- formulas ------------------------------------------------------------------------------------------------

    def evaluate(
        self, formula: Formula, entry: Entry, what: str, extra: Mapping[str, Any] = _NOTHING
    ) -> list[Any] | None:
        """What the formula gives here as plain values, or None when it could not be evaluated (see `troubles`)."""
        return self.plainly(self.items(formula, entry, what, extra), entry, what)

    def plainly(self, found: list[Any] | None, entry: Entry, what: str) -> list[Any] | None:
        """Items as plain values; a number that is none of FHIR's counts as what could not be evaluated."""
        try:
            return None if found is None else plain(found)
        except fhirpath.FhirPathError as error:
            self.troubles.append(Trouble(entry.item.link_id, what, str(error)))
            return None

    def items(
        self,
        formula: Formula,
        entry: Entry,
        what: str,
        extra: Mapping[str, Any] = _NOTHING,
        focus: list[Any] | None = None,
    ) -> list[Any] | None:
        """The same as items of the FHIRPath engine, which know their types: to be used in another formula.

        `extra` are further variables; `focus` is what the formula starts from, else the item of the response.
        """
        if formula.is_query:
            return self.names.query(formula, entry, what)
        if formula.program is None:
            return None
        if self._whole(formula, entry):
            for needed in self.form.graph.needs(formula, entry.item, self.form.by_link):
                for place in self.top.below(needed):
                    self.enabled(place)
        return self._run(formula, formula.program, entry, what, extra, focus)

    def _whole(self, formula: Formula, entry: Entry) -> bool:
        """Whether the formula needs more of the response than the items it looks up by linkId."""
        return (
            formula.use.document
            or formula.use.focus == "whole"
            or (bool(formula.use.focus) and entry.parent is not None)
        )

    def _run(
        self,
        formula: Formula,
        program: fhirpath.Expression,
        entry: Entry,
        what: str,
        extra: Mapping[str, Any],
        focus: list[Any] | None,
    ) -> list[Any] | None:
        if self._breaches >= MAX_BREACHES:
            self.troubles.append(Trouble(entry.item.link_id, what, "not evaluated: this form was stopped too often"))
            return None
        try:
            variables = {
                name: value
                for name in program.free_variables
                if (value := self._named(name, entry, extra, formula)) is not PENDING
            }
            start = self._start(formula, entry) if focus is None else focus
            return program.evaluate_items(start, variables, budget=_BUDGET, now=self.context.now, context=self.host)
        except NotLooked as lacking:
            return self.names.not_looked(entry, what, str(lacking))
        except fhirpath.FhirPathError as error:
            self._breaches += isinstance(error, fhirpath.FhirPathBudgetExceeded)
            self.troubles.append(Trouble(entry.item.link_id, what, str(error)))
            return None

    def _start(self, formula: Formula, entry: Entry) -> Any:
        """Where the formula starts: the item of the response, or the response itself."""
        if not formula.use.focus:
            return []
        if entry.parent is None or formula.use.rooted:
            return self._root_node() if formula.use.focus == "whole" else self.host.bare
        return self._focus(entry)

    def _focus(self, entry: Entry) -> fhirpath.Node:
        """The item of the response; where it has none yet, one that holds only its linkId."""
        if entry.parent is None:
            return self._root_node()
        raw = self.document.node(entry) or {"linkId": entry.item.link_id}
        return typed_node(raw, "QuestionnaireResponse.item")

    def live_node(self, entry: Entry) -> Json | None:
        """The item of an entry that applies and has an answer, once it is known what applies in it."""
        if not (entry.answered and self.enabled(entry)):
            return None
        for needed in self.form.graph.deciding_below(entry.item):
            for place in entry.below(needed):
                self.enabled(place)
        return self.document.node(entry)

    def _root_node(self) -> fhirpath.Node:
        if self._root is None:
            self.written += 1
            self._root = typed_node(self.document.root, None)
        return self._root

    @property
    def host(self) -> FormHost:
        if self._host is None:
            self._host = FormHost(self)
        return self._host

    def _named(self, name: str, entry: Entry, extra: Mapping[str, Any], formula: Formula) -> Any:
        if name in extra:
            return extra[name]
        if name in ROOTS:
            return self._root_node() if formula.use.document else self.host.bare
        if name == "context":
            return self._focus(entry)
        if name in ("questionnaire", "Questionnaire"):
            return self.form.raw
        if name == "qitem":
            return typed_node(entry.item.raw, "Questionnaire.item")
        return self.names.value(name, entry, formula)

    # -- the response as expressions see it -----------------------------------------------------------------------

    @property
    def document(self) -> Document:
        if self._document is None:
            self._document = Document(self.top, self.base, self._counted)
        return self._document

    def _discard(self) -> None:
        """What was made of the answers is no longer true."""
        self._document = self._root = self._host = None

    def forget(self, within: Iterable[Item] | None = None) -> None:
        """Answers changed: decide everything anew when asked; with `within` only what they reach."""
        self._discard()
        self.names.forget()
        if within is None:
            for entry in self.top.walk():
                entry.enabled = entry.checked = None
            return
        for item in within:
            for entry in self.top.made(item.chain):
                entry.enabled = None
                entry.recheck()

    def go_on(self, context: Context) -> None:
        """The same answers at another time, for another request."""
        self.context, self.troubles, self._breaches = context, [], 0
        self.forget(self.form.reach.outside)

    # -- calculations --------------------------------------------------------------------------------------------

    def settle(self, items: Iterable[Item], within: Iterable[Item] | None = None) -> None:
        """Calculate these items in order. Again, while something changed, when one of them read the whole response:
        what it saw may have been decided on values that came later. `within`: all that can be different afterwards."""
        wanted = list(items)
        for _ in range(ROUNDS):
            self.written = 0
            if not self._calculate(wanted):
                return
            self.forget(within)
            if not self.written:
                return

    def _calculate(self, items: list[Item]) -> bool:
        changed = False
        for item in items:
            for entry in self.top.below(item):
                if self.enabled(entry) and self._recalculated(item, entry):
                    changed = True
                    self._discard()
                    self.names.forget()
        return changed

    def _recalculated(self, item: Item, entry: Entry) -> bool:
        assert item.calculation is not None
        result = self.evaluate(item.calculation, entry, "calculatedExpression")
        if result is None:
            return False
        result = [one if (one := measured(item, given)) is not None else given for given in result]
        answers = to_answers(item, result, self.form.value_sets)
        if answers == entry.answers:
            return False
        entry.answers = answers
        entry.touch()
        return True


def typed_node(raw: Json, type_name: str | None) -> fhirpath.Node:
    """Raw JSON as a node that knows its type (None: from its resourceType)."""
    made: fhirpath.Node = fhirpath.node(raw, type_name)
    return made
