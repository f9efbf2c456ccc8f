"""What changed from one version of a form to the next, question by question, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

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
    pairs = [(before.by_link[each.link_id], each) for each in after.all_items if each.link_id in before.by_link]
    found += [made for old, new in pairs if (made := _changed(old, new)) is not None]
    place = {item.link_id: item.ordinal for item in [*before.all_items, *after.all_items]}
    return Comparison(_head(before, after), sorted(found, key=lambda each: place[each.link_id]))


def _added(item: Item) -> Difference:
    return Difference(item.link_id, _text(item), ADDED, item.type, [], item.is_question)


def _removed(item: Item) -> Difference:
    return Difference(item.link_id, _text(item), REMOVED, item.type)


def _changed(old: Item, new: Item) -> Difference | None:
    words = [said for look in LOOKS for said in look(old, new)]
    again = new.is_question and bool(changed(old, new))
    return Difference(new.link_id, _text(new), CHANGED, new.type, words, again) if words or again else None


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
    return said + ([f"Changed for the whole form: {', '.join(differ)}."] if differ else [])


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


def _options(old: Item, new: Item) -> Iterator[str]:
    was, now = _offered(old), _offered(new)
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
    before, after = old.raw.get("answerValueSet"), new.raw.get("answerValueSet")
    if before != after:
        yield f"The list of answers was {before or 'in the form'} and is {after or 'in the form'}."


def _offered(item: Item) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in item.raw.get("answerOption") or ():
        for key, value in option.items():
            if key.startswith("value"):
                code = f"{value.get('system')}|{value.get('code')}" if isinstance(value, dict) else str(value)
                found[code] = say({key: value}, "") or code
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


ELSEWHERE = frozenset({"enableWhenExpression", "translation", "hidden"})
"""Extensions that another look tells in words."""


def _rest(old: Item, new: Item) -> Iterator[str]:
    names = sorted({*old.extensions, *new.extensions} - ELSEWHERE)
    differ = [name for name in names if old.extensions.get(name) != new.extensions.get(name)]
    plain = [key for key in ("maxLength", "initial", "code", "definition") if old.raw.get(key) != new.raw.get(key)]
    if plain or differ:
        yield f"Changed: {', '.join([*plain, *differ])}."
    if _above(old) != _above(new):
        yield f"It stands in another part: {_above(new) or 'at the top'}."


def _above(item: Item) -> str:
    return item.parent.link_id if item.parent is not None and item.parent.ordinal else ""


LOOKS: tuple[Callable[[Item, Item], Iterator[str]], ...] = (_words, _type, _flags, _options, _conditions, _rest)


def _quoted(text: str) -> str:
    return f"“{_short(text)}”"


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _some(labels: list[str]) -> str:
    more = len(labels) - MOST_NAMED
    return ", ".join(_short(each) for each in labels[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
