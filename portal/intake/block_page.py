"""A confirm page as it is shown: its blocks, each with its state, its facts to ask about, and what was said. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from portal.ehr.fact import Fact
from portal.ehr.reading import Kind, Reading
from portal.errors import Issue
from portal.intake.before import Before
from portal.intake.blocks import WHAT, Field, Section
from portal.intake.cards import Earlier
from portal.intake.sections import ANSWERS, Page

Json = dict[str, Any]
MOST_ADDED = 30
Row = dict[str, str]
"""Something added, by the names of the block's fields."""


@dataclass(frozen=True)
class FactLine:
    """One fact of the record and what the patient says of it. `name` is its field's name, stable while the fact exists.

    `fact` is what is kept, in English; `shown` is the same in the reader's language. `change` holds what was typed, by field.
    """

    name: str
    fact: Json
    shown: Fact
    answer: str | None = None
    change: Row = field(default_factory=dict)
    cards: Mapping[str, str] = field(default_factory=dict)
    """the picture of each side of its card, by id, and the pictures the clinic has from before"""
    pictured: tuple[Earlier, ...] = ()
    by: str = ""
    """who answered, when that was somebody else than who reads it"""

    @property
    def label(self) -> str:
        return self.shown.label

    @property
    def detail(self) -> str:
        return self.shown.detail

    def typed(self, of: Field) -> str:
        """What stands in a field: what was typed, else what the record has where the field starts with it."""
        return self.change.get(of.name, self.shown.parts.get(of.name, "") if of.filled else "")


@dataclass(frozen=True)
class Looked:
    """How the record could be looked at for one block: state is known, none or could-not-look."""

    state: str
    read_at: datetime | None = None
    source: str = ""
    reason: str = ""
    caveat: str = ""


@dataclass(frozen=True)
class Block:
    """One block on its page. `before`: it was confirmed a short while ago, and `lines` are only what is new since.

    `any` is "yes", "none", "unsure" or not answered; `gone` is what the record no longer has; `names` are suggested.
    """

    section: Section
    looked: Looked
    lines: list[FactLine]
    added: list[Row]
    any: str | None = None
    done: bool = False
    before: Before | None = None
    gone: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.section.key

    @property
    def state(self) -> str:
        return self.looked.state

    @property
    def asks_any(self) -> bool:
        return not self.lines and self.before is None

    @property
    def rows(self) -> list[Row]:
        """What was added, without the rows that were left empty."""
        return [row for row in self.added if any(text.strip() for text in row.values())][:MOST_ADDED]


@dataclass(frozen=True)
class SectionPage:
    """Everything a confirm page shows. `left` are blocks of it that are not asked, as the record has nothing about them."""

    page: Page
    blocks: list[Block]
    left: list[Block]
    number: int
    total: int
    version: int

    @property
    def title(self) -> str:
        return self.blocks[0].section.title if len(self.blocks) == 1 else self.page.title

    @property
    def lines(self) -> list[FactLine]:
        return [line for block in self.blocks for line in block.lines]

    @property
    def at_once(self) -> bool:
        """Whether everything on it may be called right with one button."""
        return len(self.lines) > 1 and not any(block.section.one_by_one for block in self.blocks)


