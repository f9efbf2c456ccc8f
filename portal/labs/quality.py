"""How good the results are that a source sends: what is unmapped, unreadable, impossible, late or missing, counted. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.labs import times
from portal.labs.assembling import ODD, assemble
from portal.labs.names import LOINC, code_key
from portal.labs.ranges import ranges_of
from portal.labs.trend import Convert, series
from portal.labs.values import Value, value_of
from portal.labs.words import codings

Json = Mapping[str, Any]
LATE = timedelta(days=7)
UCUM = "http://unitsofmeasure.org"
MODES = frozenset({"final", "amended", "corrected", "appended"})


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong. `alarm` is the share of results, in per cent, from which a person must look; 0: the first."""

    key: str
    title: str
    means: str
    alarm: float


CHECKS: tuple[Check, ...] = (
    Check("unmapped", "Codes that are not LOINC", "Shown under the laboratory's own name; not put beside other results.", 10),
    Check("no-unit", "Numbers without a unit", "Shown without a unit; never drawn beside those that have one.", 2),
    Check("unit-clash", "Units that do not fit", "The same test in units that UCUM cannot convert, or a range in another unit.", 2),
    Check("impossible", "Impossible values or times", "No number where one belongs, a range upside down, a time to come.", 0.5),
    Check("no-value", "Final without a value or a reason", "Shown as “No value was sent”.", 2),
    Check("no-date", "Without a date", "Shown under “Without a date”; not on any line over time.", 2),
    Check("partial", "Parts that were announced and did not come", "The patient is told that not everything is there.", 2),
    Check("late", "Reported more than 7 days after it was measured", "Shown with both dates.", 10),
    Check("nobody", "Without a patient", "Left out, never shown.", 0),
    Check("wrong-patient", "Of another patient", "Left out, never shown, and told to you as an alert.", 0),
)  # fmt: skip
DROPPED = frozenset({"nobody", "wrong-patient"})
"""Counted where the record is read, because what is dropped never gets here."""


def measure(resources: Sequence[Json], convert: Convert, at: datetime) -> tuple[int, dict[str, int]]:
    """How many results one reading holds, and how many of them each check has something against."""
    observations = [each for each in resources if each.get("resourceType") == "Observation"]
    counts = {key: sum(_fails(check, each, at) for each in observations) for key, check in _EACH.items()}
    reports = assemble(resources)
    counts["partial"] = sum(report.missing for report in reports) + sum(
        row.missing for report in reports for row in report.rows
    )
    counts["unit-clash"] += sum(
        sum(each.value.number is not None and bool(each.when and each.when.at) for each in line.aside)
        for line in series(reports, convert).values()
    )
    return len(observations), counts


def _fails(check: Callable[[Json, datetime], bool], raw: Json, at: datetime) -> bool:
    """A resource that cannot even be looked at counts as impossible, and only there."""
    try:
        return check(raw, at)
    except ODD:
        return check is _impossible


def _unmapped(raw: Json, at: datetime) -> bool:
    return not any(each.get("system") == LOINC and each.get("code") for each in codings(raw.get("code")))


def _values(raw: Json) -> Iterable[tuple[Json, Value]]:
    parts = raw.get("component")
    for holder in (raw, *(parts if isinstance(parts, list) else [])):
        if isinstance(holder, Mapping):
            yield holder, value_of(holder)


def _no_unit(raw: Json, at: datetime) -> bool:
    return any(
        "valueQuantity" in holder and value.number is not None and not value.unit and value.unit_code != "1"
        for holder, value in _values(raw)
    )


def _unit_clash(raw: Json, at: datetime) -> bool:
    """A range whose unit is neither its value's nor left out."""
    return any(
        side is not None and side.unit_code not in ("", value.unit_code) and side.unit != value.unit
        for holder, value in _values(raw)
        if value.number is not None
        for held in ranges_of(holder)
        for side in (held.low, held.high)
    )


def _impossible(raw: Json, at: datetime) -> bool:
    if not code_key(raw.get("code")).strip("|"):
        return True
    measured, reported = times.measured(raw), times.reported(raw)
    moments = [each for each in (measured, reported) if each]
    if any(each.precision == "text" or each.order > at + timedelta(days=1) for each in moments):
        return True
    if any(each.order.year < 1900 for each in moments):
        return True
    return any(_odd(holder, value) for holder, value in _values(raw))


def _odd(holder: Json, value: Value) -> bool:
    if value.kind == "other" or (value.kind == "quantity" and value.number is None):
        return True
    return any(
        low is not None and high is not None and low > high
        for low, high in ((each.bound("low"), each.bound("high")) for each in ranges_of(holder))
    )


def _no_value(raw: Json, at: datetime) -> bool:
    parts = raw.get("component") or raw.get("hasMember") or raw.get("dataAbsentReason") or raw.get("note")
    return raw.get("status") in MODES and not parts and not value_of(raw).present


def _no_date(raw: Json, at: datetime) -> bool:
    return times.measured(raw) is None and times.reported(raw) is None


def _late(raw: Json, at: datetime) -> bool:
    measured, reported = times.measured(raw), times.reported(raw)
    ended = (measured.until or measured) if measured else None
    return bool(ended and reported and ended.day and reported.day and reported.order - ended.order > LATE)


_EACH: dict[str, Callable[[Json, datetime], bool]] = {
    "unmapped": _unmapped,
    "no-unit": _no_unit,
    "unit-clash": _unit_clash,
    "impossible": _impossible,
    "no-value": _no_value,
    "no-date": _no_date,
    "late": _late,
}
