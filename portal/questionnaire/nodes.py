"""What a page draws: the enabled, visible items in order, each with its words, options and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from . import extensions as ext
from .addresses import index_of, name_of
from .answers import Entry
from .bounds import Limits, limits
from .controls import ABSORBED, control
from .evaluation import Evaluation
from .extensions import Json
from .issues import Issue
from .items import Item
from .options import Option, _plain, chosen, offered, units_of
from .origins import ABSENT_REASONS, Origin, origin
from .paging import PageLayout
from .richtext import Text, unmarked
from .texts import hint, text_of
from .units import units_open
from .words import localised

SUBLABEL = "http://helsenorge.no/fhir/StructureDefinition/sdf-sublabel"
REPEATS_TEXT = "http://ehelse.no/fhir/StructureDefinition/repeatstext"
"""Words of Norway's national forms for what SDC has no place for: a line under the question, the button that adds one."""


MOST_LANGUAGES = 16
SUPPORT = ("supportLink", "supportHyperlink")


@dataclass(slots=True)
class Node:
    """One thing to draw. `name` is its field name; `answers` are FHIR answers; `slots` how many inputs to draw."""

    item: Item
    name: str
    link_id: str
    type: str
    control: str
    text: Text = ""
    prefix: str = ""
    help: Text = ""
    flyover: Text = ""
    legal: Text = ""
    unit: str = ""
    prompt: Text = ""
    lower: Text = ""
    upper: Text = ""
    instruction: Text = ""
    add_label: str = ""
    entry_format: str = ""
    short_text: str = ""
    open_label: str = ""
    category: str = ""
    required: bool = False
    read_only: bool = False
    repeats: bool = False
    calculated: bool = False
    disabled: bool = False
    min_occurs: int = 0
    max_occurs: int | None = None
    limits: Limits = field(default_factory=Limits)
    options: list[Option] = field(default_factory=list)
    open: bool = False
    lookup: bool = False
    units: list[Option] = field(default_factory=list)
    unit_open: bool = False
    absent: list[Option] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)
    slots: int = 1
    issues: list[Issue] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    instance: int | None = None
    instances: int = 0
    can_add: bool = False
    can_remove: bool = False
    orientation: str = ""
    columns: int = 0
    width: str = ""
    collapsible: str = ""
    keyboard: str = ""
    media: Json | None = None
    links: list[str] = field(default_factory=list)
    signature: bool = False
    origin: Origin | None = None
    entry: Entry | None = field(default=None, repr=False)


_FIELDS = tuple(each.name for each in fields(Node))
_VALUES = attrgetter(*_FIELDS)
_NAME, _OPTIONS, _ANSWERS, _ISSUES, _CHILDREN, _ORIGIN, _ENTRY = map(
    _FIELDS.index, ("name", "options", "answers", "issues", "children", "origin", "entry")
)


def draw(evaluation: Evaluation, layout: PageLayout, issues: Iterable[Issue] = ()) -> list[Node]:
    """The nodes of a page; `issues` are put on the nodes they name."""
    top = evaluation.top
    for group in layout.trail:
        top = top.one(group)
    by_name: dict[str, list[Issue]] = {}
    for issue in issues:
        by_name.setdefault(issue.name, []).append(issue)
    return [node for item in layout.roots for node in _item(evaluation, top, item, by_name)]


def asked(evaluation: Evaluation, layout: PageLayout) -> list[Node]:
    """The questions of a page as `draw` gives them, without what stands in them."""
    top = evaluation.top
    for group in layout.trail:
        top = top.one(group)
    return [node for item in layout.roots for node in _asked(evaluation, top, item)]


def _asked(evaluation: Evaluation, parent: Entry, item: Item) -> Iterator[Node]:
    if item.hidden or item.type == "display":
        return
    for entry in parent.all(item):
        enabled = evaluation.enabled(entry)
        if not (enabled or item.keep_shown):
            continue
        if item.is_question:
            yield _made(evaluation, entry, {}, [])
        for child in item.children:
            yield from _asked(evaluation, entry, child)


