"""From what a person typed or chose to FHIR answers, with an issue for what cannot be one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from . import typed_dates, typed_numbers
from .converting import default_unit, quantity_unit
from .extensions import Json
from .issues import Issue
from .nodes import Node

Typed = str | Mapping[str, str]
"""One input's text, or several fields of one answer: day, month, year, time; number and unit; url and title;
system, code and display of what was found in a list that is looked up elsewhere."""
Parsed = Json | str | tuple[str, Mapping[str, object]] | None
"""An answer, an issue's code (with params), or None for an empty input."""

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef]")
MAX_TYPED = 100_000
MAX_ANSWERS = 1_000


def answer(
    node: Node, typed: Typed | Sequence[Typed], language: str = "", *, zone: str = ""
) -> tuple[list[Json], list[Issue]]:
    """The answers of one question as typed. Empty inputs are no answers; what cannot be read is left out with an issue.

    `zone` ("+01:00") completes a dateTime that has a time; without it a time of day makes it UTC.
    """
    inputs = [typed] if isinstance(typed, (str, Mapping)) else list(typed)[:MAX_ANSWERS]
    answers: list[Json] = []
    issues: list[Issue] = []
    for one in inputs:
        parsed = _one(node, one, language, zone)
        if isinstance(parsed, dict):
            answers.append(parsed)
        elif parsed is not None:
            code, params = (parsed, {}) if isinstance(parsed, str) else parsed
            issues.append(Issue(node.name, node.link_id, code, "error", params))
    return answers, issues


def _one(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    texts = [typed] if isinstance(typed, str) else list(typed.values())
    if any(len(text) > MAX_TYPED for text in texts) and node.type != "attachment":
        return "too-long", {"max": MAX_TYPED}
    if any(_UNWANTED.search(text) for text in texts):
        return "characters"
    if not any(text.strip() for text in texts):
        return None
    if (absent := _absent(node, typed)) is not None:
        return absent
    if node.options or node.lookup:
        return _choice(node, typed, language)
    return _BY_TYPE[node.type](node, typed, language, zone)


def _absent(node: Node, typed: Typed) -> Json | None:
    """The key of a "don't know" or "prefer not to say" that the form offers beside a question."""
    for option in node.absent:
        if typed == option.key:
            return {"extension": [_ABSENT | {"valueCode": option.value["valueCoding"].get("code")}]}
    return None


_ABSENT: Json = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}


def _text_of(typed: Typed, *names: str) -> str:
    if isinstance(typed, str):
        return typed.strip()
    return next((typed[name].strip() for name in names if typed.get(name, "").strip()), "")


def _choice(node: Node, typed: Typed, language: str) -> Parsed:
    """An option's key; for an open choice any other text is the person's own words. Where the list lies elsewhere the
    words stand for themselves, and whether they will do is for the check to say."""
    if node.lookup and isinstance(typed, Mapping) and typed.get("code", "").strip():
        return {"valueCoding": {k: typed[k].strip() for k in ("system", "code", "display") if typed.get(k, "").strip()}}
    text = _text_of(typed, "key", "open", "text")
    for option in node.options:
        if option.key == text:
            return dict(option.value)
    for option in node.options:
        if node.control == "autocomplete" and str(option.label).strip().casefold() == text.casefold():
            return dict(option.value)
    if node.open:
        return _own_words(node, text, language)
    return {"valueCoding": {"display": text}} if node.lookup else "option"


def _own_words(node: Node, text: str, language: str) -> Parsed:
    """Beside the options: text for an open choice, a coding without a code for a choice of other codings."""
    if node.type == "open-choice":
        return {"valueString": text}
    return (
        {"valueCoding": {"display": text}} if node.type == "choice" else _BY_TYPE[node.type](node, text, language, "")
    )


