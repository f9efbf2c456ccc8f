"""Units of measure: what a UCUM code is in base units, by UCUM's own table of units.

The table comes with ucumvert. Its library is not loaded: that would take a second and ten megabytes of each process.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from portal.fhirpath.values import EXACT

MAX_CODE, MAX_POWER, MAX_BITS = 100, 99, 4096
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


ZEROS = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "mCel": (Fraction(1, 1000), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}
"""What a degree is in kelvin, and where its scale begins."""


class _Row(NamedTuple):
    """A unit of the table: `value` × `unit`; a base unit has none."""

    metric: bool
    value: str
    unit: str


class _Table(NamedTuple):
    prefixes: dict[str, Fraction]
    units: dict[str, _Row]


@lru_cache(maxsize=1)
def _table() -> _Table:
    root = ET.parse(_place()).getroot()  # noqa: S314 - a file of an installed package
    prefixes, units = dict[str, Fraction](), dict[str, _Row]()
    for entry in root:
        kind, code, value = entry.tag.rpartition("}")[2], entry.get("Code", ""), entry.find("{*}value")
        said, unit = ("", "") if value is None else (value.get("value", ""), value.get("Unit", ""))
        if kind == "prefix":
            prefixes[code] = Fraction(said)
        elif entry.get("isSpecial") != "yes":
            alone = code == "mol" or (entry.get("isArbitrary") == "yes" and unit == "1")
            base = kind == "base-unit" or alone  # what is counted in these is told by nothing else
            units[code] = _Row(kind == "base-unit" or entry.get("isMetric") == "yes", said, "" if base else unit)
    return _Table(prefixes, units)


def _place() -> Path:
    spec = find_spec("ucumvert")
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "vendor" / "ucum-essence.xml"


def load_units() -> None:
    """Reads the table now rather than in the first comparison: for a process that is about to serve."""
    _table()


class _Product(NamedTuple):
    """A number and powers of base units."""

    factor: Fraction
    powers: dict[str, int]

    def times(self, other: _Product, power: int) -> _Product:
        names = {**self.powers, **other.powers}
        powers = {name: self.powers.get(name, 0) + power * other.powers.get(name, 0) for name in names}
        factor = self.factor * other.factor**power
        if max(factor.numerator.bit_length(), factor.denominator.bit_length()) > MAX_BITS:
            raise NotUcum
        return _Product(factor, powers)


class NotUcum(ValueError):
    """The code says nothing by UCUM's grammar and table."""


ONE = _Product(Fraction(1), {})
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[./()]|\{[^{}]*\}|(?:[^./(){}\[\]]|\[[^\[\]]*\])+")
_POWER = re.compile(r"(?P<unit>.*?)(?P<power>[+-]?\d+)?")
_known: dict[str, Measure | None] = {"1": Measure(Fraction(1), Fraction(0), "")}


def is_known(code: str) -> bool:
    """Whether the code was read before, so that measure() is a look-up."""
    return code in _known


def measure(code: str) -> Measure | None:
    """What the code means; None when it is no UCUM code or has no linear scale."""
    if code not in _known:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[code] = _measured(code)
    return _known[code]


def _measured(code: str) -> Measure | None:
    if not code or len(code) > MAX_CODE or not code.isascii():
        return None
    if _ANNOTATION.fullmatch(code):  # alone, such as {score}, it is a unit of its own
        return Measure(Fraction(1), Fraction(0), f"annotation {code}")
    if code in ZEROS:
        return Measure(*ZEROS[code], "K^1")
    try:
        words = _WORD.findall(code)
        found = _term(words)
        if words or code != "".join(_WORD.findall(code)):
            return None
    except NotUcum:
        return None
    said = " ".join(f"{name}^{power}" for name, power in sorted(found.powers.items()) if power)
    return Measure(found.factor, Fraction(0), said)


def _term(words: list[str]) -> _Product:
    """Components with . and / between them, from the left; takes its words from the front."""
    found = ONE if words[:1] == ["/"] else _component(words)
    while words[:1] in (["."], ["/"]):
        power = -1 if words.pop(0) == "/" else 1
        found = found.times(_component(words), power)
    return found


def _component(words: list[str]) -> _Product:
    word = words.pop(0) if words else ""
    if word[:1] == "{":
        return ONE
    if word == "(":
        found = _term(words)
        if not words or words.pop(0) != ")":
            raise NotUcum
    else:
        found = _unit(word)
    if words and words[0][:1] == "{":
        words.pop(0)  # what is counted, said beside a unit, changes nothing
    return found


def _unit(word: str) -> _Product:
    """A number, or a unit with its prefix and power."""
    parts = _POWER.fullmatch(word)
    unit, power = (parts["unit"], int(parts["power"] or 1)) if parts else ("", 0)
    if not unit and word.isdigit() and power:
        return _Product(Fraction(power), {})
    if not unit or abs(power) > MAX_POWER:
        raise NotUcum
    return ONE.times(_prefixed(unit), power)


def _prefixed(unit: str) -> _Product:
    table = _table()
    if unit in table.units:
        return _defined(unit)
    for length in (2, 1):
        prefix, rest = table.prefixes.get(unit[:length]), table.units.get(unit[length:])
        if prefix is not None and rest is not None and rest.metric:
            return _Product(prefix, {}).times(_defined(unit[length:]), 1)
    raise NotUcum


@lru_cache(maxsize=512)
def _defined(unit: str) -> _Product:
    row = _table().units[unit]
    if not row.unit:
        return _Product(Fraction(1), {unit: 1})
    return _Product(Fraction(row.value), {}).times(_term(_WORD.findall(row.unit)), 1)


def converted(value: Decimal, source: Measure, target: Measure) -> Decimal:
    """The value of one unit in another of the same dimensions, to 24 digits: as many as the definitions are good for."""
    found = (Fraction(value) * source.factor + source.offset - target.offset) / target.factor
    return TRUE_DIGITS.divide(Decimal(found.numerator), Decimal(found.denominator)).normalize(EXACT)


def is_linear(code: str) -> bool:
    """Whether products and sums of the unit mean anything."""
    return code not in SPECIAL and code not in SHIFTED
