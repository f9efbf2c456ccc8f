"""What changed from one version of a form to the next, question by question, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from portal.fhir import exact
from portal.library.moving import moved
from portal.questionnaire import Form, Item
from portal.questionnaire import extensions as ext
from portal.questionnaire.items import Condition
from portal.questionnaire.migrate import changed
from portal.questionnaire.speaking import say
from portal.questionnaire.words import languages, localised

Json = dict[str, Any]
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
MOST_NAMED = 8
LONG = 200


@dataclass(frozen=True)
class Difference:
    """One question (or text, or group) that is not as it was. `again`: open drafts are asked this again when they move over."""

    link_id: str
    text: str
    kind: str
    type: str
    words: list[str] = field(default_factory=list)
    again: bool = False


@dataclass(frozen=True)
class Comparison:
    """`head` says what changed about the form as a whole."""

    head: list[str]
    items: list[Difference]

    @property
    def same(self) -> bool:
        return not self.head and not self.items

    @property
    def again(self) -> list[Difference]:
        return [each for each in self.items if each.again]


def compare(before: Form, after: Form) -> Comparison:
    found = [_added(item) for item in after.all_items if item.link_id not in before.by_link]
    found += [_removed(item) for item in before.all_items if item.link_id not in after.by_link]
    looks = (_words, _type, _flags, partial(_options, before, after), _conditions, _limits, _rest)
    elsewhere = moved(before, after)
    for new in after.all_items:
        old = before.by_link.get(new.link_id)
        words = [said for look in looks for said in look(old, new)] if old else []
        words += ["It stands at another place."] if new.link_id in elsewhere else []
        again = old is not None and new.is_question and bool(changed(before, after, new))
        if words or again:
            found.append(Difference(new.link_id, _text(new), CHANGED, new.type, words, again))
    place = {item.link_id: item.ordinal for item in [*before.all_items, *after.all_items]}
    return Comparison(_head(before, after), sorted(found, key=lambda each: place[each.link_id]))


def _added(item: Item) -> Difference:
    return Difference(item.link_id, _text(item), ADDED, item.type, [], item.is_question)


def _removed(item: Item) -> Difference:
    return Difference(item.link_id, _text(item), REMOVED, item.type)


def _text(item: Item) -> str:
    return localised(item.raw, "text", "") or f"({item.type} without words)"


def _head(before: Form, after: Form) -> list[str]:
    said = []
    if before.title() != after.title():
        said.append(f"The title was {_quoted(before.title())} and is {_quoted(after.title())}.")
    gained = [each for each in after.languages if each not in before.languages]
    lost = [each for each in before.languages if each not in after.languages]
    said += [f"Languages added: {', '.join(gained)}."] if gained else []
    said += [f"Languages taken away: {', '.join(lost)}."] if lost else []
    names = sorted({*before.root.extensions, *after.root.extensions})
    differ = [name for name in names if before.root.extensions.get(name) != after.root.extensions.get(name)]
    said += [f"Changed for the whole form: {', '.join(differ)}."] if differ else []
    inside = before.raw.get("contained") != after.raw.get("contained")
    return said + (["The lists or templates inside the form changed."] if inside else [])


def _words(old: Item, new: Item) -> Iterator[str]:
    was, now = localised(old.raw, "text", ""), localised(new.raw, "text", "")
    if was != now:
        yield f"The words were {_quoted(was)}." if was else "It had no words."
    elif _translations(old) != _translations(new):
        spoken = languages(old.raw) + languages(new.raw)
        yield f"A translation of the words changed ({', '.join(dict.fromkeys(spoken))})."
    if old.raw.get("prefix") != new.raw.get("prefix"):
        yield f"It was numbered {_quoted(str(old.raw.get('prefix') or 'not'))}."


def _translations(item: Item) -> Any:
    return [(tag, localised(item.raw, "text", tag)) for tag in languages(item.raw)]


def _type(old: Item, new: Item) -> Iterator[str]:
    if old.type != new.type:
        yield f"The type was {old.type} and is {new.type}."


FLAGS = (
    ("required", "It must be answered now.", "It may be left out now."),
    ("repeats", "It may be answered more than once now.", "It is answered once only now."),
    ("read_only", "It can only be read now.", "It can be answered now."),
    ("hidden", "It is no longer shown.", "It is shown now."),
)


def _flags(old: Item, new: Item) -> Iterator[str]:
    for name, on, off in FLAGS:
        if getattr(old, name) != getattr(new, name):
            yield on if getattr(new, name) else off


def _options(before_form: Form, after_form: Form, old: Item, new: Item) -> Iterator[str]:
    was, now = _offered(before_form, old), _offered(after_form, new)
    gained = [label for key, label in now.items() if key not in was]
    lost = [label for key, label in was.items() if key not in now]
    renamed = [f"{was[key]} → {now[key]}" for key in now if key in was and was[key] != now[key]]
    if gained:
        yield f"Answers added: {_some(gained)}."
    if lost:
        yield f"Answers taken away: {_some(lost)}."
    if renamed:
        yield f"Answers with other words: {_some(renamed)}."
    if not (gained or lost or renamed) and list(was) != list(now):
        yield "The answers stand in another order."
    carried = [_carried(item) for item in (old, new)]
    if any(carried[0][key] != carried[1][key] for key in carried[0].keys() & carried[1].keys()):
        yield "What goes with the answers changed: a translation, a score, what is chosen at first or a picture."
    before, after = old.raw.get("answerValueSet"), new.raw.get("answerValueSet")
    if before != after:
        yield f"The list of answers was {before or 'in the form'} and is {after or 'in the form'}."


def _carried(item: Item) -> dict[str, str]:
    """What stands beside the words of each of the item's own options."""
    found: dict[str, str] = {}
    for option in item.raw.get("answerOption") or ():
        value = next((held for key, held in option.items() if key.startswith("value")), None)
        rest = {**option, "valueCoding": {**value, "display": ""}} if isinstance(value, dict) else option
        found[_code(value)] = exact.dumps(rest)
    return found


