"""A time series as sent (SampledData): its numbers, what stands where none could be taken, and the words for it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_LINES = 12
"""Series side by side (the leads of an ECG); more are listed, not drawn."""
MARKS = {"E": "error", "U": "above", "L": "below"}
_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "min": Decimal(60), "h": Decimal(3600), "us": Decimal("0.000001")}


@dataclass(frozen=True)
class Samples:
    """`words` are the samples as they stand in the resource; `lines` the measurements they mean, one tuple a dimension, None
    where the instrument gave no number. `gap` is what lies between two samples in seconds (None: not said)."""

    words: tuple[str, ...]
    formula: str
    lines: tuple[tuple[Decimal | None, ...], ...] = field(default=(), repr=False)
    gap: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None

    @property
    def count(self) -> int:
        """How many moments were measured."""
        return len(self.lines[0]) if self.lines else len(self.words)

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        return tuple(each for line in self.lines for each in line if each is not None)

    @property
    def missing(self) -> dict[str, int]:
        """How often which mark stands in place of a number: error, above, below (what the instrument can measure)."""
        found = {name: self.words.count(mark) for mark, name in MARKS.items()}
        return {name: count for name, count in found.items() if count}

    @property
    def lasted(self) -> Decimal | None:
        """Seconds from the first sample to the last."""
        return self.gap * (self.count - 1) if self.gap is not None and self.count > 1 else None

    @property
    def lasted_words(self) -> str:
        """In the unit that fits: 640 ms, 10 s, 2.5 min."""
        held = self.lasted
        if held is None:
            return ""
        unit = "ms" if held < 1 else "s" if held < 120 else "min" if held < 7200 else "h"
        return f"{_written(round(held / _UNITS[unit], 1))} {unit}"

    @property
    def least(self) -> str:
        return _written(min(self.numbers))

    @property
    def most(self) -> str:
        return _written(max(self.numbers))

    @property
    def drawable(self) -> bool:
        return len(self.numbers) > 1 and len(self.lines) <= MOST_LINES


def samples_of(held: Mapping[str, Any], digits: Callable[[Any], str]) -> Samples:
    """`digits` writes a JSON number as it was sent. A sample that is neither a number nor a mark of FHIR's is kept in `words`
    and not drawn."""
    data = held.get("data")
    words = tuple(data.split()) if isinstance(data, str) else ()
    origin, factor = _number(_mapping(held.get("origin")).get("value")) or Decimal(0), _number(held.get("factor"))
    wide = held.get("dimensions")
    dimensions = wide if isinstance(wide, int) and not isinstance(wide, bool) and wide > 0 else 1
    measured = [_measured(word, origin, Decimal(1) if factor is None else factor) for word in words]
    lines = tuple(tuple(measured[place::dimensions]) for place in range(min(dimensions, len(measured))))
    return Samples(
        words,
        _formula(held, digits),
        lines,
        _gap(held),
        _number(held.get("lowerLimit")),
        _number(held.get("upperLimit")),
    )


def _formula(held: Mapping[str, Any], digits: Callable[[Any], str]) -> str:
    """How the samples become measurements: origin + factor × sample, one every so many milliseconds."""
    origin = digits(_mapping(held.get("origin")).get("value", 0))
    said = f"{origin} + {digits(held.get('factor', 1))} × n"
    if "period" in held:
        return f"{said}; {digits(held['period'])} ms"
    if "interval" in held:  # as later versions of FHIR say it
        return f"{said}; {digits(held['interval'])} {held.get('intervalUnit', '')}".rstrip()
    return said


def _gap(held: Mapping[str, Any]) -> Decimal | None:
    if "period" in held:
        found = _number(held["period"])
        return found * _UNITS["ms"] if found else None
    found, unit = _number(held.get("interval")), _UNITS.get(str(held.get("intervalUnit")))
    return found * unit if found and unit else None


def _measured(word: str, origin: Decimal, factor: Decimal) -> Decimal | None:
    found = _number(word)
    return None if found is None else origin + factor * found


def _number(held: Any) -> Decimal | None:
    if isinstance(held, bool) or not isinstance(held, int | float | Decimal | str):
        return None
    try:
        found = Decimal(str(held))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < 40 else None


def _written(number: Decimal) -> str:
    """Without noughts that only the arithmetic put there."""
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def _mapping(held: Any) -> Mapping[str, Any]:
    return held if isinstance(held, Mapping) else {}
