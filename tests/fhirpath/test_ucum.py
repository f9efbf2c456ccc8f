"""Units by UCUM's own table: what ucumvert's library says of its examples, where that reads them as UCUM does."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest

from portal.fhirpath import compile, ucum

ROOT = Path(__file__).parents[2]


def examples() -> list[str]:
    spec = find_spec("ucumvert")
    assert spec and spec.origin
    lines = (Path(spec.origin).parent / "vendor" / "ucum_examples.tsv").read_text("utf-8").splitlines()
    return [line.split("\t")[1] for line in lines[1:]]


def test_every_example_is_read() -> None:
    assert [code for code in examples() if ucum.measure(code) is None] == [
        "dB",
        "[pH]",
        "Torr",
    ]  # two logarithms; UCUM has no torr


def test_it_agrees_with_the_library_on_what_a_unit_is_by_another() -> None:
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry(non_int_type=Decimal)
    pairs = [
        ("mg/dL", "g/L"), ("mmol/L", "umol/mL"), ("U/L", "ukat/L"), ("mm[Hg]", "kPa"), ("kcal", "J"), ("mo", "d"),
        ("[lb_av]", "kg"), ("[in_i]", "cm"), ("[foz_us]", "mL"), ("10*9/L", "10*3/uL"), ("mL/min/{1.73_m2}", "L/h"),
        ("L/(min.m2)", "mL/s/cm2"), ("kg/m2", "g/cm2"), ("meq/L", "eq/dL"), ("mm/h", "m/s"), ("[ppm]", "%"),
        ("[degF]", "K"), ("Cel", "[degF]"), ("mV", "kV"), ("deg", "rad"), ("mGy", "J/g"), ("cm[H2O]", "bar"),
    ]  # fmt: skip
    for given, wanted in pairs:
        mine, yours = ucum.measure(given), ucum.measure(wanted)
        assert mine and yours and mine.dimensions == yours.dimensions, given
        for count in (0, 1, 1000):
            theirs = (
                registry.Quantity(Decimal(count), registry.from_ucum(given)).to(registry.from_ucum(wanted)).magnitude
            )
            ours = ucum.converted(Decimal(count), mine, yours)
            assert abs(Fraction(theirs) - Fraction(ours)) <= abs(Fraction(ours)) / 10**5, (given, wanted, theirs, ours)


@pytest.mark.parametrize(
    ("code", "same"),
    [
        ("/kg/d", "1/(kg.d)"),
        ("m/s/s", "m/s2"),
        ("g{wet}/L", "g/L"),
        ("(8.h){shift}", "480.min"),
        ("{beats}/min", "/min"),
    ],
)
def test_what_is_written_from_left_to_right_means_that(code: str, same: str) -> None:
    assert ucum.measure(code) == ucum.measure(same) is not None


@pytest.mark.parametrize(
    "code",
    ["", "mg /dL", "mg//dL", "mg/", "(mg", "mg)", "()", "tablet", "kmg", "k%", "[nonsense]", "m2m", "m^2", "mg.", "{a", "a}",
     "10*999", "m100", "Cel.m", "[pH]", "µg", "m" * 101, "Yg99." * 19 + "Yg99", "1" * 100 + ".m", "(" * 99 + "m"],
)  # fmt: skip
def test_what_is_no_unit_is_none_at_once(code: str) -> None:
    before = time.process_time()
    assert ucum.measure(code) is None or code.startswith("11")
    assert time.process_time() - before < 0.05


@pytest.mark.parametrize(
    ("left", "right"),
    [("120 'mm[Hg]'", "15.99864 'kPa'"), ("10 'cm[H2O]'", "0.980665 'kPa'"), ("1 '[IU]'", "1 '[iU]'")],
)
def test_the_same_said_by_another_unit_is_the_same(left: str, right: str) -> None:
    assert compile(f"{left} = {right}").evaluate({}) == [True]


@pytest.mark.parametrize(
    ("left", "right"), [("1 '[iU]'", "1 '1'"), ("1 '[iU]'", "1 '[arb\\'U]'"), ("1 '{score}'", "1 '1'")]
)
def test_units_that_tell_only_themselves_compare_with_no_other(left: str, right: str) -> None:
    assert compile(f"{left} < {right}").evaluate({}) == []


def test_no_unit_makes_a_process_load_the_library() -> None:
    asked = (
        "import sys; from portal.fhirpath import compile; from portal.labs.units import convert; from decimal import Decimal;"
        "compile(\"1 'mmol/L' < 2 'mol/L' and ('tablet' is Quantity).not()\").evaluate({}) == [True] or sys.exit(1);"
        "convert(Decimal(1), 'g/L', 'mg/dL') == 100 and convert(Decimal(1), 'tablet', 'g') is None or sys.exit(2);"
        "sys.exit('ucumvert' in sys.modules or 'pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False, timeout=100).returncode == 0
