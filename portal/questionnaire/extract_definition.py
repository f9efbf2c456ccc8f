"""Extraction by definitions: items name the elements their answers go to (SDC 4 definitionExtract, SDC 3 itemExtractionContext)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import extensions as ext
from .answers import Entry, typed
from .elements import Place, put
from .extensions import Json
from .extraction import Extractor
from .origins import own_words


class Target:
    """A resource being put together, and the elements that repeating groups opened in it."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.resource: Json = {"resourceType": kind}
        self.opened: dict[tuple[str, ...], Place] = {}

    def takes(self, definition: str) -> tuple[str, ...] | None:
        """The path of an element definition of this resource (`…/Patient#Patient.name.given` -> name, given)."""
        url, _, path = definition.partition("#")
        pieces = tuple(path.split("."))
        if not path or (url.split("|", maxsplit=1)[0] != self.url and pieces[0] != self.kind):
            return None
        return pieces[1:] or None


def definitions(work: Extractor) -> Iterator[Json]:
    """Bundle entries of every definitionExtract and itemExtractionContext, in the order of the form."""
    yield from _below(work, work.top, _opened(work, work.top), [])


Opened = list[tuple[Target, Json, bool]]
"""Resources begun at an entry: the target, the extension that asked for it, whether it is PUT to what is there."""


def _opened(work: Extractor, entry: Entry) -> Opened:
    found: Opened = []
    for extension in entry.item.extensions.get("definitionExtract", ()):
        canonical = str(ext.part(extension, "definition") or "")
        found.append((Target(_kind(canonical), canonical.split("|", maxsplit=1)[0]), extension, False))
    context = ext.value(entry.item.extensions, "itemExtractionContext")
    if isinstance(context, str):
        found.append((Target(context, f"http://hl7.org/fhir/StructureDefinition/{context}"), {}, False))
    elif isinstance(context, dict):
        found.extend(_known(work, entry, context))
    return found


def _kind(canonical: str) -> str:
    return canonical.split("|", maxsplit=1)[0].rsplit("/", 1)[-1]


def _known(work: Extractor, entry: Entry, expression: Json) -> Opened:
    """SDC 3: the resource that a query finds is changed; when it finds none, one is made."""
    query = str(expression.get("expression") or "")
    kind = query.split("?", maxsplit=1)[0].strip("/ ").split("/", maxsplit=1)[0]
    if not kind.isalpha():
        work.trouble(entry.item.link_id, "itemExtractionContext", "its query names no type of resource")
        return []
    return [(Target(kind, f"http://hl7.org/fhir/StructureDefinition/{kind}"), {}, True)]


def _below(work: Extractor, entry: Entry, opened: Opened, around: list[Target]) -> Iterator[Json]:
    """Fill what was opened here from everything under it, then give it; what is opened further down comes after."""
    targets = [*(target for target, _, _ in opened), *around]
    inner: list[Json] = []
    _fixed(work, entry, targets)
    for child in entry.item.children:
        for place in entry.existing(child):
            if place.answered and work.evaluation.enabled(place):
                inner.extend(_entry(work, place, targets))
    for number, (target, extension, _) in enumerate(opened):
        if len(target.resource) > 1 and work.about(target.resource, entry, "definitionExtract"):
            yield work.entry(target.resource, entry, f"definition {target.kind} {number}", extension)
    yield from inner


def _entry(work: Extractor, entry: Entry, around: list[Target]) -> Iterator[Json]:
    begun = _opened(work, entry)
    targets = [*(target for target, _, _ in begun), *around]
    definition = str(entry.item.raw.get("definition") or "")
    holder = next((t for t in targets if definition and t.takes(definition)), None)
    path = holder.takes(definition) if holder else None
    before = dict(holder.opened) if holder else {}
    if holder is not None and path is not None:
        if entry.item.is_group:
            holder.opened[path] = put(holder.kind, holder.resource, holder.opened, path, None, new=True)
        else:
            _answers(work, entry, holder, path)
    yield from _below(work, entry, begun, around)
    if holder is not None:
        holder.opened = before


def _answers(work: Extractor, entry: Entry, target: Target, path: tuple[str, ...]) -> None:
    """Each answer at its element; the element above it is opened, so that fixed values of the item join it there."""
    for number, answer in enumerate(entry.answers):
        kind, value = typed(own_words(answer))
        if not kind:
            continue
        if len(path) > 1 and path[:-1] not in target.opened and entry.item.extensions.get("definitionExtractValue"):
            target.opened[path[:-1]] = put(target.kind, target.resource, target.opened, path[:-1], None, new=True)
        try:
            put(target.kind, target.resource, target.opened, path, (kind, value), new=number > 0)
        except ValueError as error:
            work.trouble(entry.item.link_id, "definition", str(error))


def _fixed(work: Extractor, entry: Entry, targets: list[Target]) -> None:
    """definitionExtractValue: a fixed value or what an expression gives."""
    for extension in entry.item.extensions.get("definitionExtractValue", ()):
        definition = str(ext.part(extension, "definition") or "")
        target = next((t for t in targets if t.takes(definition)), None)
        path = target.takes(definition) if target else None
        if target is None or path is None:
            work.trouble(
                entry.item.link_id, "definitionExtractValue", f"{definition} belongs to no resource extracted here"
            )
            continue
        for kind, value in _values(work, entry, extension):
            try:
                put(target.kind, target.resource, target.opened, path, (kind, value), new=False)
            except ValueError as error:
                work.trouble(entry.item.link_id, "definitionExtractValue", str(error))


def _values(work: Extractor, entry: Entry, extension: Json) -> Iterator[tuple[str, Any]]:
    for inner in extension.get("extension") or ():
        if inner.get("url") == "fixed-value":
            yield typed(inner)
        elif inner.get("url") == "expression":
            expression = ext.value_of(inner)
            for value in work.values(expression, entry, "definitionExtractValue"):
                yield "", value
