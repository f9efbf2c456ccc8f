"""Is one answer an answer of its type, within its limits, and one of those offered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from portal.fhirpath.quantity import Quantity, converted
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime

from . import extensions as ext
from . import partly_known
from .answers import CHOICES, TYPE_KEYS, typed
from .bounds import Limits
from .check_objects import BY_KIND, Finding, is_uri, nothing
from .comparing import UCUM, compare, number, same_answer, unit_of
from .converting import quantity_unit, words
from .evaluation import Evaluation
from .extensions import Json
from .items import Item
from .options import Option, terminology_server
from .patterns import matches, unchecked
from .speaking import absent_reason, say
from .texts import hint

VALIDATION_TEXT = "http://ehelse.no/fhir/StructureDefinition/validationtext"
MAX_TEXT, FHIR_TEXT = 100_000, 1024 * 1024
"""The longest text that our own pages take, and that FHIR lets a response hold."""
MAX_DIGITS, MAX_EXPONENT = 18, 12
FEW_DIGITS = 4
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def value_issues(
    evaluation: Evaluation, item: Item, limit: Limits, answer: Json, offered: list[Option]
) -> Iterator[Finding]:
    kind, value = typed(answer)
    if not kind:
        if not absent_reason(answer):
            yield "no-value", "error", {}
        return
    if kind not in _expected(item, offered):
        yield "type", "error", {"expected": item.type}
        return
    problem = _shape(kind, value)
    if problem:
        yield problem, "error", {"expected": item.type, "max": MAX_DIGITS}
        return
    yield from _limits(evaluation, item, limit, kind, value)
    yield from _membership(evaluation, item, answer, offered)
    yield from BY_KIND.get(kind, nothing)(evaluation, item, limit, value)


def _expected(item: Item, offered: list[Option]) -> set[str]:
    """The value types this question takes; options of another type bring theirs."""
    keys = {key for option in offered for key in option.value if key.startswith("value")}
    if item.answer_formula is not None and any(_words(option.value) for option in offered):
        keys |= {"valueString", "valueCoding"}
    if item.type == "choice" and keys:
        return keys
    return {*TYPE_KEYS[item.type], *keys}


def _shape(kind: str, value: Any) -> str:
    """ "" when the JSON value is one of its FHIR type, else the code of the issue."""
    return _SHAPES[kind](value) if kind in _SHAPES else "type"


def _decimal(value: Any) -> str:
    exact = number(value)
    if exact is None or not exact.is_finite():
        return "type"
    parts = exact.as_tuple()
    if len(parts.digits) > MAX_DIGITS or abs(exact.adjusted()) > MAX_EXPONENT + MAX_DIGITS:
        return "number-size"
    return ""


def _integer(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "type"
    return "" if -(2**31) <= value < 2**31 else "number-size"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        return "type"
    return "characters" if _CONTROL.search(value) else ""


def _temporal(parse: Callable[[str], object | None]) -> Callable[[Any], str]:
    return lambda value: "" if isinstance(value, str) and parse(value) is not None else "type"


def _moment(text: str) -> object | None:
    """A FHIR dateTime: with a time it says its zone and its seconds."""
    _, mark, clock = text.partition("T")
    if mark and not re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", clock, re.ASCII):
        return None
    return FhirDateTime.parse(text)


def _clock(text: str) -> object | None:
    return FhirTime.parse(text) if re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?", text, re.ASCII) else None


def _object(*wanted: str) -> Callable[[Any], str]:
    return lambda value: (
        "" if isinstance(value, dict) and any(value.get(name) not in (None, "") for name in wanted) else "type"
    )


def _quantity(value: Any) -> str:
    if not isinstance(value, dict):
        return "type"
    return _decimal(value.get("value")) if value.get("value") is not None else "type"


def _uri(value: Any) -> str:
    return "" if isinstance(value, str) and is_uri(value) else "url"


_SHAPES: dict[str, Callable[[Any], str]] = {
    "valueBoolean": lambda value: "" if isinstance(value, bool) else "type",
    "valueDecimal": _decimal,
    "valueInteger": _integer,
    "valueString": _text,
    "valueUri": _uri,
    "valueDate": _temporal(FhirDate.parse),
    "valueDateTime": _temporal(_moment),
    "valueTime": _temporal(_clock),
    "valueCoding": _object("code", "display"),
    "valueReference": _object("reference", "identifier", "display"),
    "valueAttachment": _object("data", "url", "title", "hash", "contentType"),
    "valueQuantity": _quantity,
}


def _limits(evaluation: Evaluation, item: Item, limit: Limits, kind: str, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield from _written(evaluation, item, limit, kind, value)
    for end, sign in ((limit.least, -1), (limit.most, 1)):
        if kind == "valueQuantity" and _of_another_kind(value, end):
            yield "unit", "error", {}
            break
        if end is not None and _beyond(kind, _measured(item, value, end), end, sign):
            said = {"min" if sign < 0 else "max": _said(kind, end, value), "of": CLOCKS.get(kind, "")}
            yield _range_code(kind, sign), "error", said
    amount = number(value.get("value") if isinstance(value, dict) else value)
    if limit.decimals is not None and amount is not None and _places(amount) > limit.decimals:
        yield "decimals", "error", {"max": limit.decimals}


def _measured(item: Item, value: Any, end: Any) -> Any:
    """A number in the unit of its question (questionnaire-unit), where a limit is in one."""
    unit = ext.value(item.extensions, "unit")
    in_unit = isinstance(unit, dict) and isinstance(end, dict) and unit_of(end) and number(value) is not None
    return {"value": value, **quantity_unit(unit)} if in_unit else value


def _written(evaluation: Evaluation, item: Item, limit: Limits, kind: str, value: Any) -> Iterator[Finding]:
    """A plain value as it is written: its length (of texts and numbers: que-10), and its pattern."""
    text = words(Decimal(str(value)) if kind in NUMBERS else value)
    if kind in TEXTS or (kind in NUMBERS and not item.calculated):
        longest = FHIR_TEXT if evaluation.given else MAX_TEXT
        most = longest if limit.max_length is None else min(limit.max_length, longest)
        if len(text) > most:
            yield "too-long", "error", {"max": most}
        if limit.min_length is not None and len(text) < limit.min_length:
            yield "too-short", "error", {"min": limit.min_length}
    if limit.pattern and unchecked(limit.pattern):
        yield "rule-unchecked", "information", {}
    elif limit.pattern and not matches(limit.pattern, text):
        yield from _pattern(item, evaluation.context.language)


TEXTS = frozenset({"valueString", "valueUri"})
NUMBERS = frozenset({"valueInteger", "valueDecimal"})


def _pattern(item: Item, language: str) -> Iterator[Finding]:
    if own := hint(item, VALIDATION_TEXT, language):
        yield "rule", "error", {"text": own}
    elif shown := hint(item, "entryFormat", language):
        yield "pattern-format", "error", {"format": shown}
    else:
        yield "pattern", "error", {}


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _beyond(kind: str, value: Any, end: Any, sign: int) -> bool:
    if isinstance(value, dict):
        if isinstance(end, dict):
            ordering = (
                compare("Quantity", value, end)
                if unit_of(end)
                else compare("Decimal", value.get("value"), end.get("value"))
            )
        else:
            ordering = compare("Decimal", value.get("value"), end)
    else:
        ordering = compare(kind[5:], value, end.get("value") if isinstance(end, dict) else end)
    return ordering == sign


def _of_another_kind(value: Json, end: Any) -> bool:
    """Whether a limit is in units of which none turns into the answer's: a length where there is a limit for weights."""
    both = (value, end) if isinstance(end, dict) else ()
    coded = both and all(one.get("system") == UCUM and one.get("code") and one.get("value") is not None for one in both)
    return bool(coded) and compare("Quantity", {**value, "comparator": end.get("comparator")}, end) is None


