"""Values exactly as the laboratory sent them: 1.10 stays 1.10, <5 stays <5; every value[x] of R4 has words. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.labs.words import ABSENT, NO_VALUE, concept_words

_DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ABSENT_SYSTEMS = ("http://terminology.hl7.org/CodeSystem/data-absent-reason", "http://hl7.org/fhir/data-absent-reason")
_COMPARATORS = {"<": "<", "<=": "≤", ">=": "≥", ">": ">", "ad": ""}


@dataclass(frozen=True)
class Value:
    """`text` is for people (a msgid for yes/no); `number`, `unit_code` and `comparator` are for comparing and drawing."""

    kind: str
    text: str
    unit: str = ""
    number: Decimal | None = None
    comparator: str = ""
    unit_code: str = ""
    long: str = ""
    samples: tuple[str, ...] = ()
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


def value_of(holder: Mapping[str, Any]) -> Value:
    """The value of an Observation or of one of its components; what is missing says why."""
    for name, read in READERS.items():
        if name in holder:
            return _guarded(read, holder[name])
    other = [name for name in holder if name.startswith("value")]
    if other:
        return Value("other", _plain(holder[other[0]]))
    return _absent(holder)


def _guarded(read: Callable[[Any], Value], held: Any) -> Value:
    try:
        return read(held)
    except (AttributeError, TypeError, ValueError, InvalidOperation):
        return Value("other", _plain(held))


def digits(number: Any) -> str:
    """A JSON number in the digits it was sent with (an exponent is written out)."""
    if isinstance(number, Decimal):
        return format(number, "f")
    return repr(number) if isinstance(number, float) else str(number)


def quantity(held: Any) -> Value:
    if "value" not in held:
        return replace(_absent(held, held.get("_value")), unit=_unit(held))
    number = held["value"]
    comparator = str(held.get("comparator", ""))
    return Value(
        "quantity",
        _COMPARATORS.get(comparator, comparator) + digits(number),
        _unit(held),
        _decimal(number),
        comparator,
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
    displays = [coding["display"] for coding in held.get("coding") or [] if coding.get("display")]
    return Value(
        "coded", text or NO_VALUE, long=next((each for each in displays if each != text), ""), translate=not text
    )


def _boolean(held: Any) -> Value:
    if not isinstance(held, bool):
        raise ValueError("not a boolean")
    return Value("boolean", "Yes" if held else "No", translate=True)


def _text(held: Any) -> Value:
    return Value("text", str(held))


def _integer(held: Any) -> Value:
    return Value("quantity", digits(held), number=_decimal(held))


def _range(held: Any) -> Value:
    low, high = held.get("low"), held.get("high")
    low_value, high_value = low and quantity(low), high and quantity(high)
    if low_value and high_value and low_value.unit in ("", high_value.unit):
        return Value("range", f"{low_value.text}–{high_value.text}", high_value.unit)
    sides = [each.spoken for each in (low_value, high_value) if each]
    return Value("range", " – ".join(sides) if len(sides) == 2 else f"≥ {sides[0]}" if low else f"≤ {sides[0]}")


def _ratio(held: Any) -> Value:
    top, bottom = quantity(held.get("numerator", {})), quantity(held.get("denominator", {}))
    sides = [side.spoken if side.present else "?" for side in (top, bottom)]
    return Value("ratio", (" / " if top.unit or bottom.unit else ":").join(sides))


def _sampled(held: Any) -> Value:
    samples = tuple(str(held.get("data", "")).split())
    unit = _unit(held.get("origin", {}))
    return Value("sampled", str(len(samples)), unit, samples=samples, long=_sampling(held))


def _sampling(held: Mapping[str, Any]) -> str:
    """How the samples become measurements: origin + factor × sample, one every so many milliseconds."""
    origin = digits(held.get("origin", {}).get("value", 0))
    factor = digits(held.get("factor", 1))
    return f"{origin} + {factor} × n; {digits(held['period'])} ms" if "period" in held else f"{origin} + {factor} × n"


def _moment(held: Any) -> Value:
    return Value("date", str(held))


def _period(held: Any) -> Value:
    return Value("period", f"{held.get('start', '?')} – {held.get('end', '?')}")


def _attachment(held: Any) -> Value:
    return Value("attachment", str(held.get("title") or held.get("contentType") or "Document"))


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
    "valueRange": _range,
    "valueRatio": _ratio,
    "valueSampledData": _sampled,
    "valueTime": _text,
    "valueDateTime": _moment,
    "valueDate": _moment,
    "valuePeriod": _period,
    "valueAttachment": _attachment,
}


def _absent(*holders: Any) -> Value:
    """Why there is no value: in our words for a known code, and in the laboratory's own where it wrote some."""
    for holder in holders:
        reason = holder.get("dataAbsentReason") if isinstance(holder, Mapping) else None
        if reason:
            return _reason(reason)
        for twin in _twins(holder):
            for extension in twin.get("extension") or []:
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
