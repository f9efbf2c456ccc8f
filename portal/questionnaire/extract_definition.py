"""Extraction by definitions: items name the elements their answers go to (SDC 4 definitionExtract, SDC 3 itemExtractionContext)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import extensions as ext
from .answers import Entry, typed
from .converting import default_unit
from .definition import launch_types
from .elements import nearest_list
from .extensions import Json
from .extraction import Extractor
from .origins import own_words
from .targets import CORE, Target, kind_of, named, taker, with_fixed

FIXED = "definitionExtractValue"


def definitions(work: Extractor) -> Iterator[Json]:
    """Bundle entries of every definitionExtract and itemExtractionContext, in the order of the form."""
    yield from _below(work, work.top, _opened(work, work.top), [])


Opened = list[tuple[Target, Json]]
"""Resources begun at an entry: the target, and the extension that asked for it."""


def _opened(work: Extractor, entry: Entry) -> Opened:
    found: Opened = []
    for extension in entry.item.extensions.get("definitionExtract", ()):
        canonical = str(ext.part(extension, "definition") or ext.value_of(extension) or "")
        if kind := kind_of(work, entry, canonical):
            found.append((Target.of(kind, canonical), extension))
        else:
            work.trouble(
                entry.item.link_id, "definitionExtract", f"{canonical} names no type of resource that is known"
            )
    context = ext.value(entry.item.extensions, "itemExtractionContext")
    if context is not None:
        canonical = context if isinstance(context, str) and "://" in context else ""
        kind = kind_of(work, entry, canonical) if canonical else _context_kind(work, context)
        if kind:
            found.append((Target.of(kind, canonical or f"{CORE}{kind}"), {}))
        else:
            work.trouble(entry.item.link_id, "itemExtractionContext", "it names no type of resource")
    return found


def _context_kind(work: Extractor, context: object) -> str:
    """SDC 3: a type, or a query or launch context for what is to be changed; which one it is, a hidden answer for its id
    says."""
    query = context.get("expression") if isinstance(context, dict) else context
    named = launch_types(work.form.root).get(str(query or "").strip().removeprefix("%"), ())
    if len(named) == 1:
        return next(iter(named))
    kind = str(query or "").split("?", maxsplit=1)[0].strip("/ ").split("/", maxsplit=1)[0]
    return kind if kind.isalpha() else ""


def _below(work: Extractor, entry: Entry, opened: Opened, around: list[Target]) -> Iterator[Json]:
    """Fill what was opened here from everything under it, then give it; what is opened further down comes after."""
    targets = [*(target for target, _ in opened), *around]
    inner: list[Json] = []
    _fixed(work, entry, targets)
    for child in entry.item.children:
        for place in entry.existing(child):
            if place.answered and work.evaluation.enabled(place):
                inner.extend(_entry(work, place, targets))
    for number, (target, extension) in enumerate(opened):
        if not target.filled:
            if entry.answered and entry.parent is not None:
                work.trouble(entry.item.link_id, f"extraction of {target.kind}", "none of its answers has a definition")
            continue
        with_fixed(work, target)
        named(work, entry, target)
        if target.filled and work.about(target.resource, entry, "definitionExtract"):
            yield work.entry(target.resource, entry, f"definition {target.kind} {number}", extension)
    yield from inner


def _entry(work: Extractor, entry: Entry, around: list[Target]) -> Iterator[Json]:
    """A resource begun at a repeating question is one for each of its answers."""
    if not entry.item.extensions.keys() & {"definitionExtract", "itemExtractionContext"}:
        yield from _turn(work, entry, around, entry.answers)
        return
    for number in work.turns(entry):
        alone = entry.item.is_question and entry.item.repeats
        yield from _turn(work, entry, around, entry.answers[number : number + 1] if alone else entry.answers)


def _turn(work: Extractor, entry: Entry, around: list[Target], answers: list[Json]) -> Iterator[Json]:
    begun = _opened(work, entry)
    targets = [*(target for target, _ in begun), *around]
    definition = str(entry.item.raw.get("definition") or "")
    holder = taker(targets, definition)
    path = holder.takes(definition) if holder else None
    before = [(target, dict(target.opened)) for target in targets]
    if entry.item.is_group and entry.item.repeats and not definition and not begun:
        _gathered(work, entry, around)
    if holder is not None and path is not None:
        if entry.item.is_group:
            _open(work, entry, holder, path)
        else:
            _answers(work, entry, holder, path, answers)
    yield from _below(work, entry, begun, around)
    for target, opened in before:
        target.opened = opened


def _gathered(work: Extractor, entry: Entry, around: list[Target]) -> None:
    """A part that repeats without a definition opens, each time anew, the list that its questions belong to."""
    said = [entry.item, *entry.item.descendants()]
    fixed = [str(ext.part(one, "definition") or "") for item in said for one in item.extensions.get(FIXED, ())]
    definitions = [*(str(item.raw.get("definition") or "") for item in said), *fixed]
    for target in around:
        try:
            if path := target.gathers([one for one in definitions if taker(around, one) is target]):
                target.opened[path] = target.put(path, None, new=True)
        except ValueError as error:
            work.trouble(entry.item.link_id, "definition", str(error))


def _open(work: Extractor, entry: Entry, holder: Target, path: tuple[str, ...]) -> None:
    try:
        holder.opened[path] = holder.put(path, None, new=True)
    except ValueError as error:
        work.trouble(entry.item.link_id, "definition", str(error))


def _answers(work: Extractor, entry: Entry, target: Target, path: tuple[str, ...], answers: list[Json]) -> None:
    """Each answer at its element; the list it belongs to is opened, so that fixed values of the item join it there."""
    around = dict(target.opened)
    listed = nearest_list(target.kind, path[:-1]) if entry.item.extensions.get(FIXED) else ()
    with_fixed_values = bool(listed) and listed not in around
    for number, answer in enumerate(answers):
        kind, value = typed(own_words(answer))
        if not kind:
            continue
        try:
            if with_fixed_values:
                if number:
                    _fixed(work, entry, [target])
                target.opened[listed] = target.put(listed, None, new=True, opened=around)
            _put(work, entry, target, path, kind, value, new=number > 0 and not with_fixed_values)
        except ValueError as error:
            work.trouble(entry.item.link_id, "definition", str(error))


def _put(
    work: Extractor, entry: Entry, target: Target, path: tuple[str, ...], kind: str, value: Any, *, new: bool
) -> None:
    """An answer at its element, a number with the unit of its question where the element takes one."""
    definition = str(entry.item.raw.get("definition") or "")
    unit = default_unit(entry.item) if kind in ("valueDecimal", "valueInteger") else {}
    measured = [("valueQuantity", {"value": value, **unit})] if unit else []
    for said in measured:
        try:
            target.put(target.typed(work.profiles, definition, path, *said), said, new=new)
            return
        except ValueError:
            pass  # an element that takes no quantity takes the number
    target.put(target.typed(work.profiles, definition, path, kind, value), (kind, value), new=new)


def _fixed(work: Extractor, entry: Entry, targets: list[Target]) -> None:
    """definitionExtractValue: a fixed value or what an expression gives."""
    for extension in entry.item.extensions.get("definitionExtractValue", ()):
        definition = str(ext.part(extension, "definition") or "")
        target = taker(targets, definition)
        path = target.takes(definition) if target else None
        if target is None or path is None:
            work.trouble(
                entry.item.link_id, "definitionExtractValue", f"{definition} belongs to no resource extracted here"
            )
            continue
        for kind, value in _values(work, entry, extension):
            try:
                target.put(target.typed(work.profiles, definition, path, kind, value), (kind, value), new=False)
            except ValueError as error:
                work.trouble(entry.item.link_id, "definitionExtractValue", str(error))


def _values(work: Extractor, entry: Entry, extension: Json) -> Iterator[tuple[str, Any]]:
    for inner in ext.inner(extension):
        if inner.get("url") == "fixed-value":
            yield typed(inner)
        elif inner.get("url") == "expression":
            expression = ext.value_of(inner)
            for value in work.values(expression, entry, "definitionExtractValue"):
                yield "", value
