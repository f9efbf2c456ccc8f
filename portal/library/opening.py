"""From the bytes of an upload to forms and lists: read within limits, unpacked, put together, checked. Nothing is stored here."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.fhir import exact
from portal.library.models import LONGEST_URL, LONGEST_VERSION
from portal.questionnaire import Form, FormRefused, Refusal, assemble, load, xml
from portal.questionnaire import extensions as ext
from portal.questionnaire.admission import MAX_BYTES, refusals

Json = dict[str, Any]
MOST_FORMS = 50
MOST_BYTES = 8 * 1024 * 1024
MOST_LISTS = 300
FORM = "Questionnaire"
LISTS = ("ValueSet", "CodeSystem")
_MODULE = "subQuestionnaire"
_PARTS_ONLY = frozenset({"assemble-child", "independent-child"})
"""What a form says of itself that is only ever a part of another (SDC, assemble-expectation)."""
_ADDRESS = re.compile(r"[^\s|#]+")


@dataclass(frozen=True)
class Opened:
    """One form of an upload: `form` when the engine takes it, else why not. `content` are the bytes to keep."""

    raw: Json
    content: bytes
    form: Form | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Parcel:
    """What an upload held. `trouble` says why nothing could be made of it at all ("" when something could)."""

    forms: tuple[Opened, ...] = ()
    lists: tuple[tuple[Json, bytes], ...] = ()
    trouble: str = ""


def parcel(content: bytes, at_hand: Mapping[str, Json]) -> Parcel:
    """A Questionnaire, a ValueSet or CodeSystem, or a Bundle of them, as JSON or XML. `at_hand`: lists the library has already.

    What is only ever a part of another form is none by itself where that form has come with it.
    """
    raw, trouble = _parsed(content)
    if trouble:
        return Parcel(trouble=trouble)
    found = list(_unpacked(raw, content))
    forms = [(one, text) for one, text in found if one.get("resourceType") == FORM]
    lists = [(one, text) for one, text in found if one.get("resourceType") in LISTS and address(one)]
    if len(forms) > MOST_FORMS or len(lists) > MOST_LISTS:
        return Parcel(trouble=f"It holds more than {MOST_FORMS} forms or {MOST_LISTS} lists. Send them in parts.")
    if not forms and not lists:
        return Parcel(trouble=_nothing(raw))
    registry = ChainMap(_by_name(lists), at_hand)  # type: ignore[arg-type]
    modules = _by_name(forms)
    if any(_modules(one) for one, _ in forms):
        forms = [(one, text) for one, text in forms if not _is_part(one)] or forms
    return Parcel(tuple(_opened(one, text, registry, modules) for one, text in forms), tuple(lists))


def _parsed(content: bytes) -> tuple[Json, str]:
    if len(content) > MOST_BYTES:
        return {}, f"It is larger than {MOST_BYTES // 1024 // 1024} MB. Send the forms in parts."
    if not content.strip():
        return {}, "There is nothing in it."
    try:
        raw = xml.read(content) if _is_xml(content) else exact.loads(content)
    except xml.NotFhir:
        return {}, "It is a web page or XML of another kind, not a FHIR resource. Save the form as FHIR R4 JSON or XML."
    except xml.UnreadableXml as wrong:
        return {}, f"The XML cannot be read: it {wrong}."
    except exact.UnreadableJson as wrong:
        return {}, f"It cannot be read: {wrong}."
    if not isinstance(raw, dict) or not isinstance(raw.get("resourceType"), str):
        return {}, "It is JSON, but no FHIR resource: there is no resourceType in it."
    return raw, ""


def _is_xml(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _nothing(raw: Json) -> str:
    kind = raw["resourceType"]
    if kind == "Bundle":
        return "There is no Questionnaire in this Bundle."
    return f"It is a FHIR {kind[:60]}, not a Questionnaire." if kind not in LISTS else "This list has no url."


def _unpacked(raw: Json, content: bytes) -> Iterator[tuple[Json, bytes]]:
    """The resource with its bytes as they came, or each one of a Bundle."""
    if raw["resourceType"] != "Bundle":
        yield raw, exact.dumps(raw).encode() if _is_xml(content) else content
        return
    entries = raw.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        one = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(one, dict):
            yield one, exact.dumps(one).encode()


def address(raw: Json) -> str:
    """The url of a resource where it is one that can stand in `url|version`."""
    url = raw.get("url")
    return url if isinstance(url, str) and len(url) <= LONGEST_URL and _ADDRESS.fullmatch(url) else ""


def _by_name(found: list[tuple[Json, bytes]]) -> dict[str, Json]:
    """By url, by url|version, and forms by id too."""
    made: dict[str, Json] = {}
    for one, _ in found:
        url, version, name = address(one), one.get("version"), one.get("id")
        names = [url, f"{url}|{version}"] if url else []
        names += [f"{FORM}/{name}", name] if isinstance(name, str) and one.get("resourceType") == FORM else []
        for each in names:
            made.setdefault(each, one)
    return made


def _opened(raw: Json, content: bytes, registry: Mapping[str, Json], modules: Mapping[str, Json]) -> Opened:
    wrong = _size(content) or [*refusals(raw)] or _named_oddly(raw)
    if wrong:
        return Opened(raw, content, None, tuple(wrong))
    try:
        if _modules(raw):
            unsound = [wrong for one in modules.values() for wrong in refusals(one)]
            if unsound:
                raise FormRefused(unsound)
            raw = assemble(raw, modules)
            content = exact.dumps(raw).encode()
        return Opened(raw, content, load(raw, registry=registry))
    except FormRefused as refused:
        return Opened(raw, content, None, tuple(refused.issues))


def _size(content: bytes) -> list[Refusal]:
    if len(content) <= MAX_BYTES:
        return []
    return [Refusal("", "too-big", f"the form is larger than {MAX_BYTES // 1024 // 1024} MB ({len(content)} bytes)")]


def _named_oddly(raw: Json) -> list[Refusal]:
    wrong = []
    if raw.get("url") is not None and not address(raw):
        wrong.append(Refusal("", "url", f"the url is no address, or longer than {LONGEST_URL} characters"))
    version = str(raw.get("version") or "")
    if len(version) > LONGEST_VERSION or "|" in version:
        wrong.append(Refusal("", "version", f"the version holds a | or is longer than {LONGEST_VERSION} characters"))
    return wrong


def _is_part(raw: Json) -> bool:
    said = ext.value(ext.of(raw), "assemble-expectation")
    return isinstance(said, str) and said in _PARTS_ONLY


def _modules(raw: Json) -> bool:
    """Whether the form names other forms whose questions are to be put into it."""
    stack: list[Any] = [raw.get("item")]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(current)
        elif isinstance(current, dict):
            listed = current.get("extension")
            urls = [each.get("url") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
            if any(str(url).endswith(_MODULE) for url in urls):
                return True
            stack.append(current.get("item"))
    return False
