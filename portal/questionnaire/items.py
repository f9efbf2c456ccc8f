"""An item of a form as the engine reads it: what it asks, how often, when, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .extensions import Extensions, Json

if TYPE_CHECKING:
    from .formulas import Formula

_QUESTION_TYPES_WORDS = """
boolean decimal integer date dateTime time string text url choice open-choice attachment reference quantity
"""
QUESTION_TYPES = frozenset(_QUESTION_TYPES_WORDS.split())
ITEM_TYPES = QUESTION_TYPES | {"group", "display"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: the question looked at, the operator, and the answer[x] it is compared with."""

    question: Item
    operator: str
    answer_type: str
    answer: Any


@dataclass(frozen=True, slots=True)
class Variable:
    """A named formula; `owner` is the item that declares it (the root for the form's own)."""

    name: str
    formula: Formula
    owner: Item


@dataclass(frozen=True, slots=True)
class Rule:
    """A targetConstraint (or the older constraint): what must hold, and the words when it does not."""

    key: str
    formula: Formula
    severity: str
    human: Json
    locations: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Item:
    """`ordinal` is the place in document order, from 1 (0 is the form itself, whose type is "form"). `chain`: from just under
    the form to the item itself; `open`: other answers than the options may be given; `in_groups`: no question stands above
    it. `instanced_path`: its repeating ancestors and itself."""

    ordinal: int
    link_id: str
    type: str
    raw: Json
    parent: Item | None
    extensions: Extensions
    children: list[Item] = field(default_factory=list)
    controls: frozenset[str] = frozenset()
    required: bool = False
    read_only: bool = False
    repeats: bool = False
    hidden: bool = False
    min_occurs: int = 0
    max_occurs: int | None = None
    instanced: bool = False
    instanced_path: tuple[Item, ...] = ()
    chain: tuple[Item, ...] = ()
    in_groups: bool = True
    conditions: tuple[Condition, ...] = ()
    any_condition: bool = False
    keep_shown: bool = False
    open: bool = False
    enable_formula: Formula | None = None
    calculation: Formula | None = None
    initial_formula: Formula | None = None
    population: Formula | None = None
    answer_formula: Formula | None = None
    candidate_formula: Formula | None = None
    variables: tuple[Variable, ...] = ()
    named: dict[str, Variable] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    toggles: tuple[tuple[tuple[Json, ...], Formula], ...] = ()
    text_formulas: dict[str, Formula] = field(default_factory=dict)
    bounds: dict[str, Formula] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    """what was worked out of it once and is the same for everybody"""

    @property
    def is_group(self) -> bool:
        return self.type in ("group", "form")

    @property
    def is_question(self) -> bool:
        return self.type in QUESTION_TYPES

    @property
    def calculated(self) -> bool:
        return self.calculation is not None

    def descendants(self) -> Iterator[Item]:
        """Every item under this one, in document order."""
        for child in self.children:
            yield child
            yield from child.descendants()

    def ancestors(self) -> Iterator[Item]:
        """The item itself, then its parents up to the form."""
        current: Item | None = self
        while current is not None:
            yield current
            current = current.parent

    def __repr__(self) -> str:
        return f"<Item {self.ordinal} {self.link_id!r} {self.type}>"
