"""Which numbers stay unsaid: those about fewer than five people, and as many others as it takes that nobody can work them out. Pure.

Cells are tied by sums (a total and its parts; a month and its weeks). Numbers come out in batches, one after another, and what
was said is never taken back: so a later batch only keeps back numbers of its own. What is certain about the hidden ones is found as
anybody would find it, by solving the sums for them.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
FEWEST = 5
_PRIME = 2**61 - 1
"""Sums are solved modulo a prime: as sure as with fractions, and quick."""


class Number(NamedTuple):
    """How many, from how many people."""

    many: int
    people: int

    @property
    def small(self) -> bool:
        return 0 < self.people < FEWEST


class Sum(NamedTuple, Generic[Key]):
    total: Key
    parts: tuple[Key, ...]

    @property
    def cells(self) -> tuple[Key, ...]:
        return (self.total, *self.parts)


def kept_back(
    numbers: Mapping[Key, Number], sums: Sequence[Sum[Key]], batches: Iterable[Iterable[Key]]
) -> frozenset[Key]:
    """The cells that are not shown. Every cell of `sums` is in `numbers`; each cell is in one batch."""
    hidden: set[Key] = set()
    out: set[Key] = set()
    waiting = list(sums)
    known: list[Sum[Key]] = []
    for batch in batches:
        fresh = set(batch)
        out |= fresh
        known += [each for each in waiting if out.issuperset(each.cells)]
        waiting = [each for each in waiting if not out.issuperset(each.cells)]
        hidden |= {cell for cell in fresh if numbers[cell].small}
        _hide_more(numbers, known, hidden, fresh)
    return frozenset(hidden)


def _hide_more(numbers: Mapping[Key, Number], sums: Sequence[Sum[Key]], hidden: set[Key], fresh: set[Key]) -> None:
    """Keep back more of the fresh cells until nothing hidden can be worked out."""
    while found := solved(sums, hidden) | _plain(numbers, sums, hidden):
        near = [each for each in sums if not found.isdisjoint(each.cells)]
        least = [_least(numbers, each, hidden, fresh) for each in near]
        more = {cell for cell in least if cell is not None}
        if not more:  # everything near is out already: whatever else is fresh and tied to it stays back
            more = {cell for each in sums if not hidden.isdisjoint(each.cells) for cell in each.cells} & fresh - hidden
        if not more:
            return
        hidden |= more


def _least(numbers: Mapping[Key, Number], tied: Sum[Key], hidden: set[Key], fresh: set[Key]) -> Key | None:
    """The one to keep back besides: the smallest part with somebody in it, else the total, else an empty part."""
    free = [cell for cell in tied.cells if cell in fresh and cell not in hidden]
    parts = sorted((cell for cell in free if cell != tied.total), key=lambda cell: (numbers[cell].many, str(cell)))
    some = [cell for cell in parts if numbers[cell].many]
    return next(iter([*some, *(cell for cell in free if cell == tied.total), *parts]), None)


def _plain(numbers: Mapping[Key, Number], sums: Sequence[Sum[Key]], hidden: set[Key]) -> set[Key]:
    """Hidden parts of a total that is shown, where what is left is one for each: then each is one."""
    found: set[Key] = set()
    for each in sums:
        unsaid = [cell for cell in each.parts if cell in hidden]
        if unsaid and each.total not in hidden and sum(numbers[cell].many for cell in unsaid) == len(unsaid):
            found |= set(unsaid) if all(numbers[cell].many for cell in unsaid) else set()
    return found


def solved(sums: Iterable[Sum[Key]], hidden: Iterable[Key]) -> set[Key]:
    """The hidden cells that follow from the sums and everything that is shown."""
    unknown = set(hidden)
    rows: dict[Key, dict[Key, int]] = {}
    for each in sums:
        row: dict[Key, int] = {}
        for cell, sign in ((each.total, 1), *((part, -1) for part in each.parts)):
            if cell in unknown:
                row[cell] = (row.get(cell, 0) + sign) % _PRIME
        _take_in(rows, {cell: factor for cell, factor in row.items() if factor})
    return {pivot for pivot, row in rows.items() if len(row) == 1}


def _take_in(rows: dict[Key, dict[Key, int]], row: dict[Key, int]) -> None:
    """One more equation; every row keeps a pivot that no other row has."""
    for pivot in [cell for cell in row if cell in rows]:
        _less(row, rows[pivot], row[pivot])
    if not row:
        return
    pivot = next(iter(row))
    inverse = pow(row[pivot], -1, _PRIME)
    row = {cell: factor * inverse % _PRIME for cell, factor in row.items()}
    for other in rows.values():
        if pivot in other:
            _less(other, row, other[pivot])
    rows[pivot] = row


def _less(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    for cell, factor in other.items():
        left = (row.get(cell, 0) - times * factor) % _PRIME
        if left:
            row[cell] = left
        else:
            row.pop(cell, None)
