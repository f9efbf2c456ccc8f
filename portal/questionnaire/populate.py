"""The first draft of a form: fixed initial values, expressions over what is known, and earlier observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from . import extensions as ext
from . import observations
from .answers import Entry
from .context import Context
from .converting import to_answers
from .definition import Form, launch_types
from .evaluation import Evaluation
from .extensions import Json
from .filling import Filling
from .formulas import Formula
from .initial import fixed_answers
from .issues import Trouble
from .items import Item
from .names import Lacking, resources
from .origins import Origin, marked
from .response import merged, write_draft
from .subjects import is_about_another
from .units import measured


def populate(form: Form, context: Context) -> Json:
    """An in-progress QuestionnaireResponse; each prefilled answer notes where it came from (see origins)."""
    return populated(form, context)[0]


def populated(form: Form, context: Context) -> tuple[Json, list[Trouble]]:
    """The same, with what could not be looked up or worked out."""
    context, strangers = _known(form, _with_batches(form, context))
    top = Entry(form.root, None)
    evaluation = Evaluation(form, top, context, _base(form, context))
    evaluation.looking = True
    worker = _Populating(form, evaluation, context)
    worker.whole(top)
    draft = merged(None, {**_base(form, context), "item": write_draft(top) or None})
    filling = Filling(form, draft, context)
    filling.drop_switched_off(form.all_items)
    return filling.draft(), list(dict.fromkeys([*strangers, *evaluation.troubles]))


def _with_batches(form: Form, context: Context) -> Context:
    """The context with what is given as `sourceQueries` ($populate) under the names of the form's batches, in their order."""
    given = context.variables.get("sourceQueries")
    if given is None:
        return context
    named = zip(form.source_queries, given if isinstance(given, list) else [given], strict=False)
    return replace(context, variables={**dict(named), **context.variables})


def _known(form: Form, context: Context) -> tuple[Context, list[Trouble]]:
    """The context without resources of another kind than the form takes under their name."""
    kinds = launch_types(form.root)
    wrong = {
        name: kind
        for name, wanted in kinds.items()
        if (given := context.launch.get(name))
        and (kind := str(given.get("resourceType") or ""))
        and wanted
        and kind not in wanted
    }
    if not wrong:
        return context, []
    said = [
        Trouble("", "launchContext", f"%{name} is a {kind}, and the form asks for {' or '.join(sorted(kinds[name]))}")
        for name, kind in wrong.items()
    ]
    launch = {name: context.launch[name] for name in context.launch if name not in wrong}
    return replace(context, launch=launch), said


def _base(form: Form, context: Context) -> Json:
    base: Json = {"resourceType": "QuestionnaireResponse", "status": "in-progress"}
    if form.canonical:
        base["questionnaire"] = form.canonical
    patient = context.launch.get("patient")
    if isinstance(patient, dict) and patient.get("id"):
        base["subject"] = {"reference": f"{patient.get('resourceType') or 'Patient'}/{patient['id']}"}
    return base


