"""Signing a form: the words as they are shown, a name and a tick, and the copy to keep."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from portal.actors import Actor
from portal.audit.events import Event
from portal.clock import now
from portal.errors import Issue, NotFound
from portal.fhir.values import Say
from portal.fhir.values import plain as as_is
from portal.intake import drafts, filling, library, visits
from portal.intake.models import Visit
from portal.questionnaire import Node, signing
from portal.questionnaire.richtext import unmarked
from portal.questionnaire.signing import Signed
from portal.questionnaire.speaking import absent_reason, say

MOST_OF_A_NAME = 200


@dataclass(frozen=True)
class Line:
    """One line of what is signed: a heading, words of the form, or a question with its answer."""

    kind: str
    words: str
    answer: str = ""


@dataclass(frozen=True)
class Sheet:
    """What is signed, as it is shown. `seen` stands for all of it: a signature under anything else is not taken."""

    title: str
    lines: tuple[Line, ...]
    digest: str
    language: str

    @property
    def words(self) -> str:
        return "\n".join([self.title, *(f"{line.words} {line.answer}".strip() for line in self.lines)])

    @property
    def seen(self) -> str:
        return filling.digest([{"valueString": f"{self.digest}\n{self.words}"}])


@dataclass(frozen=True)
class Typed:
    """What a person gives: their name, the tick, and which sheet they saw."""

    name: str
    agreed: bool
    seen: str


@dataclass(frozen=True)
class Outcome:
    """`issues` are what is still to do; `stale`: the answers were changed since the sheet was shown. Signed when neither."""

    issues: list[Issue] = field(default_factory=list)
    stale: bool = False


def sheet(work: filling.Work, language: str, say_own: Say = as_is) -> Sheet:
    """What would be signed now. NotFound for a form that asks for no signature."""
    if not signing.needed(work.entry.form):
        raise NotFound
    filled = work.filling
    none = say_own("Not answered")
    lines = [line for page in filled.pages for line in _page(page.title, filled.nodes(page.key), language, none)]
    return Sheet(filled.title, tuple(lines), signing.digest(filled.response("completed")), language)


def _page(title: str, nodes: list[Node], language: str, none: str) -> Iterator[Line]:
    yield Line("heading", title)
    for line in _lines(nodes, language, none):
        if line != Line("heading", title):
            yield line


def _lines(nodes: list[Node], language: str, none: str) -> Iterator[Line]:
    for node in nodes:
        words = unmarked(node.text)
        if node.item.is_question:
            said = ", ".join(say(answer, language) or absent_reason(answer) for answer in node.answers)
            yield Line("question", words, said or none)
        elif words:
            yield Line("heading" if node.type == "group" else "text", words)
        yield from _lines(node.children, language, none)


def sign(
    actor: Actor, visit_id: str, slug: str, typed: Typed, language: str, max_age: timedelta, say_own: Say = as_is
) -> Outcome:
    """Sign the form as it stands, once everything in it is answered. Who signs and when is not typed but known here."""
    work = filling.work(actor, visits.visit(actor, visit_id), slug, language, max_age)
    shown = sheet(work, language, say_own)
    issues = check(typed)
    if issues:
        return Outcome(issues)
    if typed.seen != shown.seen or not filling.to_sign(work):
        return Outcome(stale=not work.signed)
    signed = _signed(actor, typed.name.strip(), shown)

    def change(row: drafts.Kept | None) -> dict[str, Any]:
        if row is None or row.version != work.version:
            raise _Changed
        return filling.document(replace(work, signed=signed))

    try:
        fingerprint = {"signature-sha256": signing.fingerprint(signed)}
        drafts.save(actor, visit_id, library.task(slug), change, Event.FORM_SIGNED, fingerprint)
    except _Changed:
        return Outcome(stale=True)
    return Outcome()


class _Changed(Exception):
    """Leaves the transaction without writing: something was saved between reading and signing."""


def check(typed: Typed) -> list[Issue]:
    found = []
    if not any(letter.isalpha() for letter in typed.name):
        found.append(Issue("name", "required", "Write your full name"))
    elif len(typed.name) > MOST_OF_A_NAME:
        found.append(Issue("name", "too-long", "Use %(most)s characters or fewer", {"most": MOST_OF_A_NAME}))
    if not typed.agreed:
        found.append(Issue("agreed", "required", "Tick the box if you want to sign"))
    return found


def _signed(actor: Actor, name: str, shown: Sheet) -> Signed:
    return Signed(
        name=name,
        by=actor.name,
        account_id=actor.account_id or "",
        at=now().isoformat(timespec="seconds"),
        capacity=actor.behalf.relation if actor.behalf else signing.SELF,
        language=shown.language,
        words=shown.words,
        digest=shown.digest,
        salt=secrets.token_hex(16),
    )


def copy(actor: Actor, visit: Visit, slug: str) -> Signed:
    """The signature as it was given; NotFound when there is none (any more)."""
    row = drafts.draft(visit, library.task(slug))
    kept = row.document.get("signed") if row else None
    if not kept:
        raise NotFound
    return Signed(**kept)


def copies(visit: Visit) -> list[tuple[str, str]]:
    """(slug, title) of each form that is signed."""
    rows = drafts.of_visit(visit)
    signed = {task: row.document.get("signed") for task, row in rows.items() if task.startswith(library.BEGINS)}
    return [
        (task.removeprefix(library.BEGINS), str(kept["words"]).partition("\n")[0])
        for task, kept in sorted(signed.items())
        if kept
    ]
