"""Does a form keep to the one it says it complies with or extends: types, repeats, what is required, the options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import extensions as ext
from .comparing import same_answer
from .extensions import Json
from .findings import Findings
from .items import Item
from .releases import in_r4

BOUND = ("compliesWith", "extends")
"""Kinds of derivation that promise something; what a form was inspired by promises nothing."""


def refuse_strays(raw: Json, items: list[Item], registry: Mapping[str, Json], findings: Findings) -> None:
    """A promise that is not kept, where the form it was made about is at hand."""
    for canonical, kind in _promises(raw):
        base = registry.get(canonical) or registry.get(canonical.partition("|")[0])
        if base is not None and base.get("resourceType") == "Questionnaire" and base is not raw:
            known = _by_link(in_r4(base)[0])
            for item in items:
                for reason in _broken(item, known.get(item.link_id), kind):
                    findings.refuse(item.link_id, "derivation", f"{reason} in {canonical}")


def _promises(raw: Json) -> Iterator[tuple[str, str]]:
    named, beside = raw.get("derivedFrom"), raw.get("_derivedFrom")
    for at, canonical in enumerate(named if isinstance(named, list) else ()):
        twin = beside[at] if isinstance(beside, list) and at < len(beside) else None
        for owner in (twin, raw):
            said = ext.value(ext.of(owner), "derivationType")
            code = said.get("code") if isinstance(said, dict) else said
            if code in BOUND and isinstance(canonical, str):
                yield canonical, str(code)
                break


def _by_link(raw: Json) -> dict[Any, Json]:
    found, stack = dict[Any, Json](), [raw]
    while stack:
        listed = stack.pop().get("item")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("linkId"), str):
                found[one["linkId"]] = one
                stack.append(one)
    return found


def _broken(item: Item, base: Json | None, kind: str) -> Iterator[str]:
    if base is None:
        if kind == "compliesWith":
            yield "there is no such item"
        return
    if item.raw.get("type") != base.get("type"):
        yield f"it is a {item.raw.get('type')} here and a {base.get('type')}"
    if item.repeats and base.get("repeats") is not True:
        yield "it repeats here and does not repeat"
    if base.get("required") is True and not item.required:
        yield "it may be left out here and is required"
    listed = base.get("answerOption")
    allowed = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    for option in (item.raw.get("answerOption") or ()) if allowed else ():
        if not any(same_answer(option, one) for one in allowed):
            yield "it has an option here that it does not have"