CLOCKS = {"valueDate": "date", "valueTime": "time"}


def _range_code(kind: str, sign: int) -> str:
    timed = kind in ("valueDate", "valueDateTime", "valueTime")
    return ("too-early" if timed else "too-small") if sign < 0 else ("too-late" if timed else "too-large")


def _said(kind: str, end: Any, value: Any) -> str:
    if isinstance(end, dict):
        return say({"valueQuantity": _in_unit_of(value, end) if isinstance(value, dict) else end})
    return say({kind: end}) if kind != "valueQuantity" else str(end)


def _in_unit_of(value: Json, end: Json) -> Json:
    """A limit in the unit of the answer where that can be said in a few digits: 30 cm rather than 0.3 m, but 2 kg for pounds."""
    amount, mine, theirs = number(end.get("value")), unit_of(value), unit_of(end)
    if amount is None or mine == theirs or any(one.get("system") not in (None, UCUM) for one in (value, end)):
        return end
    found = converted(Quantity(amount, theirs), mine)
    if found is None or len((digits := found.value.normalize()).as_tuple().digits) > FEW_DIGITS:
        return end
    whole = digits == digits.to_integral_value()
    return {"value": digits.quantize(Decimal(1)) if whole else digits, "unit": value.get("unit") or mine}


def _membership(evaluation: Evaluation, item: Item, answer: Json, offered: list[Option]) -> Iterator[Finding]:
    """Open choices take any text; a coding outside the list is refused for a choice."""
    kind, value = typed(answer)
    if chosen := [option for option in offered if _chosen(answer, option.value)]:
        if kind == "valueCoding" and not _named_so(evaluation, item, value, chosen):
            yield "display", "warning", {"display": str(value.get("display"))}
        return
    sets = evaluation.form.value_sets
    canonical = "" if item.raw.get("answerOption") else sets.elsewhere(item) or _known_in_part(evaluation, item)
    if _listed(item) and (offered or (item.type in CHOICES and "answerValueSet" in item.raw)) and not canonical:
        if (not item.open or _stray(evaluation, item, kind, value)) and not _by_code(evaluation, item, value):
            yield "option", "error", {}
        return
    if kind != "valueCoding" or not canonical or not (item.type == "choice" or _stray(evaluation, item, kind, value)):
        return
    if partly_known.rules_out(evaluation.form, canonical, value):
        yield "option", "error", {}
        return
    terminology = evaluation.context.terminology
    inside = terminology.contains(canonical, value, server=terminology_server(item)) if terminology else None
    if inside is False:
        yield "option", "error", {}
    elif inside is None:
        yield "option-unknown", "information", {}