def _boolean(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    text = _text_of(typed, "value").casefold()
    if text in ("true", "yes", "y", "on", "1"):
        return {"valueBoolean": True}
    return {"valueBoolean": False} if text in ("false", "no", "n", "off", "0") else "yesno"


def _number(text: str, language: str) -> Decimal | str | tuple[str, Mapping[str, object]]:
    try:
        value = typed_numbers.typed_number(text, language)
    except typed_numbers.Unclear as unclear:
        return "number-ambiguous", {"first": unclear.first, "second": unclear.second}
    except typed_numbers.TooLong:
        return "number-size", {"max": typed_numbers.MAX_DIGITS}
    return "number" if value is None else value


def _decimal(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    value = _number(_text_of(typed, "number", "value"), language)
    return {"valueDecimal": value} if isinstance(value, Decimal) else value


def _integer(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    value = _number(_text_of(typed, "number", "value"), language)
    if not isinstance(value, Decimal):
        return "whole-number" if value == "number" else value
    if value != value.to_integral_value():
        return "whole-number"
    return {"valueInteger": int(value)} if abs(value) < 2**31 else ("number-size", {"max": 9})


def _quantity(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    """A number with the key of one of the units offered, or the only unit there is."""
    number = _text_of(typed, "number", "value")
    if not number and len(node.units) < 2:
        return None  # the unit that stands there by itself is no answer
    value = _number(number, language)
    if not isinstance(value, Decimal):
        return value
    wanted = "" if isinstance(typed, str) else typed.get("unit", "").strip()
    chosen = next((unit for unit in node.units if unit.key == wanted), None)
    if chosen is not None:
        return {"valueQuantity": {"value": value, **quantity_unit(chosen.value["valueCoding"])}}
    if wanted and node.unit_open:
        return {"valueQuantity": {"value": value, "unit": wanted}}
    if wanted:
        return "unit"
    if len(node.units) > 1:
        return "unit-missing"
    return {"valueQuantity": {"value": value, **default_unit(node.item)}}


def _dated(typed: Typed, language: str) -> str | tuple[str, Mapping[str, object]] | None:
    """A FHIR date; or an issue's code in a tuple; None for no date."""
    try:
        if isinstance(typed, str):
            return typed_dates.typed_date(typed, language)
        if "date" in typed:
            return typed_dates.typed_date(typed["date"], language)
        return typed_dates.parts_date(typed, language)
    except typed_dates.Ambiguous as ambiguous:
        return "date-ambiguous", {"example": ambiguous.example}
    except typed_dates.NotReal:
        return "date-real", {}
    except typed_dates.NoYear:
        return "date-year", {}


def _date(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    found = _dated(typed, language)
    if found is None or found == "":
        return "date"
    return {"valueDate": found} if isinstance(found, str) else found


def _date_time(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    clock = "" if isinstance(typed, str) else typed.get("time", "").strip()
    if isinstance(typed, str):
        typed, clock = typed_dates.split_clock(typed)
    found = _dated(typed, language)
    if not isinstance(found, str) or not found:
        return found if isinstance(found, tuple) else "datetime"
    if not clock:
        return {"valueDateTime": found}
    time = typed_dates.typed_time(clock)
    if time is None or len(found) != 10:
        return "datetime"
    return {"valueDateTime": f"{found}T{time}{zone or 'Z'}"}


def _time(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    time = typed_dates.typed_time(_text_of(typed, "time", "value"))
    return "time" if time is None else {"valueTime": time}


def _string(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    return {"valueString": _text_of(typed, "value", "text").replace("\r\n", "\n")}


def _url(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    text = _text_of(typed, "url", "value")
    if re.search(r"\s", text):
        return "url"
    if "://" not in text and not re.match(r"(?i)(urn|mailto|tel):", text):
        text = f"https://{text}" if "." in text else ""
    scheme = text.split(":")[0].lower()
    return {"valueUri": text} if scheme in ("http", "https", "urn", "mailto", "tel", "ftp") else "url"


def _reference(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    """A reference that can be followed, or the name of what is meant."""
    text = _text_of(typed, "reference", "value", "text")
    if re.match(r"(https?://\S+|urn:(uuid|oid):\S+|[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})\Z", text):
        return {"valueReference": {"reference": text}}
    return {"valueReference": {"display": text}}


def _attachment(node: Node, typed: Typed, language: str, zone: str) -> Parsed:
    """Files are taken in by the page, which gives the fields of the Attachment it kept."""
    if isinstance(typed, str):
        return "file-empty"
    if problem := typed.get("problem"):
        return problem
    kept = {
        key: value for key, value in typed.items() if key in ("contentType", "url", "title", "hash", "creation", "data")
    }
    sized: Json = {**kept, "size": int(typed["size"])} if typed.get("size", "").isdecimal() else dict(kept)
    return {"valueAttachment": sized} if kept else "file-empty"


_BY_TYPE: dict[str, Callable[[Node, Typed, str, str], Parsed]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "integer": _integer,
    "date": _date,
    "dateTime": _date_time,
    "time": _time,
    "string": _string,
    "text": _string,
    "url": _url,
    "choice": lambda node, typed, language, zone: _choice(node, typed, language),
    "open-choice": lambda node, typed, language, zone: _choice(node, typed, language),
    "reference": _reference,
    "attachment": _attachment,
    "quantity": _quantity,
}
