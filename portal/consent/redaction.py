"""Leaves hidden answers out of a QuestionnaireResponse so that nothing tells of them: dependents, totals, empty groups. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from portal.consent import codes
from portal.consent.decision import Part
from portal.consent.describing import labels_of, tagged

INLINE_LABEL = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
_SIGNATURE = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature"
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
_VARIABLE = re.compile(r"%`?([A-Za-z_][\w-]*)")
_EVERYTHING = re.compile(r"%resource|%questionnaire|descendants\(|repeat\(")
_RESTRICTED = frozenset({f"{codes.CONFIDENTIALITY}|R"})

Item = Mapping[str, Any]


def item_labels(questionnaire: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """linkId to labels. An item has its own and its ancestors'; with none, the form's own (meta.security); else restricted."""
    default = labels_of(questionnaire) or _RESTRICTED
    found: dict[str, frozenset[str]] = {}
    for item, ancestors in _walk(questionnaire.get("item")):
        found[item["linkId"]] = frozenset().union(*(_own_labels(each) for each in (item, *ancestors))) or default
    return found


def _own_labels(item: Item) -> frozenset[str]:
    codings = [each.get("valueCoding", {}) for each in item.get("extension", []) if each.get("url") == INLINE_LABEL]
    return frozenset(codes.code(coding.get("system"), coding.get("code")) for coding in codings)


def parts(questionnaire: Mapping[str, Any]) -> tuple[Part, ...]:
    """What a decision on a response judges one by one."""
    return tuple(Part(link_id, labels) for link_id, labels in item_labels(questionnaire).items())


def carried(response: Mapping[str, Any]) -> tuple[Part, ...]:
    """The answers of a labelled response with the labels they carry; nothing for another resource."""
    return tuple(
        Part(str(item.get("linkId", "")), labels) for item in _answers(response) if (labels := _own_labels(item))
    )


def labelled(response: Mapping[str, Any], questionnaire: Mapping[str, Any]) -> dict[str, Any]:
    """The response with each item carrying the labels of its question, so that they travel with the answer."""
    marks = item_labels(questionnaire)
    default = labels_of(questionnaire) or _RESTRICTED
    return {**response, **_with_items(response, lambda item: _marked(item, marks.get(item.get("linkId", ""), default)))}


def _marked(item: Item, marks: frozenset[str]) -> Item:
    already = [each for each in item.get("extension", []) if each.get("url") != INLINE_LABEL]
    labels = [dict(zip(("system", "code"), mark.rsplit("|", 1), strict=True)) for mark in sorted(marks)]
    return {**item, "extension": [*already, *({"url": INLINE_LABEL, "valueCoding": label} for label in labels)]}


def redact(
    response: Mapping[str, Any], hidden: Iterable[str], questionnaire: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The response without the hidden linkIds and whatever would tell of them, tagged REDACTED when anything was left out.

    With the questionnaire also what depends on a hidden answer is left out: items it switches on, and calculated values
    and totals that read it. The narrative and a signature speak of the whole, so they go too.
    """
    closed = closure(questionnaire, hidden) if questionnaire else frozenset(hidden)
    if not any(item.get("linkId") in closed for item in _answers(response)):
        return dict(response)
    bare = {name: held for name, held in response.items() if name not in ("item", "text")}
    if "extension" in bare:
        bare["extension"] = [each for each in bare["extension"] if each.get("url") != _SIGNATURE]
        bare = {name: held for name, held in bare.items() if held != []}
    kept = _with_items(response, lambda item: None if item.get("linkId") in closed else item)
    return tagged({**bare, **kept})


def closure(questionnaire: Mapping[str, Any], hidden: Iterable[str]) -> frozenset[str]:
    """The hidden linkIds with everything inside them and everything that depends on them, however many steps away."""
    items = list(_walk(questionnaire.get("item")))
    inside = {item["linkId"]: frozenset(each["linkId"] for each in ancestors) for item, ancestors in items}
    closed, known = set(hidden), None
    while known != len(closed):
        known = len(closed)
        tainted = _tainted_names(questionnaire, items, closed, inside)
        for item, ancestors in items:
            if inside[item["linkId"]] & closed or _depends(item, ancestors, closed, tainted, inside):
                closed.add(item["linkId"])
    return frozenset(closed)


