"""Is what was answered complete and allowed: each question by its type and limits, each part by its rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .addresses import name_of
from .answers import Entry
from .bounds import Limits, limits
from .check_objects import Finding
from .check_values import value_issues
from .conditions import truth
from .evaluation import Evaluation
from .issues import Issue, Trouble
from .items import Item, Rule
from .nodes import locked, required
from .options import Option, allowed, options
from .origins import own_words
from .paging import PageLayout
from .speaking import say
from .words import localised


def check(evaluation: Evaluation, layouts: list[PageLayout], whole: bool) -> list[Issue]:
    """Every issue of these pages (all of the form's, with its own rules, when `whole`)."""
    found: list[Issue] = []
    if whole:
        for item in evaluation.form.root.children:
            found.extend(_item(evaluation, evaluation.top, item))
        found.extend(_rules(evaluation, evaluation.top))
        return found if evaluation.given else _said_once(evaluation, found)
    for layout in layouts:
        top = evaluation.top
        for group in layout.trail:
            top = top.one(group)
        for item in layout.roots:
            found.extend(_item(evaluation, top, item))
    return _said_once(evaluation, found)


def _said_once(evaluation: Evaluation, found: list[Issue]) -> list[Issue]:
    """A part need not be asked for where a question in it is: one answer puts both right."""
    asked = [evaluation.form.by_link[issue.link_id] for issue in found if issue.code in ("required", "group-required")]
    around = {above.link_id for item in asked for above in item.ancestors() if above is not item}
    return [issue for issue in found if issue.code != "group-required" or issue.link_id not in around]


def _item(evaluation: Evaluation, parent: Entry, item: Item) -> Iterator[Issue]:
    if item.type == "display":
        return
    entries = [entry for entry in parent.all(item) if evaluation.enabled(entry)]
    if not entries:
        return
    if item.instanced:
        yield from _instances(evaluation, entries)
    for entry in entries:
        if entry.checked is None:
            entry.checked = tuple(_entry(evaluation, entry))
        yield from entry.checked


def _entry(evaluation: Evaluation, entry: Entry) -> Iterator[Issue]:
    """Of the entry and all that stands in it."""
    item = entry.item
    if not item.is_group:
        yield from _question(evaluation, entry)
    elif _lacks(evaluation, entry):
        yield _issue(entry, "group-required")
    if evaluation.given and not entry.places:
        return  # what a response from elsewhere leaves out as a whole lacks nothing inside
    for child in item.children:
        yield from _item(evaluation, entry, child)
    yield from _rules(evaluation, entry)


def _lacks(evaluation: Evaluation, group: Entry) -> bool:
    """Whether a part that must be answered is not; of repeating parts all together are looked at."""
    if group.item.instanced or not required(evaluation, group) or _out_of_reach(group):
        return False
    return not _answered(evaluation, group) and (evaluation.given or _answerable(evaluation, group))


def _answerable(evaluation: Evaluation, entry: Entry) -> bool:
    """Whether there is a question in it that a person can answer."""
    if not entry.item.is_group:
        return _in_reach(evaluation, entry)
    return not _out_of_reach(entry) and any(
        evaluation.enabled(inner) and _answerable(evaluation, inner)
        for child in entry.item.children
        if child.type != "display"
        for inner in entry.all(child)
    )


def _in_reach(evaluation: Evaluation, entry: Entry) -> bool:
    """Whether a person could answer it here: it can be seen, is not calculated and not read-only. What must be answered
    and cannot be is told to staff, for it must not stop the patient; of a response from elsewhere it is missing all the same."""
    if _out_of_reach(entry):
        return False
    if not evaluation.given and locked(evaluation, entry):
        evaluation.troubles.append(Trouble(entry.item.link_id, "required", "read-only, and nothing filled it in"))
        return False
    return True


def _answered(evaluation: Evaluation, entry: Entry) -> bool:
    """Whether an enabled question in it has an answer."""
    return bool(entry.answers) or any(
        evaluation.enabled(inner) and _answered(evaluation, inner)
        for listed in list(entry.children.values())
        for inner in listed
    )


def _instances(evaluation: Evaluation, entries: list[Entry]) -> Iterator[Issue]:
    """How often a repeating part (or a question with parts of its own) is filled in."""
    filled = sum(1 for entry in entries if _answered(evaluation, entry))
    first, limit = entries[0], limits(evaluation, entries[0])
    asked = required(evaluation, first) and (evaluation.given or _answerable(evaluation, first))
    if filled == 0 and asked:
        yield _issue(first, "group-required" if first.item.is_group else "required")
        return
    if evaluation.given and first.item.is_group:
        filled = sum(1 for entry in entries if entry.places)  # how often it appears, filled in or not
    if filled < limit.min_occurs and (filled or asked):
        yield _issue(first, "too-few", min=limit.min_occurs, of="part" if first.item.is_group else "")
    if limit.max_occurs is not None and filled > limit.max_occurs:
        yield _issue(first, "too-many", max=limit.max_occurs, of="part" if first.item.is_group else "")


def _question(evaluation: Evaluation, entry: Entry) -> Iterator[Issue]:
    item, limit = entry.item, limits(evaluation, entry)
    if not item.instanced:
        yield from _count(evaluation, entry, limit)
    elif len(entry.answers) > 1:
        yield _issue(entry, "not-repeating")
    if not entry.answers:
        return
    offered = options(evaluation, entry)
    fixed = not evaluation.given and not item.calculated and locked(evaluation, entry)
    for index, answer in enumerate(entry.answers):
        if item.toggles and not allowed(evaluation, entry, answer):
            found: Iterable[Finding] = [
                ("option-off", "error", {"label": say(own_words(answer), evaluation.context.language)})
            ]
        else:
            found = value_issues(evaluation, item, limit, answer, offered)
        for code, severity, params in found:
            if fixed:  # whoever fills in the form cannot put it right
                evaluation.troubles.append(Trouble(item.link_id, code, "a read-only answer is not as the form asks"))
                continue
            yield Issue(name_of(entry), item.link_id, code, severity, params, place_of(entry, index))
    yield from _exclusive(entry, offered)


def _count(evaluation: Evaluation, entry: Entry, limit: Limits) -> Iterator[Issue]:
    count = len(entry.answers)
    if count == 0:
        if required(evaluation, entry) and _in_reach(evaluation, entry) and not _unanswerable(evaluation, entry):
            yield _issue(entry, "required")
        elif entry.bare and limit.min_occurs and not _out_of_reach(entry):
            yield _issue(entry, "too-few", min=limit.min_occurs)
    elif not entry.item.repeats and count > 1:
        yield _issue(entry, "not-repeating")
    elif entry.item.repeats and count < limit.min_occurs:
        yield _issue(entry, "too-few", min=limit.min_occurs)
    elif limit.max_occurs is not None and count > limit.max_occurs:
        yield _issue(entry, "too-many", max=limit.max_occurs)


def _out_of_reach(entry: Entry) -> bool:
    """Calculated or never shown: nobody could answer it."""
    return entry.item.calculated or any(item.hidden for item in entry.item.ancestors())


def _unanswerable(evaluation: Evaluation, entry: Entry) -> bool:
    """A choice whose list could not be had, or has nothing in it, must not stop the patient: staff are told."""
    item = entry.item
    if item.type != "choice" or item.open or options(evaluation, entry):
        return False
    if evaluation.form.value_sets.elsewhere(item):
        evaluation.troubles.append(Trouble(item.link_id, "answerValueSet", "the list of answers could not be had"))
        return True
    if not evaluation.given:
        evaluation.troubles.append(Trouble(item.link_id, "required", "there is no answer to choose from"))
    return not evaluation.given


def _exclusive(entry: Entry, offered: list[Option]) -> Iterator[Issue]:
    if len(entry.answers) < 2:
        return
    for option in offered:
        if option.exclusive and option.selected:
            yield _issue(entry, "exclusive", label=str(option.label))


def _rules(evaluation: Evaluation, entry: Entry) -> Iterator[Issue]:
    if entry.item.is_question and not entry.answers:
        return
    for rule in entry.item.rules:
        result = evaluation.evaluate(rule.formula, entry, f"targetConstraint {rule.key}".strip())
        if result is None and evaluation.given:  # of our own pages staff are told
            yield _issue(entry, "rule-unchecked", "warning")
        elif result and not truth(result):
            yield from _broken(evaluation, entry, rule)


def _broken(evaluation: Evaluation, entry: Entry, rule: Rule) -> Iterator[Issue]:
    language = evaluation.context.language
    text = localised(rule.human, "valueString", language) or localised(rule.human, "valueMarkdown", language)
    places = [entry]
    for location in rule.locations:
        target = _located(evaluation, location)
        if target is not None and entry.item in target.ancestors():
            places = entry.below(target)
    for place in places[:1]:
        yield Issue(
            name_of(place) if place.parent else "",
            place.item.link_id,
            "rule",
            rule.severity,
            {"text": text or rule.key},
            place_of(place),
        )


def _located(evaluation: Evaluation, location: str) -> Item | None:
    """The item a rule points to: by its linkId, or by FHIRPath that ends in a look-up by one."""
    links = [location, *reversed(_LITERAL.findall(location))]
    return next((item for link in links if (item := evaluation.form.by_link.get(link))), None)


_LITERAL = re.compile(r"'([^']*)'")


def _issue(entry: Entry, code: str, severity: str = "error", **params: object) -> Issue:
    return Issue(name_of(entry), entry.item.link_id, code, severity, params, place_of(entry))


def place_of(entry: Entry, answer: int = -1) -> str:
    """The FHIRPath of an entry (or of one of its answers) in the response it was read from; of its parent when it
    stands nowhere there; "" for answers given since."""
    if not entry.places:
        return entry.bare or (place_of(entry.parent) if entry.parent is not None else "")
    return entry.places[answer + 1] if answer + 1 < len(entry.places) else entry.places[0]
