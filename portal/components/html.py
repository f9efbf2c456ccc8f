"""The pieces components are made of: text always escaped, attributes, the refusal of markup in plain strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup, escape

Params = Mapping[str, Any]
Say = Callable[[str], str]
Renderer = Callable[[Params, Say], Markup]

NOTHING: Params = {}
_ATTRIBUTE = re.compile(r"(?!on)(?!style$)[a-z][a-z0-9:._-]*", re.IGNORECASE)
_SCHEME = re.compile(r"[\s\x00-\x20]*([a-z][a-z0-9+.\-\s]*):", re.IGNORECASE)
_OPENABLE = {"http", "https", "mailto", "tel"}


def names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


class UnsafeMarkup(TypeError):
    """A plain string was passed where HTML goes, or an attribute that could run script. Pass Markup, or `text`."""


class UnknownParameter(LookupError):
    """Our quick renderer has no such parameter; the library's macro has a try at it."""


def known(params: Params, names: frozenset[str]) -> Params:
    """`params` when every name is one of `names`; UnknownParameter otherwise."""
    if params.keys() <= names:
        return params
    raise UnknownParameter(", ".join(sorted(set(params) - names)))


PART = names("text html id for classes attributes size isPageHeading visuallyHiddenText titleText describedBy")


def part(value: Any) -> Params:
    """A piece of text from a string, Markup or a mapping with `text` or `html`; empty when there is nothing."""
    if isinstance(value, Mapping):
        return known(value, PART) if value.get("html") or filled(value.get("text")) else NOTHING
    return {"text": value} if filled(value) else NOTHING


def filled(value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and str(value) != ""


def words(piece: Params) -> Markup:
    """What a part says: its `html` when that is Markup, else its `text`, escaped."""
    html = piece.get("html")
    if html:
        return trusted(html)
    text = piece.get("text")
    return Markup() if text is None else escape(text)


def trusted(html: Any) -> Markup:
    if isinstance(html, Markup):
        return html
    raise UnsafeMarkup("`html` takes Markup made by a template; pass plain words as `text`")


def finished(html: str) -> Markup:
    """HTML of which every value has already been escaped by its maker; nothing else may become Markup here."""
    return Markup(html)  # noqa: S704


def hidden_words(piece: Params) -> str:
    """Words for those who listen, after the visible ones."""
    said = piece.get("visuallyHiddenText")
    return f'<span class="nhsuk-u-visually-hidden"> {escape(said)}</span>' if said else ""


def attributes(extra: Any) -> str:
    """` name="value"` for each pair; a mapping with `value` and `optional` may leave its attribute out or bare."""
    if not extra:
        return ""
    if not isinstance(extra, Mapping):
        raise UnsafeMarkup("`attributes` takes a mapping of names to values")
    return "".join(_attribute(str(name), value) for name, value in extra.items())


def _attribute(name: str, value: Any) -> str:
    if not _ATTRIBUTE.fullmatch(name):
        raise UnsafeMarkup(f"the attribute {name!r} is not allowed")
    if isinstance(value, Mapping):
        return maybe(name, value.get("value")) if value.get("optional") else _attribute(name, value.get("value"))
    if isinstance(value, bool):
        return f' {name}="{str(value).lower()}"'
    value = link(value) if name == "href" else value
    return f' {name}="{escape("" if value is None else value)}"'


def maybe(name: str, value: Any) -> str:
    """The attribute when there is a value, bare when it is True, nothing when it is None or False."""
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(value)}"'


def link(target: Any) -> str:
    """`target` when a browser may open it; UnsafeMarkup for javascript:, data: and their kind."""
    scheme = _SCHEME.match(str(target))
    if scheme and scheme[1].lower() not in _OPENABLE:
        raise UnsafeMarkup("a link opens a page, a telephone number or an address, nothing else")
    return str(target)


def classes(*names: Any) -> str:
    """The class attribute's value: the names that are there, escaped."""
    return str(escape(" ".join(str(name) for name in names if name)))


def element(name: str, css: str, inner: str, piece: Params = NOTHING) -> str:
    """An element with the id and attributes of `piece`; `inner` is finished HTML."""
    named = maybe("id", piece.get("id") or None) + attributes(piece.get("attributes"))
    return f'<{name} class="{css}"{named}>{inner}</{name}>'
