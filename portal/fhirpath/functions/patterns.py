"""matches, matchesFull, replaceMatches: on RE2, whose time grows with the text and never with the pattern's tricks."""

from __future__ import annotations

import re
from typing import Any

import re2

from portal.fhirpath.budget import MAX_PATTERN
from portal.fhirpath.env import Env, Items
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.functions.strings import argument, text_of

GROUP = re.compile(r"\$(?:(\d)|\{(\w+)\}|(\$))")


MAX_KNOWN = 1024
_known: dict[tuple[str, str], Any] = {}


def pattern(text: str, flags: str = "") -> Any:
    """The compiled pattern; FhirPathEvaluationError when RE2 refuses it (look-around, back-references) or it is too long."""
    found = _known.get((text, flags))
    if found is None:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        found = _known[text, flags] = compiled(text, flags)
    return found


def compiled(text: str, flags: str) -> Any:
    if len(text) > MAX_PATTERN:
        raise FhirPathEvaluationError(f"a pattern is longer than {MAX_PATTERN} characters")
    if set(flags) - {"i", "m"}:
        raise FhirPathEvaluationError("the flags of a pattern are i and m")
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 1 << 22
    options.case_sensitive = "i" not in flags
    try:
        return re2.compile(f"(?m:{text})" if "m" in flags else text, options)
    except re2.error:
        raise FhirPathEvaluationError("a pattern cannot be used: look-around and back-references are refused") from None


def found(env: Env, items: Items, source: Any, flags: Any, name: str) -> tuple[Any, str] | None:
    """The pattern and the text; None when either is missing."""
    text = text_of(items, name)
    if text is None or source is None:
        return None
    wanted, marks = argument(source, name), "" if flags is None else argument(flags, name)
    if name == "matchesFull":
        wanted = f"^(?:{wanted})$"
    env.spend(2 + len(text) // 16 + (0 if (wanted, marks) in _known else 150 + 4 * len(wanted)))
    return pattern(wanted, marks), text


@function("matches", "value", "value?")
def matches(env: Env, items: Items, source: Any, flags: Any = None) -> Items:
    both = found(env, items, source, flags, "matches")
    return [] if both is None else [both[0].search(both[1]) is not None]


@function("matchesFull", "value", "value?")
def matches_full(env: Env, items: Items, source: Any, flags: Any = None) -> Items:
    both = found(env, items, source, flags, "matchesFull")
    return [] if both is None else [both[0].search(both[1]) is not None]


@function("replaceMatches", "value", "value", "value?")
def replace_matches(env: Env, items: Items, source: Any, new: Any, flags: Any = None) -> Items:
    """`$1`, `${name}` and `$$` in the replacement stand for groups and a dollar sign."""
    if source == "":
        text = text_of(items, "replaceMatches")
        return [] if text is None or new is None else [text]
    both = found(env, items, source, flags, "replaceMatches")
    if both is None or new is None:
        return []
    template = argument(new, "replaceMatches")

    def replacement(match: Any) -> str:
        env.spend(20)
        return env.text(GROUP.sub(lambda mark: group(match, mark), template))

    return [env.text(both[0].sub(replacement, both[1]))]


def group(match: Any, mark: re.Match[str]) -> str:
    number, name, dollar = mark.groups()
    if dollar:
        return "$"
    try:
        return str(match.group(int(number) if number else (int(name) if name.isdigit() else name)) or "")
    except (IndexError, KeyError, re2.error):
        return mark.group()
