"""Rules of FHIR R4 for an item (que-3 … que-13) that do not change how it is asked: said to the author, not held against the form."""

from __future__ import annotations

from collections.abc import Iterator

from . import extensions as ext
from .findings import Findings
from .items import Item

SIMPLE = frozenset({"boolean", "decimal", "integer", "string", "text", "url", "open-choice"})
LISTED = frozenset({"choice", "open-choice"})
EXPRESSIONS = (
    "variable",
    "initialExpression",
    "calculatedExpression",
    "enableWhenExpression",
    "answerExpression",
    "candidateExpression",
    "itemPopulationContext",
)


def note(item: Item, findings: Findings) -> None:
    for code, reason in _broken(item):
        findings.defect(item.link_id, code, reason)


def _broken(item: Item) -> Iterator[tuple[str, str]]:
    raw, kind = item.raw, item.type
    initial = raw.get("initial") or ()
    if kind == "display" and raw.get("code"):
        yield "que-3", "a display with a code"
    if raw.get("answerOption") and raw.get("answerValueSet"):
        yield "que-4", "both answerOption and answerValueSet; the options written in the form are offered"
    if raw.get("answerValueSet") and kind not in LISTED:
        yield "que-5", f"an answerValueSet on a {kind}"
    if initial and kind in ("group", "display"):
        yield "que-8", f"an initial value on a {kind}, which takes none"
    if "readOnly" in raw and kind == "display":
        yield "que-9", "readOnly on a display"
    if "maxLength" in raw and kind not in SIMPLE:
        yield "que-10", f"maxLength on a {kind}"
    if initial and raw.get("answerOption"):
        yield "que-11", "initial beside answerOption; the option should be marked with initialSelected"
    for name in EXPRESSIONS:
        if any(not isinstance(ext.value_of(one), dict) for one in item.extensions.get(name, ())):
            yield "extension-type", f"the extension {name} holds no Expression; it is passed over"
    if len(initial) > 1 and not raw.get("repeats"):
        yield "que-13", "several initial values where the question does not repeat; the first is taken"