def _chosen(answer: Json, option: Json) -> bool:
    return same_answer(answer, option) or bool(_words(option) and _words(answer) == _words(option))


def _words(answer: Json) -> str:
    """A text, or a coding that is only called something: as which forms write what an answerExpression gave as texts."""
    coding = answer.get("valueCoding")
    called = coding.get("display") if isinstance(coding, dict) and not coding.get("code") else ""
    return str(answer.get("valueString") or called or "")


def _known_in_part(evaluation: Evaluation, item: Item) -> str:
    canonical = str(item.raw.get("answerValueSet") or "") if evaluation.given else ""
    return canonical if canonical and partly_known.may_lack_some(evaluation.form, canonical) else ""


def _by_code(evaluation: Evaluation, item: Item, value: Any) -> bool:
    """Whether a text is the code of one of the codings that its question offers."""
    codings = (
        (one.get("valueCoding") for one in evaluation.form.value_sets.answers(item)) if item.type not in CHOICES else ()
    )
    return any(isinstance(coding, dict) and coding.get("code") == value for coding in codings)


def _listed(item: Item) -> bool:
    """Whether the form says what may be answered; a candidateExpression only suggests."""
    return bool(item.raw.get("answerOption") or item.raw.get("answerValueSet") or item.answer_formula)


def _stray(evaluation: Evaluation, item: Item, kind: str, value: Any) -> bool:
    """Whether an open choice was answered with a code, or another value, outside its list: own words are text, or a display
    alone. What our own pages took over from the record stays."""
    own = kind == "valueString" or (kind == "valueCoding" and not value.get("code"))
    return evaluation.given and item.type == "open-choice" and not own


def _named_so(evaluation: Evaluation, item: Item, coding: Json, chosen: list[Option]) -> bool:
    """Whether a coding's display is one of the option's, in any language, or another that its value set or code system has."""
    said, canonical = coding.get("display"), item.raw.get("answerValueSet")
    known = [name for option in chosen for name in _names(option)]
    if said is None or _is_one(said, known):
        return True
    further = list(partly_known.names(evaluation.form, canonical, coding)) if isinstance(canonical, str) else []
    return not (known or further) or _is_one(said, further)


def _is_one(said: object, names: list[str]) -> bool:
    return str(said).strip().casefold() in (name.strip().casefold() for name in names)


def _names(option: Option) -> list[str]:
    own = option.value.get("valueCoding")
    if not isinstance(own, dict) or own.get("display") is None:
        return []
    spoken = [ext.part(extension, "content") for extension in ext.of(own.get("_display")).get("translation", ())]
    return [own["display"], str(option.label), *(str(text) for text in spoken)]
