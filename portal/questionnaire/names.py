"""What a %name stands for in an expression: declared, given from outside, or searched for. What could not be looked up has
no value at all: it is never taken for nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal import fhirpath

from .answers import Entry
from .extensions import Json
from .formulas import Formula, filled_query
from .issues import Trouble

if TYPE_CHECKING:
    from .evaluation import Evaluation

PENDING: Any = object()
"""The name is nowhere known: left to the FHIRPath engine to report."""


class NotLooked(Exception):
    """An expression needs what could not be looked up."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A name of which not everything is known. `safe`: what may follow it, as a pattern; then `value` will do."""

    why: str
    value: Any = None
    safe: str = ""

    def read(self, name: str, text: str) -> Any:
        """The value, for an expression that asks only for what is known. Raises NotLooked."""
        uses = re.finditer(rf"%(?:`{re.escape(name)}`|{re.escape(name)}(?![\w-]))", text)
        if self.safe and all(re.match(self.safe, text[use.end() :]) for use in uses):
            return self.value
        raise NotLooked(f"%{name} {self.why}")


UNREAD = r"\s*\.\s*(?:id|resourceType)\b|\s*\Z"
"""Of a resource that is known by its reference only."""


class Names:
    """The names of one evaluation, each worked out once for a state of the answers."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._held: dict[tuple[int, str], Any] = {}

    def forget(self) -> None:
        self._held.clear()

    def value(self, name: str, entry: Entry, formula: Formula) -> Any:
        """Declared in the nearest scope (for the variable itself in that around), else given from outside. Raises NotLooked."""
        found = self._found(name, entry, formula)
        return found.read(name, formula.text) if isinstance(found, Lacking) else found

    def _found(self, name: str, entry: Entry, formula: Formula) -> Any:
        place: Entry | None = entry
        while place is not None:
            given = place.memo.get(name, PENDING) if place.memo else PENDING
            if given is not PENDING:
                return given
            if (variable := place.item.named.get(name)) and variable.formula is not formula:
                return self._declared(variable.formula, name, place)
            place = place.parent
        return self._outside(name)

    def _outside(self, name: str) -> Any:
        context, form = self._evaluation.context, self._evaluation.form
        if name in context.variables:
            return context.variables[name]
        if name in form.source_queries:
            return self._batch(name)
        given = context.launch.get(name)
        if given is not None:
            return Lacking("is known by its reference only", given, UNREAD) if name in context.unread else given
        if name in form.patient_names:
            return Lacking("was not given")
        return [] if name in form.expected_names else PENDING

    def _declared(self, formula: Formula, name: str, place: Entry) -> Any:
        key = (id(place), name)
        if key not in self._held:
            variables = self._evaluation.context.variables
            if formula.is_query and name in variables:
                self._held[key] = variables[name]
            else:
                self._held[key] = []
                found = self._evaluation.items(formula, place, f"variable {name}")
                self._held[key] = Lacking("has no value") if found is None else found
        return self._held[key]

    def _batch(self, name: str) -> Any:
        """The answers to a contained batch of queries: a Bundle of what each gave, in their order."""
        key = (0, f"#{name}")
        if key not in self._held:
            top, queries = self._evaluation.top, self._evaluation.form.source_queries[name]
            found = [self.query(query, top, "sourceQueries") for query in queries]
            entries = [{"resource": one[0]} if one else {"response": {"status": "500"}} for one in found]
            bundle = {"resourceType": "Bundle", "type": "batch-response", "entry": entries}
            known = "|".join(str(number) for number, one in enumerate(found) if one is not None)
            lacking = Lacking(
                "was not answered in full", bundle, rf"\s*\.\s*entry\s*\[\s*(?:{known})\s*\]" if known else ""
            )
            self._held[key] = lacking if None in found else bundle
        return self._held[key]

    def query(self, formula: Formula, entry: Entry, what: str) -> list[Any] | None:
        """What a search gave, or None where it was not answered; said while the form is filled in from what is known."""
        fetch = self._evaluation.context.fetch
        if fetch is None:
            return self.not_looked(entry, what, "nobody is there to answer it")
        holes = [self._evaluation.evaluate(hole, entry, what) or [] for hole in formula.holes]
        query = filled_query(formula, holes)
        if query is None:
            return self.not_looked(entry, what, f"the search lacks a value: {formula.text}")
        found = fetch(query)
        if found is None or found.get("resourceType") == "OperationOutcome":
            return self.not_looked(entry, what, f"could not look: {formula.text}")
        return [found]

    def not_looked(self, entry: Entry, what: str, why: str) -> list[Any] | None:
        if self._evaluation.looking:
            self._evaluation.troubles.append(Trouble(entry.item.link_id, what, why))
        return None


def resources(found: list[Any], *, matches: bool) -> list[Any]:
    """The resources in a Bundle, one by one; anything else as it is. With `matches` only what a search looked for, without
    what came along; never what a server says about the search itself."""
    listed: list[Any] = []
    for one in found:
        bundle = one.value if isinstance(one, fhirpath.Node) else one
        value = bundle if isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle" else one
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            held = value.get("entry")
            entries = [e for e in (held if isinstance(held, list) else ()) if isinstance(e, dict) and "resource" in e]
            listed.extend(
                e["resource"] for e in entries if _mode(e) not in (("outcome", "include") if matches else ("outcome",))
            )
        else:
            listed.append(value)
    return listed


def _mode(entry: Json) -> str:
    search, resource = entry.get("search"), entry["resource"]
    if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
        return "outcome"
    return str(search.get("mode") if isinstance(search, dict) else "")
