"""Is this person exactly one Patient of the record? One, none, or maybe (then a person decides). Pure.

First rules, then weights. Only a rule can tie a person to a record without anybody looking: it asks that names and birth
date agree and that something else does too, and that nothing contradicts (twins share a birth date, an address and a phone;
a father and son a name and an address). Weights only tell "maybe" from "none" and put candidates in order. A record that is
inactive or was merged into another is never tied by a rule (bar 84). What the clinic's server says by its own `$match` is one
opinion more: it can make a person look, it never ties by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from portal.fhir.people import Standing, links, standing
from portal.fhir.resources import Json, key_of
from portal.review.agreement import Fields, Level, compare
from portal.review.identity import Identity, of_patient

AGREES, CLOSE, DIFFERS = Level.AGREES, Level.CLOSE, Level.DIFFERS


class Likeness(StrEnum):
    """One person against one record."""

    SURE = "sure"
    MAYBE = "maybe"
    UNLIKE = "unlike"


class Verdict(StrEnum):
    """One person against all candidates."""

    ONE = "one"
    NONE = "none"
    MAYBE = "maybe"


_NAMED = {"given": {AGREES}, "family": {AGREES}}
_NEARLY_NAMED = {"given": {AGREES, CLOSE}, "family": {AGREES, CLOSE}}
SURE: tuple[Mapping[str, set[Level]], ...] = (
    {**_NAMED, "birth_date": {AGREES}, "identifier": {AGREES}},
    {**_NAMED, "birth_date": {AGREES}, "phone": {AGREES}},
    {**_NAMED, "birth_date": {AGREES}, "email": {AGREES}},
    {**_NAMED, "birth_date": {AGREES}, "address": {AGREES}},
    {**_NEARLY_NAMED, "birth_date": {AGREES}, "identifier": {AGREES}},
)
"""Any one of these ties, unless something below contradicts."""
CONTRADICTS: Mapping[str, set[Level]] = {
    "given": {DIFFERS},
    "family": {DIFFERS},
    "suffix": {DIFFERS},
    "gender": {DIFFERS},
    "birth_date": {DIFFERS},
    "identifier": {DIFFERS, CLOSE},
}

WEIGHTS: Mapping[str, Mapping[Level, float]] = {
    "given": {AGREES: 4, CLOSE: 2, DIFFERS: -4},
    "family": {AGREES: 4.5, CLOSE: 2.5, DIFFERS: -3},
    "suffix": {AGREES: 1, DIFFERS: -2},
    "birth_date": {AGREES: 7, CLOSE: 4, DIFFERS: -4.5},
    "gender": {AGREES: 0.5, DIFFERS: -2},
    "phone": {AGREES: 4, CLOSE: 0.5, DIFFERS: -0.5},
    "email": {AGREES: 5, CLOSE: 1.5, DIFFERS: -0.5},
    "address": {AGREES: 4, CLOSE: 2, DIFFERS: -1},
    "identifier": {AGREES: 9, CLOSE: 5, DIFFERS: -3},
}
LOOKED_AT: tuple[Mapping[str, set[Level]], ...] = (
    {"identifier": {AGREES}},
    {"birth_date": {AGREES}, "phone": {AGREES}},
    {"birth_date": {AGREES}, "email": {AGREES}},
    {"birth_date": {AGREES}, "given": {AGREES, CLOSE}, "address": {AGREES, CLOSE}},
    {"birth_date": {AGREES}, "family": {AGREES, CLOSE}, "address": {AGREES, CLOSE}},
)
"""Any one of these makes a person look, whatever else differs: names change, are misheard and are typed in the wrong box."""
POSSIBLE = 5.0
"""From this score on a person looks."""
LIKELY = frozenset({"certain", "probable"})
NEVER = "certainly-not"


@dataclass(frozen=True)
class Scored:
    """One candidate: `patient` as the record has it, how each field agrees, and msgids: `against` of what forbids a tie,
    `beware` of what a person should find out first. `grade` is what the clinic's own matching says, "" when it said nothing."""

    patient: Json
    likeness: Likeness
    score: float
    fields: Fields
    against: tuple[str, ...]
    beware: tuple[str, ...] = ()
    grade: str = ""


