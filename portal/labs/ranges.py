"""A result's own reference ranges in words, and where its value stands in one when nobody said. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.labs.values import Value, quantity
from portal.labs.words import ABOVE, BELOW, RANGE_TYPE, WITHIN, Flag, concept_words

_USUAL = frozenset({"", "normal"})


@dataclass(frozen=True)
class Range:
    """One reference range as sent. `low` and `high` are as written; `text` is the laboratory's own wording."""

    low: Value | None = None
    high: Value | None = None
    text: str = ""
    type_code: str = ""
    type_words: str = ""
    applies: tuple[str, ...] = ()
    age: str = ""

    @property
    def unit(self) -> str:
        return (self.high or self.low or Value("absent", "")).unit

    @property
    def numeric(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def usual(self) -> bool:
        return self.type_code in _USUAL

    def bound(self, side: str) -> Decimal | None:
        held: Value | None = getattr(self, side)
        return held.number if held else None


def ranges_of(holder: Mapping[str, Any]) -> tuple[Range, ...]:
    listed = holder.get("referenceRange")
    return tuple(_range(each) for each in listed or [] if isinstance(each, Mapping)) if isinstance(listed, list) else ()


def _range(raw: Mapping[str, Any]) -> Range:
    kind = raw.get("type")
    codes = [coding.get("code", "") for coding in (kind.get("coding") or [])] if isinstance(kind, Mapping) else []
    code = next((each for each in codes if each in RANGE_TYPE), codes[0] if codes else "")
    return Range(
        low=_side(raw.get("low")),
        high=_side(raw.get("high")),
        text=str(raw.get("text", "")),
        type_code=code,
        type_words=RANGE_TYPE.get(code, concept_words(kind)),
        applies=tuple(filter(None, (concept_words(each) for each in raw.get("appliesTo") or []))),
        age=_age(raw.get("age")),
    )


def _side(raw: Any) -> Value | None:
    if not isinstance(raw, Mapping):
        return None
    side = quantity(raw)
    return side if side.present else None


def _age(raw: Any) -> str:
    if not isinstance(raw, Mapping):
        return ""
    low, high = _side(raw.get("low")), _side(raw.get("high"))
    if low and high:
        return f"{low.text}–{high.spoken}"
    return f"≥ {low.spoken}" if low else f"≤ {high.spoken}" if high else ""


def standing(value: Value, ranges: Iterable[Range]) -> Flag | None:
    """Where a number stands in the one usual range it came with; None when that cannot be said for certain.

    Nothing is said when there are several usual ranges (for whom?), when units differ, or when a censored value
    such as <5 could be on either side of a limit.
    """
    usual = [each for each in ranges if each.usual and each.numeric]
    if len(usual) != 1 or value.number is None or usual[0].applies or usual[0].age:
        return None
    only = usual[0]
    if any(
        side and side.unit_code not in ("", value.unit_code) and side.unit != value.unit
        for side in (only.low, only.high)
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
