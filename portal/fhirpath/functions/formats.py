"""Dates and times written another way: '15.01.2024' read as 'dd.MM.yyyy' (FHIRPath 3.0, §5.5.4.1)."""

from __future__ import annotations

import re
from functools import lru_cache

from portal.fhirpath.errors import FhirPathEvaluationError

CODE = re.compile(r"y+|M+|d+|h+|H+|m+|s+|S+|z+|.", re.DOTALL)
TWO, ONE_OR_TWO = "[0-9]{2}", "[0-9]{1,2}"
PATTERNS = {
    "yyyy": "[0-9]{4}", "yy": TWO, "MM": TWO, "M": ONE_OR_TWO, "dd": TWO, "d": ONE_OR_TWO, "hh": TWO, "h": ONE_OR_TWO,
    "HH": TWO, "H": ONE_OR_TWO, "mm": TWO, "m": ONE_OR_TWO, "ss": TWO, "s": ONE_OR_TWO, "a": r"[AaPp]\.?(?:[Mm]\.?)?",
    "Z": "Z|[+-][0-9]{2}:?[0-9]{2}",
}  # fmt: skip
LONGEST_FORMAT, LONGEST_TEXT = 60, 120
TURN = 50
"""Years of two digits below it are of this century, the others of the last."""


@lru_cache(maxsize=256)
def compiled(layout: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """The codes of a format in their order, and the pattern of what is so written."""
    if len(layout) > LONGEST_FORMAT:
        raise FhirPathEvaluationError("a format of dates is too long")
    codes: list[str] = []
    pattern = ""
    for code in CODE.findall(layout):
        if code in PATTERNS or code[0] == "S":
            if any(
                code[0] == known[0] for known in codes
            ):  # never twice: nor is there much to try when it does not fit
                raise FhirPathEvaluationError(f"a format of dates has {code[0]} twice")
            codes.append(code)
            pattern += f"({PATTERNS.get(code, f'[0-9]{{{len(code)}}}')})"
        elif code[0] in "yMdhHmsz":
            raise FhirPathEvaluationError(f"the format code {code} is not known here")
        else:
            pattern += re.escape(code)
    return tuple(codes), re.compile(pattern)


def rewritten(text: str, layout: str) -> str | None:
    """The text as FHIR writes it, to the part that the format goes to; None when it is not so written."""
    codes, pattern = compiled(layout)
    match = pattern.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if match is None:
        return None
    found = {code[0]: group for code, group in zip(codes, match.groups(), strict=True)}
    year, hour = full_year(found.get("y")), full_hour(found)
    if year is None or (hour is None and "h" in found):
        return None
    day = year + "".join(f"-{part.zfill(2)}" for part in leading(found.get("M"), found.get("d")))
    clock = ":".join(part.zfill(2) for part in leading(hour, found.get("m"), found.get("s")))
    if not clock:
        return day
    fraction = f".{found['S']}" if "S" in found and "s" in found else ""
    zone = found.get("Z", "")
    return f"{day}T{clock}{fraction}{zone if len(zone) != 5 else f'{zone[:3]}:{zone[3:]}'}"


def leading(*parts: str | None) -> list[str]:
    """The parts up to the first that is missing."""
    return [part for number, part in enumerate(parts) if part is not None and None not in parts[:number]]


def full_year(year: str | None) -> str | None:
    if year is None or len(year) == 4:
        return year
    return f"{20 if int(year) < TURN else 19}{year}"


def full_hour(found: dict[str, str]) -> str | None:
    """The hour of the day; of the half day by AM and PM."""
    if "h" not in found:
        return found.get("H")
    hour = int(found["h"])
    if not 1 <= hour <= 12 or "a" not in found:
        return None
    return str(hour % 12 + (12 if found["a"][0] in "Pp" else 0))
