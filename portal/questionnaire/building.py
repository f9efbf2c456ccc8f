"""From raw items to Item objects: first the tree, then what links one item to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from . import extensions as ext
from . import foreign, invariants, worked_out
from .answers import VALUE_KEYS
from .extensions import Json
from .findings import Findings
from .formulas import Formula, formula, supported
from .items import Condition, Item, Rule, Variable
from .patterns import problem, unchecked

OPERATORS = frozenset({"exists", "=", "!=", ">", "<", ">=", "<="})
FORMULAS = {
    "enableWhenExpression": "enable_formula",
    "calculatedExpression": "calculation",
    "initialExpression": "initial_formula",
    "itemPopulationContext": "population",
    "answerExpression": "answer_formula",
    "candidateExpression": "candidate_formula",
}
DECIDES = ("enableWhenExpression", "calculatedExpression")
"""What a search by itself says nothing for; a variable may hold what it found."""
BOUNDS = ("minValue", "maxValue", "minQuantity", "maxQuantity", "minOccurs", "maxOccurs", "minLength", "maxLength")
DISABLED_DISPLAY = ("disabledDisplay", "extension-Questionnaire.item.disabledDisplay")
"""R5's element as FHIR R4 carries it; `hidden` is what happens anyway."""
ANSWER_CONSTRAINT = "extension-Questionnaire.item.answerConstraint"
"""R5's element as FHIR R4 carries it. A choice of optionsOrType takes other codings, without a code those in own words."""
ONLY_DISPLAYED = ("display", "display-non-empty")
"""Modes (questionnaire-usageMode) of what is seen when a form that was filled in is displayed, and not while it is filled in."""
FLAGS = ("required", "repeats", "readOnly")
KANTA = "http://phr.kanta.fi/StructureDefinition/fiphr-ext-questionnaire-enablewhen"
"""The condition of Finland's national forms: a FHIRPath string over the whole response."""
TEXTS = ("text", "prefix")
WORKED_OUT = frozenset({*BOUNDS, "required", "readOnly", *TEXTS, "title", "description"})
WORDED = ("open-choice", "string", "text")
CHOSEN = ("choice", "boolean", "reference", "attachment", "quantity")
"""Types of which nobody can say in a line what is not among the suggestions (candidateExpression)."""


def build(raw: Json, findings: Findings) -> tuple[Item, list[Item]]:
    """The root item (ordinal 0, the form itself) and every item in document order."""
    root = Item(0, "", "form", raw, None, ext.of(raw))
    _compile(root, findings)
    everything: list[Item] = []
    _children(root, everything, findings)
    return root, everything


def _children(parent: Item, everything: list[Item], findings: Findings) -> None:
    for raw in parent.raw.get("item") or ():
        item = _item(raw, parent, len(everything) + 1)
        everything.append(item)
        parent.children.append(item)
        _compile(item, findings)
        _children(item, everything, findings)
        _settle(item, findings)
    for child in parent.children:
        _settle_path(child)