def questions(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every question among the nodes, in order, however deep."""
    for node in nodes:
        if node.item.is_question:
            yield node
        yield from questions(node.children)


Issues = dict[str, list[Issue]]


def _item(evaluation: Evaluation, parent: Entry, item: Item, issues: Issues) -> Iterator[Node]:
    """No node, one, or one for each repetition. A part in which nothing applies now has no heading either."""
    if item.hidden or absorbed(item):
        return
    made = [
        _node(evaluation, entry, issues) for entry in parent.all(item) if evaluation.enabled(entry) or item.keep_shown
    ]
    if any(node.children or node.issues for node in made) or not _has_parts(item):
        yield from made


def _has_parts(item: Item) -> bool:
    """Whether it is a group in which something can be seen once it applies."""
    return item.type == "group" and not all(child.hidden or absorbed(child) for child in item.children)


def absorbed(item: Item) -> bool:
    """Whether it is drawn as a part of the item that it stands in: its help, its unit …"""
    return (
        item.type == "display"
        and bool(item.controls & set(ABSORBED))
        and item.parent is not None
        and bool(item.parent.ordinal)
    )


def _node(evaluation: Evaluation, entry: Entry, issues: Issues) -> Node:
    inner = [made for child in entry.item.children for made in _item(evaluation, entry, child, issues)]
    return _made(evaluation, entry, issues, inner)


def _made(evaluation: Evaluation, entry: Entry, issues: Issues, inner: list[Node]) -> Node:
    item, name, answers = entry.item, name_of(entry), entry.answers
    known: dict[int, tuple[Any, ...] | None] = evaluation.form.cache("nodes", evaluation.context.language)
    if item.ordinal not in known:
        known[item.ordinal] = _VALUES(_bare(evaluation, entry)) if _is_usual(evaluation, item) else None
    values = list(known[item.ordinal] or _VALUES(_bare(evaluation, entry)))
    values[_NAME], values[_ANSWERS], values[_ENTRY] = name, list(answers), entry
    values[_ISSUES], values[_OPTIONS] = issues.get(name, []), chosen(values[_OPTIONS], answers)
    values[_ORIGIN] = next((found for answer in answers if (found := origin(answer))), None) if answers else None
    values[_CHILDREN] = inner
    node = Node(*values)
    _parts(evaluation, node, entry)
    _repetition(node, entry)
    node.disabled = not evaluation.enabled(entry)
    node.read_only = node.read_only or node.disabled
    return node


def _bare(evaluation: Evaluation, entry: Entry) -> Node:
    """What its answers do not change."""
    item, language = entry.item, evaluation.context.language
    listed = offered(evaluation, entry) if item.is_question else []
    lookup = not listed and bool(evaluation.form.value_sets.elsewhere(item)) and item.type != "open-choice"
    bounds = limits(evaluation, entry)
    node = Node(
        item=item,
        name="",
        link_id=item.link_id,
        type=item.type,
        control=control(item, len(listed), lookup),
        text=text_of(evaluation, entry, "text"),
        prefix=unmarked(text_of(evaluation, entry, "prefix")),
        required=required(evaluation, entry),
        read_only=locked(evaluation, entry),
        repeats=item.repeats,
        calculated=item.calculated,
        limits=bounds,
        min_occurs=bounds.min_occurs,
        max_occurs=bounds.max_occurs,
        options=listed,
        open=item.open and bool(listed or item.type == "open-choice"),
        lookup=lookup,
        units=units_of(evaluation, item),
        unit_open=units_open(item),
    )
    for name, value in _looks(item, language).items():
        setattr(node, name, value)
    return node


def _is_usual(evaluation: Evaluation, item: Item) -> bool:
    """Whether it is the same for everybody: nothing of it is worked out, and no list of it is kept elsewhere."""
    worked_out = item.text_formulas or item.bounds or item.toggles or item.answer_formula or item.candidate_formula
    above = any("readOnly" in each.bounds for each in item.ancestors())
    elsewhere = evaluation.form.value_sets.elsewhere(item) or ext.value(item.extensions, "unitValueSet")
    return not (worked_out or above or elsewhere)


def required(evaluation: Evaluation, entry: Entry) -> bool:
    formula = entry.item.bounds.get("required")
    if formula is None:
        return entry.item.required
    result = evaluation.evaluate(formula, entry, "required")
    return entry.item.required if result is None else result == [True]


def locked(evaluation: Evaluation, entry: Entry) -> bool:
    """Whether a person may not change it: read-only itself, in a read-only part, or calculated."""
    if entry.item.calculated:
        return True
    formula = entry.item.bounds.get("readOnly")
    if formula is not None and evaluation.evaluate(formula, entry, "readOnly") == [True]:
        return True
    return any(item.read_only for item in entry.item.ancestors())


def _looks(item: Item, language: str) -> dict[str, Any]:
    kept: dict[str, dict[str, Any]] = item.kept.setdefault("looks", {})
    if language not in kept:
        if len(kept) > MOST_LANGUAGES:
            kept.clear()
        kept[language] = {name: value for name, value in _said(item, language).items() if value}
    return kept[language]


def _said(item: Item, language: str) -> dict[str, Any]:
    found = item.extensions
    width, coding = ext.value(found, "width"), ext.value(found, "unit")
    return {
        "entry_format": hint(item, "entryFormat", language),
        "short_text": hint(item, "shortText", language),
        "open_label": hint(item, "openLabel", language),
        "instruction": hint(item, "instruction", language) or hint(item, SUBLABEL, language),
        "add_label": hint(item, REPEATS_TEXT, language),
        "orientation": str(ext.value(found, "choiceOrientation") or ""),
        "columns": _whole(ext.value(found, "columnCount")),
        "collapsible": str(ext.value(found, "collapsible") or ""),
        "keyboard": str(_code(ext.value(found, "keyboard")) or ""),
        "category": next(iter(sorted(ext.codes(found, ("displayCategory",)))), ""),
        "media": ext.value(found, "itemMedia"),
        "links": [link for name in SUPPORT for link in ext.values(found, name) if isinstance(link, str)],
        "signature": bool(found.get("signatureRequired")),
        "width": f"{width['value']}{width.get('code') or '%'}" if isinstance(width, dict) and "value" in width else "",
        "unit": localised(coding, "display", language) or str(coding.get("code") or "")
        if isinstance(coding, dict)
        else "",
        "absent": absent_options(item, language),
    }


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _code(value: Any) -> Any:
    return value.get("code") if isinstance(value, dict) else value


def _parts(evaluation: Evaluation, node: Node, entry: Entry) -> None:
    """The displays that belong to this item: help, flyover, legal, unit …"""
    for child in entry.item.children:
        if not absorbed(child):
            continue
        inner = entry.one(child)
        if evaluation.enabled(inner):
            text = text_of(evaluation, inner, "text")
            for code in child.controls & set(ABSORBED):
                setattr(node, code, getattr(node, code) or text)


def absent_options(item: Item, language: str) -> list[Option]:
    """The data-absent-reasons ("don't know", "prefer not to say") that the form offers beside a question that is no choice."""
    codings = [
        coding
        for concept in ext.values(item.extensions, ABSENT_REASONS)
        if isinstance(concept, dict)
        for coding in concept.get("coding") or [concept]
    ]
    return [_plain({"valueCoding": coding}, language) for coding in codings]


def _repetition(node: Node, entry: Entry) -> None:
    item = entry.item
    if not item.repeats:
        return
    most = node.max_occurs
    if item.instanced:
        siblings = entry.parent.all(item) if entry.parent else [entry]
        node.instance, node.instances = index_of(entry), len(siblings)
        node.can_add = not node.read_only and (most is None or len(siblings) < most)
        node.can_remove = not node.read_only and len(siblings) > max(1, node.min_occurs)
    elif node.control not in ("checkboxes", "radios"):
        node.slots = max(1, len(entry.answers) + entry.blanks, node.min_occurs)
        node.can_add = not node.read_only and (most is None or node.slots < most)
        node.can_remove = not node.read_only and node.slots > max(1, node.min_occurs)
