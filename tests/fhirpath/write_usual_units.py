"""Writes portal/fhirpath/usual_units.txt, the measures of the UCUM codes that clinics write, by ucumvert:
python -m tests.fhirpath.write_usual_units."""

from __future__ import annotations

from itertools import product

from portal.fhirpath import ucum

HEADER = "# UCUM code, factor to base units, offset, base units; a script writes it."
AMOUNTS = (
    *("g", "kg", "mg", "ug", "ng", "pg", "mol", "mmol", "umol", "nmol", "pmol", "fmol", "eq", "meq", "osm", "mosm"),
    *("[iU]", "k[iU]", "m[iU]", "u[iU]", "[arb'U]", "U", "kU", "mU", "kat", "ukat", "nkat", "L", "dL", "mL", "uL"),
    *("10*3", "10*6", "10*9", "10*12", "{cells}", "{copies}", "[CFU]", "J", "kJ", "cal", "kcal", ""),
)
PER = (
    "L",
    "dL",
    "mL",
    "uL",
    "kg",
    "g",
    "mmol",
    "mol",
    "h",
    "min",
    "d",
    "wk",
    "s",
    "m2",
    "kg/d",
    "kg/h",
    "kg/min",
    "{1.73_m2}",
)
OTHERS = (
    *(
        "1",
        "%",
        "[ppth]",
        "[ppm]",
        "[ppb]",
        "m",
        "km",
        "cm",
        "mm",
        "um",
        "nm",
        "fL",
        "pL",
        "m2",
        "cm2",
        "mm2",
        "m3",
        "cm3",
    ),
    *("[in_i]", "[ft_i]", "[yd_i]", "[mi_i]", "[lb_av]", "[oz_av]", "[stone_av]", "[foz_us]", "[cup_us]", "[pt_us]"),
    *(
        "[tsp_us]",
        "[tbs_us]",
        "[pt_br]",
        "[drp]",
        "mm[Hg]",
        "cm[H2O]",
        "Pa",
        "kPa",
        "bar",
        "mbar",
        "Cel",
        "[degF]",
        "K",
    ),
    *(
        "s",
        "ms",
        "us",
        "ns",
        "min",
        "h",
        "d",
        "wk",
        "mo",
        "a",
        "W",
        "kW",
        "Hz",
        "kHz",
        "N",
        "V",
        "mV",
        "A",
        "mA",
        "Ohm",
    ),
    *("rad", "deg", "Sv", "mSv", "uSv", "Gy", "mGy", "Bq", "MBq", "[diop]", "mm/h", "mm/s", "cm/s", "m/s", "km/h"),
    *("{score}", "{INR}", "{ratio}", "{beats}/min", "{breaths}/min", "mL/min/{1.73_m2}", "/[HPF]", "/[LPF]", "/{HPF}"),
    *("L/min", "L/s", "mL/m2", "kg/cm2", "g/m2", "mmol/m2", "{pack}.a", "g.m/L", "mg/dL/h", "[iU]/kg/h"),
)


def codes() -> list[str]:
    each = [f"{amount}/{per}" for amount, per in product(AMOUNTS, PER)]
    return sorted({code for code in (*AMOUNTS, *OTHERS, *each) if code})


def line(code: str) -> str | None:
    """One line of the list; None where the code means nothing that can be compared."""
    found = ucum.read(code)
    return found and f"{code}\t{found.factor}\t{found.offset}\t{found.dimensions}"


def main() -> None:
    lines = [HEADER, *filter(None, map(line, codes()))]
    ucum.USUAL.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
