"""The first draft of a form: fixed initial values, expressions over what is known, and earlier observations."""

from __future__ import annotations

from typing import Any

from portal.fhirpath import Node

from . import extensions as ext
from . import observations
from .answers import Entry
from .context import Context
from .converting import to_answers
from .definition import Form
from .evaluation import Evaluation
from .extensions import Json
from .filling import Filling
from .initial import fixed_answers
from .issues import Trouble
from .items import Item
from .origins import Origin, marked
from .response import merged, write_draft


def populate(form: Form, context: Context) -> Json:
    """An in-progress QuestionnaireResponse; each prefilled answer notes where it came from (see origins)."""
    return populated(form, context)[0]


def populated(form: Form, context: Context) -> tuple[Json, list[Trouble]]:
    """The same, with what could not be looked up or worked out."""
    top = Entry(form.root, None)
    evaluation = Evaluation(form, top, context, _base(form, context))
    worker = _Populating(form, evaluation, context)
    worker.children(top)
    draft = merged(None, {**_base(form, context), "item": write_draft(top) or None})
    return Filling(form, draft, context).draft(), evaluation.troubles


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
        self.read = context.now.isoformat(timespec="seconds")

    def children(self, parent: Entry) -> None:
        for item in parent.item.children:
            if item.type != "display":
                for entry in self.places(parent, item):
                    self.fill(entry)
                    self.children(entry)

    def places(self, parent: Entry, item: Item) -> list[Entry]:
        """One entry, or one for each thing the population context found."""
        formula = item.population
        if formula is None:
            return [parent.one(item)]
        found = self.evaluation.items(formula, parent, "itemPopulationContext") or []
        rows = _unbundled(found)
        if not item.instanced:
            entry = parent.one(item)
            entry.memo = {formula.name or "context": rows}
            return [entry]
        entries: list[Entry] = []
        for row in rows:
            entry = parent.add(item)
            entry.memo = {formula.name or "context": [row]}
            entries.append(entry)
        return entries or [parent.one(item)]

    def fill(self, entry: Entry) -> None:
        item = entry.item
        if not item.is_question:
            return
        answers, origin = self.worked_out(entry)
        if not answers:
            entry.answers = fixed_answers(item)
        elif item.instanced and entry.parent is not None and len(entry.parent.all(item)) == 1:
            entry.answers = [marked(answers[0], origin)]
            for answer in answers[1:]:
                entry.parent.add(item).answers = [marked(answer, origin)]
        else:
            entry.answers = [marked(answer, origin) for answer in answers]

    def worked_out(self, entry: Entry) -> tuple[list[Json], Origin]:
        """What an expression or an earlier observation says, and where that comes from."""
        item = entry.item
        if item.initial_formula is not None:
            results = self.evaluation.evaluate(item.initial_formula, entry, "initialExpression") or []
            answers = to_answers(item, results, self.form.value_sets)
            return answers, Origin("expression", item.initial_formula.text, self.read)
        if ext.value(item.extensions, "observationLinkPeriod") is not None:
            found = observations.latest(item, self.context)
            if found is not None:
                results, source = found
                return to_answers(item, results, self.form.value_sets), Origin("observation", source, self.read)
        return [], Origin("initial")


def _unbundled(found: list[Any]) -> list[Any]:
    """The resources in a Bundle, one by one; anything else as it is."""
    rows: list[Any] = []
    for one in found:
        bundle = one.value if isinstance(one, Node) else one
        value = bundle if isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle" else one
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            rows.extend(e["resource"] for e in value.get("entry") or () if isinstance(e, dict) and "resource" in e)
        else:
            rows.append(value)
    return rows
