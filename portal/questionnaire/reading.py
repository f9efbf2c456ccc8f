"""From a QuestionnaireResponse to entries: every answer to its place; what has no place is set aside, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import extensions as ext
from .answers import Entry, typed
from .extensions import Json
from .issues import Issue
from .items import Item
from .origins import OWN
from .shape import problem

if TYPE_CHECKING:
    from .definition import Form

BLANK = f"{OWN}blank"
"""On an answer or a repetition of a draft: a person added it and has not filled it in."""


EARLIER = f"{OWN}earlier-version"
"""On an item that was set aside: it answers a question of an earlier version, and no question of this one."""


@dataclass(slots=True)
class Reading:
    """`strays` are raw items of the response for which the form has no place; `issues` say what was wrong."""

    top: Entry
    strays: list[Json] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def note(self, code: str, link_id: str, expression: str, severity: str = "error", **params: object) -> None:
        self.issues.append(Issue("", link_id, code, severity, params, expression))


def read(form: Form, response: Json | None, aside: Iterable[Json] = (), *, own: bool = False) -> Reading:
    """Entries of a response; it may be incomplete, from elsewhere, or of another version of the form.

    `aside`: items that had no place before; in another version of the form they are tried again. `own`: a draft this
    engine wrote for this very form; it is taken in without looking for what could be wrong.
    """
    reading = Reading(Entry(form.root, None))
    reading.top.places = ["QuestionnaireResponse"]
    if own:
        _own_items(form.by_link, reading, reading.top, (response or {}).get("item") or ())
    elif response is not None:
        _items(form, reading, reading.top, response.get("item"), "QuestionnaireResponse")
    for raw in aside:
        if not own and _welcome(form, reading.top, raw):
            _items(form, reading, reading.top, [raw], "QuestionnaireResponse")
        else:
            reading.strays.append(raw)
    return reading


def _welcome(form: Form, top: Entry, raw: Json) -> bool:
    """Whether what was set aside may be tried again: not where an answer stands already, nor an answer to a group."""
    item = form.by_link.get(str(raw.get("linkId")))
    if item is None or item.parent is not form.root:
        return True
    return not raw.get("answer") if item.is_group else not any(entry.answered for entry in top.existing(item))


def _own_items(by_link: Mapping[str, Item], reading: Reading, parent: Entry, raws: Iterable[Json]) -> None:
    for raw in raws:
        item = by_link.get(raw["linkId"])
        if item is None or item.parent is not parent.item:
            reading.strays.append(raw)
        elif item.is_group:
            entry = parent.add(item) if item.instanced else parent.one(item)
            entry.kept = "extension" in raw
            _own_items(by_link, reading, entry, raw.get("item") or ())
        else:
            for answer in raw.get("answer") or ():
                _own_answer(by_link, reading, parent.add(item) if item.instanced else parent.one(item), answer)


def _own_answer(by_link: Mapping[str, Item], reading: Reading, entry: Entry, raw: Json) -> None:
    inner = raw.get("item")
    if "extension" in raw and BLANK in ext.of(raw):
        entry.blanks += not entry.item.instanced
        entry.kept = entry.item.instanced
    elif inner is None:
        entry.answers.append(raw)
    elif len(raw) > 1:
        entry.answers.append({key: value for key, value in raw.items() if key != "item"})
    if inner is not None:
        _own_items(by_link, reading, entry, inner)


def _items(form: Form, reading: Reading, parent: Entry, raws: Any, path: str) -> None:
    if raws is None:
        return
    if not isinstance(raws, list):
        reading.note("shape", parent.item.link_id, f"{path}.item", what="item is not a list")
        return
    before, seen = 0, set[int]()
    for index, raw in enumerate(raws):
        place = f"{path}.item[{index}]"
        item = _placed(form, reading, parent, raw, place)
        if item is None:
            continue
        if item.ordinal < before:
            reading.note("order", item.link_id, place)
        before = max(before, item.ordinal)
        if item.ordinal in seen and not (item.is_group and item.repeats):
            reading.note("duplicate", item.link_id, place)
        _take(form, reading, parent, item, raw, place, item.ordinal in seen)
        seen.add(item.ordinal)


def _placed(form: Form, reading: Reading, parent: Entry, raw: Any, path: str) -> Item | None:
    """The form's item for a raw one, when this is where it belongs."""
    if not isinstance(raw, dict):
        reading.note("shape", parent.item.link_id, path, what="an item is not an object")
        return None
    if EARLIER in ext.of(raw):
        reading.strays.append(raw)
        return None
    link_id = raw.get("linkId")
    item = form.by_link.get(link_id) if isinstance(link_id, str) else None
    if item is not None and item.parent is parent.item:
        return item
    if item is None:
        reading.note("unknown-question", str(link_id or ""), path)
    else:
        reading.note("misplaced", item.link_id, path)
    reading.strays.append(raw)
    return None


def _take(form: Form, reading: Reading, parent: Entry, item: Item, raw: Json, path: str, again: bool) -> None:
    if item.is_group:
        if raw.get("answer"):
            reading.note("group-answer", item.link_id, path)
        entry = parent.add(item) if item.instanced or not again else parent.one(item)
        entry.kept = BLANK in ext.of(raw)
        entry.places = [path]
        _items(form, reading, entry, raw.get("item"), path)
    elif item.type == "display":
        if raw.get("answer") or raw.get("item"):
            reading.note("display-answer", item.link_id, path)
    else:
        _question(form, reading, parent, item, raw, path)


def _question(form: Form, reading: Reading, parent: Entry, item: Item, raw: Json, path: str) -> None:
    if raw.get("item"):
        reading.note("misplaced", item.link_id, f"{path}.item")
        reading.strays.extend(r for r in raw["item"] if isinstance(r, dict))
    answers = raw.get("answer")
    if answers is not None and not isinstance(answers, list):
        reading.note("shape", item.link_id, f"{path}.answer", what="answer is not a list")
        return
    if not answers:
        parent.one(item).bare = path
    for index, answer in enumerate(answers or ()):
        if not isinstance(answer, dict):
            reading.note("shape", item.link_id, f"{path}.answer[{index}]", what="an answer is not an object")
            continue
        entry = parent.add(item) if item.instanced else parent.one(item)
        entry.places = entry.places or [path]
        _answer(form, reading, entry, answer, f"{path}.answer[{index}]")


def _answer(form: Form, reading: Reading, entry: Entry, raw: Json, path: str) -> None:
    bare = {key: value for key, value in raw.items() if key not in ("item", "id")}
    if wrong := problem(bare):
        reading.note("shape", entry.item.link_id, path, what=wrong)
        reading.strays.append({"linkId": entry.item.link_id, "answer": [bare]})
        return
    if BLANK in ext.of(raw):
        entry.blanks += not entry.item.instanced
        entry.kept = entry.item.instanced
    elif has_value(bare):
        entry.answers.append(bare)
        entry.places = [*(entry.places or [path]), path]
    elif not raw.get("item"):
        reading.note("no-value", entry.item.link_id, path)
    _items(form, reading, entry, raw.get("item"), path)


def has_value(answer: Json) -> bool:
    """Whether an answer says something: a value, or why there is none (data-absent-reason)."""
    kind, value = typed(answer)
    if kind:
        return value is not None and value != ""
    return any(key.startswith("_value") for key in answer) or any(not url.startswith(OWN) for url in ext.of(answer))