def _depends(
    item: Item, ancestors: tuple[Item, ...], closed: set[str], tainted: set[str], inside: Mapping[str, frozenset[str]]
) -> bool:
    if any(condition.get("question") in closed for condition in item.get("enableWhen", [])):
        return True
    return any(_reads(text, closed, tainted, inside) for text in _expressions(item))


def _tainted_names(
    questionnaire: Mapping[str, Any],
    items: list[tuple[Item, tuple[Item, ...]]],
    closed: set[str],
    inside: Mapping[str, frozenset[str]],
) -> set[str]:
    """Variables whose value was made from something hidden."""
    named = [
        (each["name"], each.get("expression", ""))
        for holder in (questionnaire, *(item for item, _ in items))
        for each in _named(holder)
    ]
    tainted: set[str] = set()
    for _ in named:
        tainted |= {name for name, text in named if _reads(text, closed, tainted, inside)}
    return tainted


def _named(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in holder.get("extension", []):
        expression = each.get("valueExpression")
        if isinstance(expression, Mapping) and expression.get("name"):
            yield expression


def _expressions(item: Item) -> Iterator[str]:
    for holder in (item, *(item.get(f"_{name}", {}) for name in ("text", "prefix", "required", "repeats"))):
        for each in _extensions(holder):
            expression = each.get("valueExpression")
            if isinstance(expression, Mapping) and not expression.get("name"):
                yield str(expression.get("expression", ""))


def _extensions(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in holder.get("extension", []):
        yield each
        yield from _extensions(each)


def _reads(text: str, closed: set[str], tainted: set[str], inside: Mapping[str, frozenset[str]]) -> bool:
    """Whether an expression can see something hidden. One that names no question but looks at everything can."""
    if tainted & set(_VARIABLE.findall(text)):
        return True
    mentioned = set(_LITERAL.findall(text)) & inside.keys()
    if mentioned & closed:
        return True
    whole = {each for each in mentioned if not any(each in inside[other] for other in mentioned)}
    if any(each in inside[link_id] for each in whole for link_id in closed if link_id in inside):
        return True
    return not mentioned and bool(closed) and bool(_EVERYTHING.search(text))


def _walk(items: Any, ancestors: tuple[Item, ...] = ()) -> Iterator[tuple[Item, tuple[Item, ...]]]:
    stack = [(item, ancestors) for item in reversed(items or [])]
    while stack:
        item, above = stack.pop()
        yield item, above
        stack.extend((child, (*above, item)) for child in reversed(item.get("item", [])))


def _answers(response: Mapping[str, Any]) -> Iterator[Item]:
    stack = list(response.get("item", []))
    while stack:
        item = stack.pop()
        yield item
        stack.extend(item.get("item", []))
        stack.extend(child for answer in item.get("answer", []) for child in answer.get("item", []))


def _with_items(holder: Mapping[str, Any], change: Any) -> dict[str, Any]:
    """`{"item": [...]}` with every item changed, or left out when `change` gives None; {} when none is left."""
    made = []
    for item in holder.get("item", []):
        changed = change(item)
        if changed is None:
            continue
        rebuilt = {name: held for name, held in changed.items() if name not in ("item", "answer")} | _with_items(
            changed, change
        )
        if "answer" in changed:
            rebuilt["answer"] = [_rebuilt_answer(answer, change) for answer in changed["answer"]]
        if rebuilt.keys() & {"item", "answer"} or not item.keys() & {"item", "answer"}:
            made.append(rebuilt)
    return {"item": made} if made else {}


def _rebuilt_answer(answer: Mapping[str, Any], change: Any) -> dict[str, Any]:
    return {name: held for name, held in answer.items() if name != "item"} | _with_items(answer, change)
