"""A result's own reference ranges in words, for whom each is, and where a value stands in one when nobody said. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from portal.labs.values import Value, quantity
from portal.labs.words import ABOVE, BELOW, RANGE_TYPE, WITHIN, Flag, _, codings, concept_words

_USUAL = frozenset({"", "normal"})
_GOAL = frozenset({"treatment", "therapeutic", "recommended"})
_SEX = {
    "http://hl7.org/fhir/administrative-gender": {"male": "male", "female": "female"},
    "http://snomed.info/sct": {"248153007": "male", "248152002": "female"},
}
_SEX_WORDS = {"male": _("men"), "female": _("women")}
_UNITS = {
    "a": "years",
    "yr": "years",
    "y": "years",
    "year": "years",
    "years": "years",
    "mo": "months",
    "month": "months",
    "months": "months",
}
_UNITS |= {"wk": "weeks", "week": "weeks", "weeks": "weeks", "d": "days", "day": "days", "days": "days"}
_AGE_WORDS = {"years": _("years"), "months": _("months"), "weeks": _("weeks"), "days": _("days")}


@dataclass(frozen=True)
class Person:
    """What of a patient decides which range is theirs. `sex` is male, female or "" (not known, or not said clearly)."""

    sex: str = ""
    born: date | None = None

    def age(self, on: date, unit: str) -> int | None:
        """Completed years, months, weeks or days; None when it cannot be said."""
        if self.born is None or on < self.born:
            return None
        months = (on.year - self.born.year) * 12 + on.month - self.born.month - (on.day < self.born.day)
        days = (on - self.born).days
        return {"years": months // 12, "months": months, "weeks": days // 7, "days": days}[unit]


NOBODY = Person()


@dataclass(frozen=True)
class Range:
    """One reference range as sent. `low` and `high` are as written; `text` is the laboratory's own wording.

    `applies` and `age_unit` are words (msgids where they are ours). `mine` says whether it is for this patient: None when that
    cannot be told for certain.
    """

    low: Value | None = None
    high: Value | None = None
    text: str = ""
    type_code: str = ""
    type_words: str = ""
    applies: tuple[str, ...] = ()
    age: str = ""
    age_unit: str = ""
    mine: bool | None = None

    @property
    def unit(self) -> str:
        return (self.high or self.low or Value("absent", "")).unit

    @property
    def one_unit(self) -> bool:
        """Whether both ends are said in the same unit."""
        return not (self.low and self.high) or self.low.unit in ("", self.high.unit)

    @property
    def numeric(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def usual(self) -> bool:
        return self.type_code in _USUAL

    @property
    def goal(self) -> bool:
        """What treatment aims at, not what is usual."""
        return self.type_code in _GOAL

    def bound(self, side: str) -> Decimal | None:
        held: Value | None = getattr(self, side)
        return held.number if held else None


def ranges_of(holder: Mapping[str, Any], person: Person = NOBODY, on: date | None = None) -> tuple[Range, ...]:
    """Every range it came with; each with what can be said of whether it is for this person at that time."""
    listed = holder.get("referenceRange")
    raw = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    return tuple(replace(_range(each), mine=_mine(each, person, on)) for each in raw)


def _range(raw: Mapping[str, Any]) -> Range:
    kind = raw.get("type")
    codes = [str(coding.get("code", "")) for coding in codings(kind)]
    code = next((each for each in codes if each in RANGE_TYPE), codes[0] if codes else "")
    age, unit = _age(raw.get("age"))
    return Range(
        low=_side(raw.get("low")),
        high=_side(raw.get("high")),
        text=str(raw.get("text", "")),
        type_code=code,
        type_words=RANGE_TYPE.get(code, concept_words(kind)),
        applies=tuple(filter(None, (_for_whom(each) for each in raw.get("appliesTo") or []))),
        age=age,
        age_unit=unit,
    )


def _mine(raw: Mapping[str, Any], person: Person, on: date | None) -> bool | None:
    """Whether everything it says of whom it is for is true of this person; one untrue thing is enough for no."""
    said = [_is_sex(each, person) for each in raw.get("appliesTo") or []]
    if raw.get("age"):
        said.append(_is_age(raw["age"], person, on))
    return False if False in said else None if None in said else True


def _is_sex(concept: Any, person: Person) -> bool | None:
    found = {_SEX.get(str(each.get("system")), {}).get(str(each.get("code"))) for each in codings(concept)} - {None}
    return person.sex in found if found and person.sex else None


def _is_age(raw: Any, person: Person, on: date | None) -> bool | None:
    sides = [(raw.get(name), sign) for name, sign in (("low", 1), ("high", -1))] if isinstance(raw, Mapping) else []
    said = [_reached(_side(held), sign, person, on) for held, sign in sides if held is not None]
    return None if None in said or not said else all(said)


def _reached(limit: Value | None, sign: int, person: Person, on: date | None) -> bool | None:
    unit = _UNITS.get(limit.unit_code.lower()) if limit else None
    age = person.age(on, unit) if on and unit else None
    return None if age is None or limit is None or limit.number is None else (age - limit.number) * sign >= 0


def _side(raw: Any) -> Value | None:
    if not isinstance(raw, Mapping):
        return None
    side = quantity(raw)
    return side if side.present else None


def _for_whom(concept: Any) -> str:
    """The sender's words, or ours for a sex that came as a bare code."""
    listed = codings(concept)
    known = [_SEX.get(str(each.get("system")), {}).get(str(each.get("code")), "") for each in listed]
    said = concept_words(concept)
    bare = said in {str(each.get("code")) for each in listed}
    return next((_SEX_WORDS[sex] for sex in known if sex and bare), said)