def _item(raw: Json, parent: Item, ordinal: int) -> Item:
    extensions = ext.of(raw)
    item = Item(ordinal, raw["linkId"], raw["type"], raw, parent, extensions)
    item.controls = ext.codes(extensions, ("itemControl",))
    item.hidden = ext.value(extensions, "hidden") is True or ext.value(extensions, "usageMode") in ONLY_DISPLAYED
    item.required = raw.get("required") is True and item.type != "display"
    item.repeats = raw.get("repeats") is True and item.type != "display"
    item.read_only = raw.get("readOnly") is True
    item.min_occurs = _count(ext.value(extensions, "minOccurs")) or 0
    item.max_occurs = _count(ext.value(extensions, "maxOccurs")) or None
    item.any_condition = raw.get("enableBehavior") == "any"
    constraint = ext.value(extensions, ANSWER_CONSTRAINT)
    item.open = item.type == "open-choice" or constraint in ("optionsOrType", "optionsOrString")
    item.type = "open-choice" if item.type == "choice" and constraint == "optionsOrString" else item.type
    item.keep_shown = "protected" in (raw.get("disabledDisplay"), *(ext.value(extensions, n) for n in DISABLED_DISPLAY))
    return item


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _settle(item: Item, findings: Findings) -> None:
    """What needs the children: whether each repetition is an instance of its own."""
    asked = any(d.is_question for d in item.descendants())
    gathered = bool(item.controls & {"check-box"}) or item.raw.get("answerOption") or item.raw.get("answerValueSet")
    listed = item.raw.get("answerOption") or item.raw.get("answerValueSet") or item.answer_formula
    item.open = item.open or bool(item.candidate_formula and not listed and item.type not in CHOSEN)
    item.instanced = item.repeats and (item.type == "group" or (asked and not gathered))
    if item.initial_formula is not None and item.raw.get("initial"):
        findings.defect(item.link_id, "initial", "both initial and initialExpression; the expression goes first")
    for formula_, name in (
        (item.initial_formula, "initialExpression"),
        (item.candidate_formula, "candidateExpression"),
    ):
        if item.type == "group" and formula_ is not None:
            findings.miss(item.link_id, name, "it stands on a group, which has no answer of its own")
    if item.is_question and item.required and _out_of_sight(item) and not _filled_in(item):
        why = "hidden and required, and the form fills nothing in: it stays without an answer and is not asked for"
        findings.defect(item.link_id, "required-hidden", why)
    if any(not isinstance(said, bool) for said in ext.values(item.extensions, "hidden")):
        findings.miss(
            item.link_id, "hidden", "whether it is hidden is worked out by an expression: here it is always shown"
        )
    if ext.value(item.extensions, ANSWER_CONSTRAINT) == "optionsOrString" and item.type not in WORDED:
        findings.miss(item.link_id, ANSWER_CONSTRAINT, "other answers are taken in the type of the question only")
    invariants.note(item, findings)
    if item.type == "group" and not item.children:
        findings.defect(item.link_id, "que-1", "a group without items")
    if item.type == "display" and asked:
        findings.refuse(item.link_id, "que-1", "a display holds questions; their answers have no place in a response")
    elif item.type == "display" and item.children:
        findings.defect(item.link_id, "que-1", "a display with items")
    if item.type == "display" and (item.raw.get("required") or item.raw.get("repeats")):
        findings.defect(item.link_id, "que-6", "a display that is required or repeats")


def _out_of_sight(item: Item) -> bool:
    return any(each.hidden for each in item.ancestors())


def _filled_in(item: Item) -> bool:
    """Whether the form itself may give an answer without a person."""
    worked_out = item.initial_formula or item.calculation or "observationLinkPeriod" in item.extensions
    chosen = any(option.get("initialSelected") for option in item.raw.get("answerOption") or ())
    return bool(worked_out or item.raw.get("initial") or chosen)


def _settle_path(item: Item) -> None:
    """The repeating ancestors, from the outermost, the item itself included."""
    stack = [item]
    while stack:
        current = stack.pop()
        above = current.parent.instanced_path if current.parent else ()
        current.instanced_path = (*above, current) if current.instanced else above
        if current.parent is not None:
            current.chain = (*current.parent.chain, current)
            current.in_groups = current.parent.in_groups and current.parent.is_group
        stack.extend(current.children)


