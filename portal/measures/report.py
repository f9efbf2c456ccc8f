"""The figures of a period as a FHIR R4 MeasureReport without subjects, and the Measure that says what they mean. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from portal.measures.cells import Figures
from portal.measures.entries import Entry, entries
from portal.measures.words import FIGURES, VALUES

Json = dict[str, Any]
URL, VERSION = "urn:previsit:measure:intake", "1"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_INITIAL = {"coding": [{"system": _POPULATION, "code": "initial-population", "display": "Initial Population"}]}
MASKED = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
"""Instead of a number that is not shown."""


def report(figures: Figures, clinic: str, made_at: datetime, named: Callable[[str, str], str]) -> Json:
    """A summary MeasureReport of one period; `named` gives the words for what a number is of."""
    found = {what: list(each) for what, each in groupby(entries(figures), key=lambda entry: entry.what)}
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": f"{URL}|{VERSION}",
        "date": made_at.isoformat(timespec="seconds"),
        "reporter": {"display": clinic},
        "period": {"start": figures.period.start.isoformat(), "end": figures.period.last.isoformat()},
        "group": [_group(what, listed, named) for what, listed in found.items()],
    }


def measure() -> Json:
    """What every group of a report counts, in words."""
    return {
        "resourceType": "Measure",
        "url": URL,
        "version": VERSION,
        "name": "PrevisitIntake",
        "title": "Pre-visit intake: what it saves and where it holds people up",
        "status": "active",
        "description": "Counted by Previsit for one clinic from sums of many people. A number about fewer than five people, "
        "and any other from which it could be worked out, is masked.",
        "scoring": {"coding": [{"system": _SCORING, "code": "cohort", "display": "Cohort"}]},
        "group": [
            {
                "code": {"text": each.title},
                "description": each.means,
                "population": [
                    {"code": _INITIAL, "criteria": {"language": "text/plain", "expression": each.means}},
                ],
                "stratifier": [
                    {
                        "code": {"text": "Part"},
                        "criteria": {"language": "text/plain", "expression": "Each part by itself"},
                    }
                ],
            }
            for each in FIGURES.values()
        ],
    }


def _group(what: str, listed: Iterable[Entry], named: Callable[[str, str], str]) -> Json:
    """The whole as the population where there is one, every other number as a stratum."""
    listed = list(listed)
    whole = next((each for each in listed if not each.thing and each.value in ("all", "")), None)
    strata = [_stratum(each, named) for each in listed if each is not whole]
    made: Json = {"code": {"text": FIGURES[what].title}}
    if whole is not None:
        made["population"] = [_population(whole)]
    return {**made, "stratifier": [{"code": [{"text": "Part"}], "stratum": strata}]} if strata else made


def _population(entry: Entry) -> Json:
    return {"code": _INITIAL, **({"count": entry.number} if entry.number is not None else {"_count": MASKED})}


def _stratum(entry: Entry, named: Callable[[str, str], str]) -> Json:
    value = entry.value if entry.timed else VALUES[entry.value]
    words = ": ".join(filter(None, [named(entry.what, entry.thing) if entry.thing else "", value]))
    made: Json = {"value": {"text": words}}
    if not entry.timed:
        return {**made, "population": [_population(entry)]}
    seconds = {"unit": "seconds", "system": "http://unitsofmeasure.org", "code": "s"}
    score = {"value": entry.number} if entry.number is not None else {"_value": MASKED}
    return {**made, "measureScore": {**score, **seconds}}
