"""matches, matchesFull, replaceMatches: on RE2, whose time grows with the text and never with the pattern's tricks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from portal.fhirpath.budget import MAX_PATTERN
from portal.fhirpath.env import Env, Items
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.functions.strings import argument, text_of

GROUP = re.compile(r"\$(?:(\d)|\{(\w+)\}|(\$))")


@lru_cache(maxsize=512)
def pattern(text: str, flags: str = "") -> Any:
    """The compiled pattern; FhirPathEvaluationError when RE2 refuses it (look-around, back-references) or it is too long."""
    if len(text) > MAX_PATTERN:
        raise FhirPathEvaluationError(f"a pattern is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 1 << 22
    options.case_sensitive = "i" not in flags
    if set(flags) - {"i", "m"}:
        raise FhirPathEvaluationError("the flags of a pattern are i and m")
    source = f"(?m:{text})" if "m" in flags else text
    try:
        return re2.compile(source, options)
    except re2.error:
        raise FhirPathEvaluationError(
            "a pattern cannot be used: look-around and back-references are not allowed"
        ) from None


def found(env: Env, items: Items, source: Any, flags: Any, name: str, whole: bool = False) -> tuple[Any, str] | None:
    text = text_of(items, name)
    if text is None or source is None:
        return None
    env.spend(2 + len(text) // 16)
    wanted = argument(source, name)
    return pattern(f"^(?:{wanted})$" if whole else wanted, flags or ""), text


@function("matches", "value", "value?")
def matches(env: Env, items: Items, source: Any, flags: Any = None) -> Items:
    both = found(env, items, source, flags, "matches")
    return [] if both is None else [both[0].search(both[1]) is not None]


@function("matchesFull", "value", "value?")
def matches_full(env: Env, items: Items, source: Any, flags: Any = None) -> Items:
    both = found(env, items, source, flags, "matchesFull", whole=True)
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
        env.spend(1)
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