def _compile(item: Item, findings: Findings) -> None:
    for name, attribute in FORMULAS.items():
        compiled = _formula(item, name, ext.value(item.extensions, name), findings)
        if compiled is not None:
            setattr(item, attribute, compiled)
    if item.enable_formula is None:
        item.enable_formula = _formula(item, "enableWhenExpression", ext.value(item.extensions, KANTA), findings)
    if item.calculation is None:
        item.calculation = _formula(
            item, "cqf-calculatedValue", ext.value(item.extensions, "cqf-calculatedValue"), findings
        )
    if "cqf-expression" in item.extensions:
        findings.miss(
            item.link_id, "cqf-expression", "on an item itself it stands for nothing; initialExpression fills in"
        )
    pattern = ext.value(item.extensions, "regex")
    if isinstance(pattern, str) and (reason := problem(pattern)):
        findings.refuse(item.link_id, "regex", reason)
    elif isinstance(pattern, str) and (reason := unchecked(pattern)):
        findings.miss(item.link_id, "regex", f"{reason}: answers are not checked against it")
    item.variables = tuple(_variables(item, findings))
    item.named = {variable.name: variable for variable in reversed(item.variables)}
    item.rules = tuple(_rules(item, findings))
    item.toggles = tuple(_toggles(item, findings))
    for name in TEXTS if item.type != "form" else ("title", "description"):
        _part(item, name, f"_{name}", item.text_formulas, findings)
    for name in (*BOUNDS, *FLAGS):
        _bound(item, name, findings)
    worked_out.note(item, WORKED_OUT, findings)


def _formula(item: Item, feature: str, expression: Any, findings: Findings) -> Formula | None:
    if expression is None:
        return None
    if isinstance(expression, dict) and not supported(expression.get("language")):
        foreign.note(item, feature, expression["language"], findings)
        return None
    compiled = formula(expression)
    if compiled is None:
        findings.miss(item.link_id, feature, "it holds no expression")
        return None
    if compiled.is_query and feature in DECIDES:
        _broken(item, feature, "a search finds resources, which are neither an answer nor a yes or no", findings)
        return None
    if compiled.error:
        _broken(item, feature, compiled.error, findings)
    return compiled


def _broken(item: Item, feature: str, why: str, findings: Findings) -> None:
    """A condition that cannot be read would show or hide the wrong thing; anything else is left out and said."""
    if feature == "enableWhenExpression":
        findings.refuse(item.link_id, "expression", f"{feature} cannot be read: {why}")
    else:
        findings.miss(item.link_id, feature, f"the expression cannot be read: {why}")


def _variables(item: Item, findings: Findings) -> Iterator[Variable]:
    for expression in ext.values(item.extensions, "variable"):
        compiled = _formula(item, "variable", expression, findings)
        if compiled is not None and compiled.name:
            yield Variable(compiled.name, compiled, item)
        elif isinstance(expression, dict) and not supported(expression.get("language")):
            findings.unheard_names.add(str(expression.get("name")))


def _rules(item: Item, findings: Findings) -> Iterator[Rule]:
    for extension in (*item.extensions.get("targetConstraint", ()), *item.extensions.get("constraint", ())):
        expression = ext.part(extension, "expression")
        if isinstance(expression, str):
            expression = {"language": "text/fhirpath", "expression": expression}
        compiled = _rule_formula(item, expression, findings)
        if compiled is None:
            continue
        severity = "warning" if ext.part(extension, "severity") == "warning" else "error"
        human: Json = next((i for i in ext.inner(extension) if i.get("url") == "human"), {})
        places = tuple(str(place) for place in ext.parts(extension, "location"))
        yield Rule(str(ext.part(extension, "key") or ""), compiled, severity, human, places)


def _rule_formula(item: Item, expression: Any, findings: Findings) -> Formula | None:
    """Rules only warn or stop at the end: one that cannot be read is said, and never breaks the form."""
    if isinstance(expression, dict) and not supported(expression.get("language")):
        foreign.note(item, "targetConstraint", expression["language"], findings)
        return None
    compiled = formula(expression)
    if compiled is None or compiled.error:
        findings.miss(item.link_id, "targetConstraint", compiled.error if compiled else "it holds no expression")
        return None
    return compiled


def _toggles(item: Item, findings: Findings) -> Iterator[tuple[tuple[Json, ...], Formula]]:
    for extension in item.extensions.get("answerOptionsToggleExpression", ()):
        compiled = _formula(item, "answerOptionsToggleExpression", ext.part(extension, "expression"), findings)
        options = tuple(
            {key: value for key, value in inner.items() if key.startswith("value")}
            for inner in ext.inner(extension)
            if inner.get("url") == "option"
        )
        if compiled is not None and not compiled.error:
            yield options, compiled