def _age(raw: Any) -> tuple[str, str]:
    """The span of ages as written, and its unit in words where both ends have the same."""
    if not isinstance(raw, Mapping):
        return "", ""
    low, high = _side(raw.get("low")), _side(raw.get("high"))
    sides = [each for each in (low, high) if each]
    units = {_UNITS.get(each.unit_code.lower(), "") for each in sides}
    unit = _AGE_WORDS.get(units.pop(), "") if len(units) == 1 else ""
    texts = [each.text if unit else each.spoken for each in sides]
    if low and high:
        return (f"{low.text}–{texts[1]}" if low.unit == high.unit else "–".join(texts)), unit
    return (f"≥ {texts[0]}" if low else f"≤ {texts[0]}" if high else ""), unit


def yours(ranges: Iterable[Range]) -> Range | None:
    """The one usual range that is surely this person's; None when there is none, or more than one."""
    found = [each for each in ranges if each.usual and each.numeric and each.mine]
    return found[0] if len(found) == 1 else None


def standing(value: Value, ranges: Iterable[Range]) -> Flag | None:
    """Where a number stands in the one usual range that is surely this person's; None when that cannot be said.

    Nothing is said when several ranges could be theirs, when units differ, or when a censored value such as <5 could be
    on either side of a limit, or the limit itself is one.
    """
    only = yours(ranges)
    if only is None or value.number is None:
        return None
    sides = [side for side in (only.low, only.high) if side]
    if any(
        side.comparator or (side.unit_code not in ("", value.unit_code) and side.unit != value.unit) for side in sides
    ):
        return None
    return _against(value, only.bound("low"), only.bound("high"))


def _against(value: Value, low: Decimal | None, high: Decimal | None) -> Flag | None:
    assert value.number is not None
    least = None if value.comparator in ("<", "<=") else value.number
    most = None if value.comparator in (">", ">=") else value.number
    if low is not None and most is not None and (most < low or (most == low and value.comparator == "<")):
        return BELOW
    if high is not None and least is not None and (least > high or (least == high and value.comparator == ">")):
        return ABOVE
    above_low = low is None or (least is not None and least >= low)
    below_high = high is None or (most is not None and most <= high)
    return WITHIN if above_low and below_high else None
