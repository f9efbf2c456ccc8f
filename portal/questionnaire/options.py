"""The choices a question shows: from the form, a value set or an expression, each with a stable key and its words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from portal.fhirpath.temporal import FhirDate, FhirTime

from . import extensions as ext
from .answers import Entry, fitted
from .columns import columns, told
from .comparing import same_answer
from .conditions import truth
from .converting import to_answers, words
from .evaluation import Evaluation
from .extensions import Json
from .formulas import Formula
from .items import Item
from .richtext import Text, rich
from .scores import option_weight, weight
from .speaking import say
from .units import units_open
from .words import localised

MAX_FURTHER = 500
"""Of so many units a person may be reminded; any other is typed."""


@dataclass(frozen=True, slots=True)
class Option:
    """`key` is what the page posts, `value` the FHIR answer it stands for, `score` its ordinalValue or itemWeight, `beside`
    what else is told of it (choiceColumn)."""

    key: str
    label: Text
    value: Json
    prefix: str = ""
    exclusive: bool = False
    selected: bool = False
    disabled: bool = False
    score: Decimal | None = None
    media: Json | None = None
    beside: str = ""


def key_of(answer: Json) -> str:
    """A short key made from the value itself, so that it means the same when the list changes."""
    stripped = {k: _bare(v) for k, v in answer.items() if k.startswith("value")}
    text = json.dumps(stripped, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2s(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _bare(value: Any) -> Any:
    """A coding by system and code (its display may be spoken in another language)."""
    if isinstance(value, dict) and "code" in value and "value" not in value:
        return {"system": value.get("system"), "code": value.get("code")}
    return value


def options(evaluation: Evaluation, entry: Entry) -> list[Option]:
    """Every option of a question in this place, with those that are chosen now."""
    return chosen(offered(evaluation, entry), entry.answers)


def offered(evaluation: Evaluation, entry: Entry) -> list[Option]:
    """Every option of a question in this place; those a toggle expression switches off are left out."""
    item, language = entry.item, evaluation.context.language
    listed = _static(evaluation, item, language)
    if "choiceColumn" in item.extensions:
        listed = [_in_columns(evaluation, entry, option) for option in listed]
    for formula, what in ((item.answer_formula, "answerExpression"), (item.candidate_formula, "candidateExpression")):
        if formula is not None:
            listed = [*listed, *_computed(evaluation, entry, formula, what, language)]
    if item.toggles:
        listed = [option for option in listed if allowed(evaluation, entry, option.value)]
    return listed


def standing(evaluation: Evaluation, entry: Entry) -> list[Json]:
    """Its answers but those that are switched off."""
    if not entry.item.toggles:
        return entry.answers
    return [answer for answer in entry.answers if allowed(evaluation, entry, answer)]


def chosen(listed: list[Option], answers: list[Json]) -> list[Option]:
    return [_chosen(option, answers) for option in listed] if answers and listed else listed


def _static(evaluation: Evaluation, item: Item, language: str) -> list[Option]:
    return fixed_options(evaluation, item) or _from_server(evaluation, item, language)


def fixed_options(evaluation: Evaluation, item: Item) -> list[Option]:
    """The options at hand that are the same for everyone, made once for a form and language."""
    language = evaluation.context.language
    cache = evaluation.form.cache("options", language)
    if item.ordinal not in cache:
        raws = item.raw.get("answerOption") or ()
        if raws:
            made = [option for raw in raws if (option := _option(raw, language)) is not None]
        else:
            made = [_plain(answer, language) for answer in evaluation.form.value_sets.answers(item)]
        kept = ((option, fitted(item.type, option.value)) for option in made if item.is_question)
        cache[item.ordinal] = [_fitted(option, value) for option, value in kept if value is not None]
    found: list[Option] = cache[item.ordinal]
    return found


def _fitted(option: Option, value: Json) -> Option:
    return option if value is option.value else replace(option, key=key_of(value), value=value)


def _from_server(evaluation: Evaluation, item: Item, language: str) -> list[Option]:
    canonical = evaluation.form.value_sets.elsewhere(item)
    if not canonical or evaluation.context.terminology is None:
        return []
    codings = evaluation.context.terminology.expand(canonical, server=terminology_server(item)) or []
    return [_plain({"valueCoding": coding}, language) for coding in codings]


def searched(evaluation: Evaluation, entry: Entry, text: str, limit: int) -> list[Option] | None:
    """What the terminology server finds for a text; None when the list is at hand or the server could not be asked."""
    canonical = evaluation.form.value_sets.elsewhere(entry.item)
    terminology, language = evaluation.context.terminology, evaluation.context.language
    if not canonical or terminology is None:
        return None
    codings = terminology.expand(canonical, filter=text, count=limit, server=terminology_server(entry.item))
    if codings is None:
        return None
    return [_plain({"valueCoding": coding}, language) for coding in codings][:limit]


def terminology_server(item: Item) -> str:
    """The preferred terminology server, the nearest declaration winning; "" for none."""
    for owner in item.ancestors():
        for name in ("preferredTerminologyServer", "terminology-server"):
            if isinstance(found := ext.value(owner.extensions, name), str):
                return found
    return ""


def units_of(evaluation: Evaluation, item: Item) -> list[Option]:
    """The units of a quantity: unitOption, the codings of unitValueSet, and where the list is open those of the system
    that further ones come from (unitSupplementalSystem)."""
    if item.type != "quantity":
        return []
    codings = [coding for coding in ext.values(item.extensions, "unitOption") if isinstance(coding, dict)]
    canonical = ext.value(item.extensions, "unitValueSet")
    if isinstance(canonical, str):
        found = evaluation.form.value_sets.expand(canonical)
        if found is None and evaluation.context.terminology is not None:
            found = evaluation.context.terminology.expand(canonical, server=terminology_server(item))
        codings.extend(found or [])
    if further := further_units(item):
        codings.extend((evaluation.form.value_sets.concepts(further) or [])[:MAX_FURTHER])
    found_by_key: dict[str, Option] = {}
    for coding in codings:
        option = _plain({"valueCoding": coding}, evaluation.context.language)
        found_by_key.setdefault(option.key, option)
    return list(found_by_key.values())


def further_units(item: Item) -> str:
    """The code system that units outside the list are expected from; "" where none is named, or there may be no others."""
    system = ext.value(item.extensions, "unitSupplementalSystem")
    return system if isinstance(system, str) and units_open(item) else ""


def _option(raw: Json, language: str) -> Option | None:
    key = next((key for key in raw if key.startswith("value")), None)
    if key is None:
        return None
    answer = {key: raw[key]}
    extensions, inner = ext.of(raw), ext.of(raw[key])
    return Option(
        key=key_of(answer),
        label=_label(raw, key, language),
        value=answer,
        prefix=str(ext.value(extensions, "optionPrefix") or ext.value(inner, "optionPrefix") or ""),
        exclusive=ext.value(extensions, "optionExclusive") is True,
        score=option_weight(raw),
        media=ext.value(extensions, "itemAnswerMedia") or ext.value(extensions, "itemMedia"),
    )


def _label(raw: Json, key: str, language: str) -> Text:
    value = raw[key]
    if isinstance(value, dict) and isinstance(value.get("display"), str):
        return rich(value, "display", language)
    if isinstance(value, str) and key == "valueString":
        return rich(raw, key, language)
    return say({key: value}, language)


def _plain(answer: Json, language: str) -> Option:
    coding = answer.get("valueCoding")
    label = localised(coding, "display", language) if isinstance(coding, dict) else ""
    score = weight(ext.of(coding))
    return Option(key_of(answer), label or say(answer, language), answer, score=score)


def _computed(evaluation: Evaluation, entry: Entry, formula: Formula, what: str, language: str) -> list[Option]:
    """answerExpression and candidateExpression: every value it gives is an option."""
    results = evaluation.evaluate(formula, entry, what) or []
    found = [
        _in_columns(evaluation, entry, _plain(answer, language), one)
        for result in results
        for one in _each(result)
        for answer in _answers(evaluation, entry.item, one)
    ]
    return list({option.key: option for option in found}.values())


def _in_columns(evaluation: Evaluation, entry: Entry, option: Option, source: Any = None) -> Option:
    """An option as its columns tell it; they look at the resource it was made of, or at its Coding."""
    listed = columns(entry.item)
    value = source if isinstance(source, dict) and "resourceType" in source else option.value.get("valueCoding")
    if not listed or not isinstance(value, dict):
        return option
    called, beside = told(evaluation, entry, listed, value)
    named = option.value
    if called and isinstance(reference := named.get("valueReference"), dict):
        named = {"valueReference": {**reference, "display": called}}
    return replace(option, key=key_of(named), label=called or option.label, value=named, beside=beside)


def _each(result: Any) -> list[Any]:
    """A result, or the resources of a Bundle."""
    if isinstance(result, dict) and result.get("resourceType") == "Bundle":
        return [e.get("resource") for e in result.get("entry") or () if isinstance(e, dict)]
    return [result]


def _answers(evaluation: Evaluation, item: Item, result: Any) -> list[Json]:
    if isinstance(result, dict) and item.type == "reference" and "resourceType" in result:
        made = to_answers(item, [result], evaluation.form.value_sets)
        for answer in made:
            answer["valueReference"].setdefault("display", words(_named(result)))
        return made
    made = to_answers(item, [result], evaluation.form.value_sets)
    if made or item.type not in ("choice", "open-choice") or evaluation.form.value_sets.answers(item):
        return made
    kind = next((kind for kind, taken in PLAIN if isinstance(result, taken) and not isinstance(result, bool)), "")
    return [{kind: result if isinstance(result, int) else str(result)}] if kind and result != "" else []


PLAIN = (("valueString", str), ("valueInteger", int), ("valueDate", FhirDate), ("valueTime", FhirTime))
"""What an answer to a choice may be beside a coding (R4: answerOption.value[x])."""


def _named(resource: Json) -> Json:
    """What a resource is called: its name, code or title."""
    name = resource.get("name") or resource.get("code") or resource.get("title") or resource.get("id")
    if isinstance(name, list):
        name = name[0] if name else ""
    return name if isinstance(name, dict) else {"text": str(name or "")}


def allowed(evaluation: Evaluation, entry: Entry, value: Json) -> bool:
    """Whether an answer is not switched off: it is only when a toggle names it and none of those that do says yes."""
    verdicts: list[bool] = []
    for answers, formula in entry.item.toggles:
        if any(same_answer(value, answer) for answer in answers):
            result = evaluation.evaluate(formula, entry, "answerOptionsToggleExpression")
            verdicts.append(result is None or truth(result))
    return not verdicts or any(verdicts)


def _chosen(option: Option, answers: Iterable[Json]) -> Option:
    if not any(same_answer(option.value, answer) for answer in answers):
        return option
    return replace(option, selected=True)