def _part(item: Item, name: str, twin: str, into: dict[str, Formula], findings: Findings) -> None:
    if twin not in item.raw:
        return
    extensions = ext.of(item.raw.get(twin))
    expression = ext.value(extensions, "cqf-expression") or ext.value(extensions, "cqf-calculatedValue")
    compiled = _formula(item, f"cqf-expression of {name}", expression, findings)
    if compiled is not None and not compiled.error:
        into[name] = compiled


def _bound(item: Item, name: str, findings: Findings) -> None:
    """minValue and its kin may carry an expression instead of a value, on the extension's value or beside it."""
    _part(item, name, f"_{name}", item.bounds, findings)
    for extension in item.extensions.get(name, ()):
        twins = [value for key, value in extension.items() if key.startswith("_value")]
        twins += [value for key, value in extension.items() if key.startswith("value") and isinstance(value, dict)]
        for twin in [extension, *twins]:
            expression = ext.value(ext.of(twin), "cqf-expression") or ext.value(ext.of(twin), "cqf-calculatedValue")
            compiled = _formula(item, f"cqf-expression of {name}", expression, findings)
            if compiled is not None and not compiled.error:
                item.bounds[name] = compiled


def connect(items: list[Item], by_link: dict[str, Item], findings: Findings) -> None:
    """Resolve every enableWhen to the item it asks about."""
    for item in items:
        listed = item.raw.get("enableWhen") or ()
        item.conditions = tuple(_conditions(item, listed, by_link, findings))
        if item.parent is not None and item.parent.keep_shown and not (listed or item.enable_formula):
            item.keep_shown = True  # what stands in a part that stays visible is seen with it
        if len(listed) > 1 and item.raw.get("enableBehavior") not in ("all", "any"):
            _unsaid_behaviour(item, findings)


def _unsaid_behaviour(item: Item, findings: Findings) -> None:
    """All or any is not said (que-12). Of several answers to a question that takes one, only any can be meant."""
    asked, *others = {condition.question for condition in item.conditions} or {item}
    shared = asked.instanced_path == item.instanced_path[: len(asked.instanced_path)]
    if others or asked.repeats or not shared or {condition.operator for condition in item.conditions} != {"="}:
        findings.refuse(item.link_id, "que-12", "several enableWhen without enableBehavior: all or any is not said")
        return
    item.any_condition = True
    said = f"several answers to {asked.link_id!r} without enableBehavior: it takes one answer, so any of them is meant"
    findings.defect(item.link_id, "que-12", said)


def _conditions(
    item: Item, listed: Iterable[Json], by_link: dict[str, Item], findings: Findings
) -> Iterator[Condition]:
    for raw in listed:
        target = by_link.get(str(raw.get("question")))
        kind, answer = next(((k, v) for k, v in raw.items() if k.startswith("answer")), ("", None))
        problem = _condition_problem(item, raw, target, kind, answer)
        if problem or target is None:
            findings.refuse(item.link_id, "enable-when", problem)
        else:
            yield Condition(target, raw["operator"], kind, answer)


def _condition_problem(item: Item, raw: Json, target: Item | None, kind: str, answer: Any) -> str:
    if target is None:
        return f"enableWhen looks at {raw.get('question')!r}, which is not a question of this form"
    if target is item:
        return "enableWhen looks at the item itself"
    if raw.get("operator") not in OPERATORS:
        return f"{raw.get('operator')!r} is not an operator of enableWhen"
    if f"value{kind[6:]}" not in VALUE_KEYS:
        return f"enableWhen on {target.link_id!r} has no answer to compare with"
    if sum(f"value{key[6:]}" in VALUE_KEYS for key in raw if key.startswith("answer")) > 1:
        return f"enableWhen on {target.link_id!r} has several answers to compare with"
    if raw["operator"] == "exists" and not isinstance(answer, bool):
        return "the operator exists needs a boolean answer (que-7)"
    return ""
