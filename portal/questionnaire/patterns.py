"""Regular expressions of a form, run by RE2 in linear time: no pattern can hang a worker (bar 52)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 500


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> Any:
    """The pattern for RE2, or None when RE2 cannot read it or it is too long."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 22
    try:
        return re2.compile(pattern, options) if len(pattern) <= MAX_PATTERN else None
    except re2.error:
        return None


def problem(pattern: str) -> str:
    """Why a pattern cannot be used, or ""."""
    if len(pattern) > MAX_PATTERN:
        return f"the pattern is longer than {MAX_PATTERN} characters"
    return (
        "" if _compiled(pattern) is not None else "the pattern cannot be read, or uses look-around or back-references"
    )


def matches(pattern: str, value: str) -> bool:
    """Whether the whole text matches; a pattern that cannot be used is not held against the patient."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
