"""The door for forms: size, depth, shape and the modifiers nobody here understands (bar 54)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import extensions as ext
from . import mending, releases, shape
from .extensions import Json
from .findings import HONOURED
from .issues import Refusal
from .items import ITEM_TYPES

MAX_BYTES = 2 * 1024 * 1024
MAX_ITEMS = 2_000
MAX_DEPTH = 20
MAX_OPTIONS = 500
MAX_LINK_ID = 1_000

CRITICAL = "rendering-criticalExtension"
STU3_OPTIONS = ("option", "options")


def refusals(raw: object) -> list[Refusal]:
    """Every reason not even to compile this resource."""
    if not isinstance(raw, dict) or raw.get("resourceType") != "Questionnaire":
        kind = raw.get("resourceType") if isinstance(raw, dict) else None
        what = (
            f"this is a resource of the type {kind[:60]}"
            if isinstance(kind, str) and kind
            else "this has no resourceType"
        )
        return [Refusal("", "not-a-form", f"{what}, not a FHIR Questionnaire")]
    if (size := weight(raw, MAX_BYTES)) > MAX_BYTES:
        return [
            Refusal("", "too-big", f"the form is larger than {MAX_BYTES // 1024 // 1024} MB ({size} bytes or more)")
        ]
    items, depth = _counted(raw)
    if depth > MAX_DEPTH:
        return [Refusal("", "too-deep", f"questions are nested more than {MAX_DEPTH} deep")]
    if items > MAX_ITEMS:
        return [Refusal("", "too-many-items", f"the form has {items} items, more than {MAX_ITEMS}")]
    raw, _ = releases.in_r4(mending.mended(raw)[0])
    shapes = [*_shapes(raw, ""), *_contained(raw), *_item_list(raw)]
    return shapes or [*_status(raw), *_all_modifiers(raw)]


def _shapes(element: Json, link_id: str) -> Iterator[Refusal]:
    return (Refusal(link_id, "shape", wrong) for wrong in shape.problems(element))


def _contained(raw: Json) -> Iterator[Refusal]:
    """Value sets and code systems are read; of the other contained resources only the kind matters here."""
    listed = raw.get("contained")
    for resource in listed if isinstance(listed, list) else ():
        if isinstance(resource, dict) and resource.get("resourceType") in ("ValueSet", "CodeSystem"):
            yield from _shapes(resource, "")


def _all_modifiers(raw: Json) -> Iterator[Refusal]:
    stack: list[tuple[Json, str]] = [(raw, "")]
    while stack:
        element, link_id = stack.pop()
        yield from _modifiers(element, link_id)
        stack.extend((child, str(child.get("linkId"))) for child in element.get("item") or ())


def weight(value: Any, enough: int) -> int:
    """About the bytes of a JSON value; stops counting when it is more than enough."""
    total, stack = 0, [value]
    while stack and total <= enough:
        current = stack.pop()
        if isinstance(current, dict):
            total += 2 + sum(len(str(key)) + 4 for key in current)
            stack.extend(current.values())
        elif isinstance(current, list):
            total += 2 + len(current)
            stack.extend(current)
        elif isinstance(current, str):
            total += len(current.encode("utf-8", "surrogatepass")) + 2
        else:
            total += 5
    return total


def _counted(raw: Json) -> tuple[int, int]:
    count, deepest, stack = 0, 0, [(raw, 0)]
    while stack:
        element, depth = stack.pop()
        deepest = max(deepest, depth)
        listed = element.get("item")
        for child in listed if isinstance(listed, list) else ():
            if isinstance(child, dict):
                count += 1
                stack.append((child, depth + 1))
    return count, deepest


def _status(raw: Json) -> Iterator[Refusal]:
    status = raw.get("status")
    if status is not None and status not in ("draft", "active", "retired", "unknown"):
        yield Refusal("", "status", f"the status {status!r} is not a status of a form")


def _item_list(raw: Json) -> Iterator[Refusal]:
    seen: set[str] = set()
    stack: list[tuple[Json, str]] = [(raw, "")]
    while stack:
        element, owner = stack.pop()
        listed = element.get("item")
        if listed is not None and not isinstance(listed, list):
            yield Refusal(owner, "shape", "item is not a list")
            continue
        for child in listed or ():
            if not isinstance(child, dict):
                yield Refusal(owner, "shape", "an item is not an object")
                continue
            link_id = child.get("linkId")
            yield from _item(child, owner, seen)
            stack.append((child, link_id if isinstance(link_id, str) else owner))


def _item(raw: Json, owner: str, seen: set[str]) -> Iterator[Refusal]:
    link_id = raw.get("linkId")
    if not isinstance(link_id, str) or not link_id.strip():
        yield Refusal(
            owner, "no-link-id", f"an item has no linkId ({str(raw.get('text') or raw.get('type') or '')[:60]!r})"
        )
        return
    if len(link_id) > MAX_LINK_ID:
        yield Refusal(link_id[:60], "link-id-length", f"the linkId is longer than {MAX_LINK_ID} characters")
    if link_id in seen:
        yield Refusal(link_id, "duplicate-link-id", "the linkId is used by more than one item (que-2)")
    seen.add(link_id)
    yield from _type(raw, link_id)
    yield from _release(raw, link_id)
    yield from _lists(raw, link_id)
    yield from _shapes(raw, link_id)


def _type(raw: Json, link_id: str) -> Iterator[Refusal]:
    kind = raw.get("type")
    if not isinstance(kind, str):
        yield Refusal(link_id, "no-type", "the item has no type")
    elif kind not in ITEM_TYPES:
        yield Refusal(link_id, "type", f"{kind!r} is not an item type of FHIR R4")


def _release(raw: Json, link_id: str) -> Iterator[Refusal]:
    """Elements of other releases that are not as those have them: what the form would ask or allow cannot be told."""
    old = [name for name in STU3_OPTIONS if isinstance(raw.get(name), (list, dict))]
    listed = raw.get("enableWhen")
    conditions = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    old += ["hasAnswer" for one in conditions if "hasAnswer" in one]
    old += ["enableWhen without an operator" for one in conditions if _stu3_condition(one)]
    for name in dict.fromkeys(old):
        yield Refusal(link_id, "fhir-version", f"the item has {name}, which is neither FHIR R4 nor as FHIR STU3 has it")
    if raw.get("answerConstraint") is not None:
        said = f"the answerConstraint {raw['answerConstraint']!r}"
        yield Refusal(link_id, "fhir-version", f"the item has {said}, which FHIR R5 does not have")


def _stu3_condition(condition: Json) -> bool:
    answered = any(key.startswith("answer") for key in condition)
    return "operator" not in condition and isinstance(condition.get("question"), str) and answered


def _lists(raw: Json, link_id: str) -> Iterator[Refusal]:
    for name in ("answerOption", "enableWhen", "initial"):
        value = raw.get(name)
        if isinstance(value, list) and not all(isinstance(entry, dict) for entry in value):
            yield Refusal(link_id, "shape", f"{name} is not a list of objects")
    for name in ("required", "repeats", "readOnly"):
        if raw.get(name) is not None and not isinstance(raw[name], bool):
            yield Refusal(link_id, "shape", f"{name} is neither true nor false")
    options = raw.get("answerOption")
    if isinstance(options, list) and len(options) > MAX_OPTIONS:
        yield Refusal(link_id, "too-many-options", f"{len(options)} options, more than {MAX_OPTIONS}; use a value set")


def _modifiers(element: Json, link_id: str) -> Iterator[Refusal]:
    listed = element.get("modifierExtension")
    for extension in listed if isinstance(listed, list) else ():
        url = extension.get("url") if isinstance(extension, dict) else None
        if not isinstance(url, str) or not _understood(url, extension):
            yield Refusal(link_id, "modifier-extension", _not_understood(url, extension))
    for name in ("answerOption", "enableWhen", "initial"):
        for part in element.get(name) or ():
            if isinstance(part, dict):
                yield from _modifiers(part, link_id)


def _not_understood(url: Any, extension: Any) -> str:
    if isinstance(url, str) and ext.short_name(url) == CRITICAL:
        return f"its author says it must not be shown without {ext.value_of(extension)}, which is not done here"
    return f"the modifierExtension {url} is not known here"


def _understood(url: str, extension: Json) -> bool:
    """rendering-criticalExtension names another extension: it is understood when that one is."""
    if ext.short_name(url) != CRITICAL:
        return False
    return ext.short_name(str(ext.value_of(extension))) in HONOURED
