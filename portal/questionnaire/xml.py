"""FHIR XML read as FHIR JSON: the same resource, decimals exact, lists where R4 has lists. No entities, no DTD."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder, tostring
from xml.parsers import expat

from portal.fhir.exact import MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT
from portal.fhirpath.model import TypeDef, r4
from portal.questionnaire.elements import repeats, type_at

Json = dict[str, Any]
FHIR, XHTML = "http://hl7.org/fhir", "http://www.w3.org/1999/xhtml"
NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt"})


class UnreadableXml(ValueError):
    """What is no FHIR XML; the message goes on after "it …"."""


class NotFhir(UnreadableXml):
    """XML of another kind: a CDA document, a schema."""


def read(content: bytes) -> Json:
    """The resource of an XML document. Raises UnreadableXml."""
    root = _tree(content)
    if not root.tag.startswith(f"{{{FHIR}}}"):
        raise NotFhir("holds XML that is not FHIR")
    return _resource(root)


def _tree(content: bytes) -> Element:
    builder = TreeBuilder()
    depth = 0
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableXml(f"is nested more than {MAX_DEPTH} deep")
        builder.start(f"{{{name}" if "}" in name else name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(f"{{{name}" if "}" in name else name)

    def refuse(*_: object) -> None:
        raise UnreadableXml("has a document type declaration, which is not taken")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as wrong:
        raise UnreadableXml(f"is no well-formed XML ({expat.ErrorString(wrong.code)}, line {wrong.lineno})") from wrong
    except (ValueError, LookupError) as wrong:
        raise wrong if isinstance(wrong, UnreadableXml) else UnreadableXml("is no XML that can be read") from wrong
    return builder.close()


def _name(element: Element) -> str:
    return element.tag.partition("}")[2] or element.tag


def _resource(element: Element) -> Json:
    name = _name(element)
    known = r4().type(name)
    if known is None:
        raise UnreadableXml(f"holds {name}, which is no resource of FHIR R4")
    return {"resourceType": name, **_content(element, name)}


def _content(element: Element, type_name: str) -> Json:
    made: Json = {key: value for key, value in element.attrib.items() if key in ("id", "url")}
    for child in element:
        name = _name(child)
        if child.tag.startswith(f"{{{XHTML}}}"):
            made[name] = tostring(child, encoding="unicode", default_namespace=None)
            continue
        kind = "Extension" if name in ("extension", "modifierExtension") else type_at(type_name, name)
        if not kind and name not in ("contained", "id"):
            raise UnreadableXml(f"has {name} in {type_name}, which FHIR R4 does not know")
        many = repeats(type_name, name)
        if name == "contained" or kind == "Resource":
            _put(made, name, _resource(child[0]) if len(child) else {}, many)
        elif _is_primitive(kind):
            _primitive(made, name, child, kind, many)
        else:
            _put(made, name, _content(child, kind), many)
    return made


def _is_primitive(kind: str) -> bool:
    known: TypeDef | None = r4().type(kind)
    return not kind or known is None or known.primitive


def _put(made: Json, name: str, value: Any, many: bool) -> None:
    if many:
        made.setdefault(name, []).append(value)
    else:
        made[name] = value


def _primitive(made: Json, name: str, child: Element, kind: str, many: bool) -> None:
    """A value and, where it has an id or extensions, its twin; in a list both keep their places."""
    value = _converted(child.get("value"), kind)
    twin = _content(child, "Element") if len(child) or child.get("id") else None
    if not many:
        made.update({key: one for key, one in ((name, value), (f"_{name}", twin)) if one is not None})
        return
    before = len(made.get(name, ()))
    made.setdefault(name, []).append(value)
    if twin is not None or f"_{name}" in made:
        twins = made.setdefault(f"_{name}", [None] * before)
        twins.append(twin)


def _converted(text: str | None, kind: str) -> Any:
    if text is None:
        return None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind not in NUMBERS and kind != "decimal":
        return text
    digits, _, exponent = text.lower().partition("e")
    if len(digits) > MAX_DIGITS + 3 or len(exponent) > 3 or _far(exponent):
        raise UnreadableXml("holds a number that is out of bounds")
    try:
        return int(text) if kind in NUMBERS else _finite(text)
    except (InvalidOperation, ValueError):
        return text


def _finite(text: str) -> Any:
    value = Decimal(text)
    return value if value.is_finite() else text


def _far(exponent: str) -> bool:
    return exponent.lstrip("+-").isdecimal() and abs(int(exponent)) > MAX_EXPONENT
