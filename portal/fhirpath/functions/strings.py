"""5.6 Strings: indexOf, substring, upper, replace, split, join, encode …; patterns are in patterns.py."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from typing import Any

from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.functions.subsetting import whole_number
from portal.fhirpath.lexer import paired
from portal.fhirpath.node import Node


def text_of(items: Items, name: str) -> str | None:
    """The one text of the input; a FHIR date counts as the text it is written as."""
    if len(items) == 1 and type(items[0]) is Node and isinstance(items[0].value, str):
        return items[0].value
    value = one(items, f"{name}()")
    if value is not None and not isinstance(value, str):
        raise FhirPathEvaluationError(f"{name}() takes text")
    return value


def argument(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise FhirPathEvaluationError(f"{name}() takes text in its brackets")
    return value


def testing(name: str, test: Callable[[str, str], Any]) -> None:
    """A function of the input and one text, empty when either is."""

    def run(env: Env, items: Items, other: Any) -> Items:
        text = text_of(items, name)
        if text is None or other is None:
            return []
        env.spend(1 + len(text) // 256)
        return [test(text, argument(other, name))]

    function(name, "value")(run)


testing("indexOf", lambda text, other: text.find(other))
testing("lastIndexOf", lambda text, other: text.rfind(other))
testing("startsWith", lambda text, other: text.startswith(other))
testing("endsWith", lambda text, other: text.endswith(other))
testing("contains", lambda text, other: other in text)


def changing(name: str, change: Callable[[str], str]) -> None:
    """A function from text to text."""

    def run(env: Env, items: Items) -> Items:
        text = text_of(items, name)
        return [] if text is None else [env.text(change(text))]

    function(name)(run)


changing("upper", lambda text: text.upper())
changing("lower", lambda text: text.lower())
changing("trim", lambda text: text.strip(" \t\r\n"))


@function("length")
def length(env: Env, items: Items) -> Items:
    text = text_of(items, "length")
    return [] if text is None else [len(text)]


@function("substring", "value", "value?")
def substring(env: Env, items: Items, start: Any, count: Any = None) -> Items:
    text = text_of(items, "substring")
    if text is None or start is None:
        return []
    begin = whole_number(start, "substring")
    if not 0 <= begin < len(text):
        return []
    end = len(text) if count is None else begin + max(0, whole_number(count, "substring"))
    return [env.text(text[begin:end])]


@function("replace", "value", "value")
def replace(env: Env, items: Items, old: Any, new: Any) -> Items:
    text = text_of(items, "replace")
    if text is None or old is None or new is None:
        return []
    old, new = argument(old, "replace"), argument(new, "replace")
    grown = len(text) + text.count(old) * (len(new) - len(old))
    if grown > env.room:
        env.text("x" * (env.room + 1))
    return [env.text(text.replace(old, new))]


@function("toChars")
def to_chars(env: Env, items: Items) -> Items:
    text = text_of(items, "toChars")
    if text is None:
        return []
    env.spend(len(text))
    return list(env.text(text))


@function("split", "value")
def split(env: Env, items: Items, separator: Any) -> Items:
    text = text_of(items, "split")
    if text is None or separator is None:
        return []
    separator = argument(separator, "split")
    found = text.split(separator) if separator else list(text)
    env.spend(len(found))
    env.text(text)
    return list(found)


@function("join", "value?")
def join(env: Env, items: Items, separator: Any = None) -> Items:
    mark = "" if separator is None else argument(separator, "join")
    texts = [text_of([item], "join") for item in items]
    env.spend(len(texts))
    known = [text for text in texts if text is not None]
    if not known:
        return []
    if sum(map(len, known)) + len(mark) * len(known) > env.room:
        env.text("x" * (env.room + 1))
    return [env.text(mark.join(known))]


ENCODERS: dict[str, Callable[[bytes], str]] = {
    "hex": lambda data: data.hex(),
    "base64": lambda data: base64.b64encode(data).decode(),
    "urlbase64": lambda data: base64.urlsafe_b64encode(data).decode(),
    "ascii": lambda data: data.decode(errors="replace").encode("ascii", "replace").decode(),
}
DECODERS: dict[str, Callable[[str], bytes]] = {
    "hex": bytes.fromhex,
    "base64": lambda text: base64.b64decode(text, validate=True),
    "urlbase64": lambda text: base64.b64decode(text, altchars=b"-_", validate=True),
}
JSON_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
JSON_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def json_unescaped(text: str) -> str:
    """JSON's escapes undone; a backslash that escapes nothing stays."""
    return paired(JSON_ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else JSON_LETTERS.get(m[2], m[2]), text))


ESCAPERS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "html": (lambda text: html.escape(text).replace("&#x27;", "&#39;"), html.unescape),
    "json": (lambda text: json.dumps(text, ensure_ascii=False)[1:-1], json_unescaped),
}


@function("encode", "value")
def encode(env: Env, items: Items, kind: Any) -> Items:
    text, encoder = text_of(items, "encode"), ENCODERS.get(kind)
    if text is None or encoder is None:
        return []
    return [env.text(encoder(text.encode("utf-8", "surrogatepass")))]


@function("decode", "value")
def decode(env: Env, items: Items, kind: Any) -> Items:
    text, decoder = text_of(items, "decode"), DECODERS.get(kind)
    if text is None or decoder is None:
        return []
    env.text(text)
    try:
        return [decoder(text).decode("utf-8")]
    except UnicodeDecodeError:
        return []
    except (ValueError, binascii.Error):
        raise FhirPathEvaluationError("decode() was given text that is not so encoded") from None


@function("escape", "value")
def escape(env: Env, items: Items, kind: Any) -> Items:
    text, pair = text_of(items, "escape"), ESCAPERS.get(kind)
    return [] if text is None or pair is None else [env.text(pair[0](text))]


@function("unescape", "value")
def unescape(env: Env, items: Items, kind: Any) -> Items:
    text, pair = text_of(items, "unescape"), ESCAPERS.get(kind)
    if text is None or pair is None:
        return []
    return [env.text(pair[1](text))]
