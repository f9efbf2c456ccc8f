"""A number with a unit: UCUM codes, or calendar words (`4 days`), which are not the same thing for years and months."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from portal.fhirpath import ucum
from portal.fhirpath.values import EXACT, decimal_text

CALENDAR_WORDS = {
    word: single
    for single in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for word in (single, f"{single}s")
}
# Calendar durations that are as long as a UCUM unit; a year and a month are not.
UCUM_OF_CALENDAR = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
DEFINITE = frozenset(UCUM_OF_CALENDAR.values())
VARIABLE = {"a": "year", "mo": "month"}
WORDS = {**VARIABLE, **{code: word for word, code in UCUM_OF_CALENDAR.items()}}
CODES = {word: code for code, word in WORDS.items()}
MILLISECONDS = {
    "year": 31_536_000_000, "month": 2_592_000_000, "week": 604_800_000, "day": 86_400_000,
    "hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1,
}  # fmt: skip
ONE = "1"
MAX_UNIT = 60


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unit` is a UCUM code, or a singular calendar word when `calendar`; `fhir`: read from a FHIR Quantity,
    whose 'a' and 'mo' stand for calendar years and months too (FHIR, “Use of FHIR Quantity”)."""

    value: Decimal
    unit: str = ONE
    calendar: bool = False
    fhir: bool = False

    def __str__(self) -> str:
        number = decimal_text(self.value)
        if self.calendar:
            return f"{number} {self.unit}{'' if self.value == 1 else 's'}"
        return f"{number} '{self.unit}'"

    def times(self, factor: Decimal) -> Quantity:
        return Quantity(EXACT.multiply(self.value, factor), self.unit, self.calendar, self.fhir)

    def as_calendar(self) -> Quantity:
        """The calendar duration that a FHIR Quantity in 'a', 'mo', 'd' … also is."""
        word = WORDS.get(self.unit)
        return self if word is None or self.calendar else Quantity(self.value, word, calendar=True)


class Pair(NamedTuple):
    """Two numbers in one unit."""

    left: Decimal
    right: Decimal
    unit: str
    calendar: bool


def calendar_ratio(unit: str, other: str) -> Decimal:
    """How many of the other are in one unit; 12 months make a year, 30 days a month, 365 days a year."""
    if {unit, other} == {"year", "month"}:
        return Decimal(12) if unit == "year" else EXACT.divide(Decimal(1), Decimal(12))
    return EXACT.divide(Decimal(MILLISECONDS[unit]), Decimal(MILLISECONDS[other]))


def aligned(left: Quantity, right: Quantity) -> tuple[Quantity, Quantity]:
    """Both as calendar durations or both as UCUM where the definitions allow it."""
    if left.calendar == right.calendar:
        return left, right
    if left.calendar:
        after, before = aligned(right, left)
        return before, after
    if left.fhir and (left.unit in VARIABLE or left.unit in DEFINITE):
        return left.as_calendar(), right
    if left.unit in DEFINITE and right.unit in UCUM_OF_CALENDAR:
        return left, Quantity(right.value, UCUM_OF_CALENDAR[right.unit])
    return left, right


def pair(left: Quantity, right: Quantity) -> Pair | None:
    """Both values in the smaller of the two units; None when the units do not compare."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return Pair(left.value, right.value, left.unit, left.calendar)
    left, right = aligned(left, right)
    if left.calendar != right.calendar:
        return None
    if left.unit == right.unit:
        return Pair(left.value, right.value, left.unit, left.calendar)
    if left.calendar:
        if MILLISECONDS[left.unit] < MILLISECONDS[right.unit]:
            return Pair(left.value, EXACT.multiply(right.value, calendar_ratio(right.unit, left.unit)), left.unit, True)
        return Pair(EXACT.multiply(left.value, calendar_ratio(left.unit, right.unit)), right.value, right.unit, True)
    return ucum_pair(left, right)


def ucum_pair(left: Quantity, right: Quantity) -> Pair | None:
    mine, yours = ucum.measure(left.unit), ucum.measure(right.unit)
    if mine is None or yours is None or mine.dimensions != yours.dimensions:
        return None
    if mine.factor <= yours.factor:
        return Pair(left.value, ucum.converted(right.value, yours, mine), left.unit, False)
    return Pair(ucum.converted(left.value, mine, yours), right.value, right.unit, False)


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0, 1, or None when the units do not compare."""
    both = pair(left, right)
    if both is None:
        return None
    return (both.left > both.right) - (both.left < both.right)


