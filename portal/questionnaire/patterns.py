"""Regular expressions of a form, run by RE2 in linear time: no pattern can hang a worker (bar 52)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 500
_AHEAD = re.compile(r"\(\?([=!])")
_BEYOND = re.compile(r"\(\?<?[=!]|\(\?P?>|\\[1-9]|\(\?P=|\\k<|[*+?}]\+")
"""What RE2 leaves out because its cost has no bound: look-around, back-references, atomic groups."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What must (True) or must not (False) match from the start of the text, and what the whole of it must match."""

    ahead: tuple[tuple[bool, Any], ...]
    whole: Any


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> _Pattern | None:
    """The pattern for RE2, or None when RE2 cannot read it or it is too long. Look-aheads at the very start are taken
    apart: `^(?=A)(?!B)C$` is A from the start, and not B, and C."""
    if len(pattern) > MAX_PATTERN:
        return None
    leading = list(_leading(pattern))
    ahead = [(sign == "=", _re2(body)) for sign, body, _ in leading]
    rest = leading[-1][2] if leading else pattern
    whole = _re2(rest) if rest.strip("^$") or not ahead else _re2("(?s).*")
    if whole is None or any(part is None for _, part in ahead):
        return None
    return _Pattern(tuple(ahead), whole)


def _leading(pattern: str) -> Iterator[tuple[str, str, str]]:
    """(= or !, the body, what is left) of each look-ahead at the start."""
    start = pattern.removeprefix("^")
    while found := _AHEAD.match(start):
        end = _closing(start)
        if not end:
            return
        yield found[1], start[found.end() : end], start[end + 1 :]
        start = start[end + 1 :]


def _closing(text: str) -> int:
    """Where the bracket that opens a text closes; 0 when it does not."""
    depth, at, inside = 0, 0, False
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
        elif inside:
            inside = letter != "]"
        elif letter == "[":
            inside = True
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if not depth:
                return at
        at += 1
    return 0


def _re2(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 22
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def problem(pattern: str) -> str:
    """Why a pattern cannot be read by anyone, or ""."""
    return "" if _compiled(pattern) is not None or unchecked(pattern) else "the pattern cannot be read"


def unchecked(pattern: str) -> str:
    """Why a pattern is not checked here though others may read it, or ""."""
    if _compiled(pattern) is not None:
        return ""
    if len(pattern) > MAX_PATTERN:
        return f"the pattern is longer than {MAX_PATTERN} characters"
    return "the pattern uses look-around or back-references" if _BEYOND.search(pattern) else ""


def matches(pattern: str, value: str) -> bool:
    """Whether the whole text matches; a pattern that cannot be used is not held against the patient."""
    compiled = _compiled(pattern)
    if compiled is None:
        return True
    ahead = all((part.match(value) is not None) is wanted for wanted, part in compiled.ahead)
    return ahead and compiled.whole.fullmatch(value) is not None


_ESCAPE = re.compile(r"\\[dDwWsSb]|\[[^\]]+\][{*+?]|\{\d+(,\d*)?\}|^\^.*\$$")


def looks_like_a_pattern(words: str) -> bool:
    """Whether a format is written for machines (`\\d{3}-[0-9]+`): a person who reads it would type it as it stands."""
    return _ESCAPE.search(words) is not None
