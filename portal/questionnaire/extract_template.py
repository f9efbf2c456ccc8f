"""Extraction by templates: contained resources whose fields are filled from expressions (SDC 4, template-based)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from . import extensions as ext
from .answers import Entry
from .elements import fitted, type_at
from .extensions import Json
from .extraction import Extractor

CONTEXT, VALUE = "templateExtractContext", "templateExtractValue"
OWN = frozenset({CONTEXT, VALUE})
PATCH = "https://smartforms.csiro.au/ig/StructureDefinition/TemplateExtractExtensionPatchRequestUrl"
"""Of Smart Forms, for SDC knows no patch: the address of what a template of Parameters (FHIRPath Patch) changes."""
TYPE = "type"
"""Of newer Smart Forms: the type of what such a template changes, whose id is the resourceId."""
GONE: Any = object()
"""Stands for an element whose expression gave nothing: it is left out."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What the expressions of an element start from (None: the item of the response), and the contexts that have a name."""

    rows: list[Any] | None = None
    names: Mapping[str, list[Any]] = field(default_factory=dict)

    def on(self, row: Any, name: str) -> Focus:
        return Focus([row], {**self.names, name: [row]} if name else self.names)


def templates(work: Extractor) -> Iterator[Json]:
    """Bundle entries of every templateExtract and templateExtractBundle, in the order of the form."""
    for entry in work.live():
        if not entry.item.extensions.keys() & {"templateExtract", "templateExtractBundle"}:
            continue
        for _ in work.turns(entry):
            for extension in entry.item.extensions.get("templateExtract", ()):
                yield from _one(work, entry, extension)
            for extension in entry.item.extensions.get("templateExtractBundle", ()):
                yield from _bundle(work, entry, extension)


def _template(work: Extractor, entry: Entry, reference: Any, what: str) -> Json | None:
    name = str(reference.get("reference") if isinstance(reference, dict) else "")
    found = work.form.value_sets.resource(name) if name.startswith("#") else None
    if found is None:
        work.trouble(entry.item.link_id, what, f"the template {name} is not contained in the form")
    return found


def _one(work: Extractor, entry: Entry, extension: Json) -> Iterator[Json]:
    found = _template(work, entry, ext.part(extension, "template"), "templateExtract")
    if found is None:
        return
    bare = {key: value for key, value in found.items() if key != "id"}
    kind = str(found.get("resourceType") or "")
    filled = [made for focus in _begun(work, entry) for made in fill(work, entry, bare, focus, kind)]
    for number, resource in enumerate(filled):
        if work.about(resource, entry, "templateExtract"):
            made = work.entry(resource, entry, f"template {found.get('id')} {number}", extension)
            changes = PATCH in _urls(extension) or (kind == "Parameters" and TYPE in _urls(extension))
            yield from _patch(work, entry, made, extension) if changes else (made,)


def _urls(extension: Json) -> set[str]:
    return {str(part.get("url")) for part in ext.inner(extension)}


def _patch(work: Extractor, entry: Entry, made: Json, extension: Json) -> Iterator[Json]:
    """Parameters of operations as a PATCH of what the form names: without an operation that has nothing to put there."""
    resource, listed = made["resource"], made["resource"].get("parameter")
    url, identity = work.text(ext.part(extension, PATCH), entry, PATCH), str(resource.get("id") or "")
    if not url and identity and TYPE in _urls(extension):
        url = f"{ext.part(extension, TYPE)}/{identity.rsplit('/', 1)[-1]}"
    operations = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict) and _does(one)]
    if not url or not operations:
        if operations:
            work.trouble(entry.item.link_id, "templateExtract", "nothing says what is to be changed")
        return
    request = {**made["request"], "method": "PATCH", "url": url}
    bare = {key: value for key, value in resource.items() if key != "id"}
    yield {**made, "resource": {**bare, "parameter": operations}, "request": request}


def _does(operation: Json) -> bool:
    """Whether an operation of FHIRPath Patch says all it needs: one that puts something somewhere has a value for it."""
    parts = [one for one in operation.get("part") or () if isinstance(one, dict)]
    kind = next((ext.value_of(one) for one in parts if one.get("name") == "type"), None)
    put = any(one.get("name") == "value" and len(one) > 1 for one in parts)
    return put or kind in ("delete", "move")


def _bundle(work: Extractor, entry: Entry, extension: Json) -> Iterator[Json]:
    found = _template(work, entry, ext.value_of(extension), "templateExtractBundle")
    for place, raw in enumerate((found or {}).get("entry") or ()):
        filled = [made for focus in _begun(work, entry) for made in fill(work, entry, raw, focus, "Bundle.entry")]
        for number, made in enumerate(filled):
            if made.get("resource") and work.about(made["resource"], entry, "templateExtractBundle"):
                yield _whole(work, entry, made, f"template {(found or {}).get('id')} {place} {number}")


def _whole(work: Extractor, entry: Entry, made: Json, what: str) -> Json:
    """An entry of the form's own Bundle, with the address and the request that a transaction needs where it has none."""
    whole = {**work.entry(made["resource"], entry, what, {}), **made}
    work.sources[str(whole["fullUrl"])] = entry.item.link_id
    return whole


def _begun(work: Extractor, entry: Entry) -> list[Focus]:
    """Where a template begins: at what the item's own contexts give, with the names that those around it gave."""
    around: list[Entry] = []
    place: Entry | None = entry
    while place is not None:
        around.insert(0, place)
        place = place.parent
    begun = Focus()
    for place in around:
        focuses = _focuses(work, place, _said(place.item.extensions, CONTEXT), begun)
        if place is entry:
            return focuses
        begun = Focus(None, focuses[0].names if focuses else begun.names)
    return [begun]


