"""How to take a medicine, in words: a Dosage's own text, else put together from its parts. Pure."""

from typing import Any

from portal.fhir.resources import Json, at, objects_at, text_at
from portal.fhir.values import Say, concept_text, number_text, plain, quantity_text, range_text

UNITS: dict[str, tuple[str, str]] = {
    "s": ("second", "%(n)s seconds"),
    "min": ("minute", "%(n)s minutes"),
    "h": ("hour", "%(n)s hours"),
    "d": ("day", "%(n)s days"),
    "wk": ("week", "%(n)s weeks"),
    "mo": ("month", "%(n)s months"),
    "a": ("year", "%(n)s years"),
}
TIMES = {"1": "once", "2": "twice"}
WHEN: dict[str, str] = {
    "MORN": "in the morning",
    "MORN.early": "early in the morning",
    "MORN.late": "late in the morning",
    "NOON": "at noon",
    "AFT": "in the afternoon",
    "AFT.early": "early in the afternoon",
    "AFT.late": "late in the afternoon",
    "EVE": "in the evening",
    "EVE.early": "early in the evening",
    "EVE.late": "late in the evening",
    "NIGHT": "at night",
    "PHS": "after going to sleep",
    "HS": "at bedtime",
    "WAKE": "on waking up",
    "C": "with meals",
    "CM": "with breakfast",
    "CD": "with lunch",
    "CV": "with dinner",
    "AC": "before meals",
    "ACM": "before breakfast",
    "ACD": "before lunch",
    "ACV": "before dinner",
    "PC": "after meals",
    "PCM": "after breakfast",
    "PCD": "after lunch",
    "PCV": "after dinner",
}
DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
CODES: dict[str, str] = {
    "BID": "twice a day",
    "TID": "3 times a day",
    "QID": "4 times a day",
    "AM": "every morning",
    "PM": "every afternoon",
    "QD": "every day",
    "QOD": "every other day",
    "Q1H": "every hour",
    "Q2H": "every 2 hours",
    "Q3H": "every 3 hours",
    "Q4H": "every 4 hours",
    "Q6H": "every 6 hours",
    "Q8H": "every 8 hours",
    "BED": "at bedtime",
    "WK": "once a week",
    "MO": "once a month",
}
"""HL7's timing abbreviations."""


def dosage_text(resource: Json, say: Say = plain) -> str:
    """How a MedicationRequest or MedicationStatement says it is taken; several instructions in their order."""
    held = objects_at(resource, "dosageInstruction") or objects_at(resource, "dosage")
    held.sort(key=lambda each: each["sequence"] if isinstance(each.get("sequence"), int) else 0)
    return say("; then ").join(text for text in (one_dosage(each, say) for each in held) if text)


def one_dosage(dosage: Json, say: Say = plain) -> str:
    written = text_at(dosage, "text") or text_at(dosage, "patientInstruction")
    if written:
        return written
    parts = [
        _dose(dosage, say),
        concept_text(at(dosage, "route")),
        timing_text(at(dosage, "timing"), say),
        _as_needed(dosage, say),
    ]
    return ", ".join(part for part in parts if part)


def _dose(dosage: Json, say: Say) -> str:
    for each in objects_at(dosage, "doseAndRate"):
        found = quantity_text(at(each, "doseQuantity")) or range_text(at(each, "doseRange"), say)
        if found:
            return found
    return ""


def _as_needed(dosage: Json, say: Say) -> str:
    reason = concept_text(at(dosage, "asNeededCodeableConcept"))
    if reason:
        return say("when needed for %(reason)s") % {"reason": reason}
    return say("when needed") if dosage.get("asNeededBoolean") is True else ""


def timing_text(timing: Any, say: Say = plain) -> str:
    """How often: the code's own words, else the repeat in words; "" when it says neither."""
    repeat = at(timing, "repeat")
    parts = [_often(repeat, say), *(say(WHEN[each]) for each in _known(repeat, "when", WHEN))]
    days = [say(DAYS[each]) for each in _known(repeat, "dayOfWeek", DAYS)]
    if days:
        parts.append(say("on %(days)s") % {"days": ", ".join(days)})
    found = ", ".join(part for part in parts if part)
    code = text_at(timing, "code", "coding", 0, "code")
    return found or (say(CODES[code]) if code in CODES else concept_text(at(timing, "code")))


def _often(repeat: Any, say: Say) -> str:
    period, unit = number_text(at(repeat, "period")), text_at(repeat, "periodUnit")
    if unit not in UNITS or not period:
        return ""
    one, many = UNITS[unit]
    frequency = number_text(at(repeat, "frequency")) or "1"
    most = number_text(at(repeat, "frequencyMax"))
    each = say(one) if period == "1" else say(many) % {"n": period}
    if frequency == "1" and not most and (period != "1" or unit != "d"):
        return say("every %(span)s") % {"span": each}
    if most:
        times = say("%(low)s to %(high)s times") % {"low": frequency, "high": most}
    else:
        times = say(TIMES[frequency]) if frequency in TIMES else say("%(n)s times") % {"n": frequency}
    if period == "1":
        return say("%(times)s a %(span)s") % {"times": times, "span": each}
    return say("%(times)s every %(span)s") % {"times": times, "span": each}


def _known(repeat: Any, name: str, table: dict[str, str]) -> list[str]:
    held = at(repeat, name)
    return [each for each in held if isinstance(each, str) and each in table] if isinstance(held, list) else []
