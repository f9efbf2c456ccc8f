"""Numbers of FHIRPath in Python: Integer is int, Long is a kind of int, Decimal is decimal.Decimal, always exact."""

from __future__ import annotations

import re
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from portal.fhirpath.errors import FhirPathEvaluationError

EXACT = Context(prec=34, Emin=-200, Emax=200, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Every sum, product and quotient is made in this context; what does not fit it is empty."""

INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1
MAX_EXPONENT = 64
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,19}")
DECIMAL_TEXT = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")


class Long(int):
    """A 64-bit whole number (`5L`)."""

    __slots__ = ()


def whole(value: int, long: bool) -> int | None:
    """An Integer or Long result; None when it does not fit."""
    if long:
        return Long(value) if LONG_MIN <= value <= LONG_MAX else None
    return value if INTEGER_MIN <= value <= INTEGER_MAX else None


def sane(value: int | Decimal) -> int | Decimal:
    """A number of the data within bounds; FhirPathEvaluationError for one that could only be meant to hurt."""
    if isinstance(value, Decimal):
        if value.is_finite() and -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT and decimals(value) <= MAX_EXPONENT:
            return value
    elif LONG_MIN <= value <= LONG_MAX:
        return value
    raise FhirPathEvaluationError("a number is beyond every bound")


def exact(value: float) -> Decimal:
    """The Decimal that a float was written as."""
    return Decimal(repr(value))


def decimal_text(value: Decimal) -> str:
    """Digits as they are, never an exponent."""
    return format(value, "f")


def decimals(value: Decimal) -> int:
    """How many digits follow the point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def significant_decimals(value: Decimal) -> int:
    """Digits after the point without trailing noughts."""
    return decimals(value.normalize(EXACT)) if value else 0
