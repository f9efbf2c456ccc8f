"""How much one evaluation may cost before it is stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one evaluation; a breach raises FhirPathBudgetExceeded.

    steps: items visited and operations done (about a microsecond each at the most).
    size: characters of text produced in all.
    """

    steps: int = 200_000
    size: int = 1_000_000


MAX_EXPRESSION = 12_000
"""Characters of an expression; longer is refused before it is read."""

MAX_DEPTH = 60
"""Brackets and calls inside one another."""

MAX_PATTERN = 500
"""Characters of a regular expression."""
