"""A draft carried from one version of a form to the next: unchanged questions keep their answers, nothing is dropped."""

from __future__ import annotations

from dataclasses import dataclass

from .answers import Entry
from .context import Context
from .definition import Form
from .extensions import Json
from .filling import Filling
from .items import Item
from .reading import EARLIER, read
from .words import localised


@dataclass(frozen=True, slots=True)
class Change:
    """A question to be asked again, or an answer set aside: `reason` is new, text, type, options, repeats or gone."""

    link_id: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Migration:
    """`draft` is for the new form; answers of changed and removed questions lie in it, set aside."""

    draft: Json
    carried: tuple[str, ...]
    ask_again: tuple[Change, ...]
    set_aside: tuple[Change, ...]


def migrate(old: Form, new: Form, draft: Json, context: Context) -> Migration:
    """The draft of the old version as a draft of the new one. The old draft stays as it is, so it can be gone back to."""
    reading = read(old, draft)
    top = Entry(new.root, None)
    changes = {item.link_id: changed(old, new, item) for item in new.questions()}
    carried = [
        entry.item.link_id
        for entry in reading.top.walk()
        if entry.item.is_question and entry.answers and _carry(entry, new, top, changes)
    ]
    aside = [entry for entry in reading.top.walk() if entry.answers and entry.item.link_id not in carried]
    strays = [*reading.strays, *(_raw(entry, old.canonical) for entry in aside)]
    head = {key: value for key, value in draft.items() if key not in ("item", "questionnaire")}
    filling = Filling.of_entries(new, {**head, "item": []}, context, top, strays)
    again = [Change(i.link_id, _text(i), changes[i.link_id]) for i in new.questions() if changes[i.link_id]]
    left = [Change(e.item.link_id, _text(e.item), changes.get(e.item.link_id) or "gone") for e in aside]
    return Migration(filling.draft(), tuple(dict.fromkeys(carried)), tuple(again), tuple(dict.fromkeys(left)))


def changed(old: Form, new: Form, after: Item) -> str:
    """Why an answer to the old question is no answer to `after`, a question of the new form; "" when it is."""
    before = old.by_link.get(after.link_id)
    if before is None:
        return "new"
    if before.type != after.type:
        return "type"
    if before.repeats and not after.repeats:
        return "repeats"
    if _asked(before) != _asked(after):
        return "text"
    if old.value_sets.elsewhere(before) or new.value_sets.elsewhere(after):
        return "" if before.raw.get("answerValueSet") == after.raw.get("answerValueSet") else "options"
    return "" if _offered(old, before) <= _offered(new, after) else "options"


def _text(item: Item) -> str:
    return localised(item.raw, "text", "")


def _asked(item: Item) -> str:
    """The words of the question; spacing and the case of letters do not change what is asked."""
    return " ".join(_text(item).split()).casefold()


def _offered(form: Form, item: Item) -> frozenset[str]:
    """The answers of its list, wherever that stands in the form; their words may change."""
    values = (value for answer in form.value_sets.answers(item) for value in answer.values())
    return frozenset(f"{v.get('system')}|{v.get('code')}" if isinstance(v, dict) else str(v) for v in values)


def _carry(entry: Entry, new: Form, top: Entry, changes: dict[str, str]) -> bool:
    """Put the answers where the new form has the question, in the same repetition; False when it has it no more."""
    item = new.by_link.get(entry.item.link_id)
    if item is None or changes.get(item.link_id, "new"):
        return False
    there = _place(entry, item, top)
    if there is None:
        return False
    there.answers.extend(entry.answers)
    there.blanks = entry.blanks
    return True


def _place(entry: Entry, item: Item, top: Entry) -> Entry | None:
    """The entry of the new item, repetitions made as far as the old entry stood in them."""
    indices = _indices(entry)
    wanted = [indices.get(step.link_id, 0) if step.instanced else 0 for step in _chain(item)]
    if sum(1 for step in _chain(item) if step.instanced and step.link_id in indices) < len(
        [i for i in indices.values() if i]
    ):
        return None
    current = top
    for step, index in zip(_chain(item), wanted, strict=True):
        listed = current.all(step)
        while len(listed) <= index:
            current.add(step)
        current = listed[index]
    return current


def _chain(item: Item) -> list[Item]:
    return [step for step in item.ancestors() if step.ordinal][::-1]


def _indices(entry: Entry) -> dict[str, int]:
    """linkId -> index of every repetition the entry stands in."""
    found: dict[str, int] = {}
    current: Entry | None = entry
    while current is not None and current.parent is not None:
        if current.item.instanced:
            found[current.item.link_id] = current.parent.all(current.item).index(current)
        current = current.parent
    return found


def _raw(entry: Entry, version: str) -> Json:
    note = {"url": EARLIER, "valueString": version}
    return {
        "extension": [note],
        "linkId": entry.item.link_id,
        "text": _text(entry.item),
        "answer": list(entry.answers),
    }