@dataclass(frozen=True)
class Match:
    """`candidates` are those a person should see, best first; with ONE the first is the one."""

    verdict: Verdict
    candidates: tuple[Scored, ...]


def match(person: Identity, patients: Sequence[Json], grades: Mapping[str, str] | None = None) -> Match:
    """The verdict over all candidates: ONE only if a single one is sure and no other is even possible.

    `grades`: what the server's `$match` said, by `Patient/id`.
    """
    said = grades or {}
    scored = sorted(
        (against(person, each, said.get(key_of(each), "")) for each in patients), key=lambda each: -each.score
    )
    heirs = {key for each in scored if each.likeness is not Likeness.UNLIKE for key in _merged_into(each.patient)}
    possible = tuple(
        replace(each, likeness=Likeness.MAYBE) if key_of(each.patient) in heirs else each
        for each in scored
        if each.likeness is not Likeness.UNLIKE or key_of(each.patient) in heirs
    )
    if not possible:
        return Match(Verdict.NONE, ())
    alone = len(possible) == 1 and possible[0].likeness is Likeness.SURE
    return Match(Verdict.ONE if alone else Verdict.MAYBE, possible)


def _merged_into(patient: Json) -> set[str]:
    """Where a person must look too, whatever it says there now."""
    return {key for kind, key in links(patient) if kind == "replaced-by"}


def against(person: Identity, patient: Json, grade: str = "") -> Scored:
    """One candidate. Whatever speaks against it, and a grade that contradicts our rules, makes it a person's to decide."""
    fields = compare(person, of_patient(patient))
    state, beware = _state(patient), _beware(patient)
    found = likeness(fields)
    if found is Likeness.SURE and (state or beware or grade == NEVER):
        found = Likeness.MAYBE
    if found is Likeness.UNLIKE and grade in LIKELY:
        found = Likeness.MAYBE
    return Scored(patient, found, score(fields), fields, state, beware, grade)


def likeness(fields: Fields) -> Likeness:
    """Sure by a rule and without contradiction; else maybe or unlike by weight."""
    contradicted = any(fields[name] in levels for name, levels in CONTRADICTS.items())
    if not contradicted and any(_holds(rule, fields) for rule in SURE):
        return Likeness.SURE
    possible = score(fields) >= POSSIBLE or any(_holds(rule, fields) for rule in LOOKED_AT)
    return Likeness.MAYBE if possible else Likeness.UNLIKE


def certain(kept: Mapping[str, str]) -> bool:
    """Whether what was kept of a tie (the level of each field) would have tied without a person."""
    return likeness({name: Level(kept.get(name, Level.UNKNOWN)) for name in WEIGHTS}) is Likeness.SURE


def score(fields: Fields) -> float:
    return sum(WEIGHTS[name].get(level, 0.0) for name, level in fields.items())


def _holds(rule: Mapping[str, set[Level]], fields: Fields) -> bool:
    return all(fields[name] in levels for name, levels in rule.items())


AGAINST = {
    Standing.REPLACED: "This record was merged into another one. Use that one, once the clinic confirms that it is theirs.",
    Standing.INACTIVE: "This record is marked as inactive. Ask in the clinic's system why, and which record is in use.",
}
BEWARE = {
    "refer": "The record says that another one is the main record of this person. Look at that one first.",
    "seealso": "The record says that there is another record of the same person. Find out which one is in use.",
}
DIED = "The record says that this person has died."


def _state(patient: Json) -> tuple[str, ...]:
    found = AGAINST.get(standing(patient).standing)
    return (found,) if found else ()


def _beware(patient: Json) -> tuple[str, ...]:
    kinds = {kind for kind, _ in links(patient)}
    died = (DIED,) if standing(patient).standing is Standing.DECEASED else ()
    return (*died, *(words for kind, words in BEWARE.items() if kind in kinds))
