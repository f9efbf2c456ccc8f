"""What can go wrong with an expression. No message holds a value of the data, only names, types and positions.

FhirPathError
├── FhirPathSyntaxError          not the grammar, or a name that does not exist; has `.position` (offset of the first wrong character)
│   └── FhirPathUnsupported      known by name and refused (conformsTo, look-around in a pattern, …)
├── FhirPathEvaluationError      the expression does not fit the data (several items where one is due, text times number, …)
└── FhirPathBudgetExceeded       stopped: too many steps, or too much text
"""

from __future__ import annotations


class FhirPathError(Exception):
    """Anything this package refuses to do."""


class FhirPathSyntaxError(FhirPathError):
    """The text is not FHIRPath; `position` is the offset of the first character that is wrong."""

    def __init__(self, reason: str, position: int = 0) -> None:
        super().__init__(f"{reason} (at character {position + 1})")
        self.reason = reason
        self.position = position


class FhirPathUnsupported(FhirPathSyntaxError):
    """A part of FHIRPath that this engine knows and refuses."""


class FhirPathEvaluationError(FhirPathError):
    """The expression is sound but does not fit the data it met."""


class FhirPathBudgetExceeded(FhirPathError):
    """The evaluation was stopped before it could cost more."""
