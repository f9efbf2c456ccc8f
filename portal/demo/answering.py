"""How the people of the demo's past answer: page by page, by the services that a browser reaches, with the clock set back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from portal import clock, db
from portal.actors import Actor
from portal.consent import service as consent
from portal.intake import confirming, filling, sending
from portal.intake.pace import Turn
from portal.intake.visits import visit as own_visit
from portal.questionnaire import Node
from portal.questionnaire.nodes import questions

Json = dict[str, Any]
CHOICES = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "year"}
FRESH = timedelta(days=400)


@dataclass(frozen=True)
class Came:
    """One of them: who, when their visit was, and the row they have here."""

    number: int
    patient_id: str
    visit_id: str
    born: str
    starts_at: datetime


class _Then(datetime):
    """A clock that was set back; it is only ever put in place of the real one by `at`."""

    moment: datetime

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return cls.moment.astimezone(tz)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Until it is left, it is that moment here: for this process and its one thread."""
    place, before = vars(clock), getattr(_Then, "moment", moment)
    real, _Then.moment = place["datetime"], moment
    place["datetime"] = _Then
    try:
        yield
    finally:
        place["datetime"], _Then.moment = real, before


@dataclass(frozen=True)
class Wishes:
    """What somebody says in any case: of a fact by its label (answer and what was typed), what is missing by block, and which
    option of a question by its linkId."""

    facts: Mapping[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    added: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    options: Mapping[str, int] = field(default_factory=dict)


class Hand:
    """Somebody who takes their time: every page moves the clock on."""

    def __init__(self, start: datetime, chance: Random, wishes: Wishes = Wishes()) -> None:
        self.time, self.chance, self.wishes = start, chance, wishes

    def page(self, usual: float) -> Turn:
        """A page that was shown when the last one was done, and is saved now."""
        shown = self.time
        away = self.chance.random() < 0.012
        self.time += timedelta(minutes=25) if away else timedelta(seconds=usual * self.chance.uniform(0.4, 2.2))
        return Turn(shown, goes_on=True)

    def stops(self) -> bool:
        return self.chance.random() < 0.012


def answered(person: Actor, came: Came, hand: Hand) -> datetime | None:
    """When they sent; None for those who stopped on the way."""
    return (
        hand.time
        if _confirmed(person, came, hand) and _filled(person, came, hand) and _sent(person, came, hand)
        else None
    )


def _confirmed(person: Actor, came: Came, hand: Hand) -> bool:
    visit = own_visit(person, came.visit_id)
    key = confirming.first_open(person, visit, FRESH)
    while key is not None:
        page = confirming.page(person, visit, key, FRESH)
        turn = hand.page(6 + 9 * len(page.lines))
        said = {line.name: "same" for line in page.lines}
        dropped = next((line for line in page.lines if "stopped" in _offered(page, line)), None)
        if dropped and hand.chance.random() < 0.2:
            said[dropped.name] = "stopped"
        anything = {block.key: "none" for block in page.blocks if block.asks_any}
        added = {}
        if "allergy" in anything and hand.chance.random() < 0.4:
            added = {"allergy": [{"what": hand.chance.choice(["Penicillin", "Latex", "Peanuts"])}]}
            anything["allergy"] = "yes"
        wished = {line.name: hand.wishes.facts[line.label] for line in page.lines if line.label in hand.wishes.facts}
        said |= {name: answer for name, (answer, _) in wished.items()}
        changes = {name: typed for name, (_, typed) in wished.items()}
        for block in page.blocks:
            if block.key in hand.wishes.added:
                added[block.key] = hand.wishes.added[block.key]
                anything |= {block.key: "yes"} if block.key in anything else {}
        with at(hand.time):
            words = confirming.Said(answers=said, changes=changes, any=anything, added=added)
            if confirming.save(person, came.visit_id, key, words, page.version, FRESH, turn=turn).issues:
                return False
            db.close()
            visit = own_visit(person, came.visit_id)
            key = confirming.following(person, visit, key)
        if hand.stops():
            return False
    return True


def _offered(page: confirming.SectionPage, line: Any) -> set[str]:
    """What may be said about a fact."""
    return {answer for block in page.blocks if line in block.lines for answer in block.section.answers}


def _filled(person: Actor, came: Came, hand: Hand) -> bool:
    for task in _tasks(person, came):
        if (
            task.kind == "form"
            and (task.required or hand.chance.random() < 0.7)
            and not _form(person, came, task.slug, hand)
        ):
            return False
    return True  # fmt: skip


def _tasks(person: Actor, came: Came) -> list[sending.Task]:
    return sending.tasks(person, own_visit(person, came.visit_id))


def _form(person: Actor, came: Came, slug: str, hand: Hand) -> bool:
    key: str | None = None
    for _ in range(40):
        with at(hand.time):
            work = filling.work(person, own_visit(person, came.visit_id), slug, "en", FRESH)
            key = key or filling.first_open(work)
            asked = [node for node in questions(work.filling.nodes(key)) if not node.read_only]
            answers = {node.name: _wished(node, hand.wishes) or _answer(node, hand.chance) for node in asked}
            seen = {node.name: filling.digest(node.answers) for node in asked}
        turn = hand.page(5 + 6 * len(asked))
        with at(hand.time):
            saved = filling.save_page(person, work, key, answers, seen, turn=turn)
            key = filling.page_after(saved.work, key) if not saved.issues else key
        db.close()
        if key is None:
            return True
        if hand.stops():
            return False
    return False


def _wished(node: Node, wishes: Wishes) -> list[Json]:
    place = wishes.options.get(node.item.link_id)
    return [] if place is None or place >= len(node.options) else [node.options[place].value]


def _answer(node: Node, chance: Random) -> list[Json]:
    """What was there stays, mostly; else an option, or a word, where one is wanted."""
    if node.answers and chance.random() < 0.9:
        return [{key: value for key, value in each.items() if key.startswith("value")} for each in node.answers]
    if node.options:
        free = [option for option in node.options if not option.disabled]
        return [chance.choice(free).value] if free and (node.required or chance.random() < 0.8) else []
    made = PLAIN.get(node.type)
    return [dict(made)] if made and (node.required or chance.random() < 0.4) else []


PLAIN: dict[str, Json] = {
    "boolean": {"valueBoolean": False},
    "string": {"valueString": "As before"},
    "text": {"valueString": "Nothing new"},
    "integer": {"valueInteger": 2},
    "date": {"valueDate": "2020-05-01"},
}


def _sent(person: Actor, came: Came, hand: Hand) -> bool:
    if hand.stops():
        return False
    with at(hand.time):
        sheet = consent.sheet_for(person, "en")
        if consent.give(person, CHOICES, language="en", seen=sheet.sha256, visit_id=came.visit_id).issues:
            return False
        db.close()
        hand.page(60)
    with at(hand.time):
        return sending.submit(person, came.visit_id, "en", FRESH).submission is not None