def _code(value: Any) -> str:
    return f"{value.get('system')}|{value.get('code')}" if isinstance(value, dict) else str(value)


def _offered(form: Form, item: Item) -> dict[str, str]:
    found: dict[str, str] = {}
    for answer in form.value_sets.answers(item):
        [value] = answer.values()
        found[_code(value)] = say(answer, "") or _code(value)
    return found


def _conditions(old: Item, new: Item) -> Iterator[str]:
    was, now = old.raw.get("enableWhen") or [], new.raw.get("enableWhen") or []
    formulas = [item.extensions.get("enableWhenExpression") for item in (old, new)]
    if (was, old.raw.get("enableBehavior")) == (now, new.raw.get("enableBehavior")) and formulas[0] == formulas[1]:
        return
    if not now and not formulas[1]:
        yield "It is always asked now."
    elif not was and not formulas[0]:
        yield f"It is asked only under a condition now: {_condition(new)}."
    else:
        yield f"The condition under which it is asked was: {_condition(old)}; it is: {_condition(new)}."


OPERATORS = {
    "=": "is",
    "!=": "is not",
    ">": "is more than",
    "<": "is less than",
    ">=": "is at least",
    "<=": "is at most",
}


def _condition(item: Item) -> str:
    parts = [_one_condition(each) for each in item.conditions]
    for formula in item.extensions.get("enableWhenExpression", ()):
        expression = ext.value_of(formula)
        parts.append(str(expression.get("expression")) if isinstance(expression, dict) else "an expression")
    joined = (" or " if item.any_condition else " and ").join(parts)
    return _short(joined)


def _one_condition(condition: Condition) -> str:
    question = _quoted(_text(condition.question))
    if condition.operator == "exists":
        return f"{question} is {'answered' if condition.answer else 'not answered'}"
    answer = say({f"value{condition.answer_type[6:]}": condition.answer}, "")
    return f"{question} {OPERATORS.get(condition.operator, condition.operator)} {_quoted(answer)}"


LIMITS = {
    "minValue": "The lowest value",
    "maxValue": "The highest value",
    "minLength": "The fewest characters",
    "maxLength": "The most characters",
    "maxDecimalPlaces": "The digits after the point",
    "minOccurs": "The fewest answers",
    "maxOccurs": "The most answers",
    "unit": "The unit",
    "itemControl": "How it is drawn",
    "entryFormat": "The hint of how to write it",
    "regex": "The pattern of what may be written",
}


def _limits(old: Item, new: Item) -> Iterator[str]:
    for name, words in LIMITS.items():
        was, now = _limit(old, name), _limit(new, name)
        if was != now:
            yield f"{words}: {_short(was) or 'not said'} before, {_short(now) or 'not said'} now."


def _limit(item: Item, name: str) -> str:
    held = item.raw.get(name) if name in item.raw else ext.value(item.extensions, name)
    coding = held.get("coding") if isinstance(held, dict) else None
    if isinstance(coding, list):
        return ", ".join(str(each.get("code")) for each in coding if isinstance(each, dict))
    return str(held.get("display") or held.get("code") or held) if isinstance(held, dict) else str(held or "")


ELSEWHERE = frozenset({"enableWhenExpression", "translation", "hidden", *LIMITS})
"""Extensions that another look tells in words."""
TOLD = frozenset(
    ("linkId", "text", "prefix", "type", "required", "repeats", "readOnly", "item", "answerOption", "answerValueSet")
) | {"enableWhen", "enableBehavior", "extension", "id", "maxLength"}
"""Elements that another look tells in words."""


def _rest(old: Item, new: Item) -> Iterator[str]:
    names = sorted({*old.extensions, *new.extensions} - ELSEWHERE)
    differ = [name for name in names if old.extensions.get(name) != new.extensions.get(name)]
    plain = [key for key in sorted({*old.raw, *new.raw} - TOLD) if _bare(old.raw.get(key)) != _bare(new.raw.get(key))]
    if plain or differ:
        yield f"Changed: {', '.join([*plain, *differ])}."
    if _above(old) != _above(new):
        yield f"It stands in another part: {_above(new) or 'at the top'}."


def _bare(element: Any) -> Any:
    """What a twin (`_text`) says beside its translations, which another look tells; everything else as it is."""
    if not isinstance(element, dict) or "extension" not in element:
        return element
    rest = {name: held for name, held in ext.of(element).items() if name != "translation"}
    return rest or None


def _above(item: Item) -> str:
    return item.parent.link_id if item.parent is not None and item.parent.ordinal else ""


def _quoted(text: str) -> str:
    return f"“{_short(text)}”"


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _some(labels: list[str]) -> str:
    more = len(labels) - MOST_NAMED
    return ", ".join(_short(each) for each in labels[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
