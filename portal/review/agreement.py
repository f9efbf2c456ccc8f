"""How well two identities agree, field by field: agrees, close, differs, or unknown on either side. Pure."""

from collections.abc import Callable, Iterable
from enum import StrEnum

from portal.review.identity import Identity, Name, core


class Level(StrEnum):
    AGREES = "agrees"
    CLOSE = "close"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


RANK = {Level.AGREES: 3, Level.CLOSE: 2, Level.DIFFERS: 1, Level.UNKNOWN: 0}
Fields = dict[str, Level]


def compare(one: Identity, other: Identity) -> Fields:
    """Every field's level. Of several names the pair that agrees best counts."""
    pairs = [_names(a, b) for a in one.names for b in other.names]
    best = max(pairs, key=lambda found: sum(RANK[level] for level in found.values()), default={})
    unnamed = dict.fromkeys(("given", "family", "suffix"), Level.UNKNOWN)
    return {**unnamed, **best, **{name: field(one, other) for name, field in FIELDS.items()}}


def _names(one: Name, other: Name) -> Fields:
    given, family = _split(one, other)
    suffixes = Level.UNKNOWN
    if one.suffix and other.suffix:
        suffixes = Level.AGREES if one.suffix == other.suffix else Level.DIFFERS
    return {"given": given, "family": family, "suffix": suffixes}


def _split(one: Name, other: Name) -> tuple[Level, Level]:
    """(given, family). The same words in another order, or parted elsewhere, are close when both sides are parted."""
    parted = bool(one.family and other.family)
    if core(one.words) == core(other.words) and len(one.words) > 1:
        if not parted or core(one.family) == core(other.family):
            return Level.AGREES, Level.AGREES
        return Level.CLOSE, Level.CLOSE
    if parted:
        straight = _given(one.given, other.given), _family(one.family, other.family)
        crossed = _given(one.given, other.family), _family(one.family, other.given)
        if _sum(crossed) > _sum(straight) and Level.DIFFERS not in crossed and one.given and other.given:
            return Level.CLOSE, Level.CLOSE
        if set(straight) == {Level.DIFFERS} and set(crossed) & {Level.AGREES, Level.CLOSE}:
            return Level.CLOSE, Level.DIFFERS  # one of the names stands in the other's place
        return straight
    flat, whole = (one, other) if not one.family else (other, one)
    return _against_line(flat.given, whole)


def _against_line(line: tuple[str, ...], name: Name) -> tuple[Level, Level]:
    """A name known as one line against a parted one, or two lines: the last words are the family name."""
    lasts = name.family or name.given[-1:]
    firsts = name.given if name.family else name.given[:-1]
    size = len(lasts) if len(line) > len(lasts) else 1
    return _given(line[: len(line) - size], firsts), _family(line[len(line) - size :], lasts)


def _sum(levels: Iterable[Level]) -> int:
    return sum(RANK[level] for level in levels)


def _given(one: tuple[str, ...], other: tuple[str, ...]) -> Level:
    """First names: a middle name that only one side has does not count against them; another first name does."""
    if not one or not other:
        return Level.UNKNOWN
    if one == other or "".join(one) == "".join(other):
        return Level.AGREES
    if one[0] == other[0]:
        middles = [(a, b) for a, b in zip(one[1:], other[1:], strict=False)]
        return Level.CLOSE if any(not _nearly(a, b) for a, b in middles) else Level.AGREES
    if _nearly(one[0], other[0]) or set(one) == set(other):
        return Level.CLOSE
    # a person called by their middle name
    return Level.CLOSE if one[0] in other[1:] or other[0] in one[1:] else Level.DIFFERS


def _family(one: tuple[str, ...], other: tuple[str, ...]) -> Level:
    if not one or not other:
        return Level.UNKNOWN
    a, b = core(one), core(other)
    if a == b or "".join(one) == "".join(other):
        return Level.AGREES
    if a & b:  # García and García López: one of two family names
        return Level.CLOSE
    return Level.CLOSE if _nearly("".join(one), "".join(other)) else Level.DIFFERS


def _nearly(one: str, other: str) -> bool:
    """A slip of the keyboard, an initial, or a short form that is the beginning of the long one."""
    short, long = sorted((one, other), key=len)
    if not short:
        return False
    if len(short) == 1 or len(short) >= 3:
        return long.startswith(short) or (len(short) >= 3 and distance(one, other) <= (2 if len(long) >= 7 else 1))
    return False


def _birth_date(one: Identity, other: Identity) -> Level:
    a, b = one.birth_date, other.birth_date
    if not a or not b:
        return Level.UNKNOWN
    if a == b:
        return Level.AGREES
    size = min(len(a), len(b))
    if size < 8:
        return Level.CLOSE if a[:size] == b[:size] else Level.DIFFERS
    swapped = a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]
    parts = [(a[:4], b[:4]), (a[4:6], b[4:6]), (a[6:], b[6:])]
    one_part = sum(ours != theirs for ours, theirs in parts) == 1
    return Level.CLOSE if swapped or one_part or distance(a, b) == 1 else Level.DIFFERS


def _gender(one: Identity, other: Identity) -> Level:
    known = {"male", "female", "other"}
    if one.gender not in known or other.gender not in known:
        return Level.UNKNOWN
    return Level.AGREES if one.gender == other.gender else Level.DIFFERS


def _sets(one: frozenset[str], other: frozenset[str]) -> Level:
    if not one or not other:
        return Level.UNKNOWN
    if one & other:
        return Level.AGREES
    return Level.CLOSE if any(distance(a, b) == 1 for a in one for b in other) else Level.DIFFERS


def _address(one: Identity, other: Identity) -> Level:
    """Both postal code and street: agrees. One of them: close."""
    postal, street = _sets(one.postal_codes, other.postal_codes), _streets(one.streets, other.streets)
    levels = {postal, street}
    if levels == {Level.UNKNOWN}:
        return Level.UNKNOWN
    if postal is Level.AGREES and street is Level.AGREES:
        return Level.AGREES
    return Level.CLOSE if levels & {Level.AGREES, Level.CLOSE} else Level.DIFFERS


def _streets(one: frozenset[str], other: frozenset[str]) -> Level:
    if not one or not other:
        return Level.UNKNOWN
    if one & other:
        return Level.AGREES
    return Level.CLOSE if any(distance(a, b) <= 2 or _within(a, b) for a in one for b in other) else Level.DIFFERS


def _within(one: str, other: str) -> bool:
    """One line of an address has all words of the other, or all but one of several."""
    ours, theirs = set(one.split()), set(other.split())
    return min(len(ours), len(theirs)) > 1 and len(ours & theirs) >= max(2, min(len(ours), len(theirs)) - 1)


def _identifier(one: Identity, other: Identity) -> Level:
    """Only numbers of one system can be compared."""
    if one.identifiers & other.identifiers:
        return Level.AGREES
    pairs = [(a, b) for system, a in one.identifiers for theirs, b in other.identifiers if system == theirs]
    if not pairs:
        return Level.UNKNOWN
    return Level.CLOSE if any(distance(a, b) <= (2 if len(a) > 6 else 1) for a, b in pairs) else Level.DIFFERS


FIELDS: dict[str, Callable[[Identity, Identity], Level]] = {
    "birth_date": _birth_date,
    "gender": _gender,
    "phone": lambda one, other: _sets(one.phones, other.phones),
    "email": lambda one, other: _sets(one.emails, other.emails),
    "address": _address,
    "identifier": _identifier,
}


def distance(one: str, other: str) -> int:
    """Edits from one text to the other: insert, delete, replace, or swap two neighbours (optimal string alignment)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
