"""Which items of a form stand at another place among their neighbours than in the version before. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from portal.questionnaire import Form, Item


def moved(before: Form, after: Form) -> set[str]:
    """The linkIds of the fewest items that had to move for the order to come about; what is new or gone moves nothing."""
    found: set[str] = set()
    for above in (after.root, *after.all_items):
        places = list(_places(before, above))
        found |= {link_id for link_id, place in places} - {
            places[index][0] for index in _longest_run([place for _, place in places])
        }
    return found


def _places(before: Form, above: Item) -> Iterator[tuple[str, int]]:
    """Each child that stood under the same item before, with its place there."""
    for child in above.children:
        old = before.by_link.get(child.link_id)
        if old is not None and old.parent is not None and _name(old.parent) == _name(above):
            yield child.link_id, old.ordinal


def _name(item: Item) -> str | None:
    return item.link_id if item.ordinal else None


def _longest_run(places: Sequence[int]) -> Iterator[int]:
    """The indexes of the longest rising run in a row of different numbers, the last one first."""
    tails: list[int] = []
    ends: list[int] = []
    behind: list[int] = []
    for index, place in enumerate(places):
        at = bisect_left(tails, place)
        behind.append(ends[at - 1] if at else -1)
        tails[at : at + 1], ends[at : at + 1] = [place], [index]
    index = ends[-1] if ends else -1
    while index >= 0:
        yield index
        index = behind[index]