def _said(extensions: ext.Extensions, name: str) -> Any:
    """The expression of an instruction, as text or as an Expression; None without one."""
    found = ext.value(extensions, name)
    return found if isinstance(found, (str, dict)) else None


def _focuses(work: Extractor, entry: Entry, context: Any, focus: Focus) -> list[Focus]:
    """One for each thing that a context gives; without a context, this one."""
    if context is None:
        return [focus]
    name = str(context.get("name") or "") if isinstance(context, dict) else ""
    return [focus.on(one, name) for one in work.items(context, entry, CONTEXT, focus.rows, focus.names)]


def _values(work: Extractor, entry: Entry, value: Any, focus: Focus) -> list[Any]:
    return work.values(value, entry, VALUE, focus.rows, focus.names)


def fill(work: Extractor, entry: Entry, template: Json, focus: Focus, kind: str) -> list[Json]:
    """The template's object once for each thing its context gives (once without a context); [] when it gives nothing.

    `kind` is the type of the object, "" where it is not known: values are fitted to the elements they stand in.
    """
    focuses = _focuses(work, entry, _said(ext.of(template), CONTEXT), focus)
    named = str(template.get("resourceType") or kind)
    made = [_object(work, entry, template, one, named) for one in focuses]
    return [one for one in made if one is not GONE]


def _object(work: Extractor, entry: Entry, template: Json, focus: Focus, kind: str) -> Any:
    value = _said(ext.of(template), VALUE)
    if value is not None:
        found = _only(work, entry, _values(work, entry, value, focus))
        return fitted(kind, found[0]) if found else GONE
    made: Json = {}
    for key, part in template.items():
        if key.startswith("_"):
            _primitive(work, entry, template, key[1:], part, focus, made, type_at(kind, key[1:]))
        elif key in ("extension", "modifierExtension"):
            made |= _extended(work, entry, key, part, focus)
        elif f"_{key}" not in template:
            filled = _value(work, entry, part, focus, type_at(kind, key))
            if filled is not GONE:
                made[key] = filled
    asked = len(made) < len(template) or "extension" in template
    return GONE if not made or (asked and set(made) <= {"resourceType"}) else made


def _extended(work: Extractor, entry: Entry, key: str, extensions: Any, focus: Focus) -> Json:
    """The extensions of the template that are not instructions to us, filled; one that is left with its url says nothing."""
    listed = extensions if isinstance(extensions, list) else []
    kept = [e for e in listed if isinstance(e, dict) and ext.short_name(str(e.get("url"))) not in OWN]
    found = [made for one in kept for made in fill(work, entry, one, focus, "Extension") if isinstance(made, dict)]
    filled = [made for made in found if made.keys() - {"url", "id"}]
    return {key: filled} if filled else {}


def _value(work: Extractor, entry: Entry, part: Any, focus: Focus, kind: str) -> Any:
    if isinstance(part, list):
        listed = [made for one in part for made in _many(work, entry, one, focus, kind)]
        return listed or GONE
    if isinstance(part, dict):
        filled = _only(work, entry, fill(work, entry, part, focus, kind))
        return filled[0] if filled else GONE
    return part


def _only(work: Extractor, entry: Entry, found: list[Any]) -> list[Any]:
    """What was found for an element that holds one thing; more than one is told, and the first is kept."""
    if len(found) > 1 and any(one != found[0] for one in found):
        work.trouble(entry.item.link_id, VALUE, f"{len(found)} values for an element that holds one: the first is kept")
    return found[:1]


def _many(work: Extractor, entry: Entry, one: Any, focus: Focus, kind: str) -> list[Any]:
    """The elements that one element of a list becomes."""
    if not isinstance(one, dict):
        return [one]
    value = _said(ext.of(one), VALUE)
    if value is not None and _said(ext.of(one), CONTEXT) is None:
        return [fitted(kind, found) for found in _values(work, entry, value, focus)]
    return fill(work, entry, one, focus, kind)


def _primitive(
    work: Extractor, entry: Entry, template: Json, key: str, twin: Any, focus: Focus, made: Json, kind: str
) -> None:
    """A primitive field with its twin: the twin's expression replaces the value, or takes the field away."""
    written = template.get(key)
    if isinstance(twin, list):
        pairs = zip_longest(written if isinstance(written, list) else (), twin)
        values = [v for held, one in pairs for v in _results(work, entry, one, held, focus, kind) if v is not None]
        if values:
            made[key] = values
        return
    results = _only(work, entry, _results(work, entry, twin, written, focus, kind))
    if results and results[0] is not None:
        made[key] = results[0]
    if (
        results
        and isinstance(twin, dict)
        and (rest := _extended(work, entry, "extension", twin.get("extension") or (), focus))
    ):
        made[f"_{key}"] = rest


def _results(work: Extractor, entry: Entry, twin: Any, written: Any, focus: Focus, kind: str) -> list[Any]:
    """What the twin's expressions give; the value as it is written, once for each thing its context gives, where it has no
    other."""
    extensions = ext.of(twin)
    places, value = _focuses(work, entry, _said(extensions, CONTEXT), focus), _said(extensions, VALUE)
    if value is None:
        return [written for _ in places]
    return [fitted(kind, found) for one in places for found in _values(work, entry, value, one)]
