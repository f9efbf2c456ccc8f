"""FHIR's own functions: extension, resolve, memberOf, conformsTo, htmlChecks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from portal.fhirpath.env import Env, Items, wrap
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.model import r4
from portal.fhirpath.node import Node
from portal.fhirpath.types import type_of


@function("extension", "value")
def extension(env: Env, items: Items, url: Any) -> Items:
    found: Items = []
    if not url:
        return []
    if not isinstance(url, str):
        raise FhirPathEvaluationError("extension() takes the url of an extension")
    for item in items:
        if type(item) is Node:
            item.collect("extension", found)
    env.spend(len(found))
    return [one for one in found if one.value.get("url") == url]


@function("resolve")
def resolve(env: Env, items: Items) -> Items:
    """References by `#id` in the containing resource, by fullUrl in a Bundle, else by the Host; unknown ones are left out."""
    out: Items = []
    for item in items:
        env.spend(1)
        reference = _reference(item)
        if reference:
            out.extend(_resolved(env, item, reference))
    return out


def _reference(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    if type(item) is not Node:
        return None
    value = item.value.get("reference") if type(item.value) is dict else item.value
    return value if isinstance(value, str) else None


def _resolved(env: Env, item: Any, reference: str) -> Items:
    here = (
        item.resource()
        if type(item) is Node
        else next((one for one in env.variable("resource") if type(one) is Node), None)
    )
    if reference.startswith("#"):
        return _contained(env, here, reference[1:])
    for entry in _entries(here):
        env.spend(1)
        if _meant(entry, reference):
            return wrap(entry.get("resource"), env.model)
    return [] if env.host is None else wrap(env.host.resolve(reference), env.model)


def _meant(entry: dict[str, Any], reference: str) -> bool:
    """Whether a reference means this entry: by its fullUrl, or by the type and id of what it holds."""
    url, held = str(entry.get("fullUrl", "")), entry.get("resource")
    if url == reference or not isinstance(held, dict):
        return url == reference
    named = f"{held.get('resourceType')}/{held.get('id')}"
    return reference == named or (url.endswith(f"/{reference}") and not held.get("id"))


def _contained(env: Env, resource: Any, wanted: str) -> Items:
    while resource is not None:
        if wanted == "":  # the resource that contains the one that says so
            return [resource if resource.parent is None or resource.key != "contained" else resource.parent.resource()]
        found: Items = []
        resource.collect("contained", found)
        env.spend(len(found))
        for one in found:
            if one.value.get("id") == wanted:
                return [one]
        resource = None if resource.parent is None else resource.parent.resource()
    return []


def _entries(node: Node | None) -> list[dict[str, Any]]:
    while node is not None:
        if type(node.value) is dict and node.value.get("resourceType") == "Bundle":
            return [entry for entry in node.value.get("entry", ()) if isinstance(entry, dict)]
        node = node.parent
    return []


@function("memberOf", "value")
def member_of(env: Env, items: Items, value_set: Any) -> Items:
    if len(items) > 1:
        raise FhirPathEvaluationError("memberOf() takes one item")
    if not items or env.host is None or not isinstance(value_set, str):
        return []
    item = items[0]
    coded = item.value if type(item) is Node else item
    if not isinstance(coded, dict | str):
        return []
    found = env.host.member_of(coded, value_set)
    return [] if found is None else [found]


BASE = re.compile(r"http://hl7\.org/fhir/StructureDefinition/([A-Za-z]+)(?:\|4\.0(?:\.1)?)?\Z")


def base_type(canonical: Any) -> str:
    """The type of R4 whose own definition a canonical names, or ""."""
    found = BASE.match(canonical) if isinstance(canonical, str) else None
    return found[1] if found and r4().has(found[1]) else ""


@function("conformsTo", "value")
def conforms_to(env: Env, items: Items, canonical: Any) -> Items:
    """To the definition of a type of R4: being of that type, and sound as the Host sees it. Other profiles are an error."""
    if len(items) > 1:
        raise FhirPathEvaluationError("conformsTo() takes one item")
    if not items or canonical is None:
        return []
    wanted = base_type(canonical)
    if not wanted:
        raise FhirPathEvaluationError(
            f"conformsTo() knows the types of FHIR R4 only, not the profile {str(canonical)[:200]}"
        )
    item = items[0]
    found = type_of(item)
    if found is None and type(item) is Node and type(item.value) is dict:
        found = r4().type(str(item.value.get("resourceType")))
    if found is None or found.namespace != "FHIR" or wanted not in found.ancestors:
        return [False]
    sound = env.host.sound(item.value) if env.host is not None and "Resource" in found.ancestors else None
    return [sound is not False]


WORDS = """
    a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li
    ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var
"""
TAGS = frozenset(WORDS.split())
VOID = frozenset({"br", "hr", "img", "col"})


class Narrative(HTMLParser):
    """Reads a narrative: FHIR's tags only, closed in order, inside one div that says something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sound = True
        self.says = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sound &= (
            tag in TAGS and bool(self.open or tag == "div") and not any(name.startswith("on") for name, _ in attrs)
        )
        self.says |= tag == "img"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        self.sound &= bool(self.open) and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.says |= bool(data.strip())
        self.sound &= bool(self.open) or not data.strip()


@function("htmlChecks")
def html_checks(env: Env, items: Items) -> Items:
    """Whether a narrative, or text that could stand in one, keeps FHIR's rules for its markup (txt-1, txt-2); of anything
    else, and of several, empty (FHIR, FHIRPath §htmlChecks)."""
    item = items[0] if len(items) == 1 else None
    text = item.value if type(item) is Node else item
    if not isinstance(text, str):
        return []
    env.spend(len(text) // 4)
    reader = Narrative()
    reader.feed(text if type(item) is Node and item.key == "div" else f"<div>{text}</div>")
    reader.close()
    return [reader.sound and reader.says and not reader.open]
