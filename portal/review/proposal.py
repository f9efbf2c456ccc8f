"""What one proposal is: a change that a submission would make to the record, beside what the record said and says."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from portal.actors import Permission
from portal.dates import spoken
from portal.fhir import exact
from portal.fhir.resources import Json
from portal.review.marking import Part, marked

NOT_CLINICAL = frozenset({"contact", "person", "coverage", "pharmacy", "careteam", "card"})
"""Kinds that the front desk decides about."""


CLOSER = "Something about it asks for a closer look."
"""Why something is decided by itself where its reasons say the rest."""


class Answer(StrEnum):
    """What the patient said about a fact."""

    SAME = "same"
    CHANGED = "changed"
    STOPPED = "stopped"
    UNSURE = "unsure"
    ADDED = "added"


class Risk(StrEnum):
    """How closely a person must look: routine may be accepted together with others, look and urgent one by one."""

    ROUTINE = "routine"
    LOOK = "look"
    URGENT = "urgent"


@dataclass(frozen=True)
class Edit:
    """One member of a list in a resource: `before` (None: nothing stood there) becomes `after`."""

    element: str
    before: Json | None
    after: Json

    def apply(self, resource: Json) -> Json:
        members = list(resource.get(self.element, []))
        if self.before in members:
            members[members.index(self.before)] = self.after
        else:
            members.append(self.after)
        return {**resource, self.element: members}


@dataclass(frozen=True)
class Change:
    """A write to the record as data. `if_match` is the version the PUT was built on; `edit` lets several fold into one PUT."""

    method: str
    url: str
    resource: Json
    if_match: str | None = None
    edit: Edit | None = None


@dataclass(frozen=True)
class Row:
    """One line of the comparison. `name` is an English msgid; the others are words as they stand, "" where nothing is said."""

    name: str
    then: str
    now: str
    said: str

    @property
    def moved(self) -> bool:
        return self.then != self.now

    @property
    def differs(self) -> bool:
        return bool(self.said) and self.said != self.now

    @property
    def sides(self) -> tuple[list[Part], list[Part]]:
        """What the record says and what the patient says, with what differs marked."""
        return marked(spoken(self.now), spoken(self.said))

    @property
    def since(self) -> tuple[list[Part], list[Part]]:
        """What the record said when the patient was asked and what it says now, with what differs marked."""
        return marked(spoken(self.then), spoken(self.now))


@dataclass(frozen=True)
class Wording:
    """Other words for some of a proposal's fields, and who chose them."""

    words: Mapping[str, str]
    by: str


@dataclass(frozen=True)
class Proposal:
    """One thing to decide, or one thing the patient confirmed (`open` is False then).

    `reasons`: English msgids that tell why a person should look. `effect`: an English msgid for what accepting does.
    """

    key: str
    fact: str
    kind: str
    answer: Answer
    title: str
    rows: tuple[Row, ...]
    note: str
    change: Change | None
    base_version: str | None
    stale: bool
    risk: Risk
    effect: str
    reasons: tuple[str, ...] = ()
    reference: str = ""
    read_at: str = ""
    open: bool = field(default=True)
    authority: str = ""
    """whose word counts for it (patient, record, feed), where the clinic says so"""
    form: str = ""
    """the title of the form that says it, and the identifier (system|value) of its response; "" for a confirmed fact"""
    response: str = ""
    labels: tuple[Json, ...] = ()
    """how sensitive what it was made of is"""
    words: tuple[tuple[str, str], ...] = ()
    """the patient's words, by field, that may be accepted in other words"""
    options: tuple[str, ...] = ()
    """what may be chosen instead of the field "choice": the form's own answers"""
    reworded: Callable[["Wording"], "Proposal"] | None = field(default=None, compare=False, repr=False)
    """the same proposal made of other words, by the same rules"""
    picture: str = ""
    side: str = ""
    """the picture of an insurance card that it is about, by its id, and whether of the front or the back"""
    contested: bool = False
    """people who answer for the patient disagree about it, or it comes with an answer that cannot wait"""
    alone: str = CLOSER
    """why it is decided by itself: an English msgid; "" where it may be accepted together with others (review/together.py)"""

    @property
    def clinical(self) -> bool:
        return self.kind not in NOT_CLINICAL

    @property
    def permission(self) -> Permission:
        return Permission.REVIEW_CLINICAL if self.clinical else Permission.REVIEW

    @property
    def told(self) -> tuple[Row, ...]:
        """The lines where the patient said something, or the record moved."""
        return tuple(row for row in self.rows if row.said or row.moved)

    @property
    def beside(self) -> tuple[Row, ...]:
        """What else the record says, for orientation."""
        return tuple(row for row in self.rows if row.now and row not in self.told and row.now != self.title)

    @property
    def unremarkable(self) -> bool:
        """May be accepted together with others (portal/review/together.py says what is let in)."""
        return self.open and not self.alone

    @property
    def fingerprint(self) -> str:
        """Changes when anything a person saw of this proposal changes; 16 hex characters."""
        shown = [
            self.fact,
            self.answer.value,
            [[row.name, row.then, row.now, row.said] for row in self.rows],
            self.note,
            self.effect,
            list(self.reasons),
        ]
        return hashlib.sha256(exact.dumps(shown).encode()).hexdigest()[:16]

    def shown(self) -> Json:
        """What a person saw of it, to keep beside their decision."""
        return {
            "fact": self.fact,
            "kind": self.kind,
            "answer": self.answer.value,
            "title": self.title,
            "rows": [[row.name, row.then, row.now, row.said] for row in self.rows],
            "note": self.note,
            "risk": self.risk.value,
            "effect": self.effect,
            "reasons": list(self.reasons),
            "stale": self.stale,
            "reference": self.reference,
            "version": self.base_version,
            "changes": self.change is not None,
            "form": self.form,
            **({"picture": self.picture, "side": self.side} if self.picture else {}),
        }


def as_shown(kept: Json) -> Proposal:
    """A proposal as it was when it was decided; what it would have written stands in the delivery, not here."""
    return Proposal(
        key=key_for(kept["fact"]),
        fact=kept["fact"],
        kind=kept["kind"],
        answer=Answer(kept["answer"]),
        title=kept["title"],
        rows=tuple(Row(*row) for row in kept["rows"]),
        note=kept["note"],
        change=None,
        base_version=kept["version"],
        stale=kept["stale"],
        risk=Risk(kept["risk"]),
        effect=kept["effect"],
        reasons=tuple(kept["reasons"]),
        reference=kept["reference"],
        form=kept.get("form", ""),
        picture=kept.get("picture", ""),
        side=kept.get("side", ""),
    )


def key_for(fact: str) -> str:
    """An opaque, stable name for a fact's key, fit for a column, a form field and an HTML id."""
    return "p" + hashlib.sha256(fact.encode()).hexdigest()[:15]
