"""Values exactly as the laboratory sent them: 1.10 stays 1.10, <5 stays <5; every value[x] of R4 has words. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.labs.samples import Samples, samples_of
from portal.labs.words import ABSENT, NO_VALUE, concept_words

_DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ABSENT_SYSTEMS = ("http://terminology.hl7.org/CodeSystem/data-absent-reason", "http://hl7.org/fhir/data-absent-reason")
_COMPARATORS = {"<": "<", "<=": "≤", ">=": "≥", ">": ">"}
_IN_R5 = re.compile(
    r"https?://hl7\.org/fhir/[45]\.\d/StructureDefinition/extension-Observation\.(component\.)?value(\[x\])?"
)
"""Where an R4 server puts a value of a type that only later versions have."""


@dataclass(frozen=True)
class Value:
    """`text` is for people (a msgid for yes/no); `number`, `unit_code` and `comparator` are for comparing and drawing.

    `attachment` is the FHIR Attachment of a document. What holds much text is kept out of comparisons and of `repr`.
    """

    kind: str
    text: str
    unit: str = ""
    number: Decimal | None = None
    comparator: str = ""
    unit_code: str = ""
    long: str = ""
    samples: Samples | None = None
    attachment: Mapping[str, Any] | None = field(default=None, repr=False)
    translate: bool = False

    @property
    def present(self) -> bool:
        return self.kind != "absent"

    @property
    def reason(self) -> str:
        """Why nothing is there, in every word we have for it; "" when something is."""
        return "" if self.present else f"{self.text} {self.long}".strip()

    @property
    def spoken(self) -> str:
        return f"{self.text} {self.unit}".strip()


class _Empty(ValueError):
    """An element that is there and says nothing."""


def value_of(holder: Mapping[str, Any]) -> Value:
    """The value of an Observation or of one of its components; what is missing says why. What a sender put beside the value
    though FHIR has no room for it (a second value, a reason why there is none) stands in `long`."""
    found = [_guarded(READERS.get(name, _other), holder[name]) for name in _value_names(holder)]
    found += [value_of(each) for each in _extensions(holder) if _IN_R5.fullmatch(str(each.get("url")))]
    there = [each for each in found if each is not None and each.present]
    if not there:
        unit = next((each.unit for each in found if each), "")
        return replace(_absent(holder, *(holder[name] for name in _value_names(holder))), unit=unit)
    first, *others = there
    beside = [first.long, *(each.spoken for each in others)]
    if holder.get("dataAbsentReason"):
        beside.append(concept_words(holder["dataAbsentReason"]))
    return replace(first, long="; ".join(filter(None, dict.fromkeys(beside))))


def _value_names(holder: Mapping[str, Any]) -> list[str]:
    """The value[x] that are there, those of known types first."""
    there = [name for name in holder if name.startswith("value")]
    return sorted(there, key=lambda name: _ORDER.get(name, len(_ORDER)))


def _guarded(read: Callable[[Any], Value], held: Any) -> Value | None:
    """None for what says nothing."""
    try:
        return read(held)
    except _Empty:
        return None
    except (AttributeError, IndexError, TypeError, ValueError, InvalidOperation):
        return _other(held)


def _other(held: Any) -> Value:
    text = _plain(held)
    if not text.strip():
        raise _Empty
    return Value("other", text)


def digits(number: Any) -> str:
    """A JSON number in the digits it was sent with (an exponent is written out)."""
    if isinstance(number, Decimal):
        return format(number, "f")
    return repr(number) if isinstance(number, float) else str(number)


def quantity(held: Any) -> Value:
    number = held.get("value")
    if number is None:
        return replace(_absent(held, held.get("_value")), unit=_unit(held))
    comparator = str(held.get("comparator", ""))
    known = comparator in ("", *_COMPARATORS)  # another sign is shown, and nothing is concluded from the number
    sign = _COMPARATORS.get(comparator, f"{comparator} " if comparator else "")
    return Value(
        "quantity",
        sign + digits(number),
        _unit(held),
        _decimal(number) if known else None,
        comparator if known else "",
        _unit_code(held),
    )


def _decimal(number: Any) -> Decimal | None:
    """For comparing; None for what is no number though it stands where one should."""
    try:
        return Decimal(digits(number))
    except InvalidOperation:
        return None


def _unit(held: Mapping[str, Any]) -> str:
    if isinstance(held.get("unit"), str) and held["unit"].strip():
        return str(held["unit"])
    code = str(held.get("code", ""))
    return "" if code == "1" else code


def _unit_code(held: Mapping[str, Any]) -> str:
    return str(held.get("code") or held.get("unit") or "")


def _coded(held: Any) -> Value:
    text = concept_words(held)
    if not text:
        raise _Empty
    displays = [str(coding["display"]) for coding in held.get("coding") or [] if coding.get("display")]
    return Value("coded", text, long="; ".join(dict.fromkeys(each for each in displays if each != text)))


def _coding(held: Any) -> Value:
    return _coded({"coding": [held]})


def _boolean(held: Any) -> Value:
    if not isinstance(held, bool):
        raise ValueError("not a boolean")
    return Value("boolean", "Yes" if held else "No", translate=True)


def _text(held: Any) -> Value:
    if not isinstance(held, str):
        return _other(held)
    if not held.strip():
        raise _Empty
    return Value("text", held)


def _integer(held: Any) -> Value:
    return Value("quantity", digits(held), number=_decimal(held))


def _range(held: Any) -> Value:
    low, high = (quantity(held[side]) if held.get(side) else None for side in ("low", "high"))
    if low and high and low.unit in ("", high.unit):
        return Value("range", f"{low.text}–{high.text}", high.unit)
    if low and high:
        return Value("range", f"{low.spoken} – {high.spoken}")
    if low or high:
        return Value("range", f"≥ {low.spoken}" if low else f"≤ {high.spoken}" if high else "")
    raise _Empty


def _ratio(held: Any) -> Value:
    top, bottom = quantity(held.get("numerator", {})), quantity(held.get("denominator", {}))
    if not top.present and not bottom.present:
        raise _Empty
    sides = [side.spoken if side.present else "?" for side in (top, bottom)]
    return Value("ratio", (" / " if top.unit or bottom.unit else ":").join(sides))


def _sampled(held: Any) -> Value:
    found = samples_of(held, digits)
    return Value("sampled", str(found.count), _unit(held.get("origin", {})), samples=found, long=found.formula)


def _moment(held: Any) -> Value:
    return replace(_text(held), kind="date")


def _period(held: Any) -> Value:
    if not held.get("start") and not held.get("end"):
        raise _Empty
    return Value("period", f"{held.get('start') or '?'} – {held.get('end') or '?'}")


def _attachment(held: Any) -> Value:
    title = str(held.get("title") or held.get("contentType") or "Document")
    return Value("attachment", title, attachment=held)


def _plain(held: Any) -> str:
    """Something of no known shape, still shown whole."""
    if isinstance(held, Mapping):
        return "; ".join(f"{name}: {_plain(each)}" for name, each in held.items())
    if isinstance(held, list):
        return ", ".join(_plain(each) for each in held)
    return digits(held) if isinstance(held, Decimal | float) else str(held)


READERS: dict[str, Callable[[Any], Value]] = {
    "valueQuantity": quantity,
    "valueCodeableConcept": _coded,
    "valueString": _text,
    "valueBoolean": _boolean,
    "valueInteger": _integer,
    "valueDecimal": _integer,
    "valueCoding": _coding,
    "valueRange": _range,
    "valueRatio": _ratio,
    "valueSampledData": _sampled,
    "valueTime": _text,
    "valueDateTime": _moment,
    "valueDate": _moment,
    "valuePeriod": _period,
    "valueAttachment": _attachment,
}
_ORDER = {name: place for place, name in enumerate(READERS)}


def _absent(*holders: Any) -> Value:
    """Why there is no value: in our words for a known code, and in the laboratory's own where it wrote some."""
    for holder in holders:
        reason = holder.get("dataAbsentReason") if isinstance(holder, Mapping) else None
        if reason:
            return _reason(reason)
        for twin in _twins(holder):
            for extension in _extensions(twin):
                if extension.get("url") == _DATA_ABSENT and extension.get("valueCode") in ABSENT:
                    return Value("absent", ABSENT[extension["valueCode"]], translate=True)
    return Value("absent", NO_VALUE, translate=True)


def _reason(reason: Any) -> Value:
    own = concept_words(reason)
    for coding in reason.get("coding") or [] if isinstance(reason, Mapping) else []:
        if coding.get("system") in _ABSENT_SYSTEMS and coding.get("code") in ABSENT:
            written = reason.get("text")
            return Value(
                "absent", ABSENT[coding["code"]], long=written if isinstance(written, str) else "", translate=True
            )
    return Value("absent", own or NO_VALUE, translate=not own)


def _twins(holder: Any) -> list[Mapping[str, Any]]:
    """`_valueString` and its like: what stands beside a primitive value that may itself be missing."""
    if not isinstance(holder, Mapping):
        return []
    beside = [held for name, held in holder.items() if name.startswith("_value") and isinstance(held, Mapping)]
    return [holder, *beside] if "extension" in holder else beside


def _extensions(holder: Any) -> Iterator[Mapping[str, Any]]:
    listed = holder.get("extension") if isinstance(holder, Mapping) else None
    yield from (each for each in listed if isinstance(each, Mapping)) if isinstance(listed, list) else ()
