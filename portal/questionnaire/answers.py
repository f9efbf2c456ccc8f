"""The answers of one filling as a tree of entries: one entry for each item, or for each repetition of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .extensions import Json
from .issues import Issue
from .items import Item

_VALUE_KEYS_WORDS = """
valueBoolean valueDecimal valueInteger valueDate valueDateTime valueTime valueString valueUri valueAttachment
valueCoding valueQuantity valueReference
"""
VALUE_KEYS = frozenset(_VALUE_KEYS_WORDS.split())
TYPE_KEYS: dict[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding",),
    "open-choice": ("valueCoding", "valueString"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}


def typed(answer: Json) -> tuple[str, Any]:
    """("valueCoding", {…}) of an answer, or ("", None) when it has no value."""
    for key, value in answer.items():
        if key.startswith("value"):
            return key, value
    return "", None


CHOICES = ("choice", "open-choice")
DATES = {"valueDate", "valueDateTime"}
ALIKE = ({"valueInteger", "valueDecimal"}, DATES, {"valueString", "valueUri"})
"""Values that say the same in either type."""


def fitted(kind: str, answer: Json) -> Json | None:
    """An option as an answer of the question's own type: a choice takes any, a text what a coding is called; None where it
    cannot be one."""
    key, value = typed(answer)
    own = TYPE_KEYS[kind][0]
    if kind in CHOICES or key == own:
        return answer
    if key == "valueCoding" and isinstance(value, dict) and own == "valueString":
        called = value.get("display") or value.get("code")
        return {own: str(called)} if called else None
    if {key, own} == DATES and isinstance(value, str):
        return {own: value.partition("T")[0] if own == "valueDate" else value}
    alike = {key, own} in ALIKE and not isinstance(value, (bool, dict, list))
    return {own: value} if alike and (own != "valueInteger" or isinstance(value, int)) else None


class Entry:
    """One item in one place. `answers` are FHIR answers without their nested items; `children` goes by ordinal.

    Entries that hold nothing cost nothing: they are made when asked for and left out when copied or written.
    `places`: where it stands in a response that was read, the item first and then each answer (FHIRPath); `bare`: where a
    question stands in it without an answer.
    `blanks` counts inputs a person added and has not filled in. `kept` marks an empty repetition that was added.
    `checked` and `written` are what was found wrong in it and how it stands in a draft, until it is touched.
    """

    __slots__ = (
        "answers",
        "bare",
        "blanks",
        "checked",
        "children",
        "enabled",
        "item",
        "kept",
        "memo",
        "parent",
        "places",
        "written",
    )

    def __init__(self, item: Item, parent: Entry | None) -> None:
        self.item = item
        self.parent = parent
        self.answers: list[Json] = []
        self.children: dict[int, list[Entry]] = {}
        self.blanks = 0
        self.kept = False
        self.enabled: bool | None = None
        self.memo: dict[Any, Any] | None = None
        self.places: list[str] | None = None
        self.bare = ""
        self.checked: tuple[Issue, ...] | None = None
        self.written: Any = None

    def one(self, item: Item) -> Entry:
        """The entry of a child that is not instanced (or the first one), made when there is none."""
        return self.all(item)[0]

    def all(self, item: Item) -> list[Entry]:
        """Every entry of a child item: at least one."""
        listed = self.children.get(item.ordinal)
        if not listed:
            listed = self.children[item.ordinal] = [Entry(item, self)]
        return listed

    def existing(self, item: Item) -> list[Entry]:
        """The entries of a child item that were already made."""
        return self.children.get(item.ordinal, [])

    def add(self, item: Item) -> Entry:
        made = Entry(item, self)
        self.children.setdefault(item.ordinal, []).append(made)
        return made

    def touch(self) -> None:
        """Something in it is different: what is remembered of it, and of what it stands in, is no longer true."""
        entry: Entry | None = self
        while entry is not None:
            entry.checked = entry.written = None
            entry = entry.parent

    def recheck(self) -> None:
        """Something it leans on is different."""
        entry: Entry | None = self
        while entry is not None:
            entry.checked = None
            entry = entry.parent

    def made(self, chain: Sequence[Item]) -> list[Entry]:
        """The entries that exist at the end of a chain of items, through every repetition."""
        found = [self]
        for step in chain:
            found = [entry for parent in found for entry in parent.children.get(step.ordinal, ())]
            if not found:
                break
        return found

    @property
    def holds(self) -> bool:
        """Whether there is anything in it to keep."""
        return bool(
            self.answers
            or self.blanks
            or self.kept
            or any(e.holds for listed in self.children.values() for e in listed)
        )

    @property
    def answered(self) -> bool:
        """Whether it or anything in it has an answer."""
        return bool(self.answers) or any(e.answered for listed in self.children.values() for e in listed)

    def copy(self, parent: Entry | None = None) -> Entry:
        """A tree of its own; answers are shared, for they are never changed in place."""
        made = Entry(self.item, parent)
        made.answers, made.blanks, made.kept = list(self.answers), self.blanks, self.kept
        for ordinal, listed in self.children.items():
            kept = (
                [entry.copy(made) for entry in listed]
                if len(listed) > 1 or any(entry.holds for entry in listed)
                else []
            )
            if kept:
                made.children[ordinal] = kept
        return made

    def walk(self) -> Iterator[Entry]:
        """This entry and every entry made under it."""
        yield self
        for listed in list(self.children.values()):
            for entry in listed:
                yield from entry.walk()

    def below(self, item: Item) -> list[Entry]:
        """Every entry of a descendant item that lies under this one, through existing repetitions."""
        chain = item.chain[len(self.item.chain) :]
        found = [self]
        for step in chain:
            found = [entry for parent in found for entry in parent.all(step)]
        return found

    def __repr__(self) -> str:
        return f"<Entry {self.item.link_id!r}>"
