"""The list of usual units: it says what ucumvert would, and spares a process loading it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from portal.fhirpath import compile, ucum
from tests.fhirpath.write_usual_units import codes, line

ROOT = Path(__file__).parents[2]


def test_every_usual_code_is_in_the_list() -> None:
    assert list(ucum.usual()) == codes()


@pytest.mark.parametrize("first", range(3))
def test_the_list_says_what_the_library_does(first: int) -> None:
    """A third of every tenth line each: the library takes three milliseconds a code."""
    lines = ucum.USUAL.read_text("utf-8").splitlines()[1:]
    for code in codes()[first * 10 :: 30]:
        assert line(code) in lines


def test_usual_units_are_compared_without_the_library_and_others_with_it() -> None:
    asked = (
        "import sys; from portal.fhirpath import compile; from portal.labs.units import convert; from decimal import Decimal;"
        "compile(\"1 'mmol/L' < 2 'mol/L' and 1 'kPa' > 1 'mm[Hg]'\").evaluate({}) == [True] or sys.exit(1);"
        "convert(Decimal(1), 'g/L', 'mg/dL') == 100 or sys.exit(2);"
        "'ucumvert' in sys.modules and sys.exit(3);"
        "compile(\"1 'Mmol/L' > 2 'mol/L'\").evaluate({}) == [True] or sys.exit(4);"
        "'ucumvert' in sys.modules or sys.exit(5)"
    )
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False, timeout=100).returncode == 0


@pytest.mark.parametrize(
    ("left", "right"),
    [("120 'mm[Hg]'", "15.9986864898 'kPa'"), ("10 'cm[H2O]'", "0.980665 'kPa'"), ("1 'eq/L'", "1 'mol/L'")],
)
def test_base_units_have_one_name_whatever_a_definition_calls_them(left: str, right: str) -> None:
    assert compile(f"{left} ~ {right}").evaluate({}) == [True]