def is_known(unit: str) -> bool:
    """Whether UCUM has such a unit."""
    return ucum.measure(unit) is not None


def converted(quantity: Quantity, unit: str) -> Quantity | None:
    """The quantity in another unit (a UCUM code, or a calendar word); None when that cannot be.

    A calendar duration goes by the calendar's own factors: 1 year is 365 'd'; of 'a' and 'mo' it is none.
    """
    calendar = unit in CALENDAR_WORDS
    target = CALENDAR_WORDS.get(unit, unit)
    if quantity.unit == target and quantity.calendar == calendar:
        return quantity
    if calendar:
        source = quantity.as_calendar() if quantity.fhir or quantity.unit in DEFINITE else quantity
        return recalendared(source, target) if source.calendar else None
    if quantity.calendar:
        return Quantity(recalendared(quantity, WORDS[target]).value, target) if target in DEFINITE else None
    mine, yours = ucum.measure(quantity.unit), ucum.measure(target)
    if mine is None or yours is None or mine.dimensions != yours.dimensions:
        return None
    return Quantity(ucum.converted(quantity.value, mine, yours), target)


def recalendared(quantity: Quantity, word: str) -> Quantity:
    """A calendar duration in another calendar word, exact where it goes in whole."""
    ratio = calendar_ratio(word, quantity.unit)
    if ratio >= 1:
        return Quantity(EXACT.divide(quantity.value, ratio), word, calendar=True)
    return Quantity(EXACT.multiply(quantity.value, calendar_ratio(quantity.unit, word)), word, calendar=True)


def dimensionless(quantity: Quantity) -> Decimal | None:
    """The plain number that '1', '%' or 'kg/g' stands for."""
    if quantity.unit == ONE:
        return quantity.value
    found = None if quantity.calendar else converted(quantity, ONE)
    return None if found is None else found.value


def product(left: Quantity, right: Quantity) -> Quantity | None:
    if left.unit == ONE:
        return right.times(left.value)
    if right.unit == ONE:
        return left.times(right.value)
    if left.calendar or right.calendar or not (ucum.is_linear(left.unit) and ucum.is_linear(right.unit)):
        return None
    for one, other in ((left, right), (right, left)):
        number = dimensionless(other)
        if number is not None:
            return one.times(number)
    return joined(EXACT.multiply(left.value, right.value), left.unit, ".", right.unit)


def quotient(left: Quantity, right: Quantity) -> Quantity | None:
    if right.value == 0:
        return None
    if right.unit == ONE:
        return Quantity(EXACT.divide(left.value, right.value), left.unit, left.calendar, left.fhir)
    if left.calendar or right.calendar or not (ucum.is_linear(left.unit) and ucum.is_linear(right.unit)):
        return None
    if left.unit == right.unit:
        return Quantity(EXACT.divide(left.value, right.value))
    number = dimensionless(right)
    if number is not None and number != 0:
        return Quantity(EXACT.divide(left.value, number), left.unit, left.calendar, left.fhir)
    both = ucum_pair(left, right)
    if both is not None and both.right != 0:
        return Quantity(EXACT.divide(both.left, both.right))
    return joined(EXACT.divide(left.value, right.value), left.unit, "/", right.unit)


def joined(value: Decimal, left: str, mark: str, right: str) -> Quantity | None:
    simple = not any(character in right for character in "./")
    unit = f"{'' if left == ONE and mark == '/' else left}{mark}{right if simple else f'({right})'}"
    return Quantity(value, unit) if len(unit) <= MAX_UNIT else None