@dataclass(frozen=True)
class Said:
    """What a post says: answers and changes by field name, added rows and the yes/none question by block.

    `rest_is_right`: whatever of the facts has no answer is still right.
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Row] = field(default_factory=dict)
    added: Mapping[str, list[Row]] = field(default_factory=dict)
    any: Mapping[str, str] = field(default_factory=dict)
    rest_is_right: bool = False
    cards: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """pictures by the place they stand in (see `cards`)"""


def with_said(shown: SectionPage, said: Said) -> SectionPage:
    """The page as just posted; answers to facts that are not on it are ignored."""
    return replace(shown, blocks=[_with_said(block, said) for block in shown.blocks])


def _with_said(block: Block, said: Said) -> Block:
    rest = "same" if said.rest_is_right and not block.section.one_by_one else None
    lines = [_answered(line, block.section, said, rest) for line in block.lines]
    added = [
        {**{name: text.strip() for name, text in row.items()}, **said.cards.get(f"{block.key}-added-{place}", {})}
        for place, row in enumerate(said.added.get(block.key, []))
    ]
    return replace(block, lines=lines, added=added, any=said.any.get(block.key) if block.asks_any else None)


def _answered(line: FactLine, section: Section, said: Said, rest: str | None) -> FactLine:
    answer = said.answers.get(line.name) or rest
    fields = {"changed": section.change, "stopped": section.stop}.get(answer or "", ())
    typed = said.changes.get(line.name, {})
    change = {each.name: typed.get(each.name, "").strip() for each in fields}
    return replace(line, answer=answer, change=change, cards=said.cards.get(line.name, {}))


def check(page: SectionPage) -> list[Issue]:
    """What is still to say on this page."""
    return [issue for block in page.blocks for issue in _of_block(block)]


def _of_block(block: Block) -> list[Issue]:
    issues = [issue for line in block.lines for issue in _of_line(line, block.section)]
    if block.asks_any and block.any not in {"yes", "none", "unsure"}:
        issues.append(Issue(f"{block.key}-any", "required", "Choose an answer"))
    if block.any == "yes" and not block.rows:
        issues.append(Issue(f"{block.key}-added-0-{WHAT}", "required", "Write it below, or choose another answer"))
    return issues + [
        Issue(f"{block.key}-added-{place}-{each.name}", "required", "Write what it is")
        for place, row in enumerate(block.rows)
        for each in block.section.add
        if each.needed and not row.get(each.name)
    ]


def _of_line(line: FactLine, section: Section) -> list[Issue]:
    what = {"what": line.label}
    if line.answer not in ANSWERS:
        return [Issue(line.name, "required", "Choose an answer for %(what)s", what)]
    if line.answer == "changed" and not changed(line, section):
        return [Issue(f"{line.name}-{section.change[0].name}", "required", "Write what changed for %(what)s", what)]
    return []


def changed(line: FactLine, section: Section) -> Row:
    """What the patient put differently: words, or the fields that no longer say what the record has."""
    has = line.shown.parts
    return {
        each.name: line.change.get(each.name, "")
        for each in section.change
        if line.change.get(each.name, "") != (has.get(each.name, "") if each.filled else "")
    }


def line_for(fact: Fact, shown: Fact, key: str, read_at: datetime | None, said: Mapping[str, Any]) -> FactLine:
    """A fact with what was said of it before, if it is still the same fact."""
    kept = {
        "key": fact.key,
        "kind": key,
        "label": fact.label,
        "detail": fact.detail,
        "source": {
            "reference": fact.source.reference,
            "versionId": fact.source.version_id,
            "readAt": read_at.isoformat() if read_at else None,
            "resource": fact.resource,
        },
    }
    name = "f" + hashlib.sha256(fact.key.encode()).hexdigest()[:10]
    before = next((line for line in said.get("lines", []) if line["key"] == fact.key), None)
    line = FactLine(name, kept, shown)
    if before is None:
        return line
    return replace(line, answer=before["answer"], change=before["change"], cards=before.get("cards", {}))


def looked(readings: Mapping[Kind, Reading], kinds: Iterable[Kind], any_facts: bool) -> Looked:
    """Several readings as one: nothing there only when everything was looked at; what is missing of one is said."""
    several = [readings[kind] for kind in kinds]
    short = [each for each in several if not each.looked or not each.complete or each.caveat]
    first = short[0] if short else several[0]
    sure = all(each.looked and each.complete for each in several)
    state = "known" if any_facts else "none" if sure else "could-not-look"
    read = [each.read_at for each in several if each.read_at]
    caveat = first.caveat or ("partial" if any_facts and short else "")
    return Looked(
        state, min(read, default=None), next((e.source for e in several if e.source), ""), first.sentence or "", caveat
    )


def entry(block: Block, *, done: bool) -> Json:
    """A block as the draft keeps it."""
    made: Json = {
        "state": block.state,
        "read_at": block.looked.read_at.isoformat() if block.looked.read_at else None,
        "lines": [
            {
                **line.fact,
                "answer": line.answer,
                "change": _kept(line, block.section),
                "note": "",
                **({"cards": dict(line.cards)} if line.cards else {}),
            }
            for line in block.lines
        ],
        "added": block.rows,
        "any": block.any,
        "done": done,
    }
    return {**made, "before": block.before.kept()} if block.before else made


def _kept(line: FactLine, section: Section) -> Row:
    """Of a correction every field, for together they say how it is now; of a stop what was said."""
    if line.answer == "changed":
        return {each.name: line.change.get(each.name, "") for each in section.change}
    return {name: text for name, text in line.change.items() if text} if line.answer == "stopped" else {}
