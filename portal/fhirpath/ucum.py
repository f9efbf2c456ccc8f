"""Units of measure: what a UCUM code is in base units. The codes that clinics write are looked up in a list; ucumvert reads the
others, and is loaded for the first of them."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from portal.fhirpath.values import EXACT

USUAL = Path(__file__).with_name("usual_units.txt")
MAX_CODE = 100
MAX_KNOWN = 4096
# Logarithmic and arbitrary scales: no sum or product of them makes sense.
SPECIAL = frozenset({"B", "dB", "Np", "[pH]", "bit_s", "B[SPL]", "B[V]", "B[mV]", "B[uV]", "B[10.nV]", "B[W]", "B[kW]"})


SHIFTED = frozenset({"Cel", "[degF]", "[degRe]", "mCel"})
TRUE_DIGITS = Context(prec=24)


class Measure(NamedTuple):
    """One unit is factor × the base units, plus offset (temperatures)."""

    factor: Fraction
    offset: Fraction
    dimensions: str


@lru_cache(maxsize=1)
def registry() -> Any:
    from ucumvert import PintUcumRegistry  # a second of loading and ten megabytes that most processes never need

    return PintUcumRegistry(non_int_type=Decimal)


@lru_cache(maxsize=1)
def usual() -> dict[str, str]:
    """The codes that clinics write, each with its measure as a script wrote it: tests/fhirpath/write_usual_units.py."""
    return dict(line.split("\t", 1) for line in USUAL.read_text("utf-8").splitlines()[1:])


def load_units() -> None:
    """Reads the list now rather than in the first comparison: for a process that is about to serve."""
    usual()


_known: dict[str, Measure | None] = {"1": Measure(Fraction(1), Fraction(0), "")}


def is_known(code: str) -> bool:
    """Whether the code was read before or is a usual one, so that measure() is a look-up."""
    return code in _known or code in usual()


def measure(code: str) -> Measure | None:
    """What the code means; None when it is no UCUM code or has no linear scale."""
    if code not in _known:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[code] = _listed(code) if code in usual() else read(code)
    return _known[code]


def _listed(code: str) -> Measure:
    factor, offset, dimensions = usual()[code].split("\t")
    return Measure(Fraction(factor), Fraction(offset), dimensions)


def read(code: str) -> Measure | None:
    """What ucumvert makes of a code, whether or not it is in the list."""
    if not code or len(code) > MAX_CODE or not code.isascii() or code in SPECIAL:
        return None
    try:
        return _read(code)
    except Exception:
        return None


def _read(code: str) -> Measure | None:
    found = registry().from_ucum(code)
    if not hasattr(found, "units"):  # an annotation alone, such as {score}, is a unit of its own
        return Measure(Fraction(1), Fraction(0), f"annotation {code}")
    powers = dict(found._units.items())
    root = _root(powers)
    if root is None:
        return None
    factor, dimensions = root
    offset = _offset(powers)
    said = " ".join(f"{name}^{power}" for name, power in sorted(dimensions.items()) if power)
    return Measure(factor * _fraction(found.magnitude), offset, said)


def _root(powers: dict[str, object], depth: int = 0) -> tuple[Fraction, dict[str, Fraction]] | None:
    """The factor and the base units of a product of units; pint's own way back mixes floats into Decimals."""
    factor, dimensions = Fraction(1), dict[str, Fraction]()
    for name, power in powers.items():
        definition, times = _definition(name), _fraction(power)
        if definition.is_base:
            base = definition.name  # a metre is "m" in some definitions and "meter" in others
            dimensions[base] = dimensions.get(base, Fraction(0)) + times
            continue
        scale = getattr(definition.converter, "scale", None)
        inner = None if scale is None or depth > 30 else _root(dict(definition.reference.items()), depth + 1)
        if inner is None or times.denominator != 1:
            return None
        factor *= (_fraction(scale) * inner[0]) ** int(times)
        for base, base_power in inner[1].items():
            dimensions[base] = dimensions.get(base, Fraction(0)) + base_power * times
    return factor, dimensions


def _definition(name: str) -> Any:
    units = registry()
    return units._units[units.get_name(name)]  # get_name makes the definition of a prefixed unit


def _offset(powers: dict[str, object]) -> Fraction:
    if len(powers) != 1:
        return Fraction(0)
    (name,) = powers
    return _fraction(getattr(_definition(name).converter, "offset", 0))


def _fraction(number: object) -> Fraction:
    return Fraction(str(number))


def converted(value: Decimal, source: Measure, target: Measure) -> Decimal:
    """The value of one unit in another of the same dimensions, to 24 digits: as many as the definitions are good for."""
    found = (Fraction(value) * source.factor + source.offset - target.offset) / target.factor
    return TRUE_DIGITS.divide(Decimal(found.numerator), Decimal(found.denominator)).normalize(EXACT)


def is_linear(code: str) -> bool:
    """Whether products and sums of the unit mean anything."""
    return code not in SPECIAL and code not in SHIFTED
