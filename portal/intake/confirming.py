"""Confirm what the clinic has: each fact with its source, what the patient says of it, and what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from portal.actors import Actor
from portal.audit.events import Event
from portal.clock import now
from portal.ehr import facts as record_facts
from portal.ehr import service as ehr
from portal.ehr.fact import Fact
from portal.errors import Issue, NotFound
from portal.fhir.values import Say, plain
from portal.intake import asking, before, block_page, cards, differing, drafts, pace, visits
from portal.intake.before import Before
from portal.intake.block_page import Block, Row, Said, SectionPage, check, with_said
from portal.intake.models import Submission, Visit
from portal.intake.sections import PAGES, SECTIONS, Page, Section

__all__ = ["Block", "Row", "Said", "SectionPage", "check", "with_said"]
TASK = "facts"
Json = dict[str, Any]


@dataclass
class Plan:
    """What a visit asks to confirm: the clinic's rules, what was confirmed a short while ago, and what is in the draft.

    The record is only looked at where the answer hangs on it, and then in one go.
    """

    actor: Actor
    visit: Visit
    rules: asking.Asked
    before: Mapping[str, Before]
    entries: Mapping[str, Json]
    _readings: dict[ehr.Kind, ehr.Reading] = field(default_factory=dict)

    @property
    def pages(self) -> list[tuple[Page, list[str]]]:
        """The pages with something to ask, each with its blocks."""
        found = [(page, [key for key in page.blocks if self.asks(key)]) for page in PAGES.values()]
        return [(page, keys) for page, keys in found if keys]

    def asks(self, key: str) -> bool:
        return self.rules.blocks[key].asked != asking.NEVER or key in self.entries

    def settled(self, key: str) -> bool:
        """Whether nothing is open in a block: answered, confirmed a short while ago, or nothing there to be asked about."""
        if self.entries.get(key, {}).get("done"):
            return True
        if key in self.before:
            return not before.open_facts(self.before[key], self.facts(key))
        return self.rules.blocks[key].asked == asking.RECORDED and not self.facts(key)

    def done(self, keys: Iterable[str]) -> bool:
        """Whether a page has nothing open; what is sure to be asked is looked at first."""
        return all(self.settled(key) for key in sorted(keys, key=lambda key: self.rules.blocks[key].asked))

    def facts(self, key: str) -> list[Fact]:
        """What the record says about a block, as far as it has been read."""
        kinds = record_facts.TOPICS[key].kinds
        if not set(kinds) <= set(self._readings):
            self.look(timedelta(0), fetch=False)
        return record_facts.about(key, self._readings, _today())

    def look(self, max_age: timedelta, *, fetch: bool) -> None:
        """Read everything that is asked about."""
        keys = [key for _, blocks in self.pages for key in blocks]
        kinds = dict.fromkeys(kind for key in keys for kind in record_facts.TOPICS[key].kinds)
        self._readings = ehr.read_several(self.actor, self.visit.patient_id, kinds, max_age=max_age, fetch=fetch)


def plan(actor: Actor, visit: Visit, document: Mapping[str, Any] | None) -> Plan:
    rules = asking.asked(visit.clinic_id)
    return Plan(actor, visit, rules, before.confirmed(visit, rules), (document or {}).get("sections", {}))


@dataclass(frozen=True)
class Saved:
    page: SectionPage
    issues: list[Issue]
    stale: bool = False


def page(
    actor: Actor, visit: Visit, key: str, max_age: timedelta, say: Say = plain, again: Iterable[str] = ()
) -> SectionPage:
    """The page as the record has it now, with what this patient has said so far; `say` puts our own words into a language.

    `again` are blocks that were confirmed a short while ago, and that the patient wants to go through once more.
    """
    asks = _plan_of(actor, visit)
    keys = next((keys for page, keys in asks.pages if page.key == key), None)
    if keys is None:
        raise NotFound
    kinds = dict.fromkeys(kind for each in keys for kind in record_facts.TOPICS[each].kinds)
    readings = ehr.read_several(actor, visit.patient_id, kinds, max_age=max_age)
    made = [_block(asks, each, readings, say, again=each in again) for each in keys]
    order = [page.key for page, _ in asks.pages]
    return SectionPage(
        page=PAGES[key],
        blocks=[block for block in made if not _left_out(asks, block)],
        left=[block for block in made if _left_out(asks, block)],
        number=order.index(key) + 1,
        total=len(order),
        version=sum(asks.entries.get(each, {}).get("version", 0) for each in PAGES[key].blocks),
    )


def _plan_of(actor: Actor, visit: Visit) -> Plan:
    row = drafts.draft(visit, TASK)
    return plan(actor, visit, row.document if row else None)


def _block(asks: Plan, key: str, readings: Mapping[ehr.Kind, ehr.Reading], say: Say, *, again: bool) -> Block:
    section, said = SECTIONS[key], asks.entries.get(key, {})
    facts = record_facts.about(key, readings, _today())
    told = dict(zip([fact.key for fact in facts], record_facts.about(key, readings, _today(), say), strict=True))
    earlier = asks.before.get(key)
    if again or (said and not said.get("before") and not said.get("left")):
        earlier = None
    looked = block_page.looked(readings, record_facts.TOPICS[key].kinds, bool(facts))
    open_now = before.open_facts(earlier, facts) if earlier else facts
    lines = [
        replace(
            block_page.line_for(fact, told[fact.key], key, looked.read_at, said),
            by=differing.by_another(said, fact.key, asks.actor.account_id),
        )
        for fact in open_now
    ]
    return Block(
        section=section,
        looked=looked,
        lines=_pictured(asks.visit, lines) if section.cards and lines else lines,
        added=said.get("added", []),
        any=said.get("any"),
        done=bool(said.get("done")),
        before=earlier,
        gone=tuple(before.gone(earlier, facts)) if earlier else (),
        names=asks.rules.blocks[key].names,
    )


def _pictured(visit: Visit, lines: list[block_page.FactLine]) -> list[block_page.FactLine]:
    """With the pictures of its card that the clinic has from before."""
    known = cards.earlier(visit)
    return [replace(line, pictured=tuple(each for each in known if each.shows(line.shown))) for line in lines]


def _left_out(asks: Plan, block: Block) -> bool:
    """Asked only about what is recorded, and nothing is."""
    rule = asks.rules.blocks[block.key]
    return rule.asked != asking.ALWAYS and not (block.lines or block.added or block.before or block.any)


def save(
    actor: Actor,
    visit_id: str,
    key: str,
    said: Said,
    seen: int,
    max_age: timedelta,
    say: Say = plain,
    turn: pace.Turn = pace.UNKNOWN,
    again: Iterable[str] = (),
    wrong: Iterable[Issue] = (),
) -> Saved:
    """Keep what was said, complete or not; `stale` when another tab or device said something else meanwhile. `wrong` is what else is."""
    visit = visits.visit(actor, visit_id)
    shown = with_said(page(actor, visit, key, max_age, say, again), said)
    issues = [*check(shown), *wrong]
    where = {issue.where for issue in issues}
    entries = {block.key: block_page.entry(block, done=not _wrong(block, where)) for block in shown.blocks}
    entries |= {block.key: {**block_page.entry(block, done=True), "left": True} for block in shown.left}
    version = [shown.version]

    def change(row: drafts.Kept | None) -> Json:
        document = dict(row.document) if row else {"sections": {}}
        held = {each: document["sections"].get(each, {}) for each in entries}
        version.append(sum(entry.get("version", 0) for entry in held.values()))
        if version[-1] > seen and any(
            differing.without_said(held[each]) != differing.without_said(entries[each]) for each in entries
        ):
            raise _Stale
        at = now().isoformat()
        kept = {
            each: {**differing.with_said(actor, held[each], made, at), "version": held[each].get("version", 0) + 1}
            for each, made in entries.items()
        }
        version.append(sum(entry["version"] for entry in kept.values()))
        place = pace.Place(key, key if issues else _next_page(shown, key))
        cards.tidy(visit, held, kept)
        note = pace.after(document.get(pace.NOTE), turn, place, row.saved_at if row else None, now())
        return {**document, "sections": {**document["sections"], **kept}, pace.NOTE: note}

    try:
        drafts.save(actor, visit_id, TASK, change, Event.FACTS_SAVED)
    except _Stale:
        return Saved(replace(shown, version=version[-1]), issues, stale=True)
    return Saved(replace(shown, version=version[-1]), issues)


class _Stale(Exception):
    """Leaves the transaction without writing."""


def _wrong(block: Block, where: set[str]) -> bool:
    names = {line.name for line in block.lines}
    return any(each.partition("-")[0] in names or each.startswith(f"{block.key}-") for each in where)


def _next_page(shown: SectionPage, key: str) -> str | None:
    order = list(PAGES)
    return order[order.index(key) + 1] if shown.number < shown.total and order.index(key) + 1 < len(order) else None


def progress(asks: Plan) -> tuple[int, int]:
    """How many pages are done, of how many."""
    pages = asks.pages
    return sum(1 for _, keys in pages if asks.done(keys)), len(pages)


def first_open(actor: Actor, visit: Visit, max_age: timedelta) -> str | None:
    """The first page that is not done, or the first of all; None where the clinic asks nothing."""
    asks = _plan_of(actor, visit)
    if asks.before:
        asks.look(max_age, fetch=True)
    pages = asks.pages
    return next((page.key for page, keys in pages if not asks.done(keys)), pages[0][0].key if pages else None)


def following(actor: Actor, visit: Visit, key: str) -> str | None:
    """The page after this one that is not done, or None when only done ones follow."""
    asks = _plan_of(actor, visit)
    order = [page.key for page, _ in asks.pages]
    later = [(page, keys) for page, keys in asks.pages if order.index(page.key) > order.index(key)]
    return next((page.key for page, keys in later if not asks.done(keys)), None)


@dataclass(frozen=True)
class SectionSummary:
    """A block on the check page; `lines` are what the patient said of each fact, `added` what they added."""

    section: Section
    page: str
    done: bool
    any: str | None
    lines: list[Json]
    added: list[Row]
    before: Before | None


def summary(actor: Actor, visit: Visit) -> list[SectionSummary]:
    """Every block that is asked, but for those that ask nothing as nothing is recorded."""
    asks = _plan_of(actor, visit)
    found = [
        SectionSummary(
            section=SECTIONS[key],
            page=page.key,
            done=bool(entry.get("done")),
            any=entry.get("any"),
            lines=entry.get("lines", []),
            added=entry.get("added", []),
            before=asks.before.get(key) if entry.get("before") or not entry else None,
        )
        for page, keys in asks.pages
        for key in keys
        for entry in [asks.entries.get(key, {})]
        if not entry.get("left")
    ]
    return [
        each for each in found if each.done or each.before or asks.rules.blocks[each.section.key].asked == asking.ALWAYS
    ]


def submitted(asks: Plan) -> tuple[list[Json], Json]:
    """The facts and the sections of a submission (see Submission.document)."""
    facts, sections = [], {}
    for _, keys in asks.pages:
        for key in keys:
            entry = asks.entries.get(key) or {"state": "known", "read_at": None, "lines": [], "added": [], "any": None}
            earlier = asks.before.get(key)
            facts += entry["lines"] + [_added(key, place, row) for place, row in enumerate(entry["added"], start=1)]
            sections[key] = {
                "state": entry["state"],
                "read_at": entry["read_at"],
                "any": entry["any"],
                "none_said_by_patient": entry["any"] == "none",
            }
            if not entry.get("done") or entry.get("before"):
                sections[key]["before"] = earlier.kept() if earlier else entry.get("before")
    return facts, sections


def keep(actor: Actor, visit: Visit, submission: Submission) -> None:
    """Beside what is sent, so that it is not asked again soon; in the transaction that sends it."""
    asks = _plan_of(actor, visit)
    before.keep(actor, submission, asks.entries, asks.before)
    cards.send(submission)


def _added(kind: str, place: int, row: Row) -> Json:
    first, *others = SECTIONS[kind].add
    more = [row.get(each.name, "") for each in others]
    typed = {name: text for name, text in row.items() if name not in cards.SIDES}
    return {
        "key": f"new-{kind}-{place}",
        "kind": kind,
        "label": row[first.name],
        "detail": ", ".join(text for text in more if text),
        "source": None,
        "answer": "added",
        "change": {**typed, "text": row[first.name], "more": row.get("more", "")},
        "note": "",
    }


def _today() -> str:
    return now().date().isoformat()
