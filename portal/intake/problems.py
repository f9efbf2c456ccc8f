"""What is wrong on a page, told in the order of the page, each with the question it is about and the repetition it stands in."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.questionnaire import Issue, Node
from portal.questionnaire.richtext import unmarked

OF_A_UNIT = frozenset({"unit", "unit-missing"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """`question` is "" for what is wrong with the form as a whole."""

    issue: Issue
    question: str = ""
    place: str = ""
    """the id of the input that it is about, or of the part"""


@dataclass(frozen=True, slots=True)
class _Place:
    """One node with what it stands in, from the outside in: the words of each, and whether there are several of it."""

    parts: tuple[tuple[str, bool], ...]
    ident: str

    def said(self, *, within: bool) -> str:
        """The question after each repetition it stands in, and after the part right around it where `within` is asked for."""
        *around, (own, _) = self.parts
        right_around = around[-1:] if within else []
        return ", ".join([*(part for part, several in around if several or (part, several) in right_around), own])


def in_order(nodes: Iterable[Node], issues: Iterable[Issue], page_title: str) -> list[Wrong]:
    """Two questions that are asked in the same words are told apart by the part they stand in."""
    places = dict(_places(nodes, (), page_title))
    order = {name: number for number, name in enumerate(places)}
    listed = sorted(issues, key=lambda issue: order.get(issue.name, len(order)))
    short = {name: place.said(within=False) for name, place in places.items()}
    alike = Counter(short[name] for name in {issue.name for issue in listed} if name in short)
    return [_wrong(issue, places.get(issue.name), alike) for issue in listed]


def of_the_unit(node: Node) -> bool:
    """Whether what is wrong with an amount is only the unit that is given beside it."""
    apart = node.type == "quantity" and not node.options and (len(node.units) > 1 or node.unit_open)
    return apart and bool(node.issues) and all(issue.code in OF_A_UNIT for issue in node.issues)


def _wrong(issue: Issue, place: _Place | None, alike: Counter[str]) -> Wrong:
    if place is None:
        return Wrong(issue, place=issue.name)
    return Wrong(issue, place.said(within=alike[place.said(within=False)] > 1), place.ident)


def _places(nodes: Iterable[Node], around: tuple[tuple[str, bool], ...], title: str) -> Iterator[tuple[str, _Place]]:
    for node in nodes:
        several = node.instance is not None and node.instances > 1
        words = unmarked(node.text) or node.short_text
        parts = (*around, (f"{words} {(node.instance or 0) + 1}".strip() if several else words, several))
        yield node.name, _Place(parts, f"{node.name}-unit" if of_the_unit(node) else node.name)
        inside = parts if several or (words and words != title) else around
        yield from _places(node.children, inside, title)