class _Populating:
    def __init__(self, form: Form, evaluation: Evaluation, context: Context) -> None:
        self.form = form
        self.evaluation = evaluation
        self.context = context
        self.stale = False
        self.waiting: list[Entry] = []
        """what looks at other answers and found none: they may stand further down the form"""

    def whole(self, top: Entry) -> None:
        if top.item.population is not None:
            top.memo = _memo(top.item.population, self.found(top.item.population, top))
        self.children(top)
        for _ in range(ROUNDS):
            waiting, self.waiting = self.waiting, []
            for entry in waiting:
                for added in self.fill(entry):
                    self.children(added)
            if len(self.waiting) == len(waiting):
                break

    def children(self, parent: Entry) -> None:
        for item in parent.item.children:
            if item.type != "display":
                for entry in self.places(parent, item):
                    for each in (entry, *self.fill(entry)):
                        self.children(each)

    def places(self, parent: Entry, item: Item) -> list[Entry]:
        """One entry, or one for each thing the population context found."""
        formula = item.population
        if formula is None:
            return [parent.one(item)]
        rows = self.found(formula, parent, each=item.instanced)
        if isinstance(rows, Lacking) or not item.instanced or not rows:
            entry = parent.one(item)
            entry.memo = _memo(formula, rows)
            return [entry]
        entries: list[Entry] = []
        for row in rows:
            entry = parent.add(item)
            entry.memo = _memo(formula, [row])
            entries.append(entry)
        return entries

    def found(self, formula: Formula, place: Entry, *, each: bool = False) -> Rows:
        """What a population context gives; of a search for parts to repeat (`each`), only what it looked for."""
        found = self.evaluated(formula, place, "itemPopulationContext")
        return Lacking("was not found out") if found is None else resources(found, matches=each)

    def evaluated(self, formula: Formula, entry: Entry, what: str) -> list[Any] | None:
        """The items a formula gives, looked at from the nearest population context; None where it could not be told."""
        if formula.error:
            self.evaluation.troubles.append(Trouble(entry.item.link_id, what, formula.error))
            return None
        if self.stale and formula.names() & LOOKS_BACK:
            self.evaluation.forget()
            self.stale = False
        rows = next((place.memo[ROWS] for place in _upwards(entry) if place.memo and ROWS in place.memo), None)
        if isinstance(rows, Lacking):
            if formula.use.focus or "context" in formula.names():
                return None
            rows = None
        extra = {} if rows is None else {"context": rows}
        return self.evaluation.items(formula, entry, what, extra, rows)

    def fill(self, entry: Entry) -> list[Entry]:
        """Answers an entry; where each answer has parts of its own, the further entries for the further answers."""
        item, added = entry.item, list[Entry]()
        if not item.is_question:
            self.observe(entry)
            return added
        answers, origin = self.worked_out(entry)
        if not answers:
            entry.answers = fixed_answers(item)
            if item.initial_formula is not None and item.initial_formula.names() & LOOKS_BACK:
                self.waiting.append(entry)
        elif item.instanced and entry.parent is not None and len(entry.parent.all(item)) == 1:
            entry.answers = [marked(answers[0], origin)]
            for answer in answers[1:]:
                added.append(entry.parent.add(item))
                added[-1].answers = [marked(answer, origin)]
        else:
            entry.answers = [marked(answer, origin) for answer in answers]
        self.stale = self.stale or bool(entry.answers)
        return added

    def worked_out(self, entry: Entry) -> tuple[list[Json], Origin]:
        """What an expression or an earlier observation says, and where that comes from."""
        item = entry.item
        if item.initial_formula is not None:
            found = self.evaluated(item.initial_formula, entry, "initialExpression") or []
            found = resources(found, matches=True) if item.initial_formula.is_query else found
            given = self.evaluation.plainly(found, entry, "initialExpression") or []
            results = [one for result in given if (one := measured(item, result)) is not None]
            if len(results) < len(given):
                self.evaluation.troubles.append(Trouble(item.link_id, "initialExpression", "it is in another unit"))
            answers = to_answers(item, results, self.form.value_sets)
            if not answers and any(result not in ("", None) for result in results):
                self.evaluation.troubles.append(
                    Trouble(item.link_id, "initialExpression", "it gives no answer to this")
                )
            if answers:
                looked = any(place.memo for place in _upwards(entry)) or leads_out(item.initial_formula, entry)
                return answers, self.origin("expression", item.initial_formula.text, looked=looked)
        if (observed := self.observe(entry)) is not None:
            value, observation = observed
            source = f"Observation/{observation.get('id') or ''}"
            told = self.origin("observation", source, of=observations.true_on(observation))
            return to_answers(item, [value], self.form.value_sets), told
        return [], Origin("initial")

    def origin(self, how: str, source: str, *, of: str = "", looked: bool = True) -> Origin:
        """Where an answer comes from; with the time and place of reading where something was `looked` up for it."""
        if not looked:
            return Origin(how, source)
        found = self.context.read() if self.context.read else (self.context.now, "")
        if found is None:  # nothing was read
            return Origin(how, source)
        at, where = found
        return Origin(how, source, at.isoformat(timespec="seconds"), where, of)

    def observe(self, entry: Entry) -> tuple[Any, Json] | None:
        """The earlier observation that an item asks for; what stands under it is then about that one."""
        item = entry.item
        if ext.value(item.extensions, "observationLinkPeriod") is None or is_about_another(item):
            return None
        around = next((place.memo[PANEL] for place in _upwards(entry) if place.memo and PANEL in place.memo), None)
        found = observations.latest(
            item,
            self.context,
            lambda value: bool(to_answers(item, [value], self.form.value_sets)),
            lambda why: self.lacks(item, why),
            around[0] if around else None,
        )
        if found is not None and item.children:
            entry.memo = {**(entry.memo or {}), PANEL: [found[1]]}
        return found

    def lacks(self, item: Item, why: str) -> None:
        self.evaluation.troubles.append(Trouble(item.link_id, "observationLinkPeriod", why))


ROUNDS = 4
"""How long a chain of questions, each filled in from the one after it, is followed."""
ROWS, PANEL = "", "."
"""The keys of an entry's memo that hold what its population context found (under its name it is a variable), and the
observation it is about."""
INSIDE = frozenset({"resource", "rootResource", "questionnaire", "qitem", "ucum", "sct", "loinc"})
"""Names that stand for nothing outside of the form and its answers."""
LOOKS_BACK = frozenset({"resource", "rootResource", "context", "QuestionnaireResponse"})


Rows = list[Any] | Lacking


def leads_out(formula: Formula, entry: Entry) -> bool:
    """Whether the formula, or a variable that it names, asks for more than the form and what is already answered."""
    declared = {name: each.formula for place in (*_upwards(entry),)[::-1] for name, each in place.item.named.items()}
    seen: set[str] = set()
    waiting = [formula]
    while waiting:
        each = waiting.pop()
        names = each.names() - INSIDE - seen
        if each.is_query or names - declared.keys():
            return True
        seen |= names
        waiting += [declared[name] for name in names]
    return False


def _memo(formula: Formula, rows: Rows) -> dict[str, Rows]:
    return {ROWS: rows, **({formula.name: rows} if formula.name else {})}


def _upwards(entry: Entry) -> Iterator[Entry]:
    current: Entry | None = entry
    while current is not None:
        yield current
        current = current.parent
