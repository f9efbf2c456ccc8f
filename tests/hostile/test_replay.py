"""One person's requests sent by another (bar 3): all of them, and one id at a time; nothing is shown, nothing of theirs changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import String, select
from werkzeug.datastructures import Headers

from portal import db
from portal.db import Sealed
from tests.house.addresses import Way, admitted, ways
from tests.house.doors import DOORS
from tests.house.reading import Page
from tests.house.world import MARKS, VISITORS, Visitor, World

WHOLE = bool(os.environ.get("PREVISIT_HOSTILE_WHOLE"))
OTHERS = (
    (VISITORS[2], VISITORS[3]),
    (VISITORS[5], VISITORS[8]),
    *(((VISITORS[2], VISITORS[10]), (VISITORS[7], VISITORS[9])) if WHOLE else ()),
)
"""Whose requests they were, and who sends them: patients of one clinic and of two, staff of another clinic."""
PASSING = {
    "audit_events",
    "audit_heads",
    "sign_ins",
    "attempts",
    "kept_posts",
    "readings",
    "connections",
    "access_tokens",
}
SENTINEL = "pvx-sentinel"

NAMES = ("patient_id", "patient", "visit_id", "account_id", "owner", "submission_id", "id", "person", "subject")

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Sent:
    """One request as it was recorded."""

    way: Way
    path: str
    pairs: tuple[tuple[str, str], ...] = ()
    boxes: frozenset[str] = frozenset()


def recorded(world: World, who: Visitor) -> Iterator[Sent]:
    """What this person's browser would send: every page they may open, and every form on it, by each of its buttons."""
    client = world.client(who)
    for way in ways(world.app, "GET", "POST"):
        if way.endpoint not in DOORS or not admitted(way, who) or way.door.roles is None:
            continue
        path = way.path(world, who)
        if not way.safe:
            yield Sent(way, path, tuple(way.door.form.items()), frozenset(way.door.form))
            continue
        yield Sent(way, path)
        for sheet in Page(client.get(path).get_data(as_text=True)).posts():
            for button in sheet.buttons[:3] or [("", "")]:
                kept = [(name, value) for name, value in sheet.fields if name != "csrf_token"]
                yield Sent(way, sheet.action or path, tuple([*kept, button]), frozenset((*sheet.typed, *dict(kept))))


def theirs(world: World, owner: str) -> set[str]:
    """Every id that tells this person's things, and nobody else's."""
    shared = {each for other in MARKS if other != owner for each in world.things[other].values()}
    return ({*world.things[owner].values(), world.people[owner]}) - shared


def rows(world: World, owner: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row that names one of this person's things."""
    ids, found = theirs(world, owner), {}
    with db.engine().connect() as connection:
        for table in db.Base.metadata.sorted_tables:
            if table.name not in PASSING:
                text = [column for column in table.columns if isinstance(column.type, String)]
                rows_ = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
                places = [list(table.columns).index(column) for column in text]
                found[table.name] = [tuple(row) for row in rows_ if ids & {row[place] for place in places}]
    return found


class Sender:
    """Somebody's browser, signed in again whenever it was signed out."""

    def __init__(self, world: World, who: Visitor) -> None:
        self.world, self.who = world, who
        self.client: FlaskClient = world.client(who)
        self.head = Headers()

    def send(self, sent: Sent, path: str, pairs: Pairs) -> str:
        """The body and the head of the answer."""
        posted = bool(sent.pairs) or not sent.way.safe
        data = {**dict(pairs), **self.world.csrf} if posted else None
        answer = self.client.open(path, method="POST" if posted else "GET", data=data)
        assert answer.status_code < 500, f"{sent.way} {path}: {answer.status_code}"
        if "/sign-in" in str(answer.location):
            self.client = self.world.client(self.who)
        self.head = answer.headers
        return answer.get_data(as_text=True) + str(answer.headers)


@pytest.mark.parametrize(("owner", "sender"), OTHERS, ids=lambda each: each.name)
def test_another_persons_requests_show_and_change_nothing_of_theirs(
    world: World, owner: Visitor, sender: Visitor
) -> None:
    requests = list(recorded(world, owner))
    world.restore()
    whose, by = "ana", Sender(world, sender)
    before, sent_many = rows(world, whose), 0
    for sent in requests:
        told = by.send(sent, sent.path, list(sent.pairs))
        assert MARKS[whose] not in told, f"{sent.way} {sent.path}"
        sent_many += 1
    assert rows(world, whose) == before
    assert sent_many >= 20


@pytest.mark.parametrize(
    ("owner", "sender"), OTHERS[:1] if not WHOLE else OTHERS[:1] + OTHERS[2:3], ids=lambda each: each.name
)
def test_one_id_of_theirs_in_ones_own_request_shows_and_changes_nothing(
    world: World, owner: Visitor, sender: Visitor
) -> None:
    """In the query, in each hidden field that names something, and under every name that could be believed."""
    own, whose = list(recorded(world, sender)), "ana"
    world.restore()
    swap = dict(
        zip(
            *([world.things[each][name] for name in sorted(world.things[whose])] for each in (sender.own, whose)),
            strict=True,
        )
    )
    swap[world.people[sender.own]] = world.people[whose]
    before, by = rows(world, whose), Sender(world, sender)
    named = {name: world.things[whose]["visit" if "visit" in name else "submission"] for name in NAMES}
    query = "&".join(f"{name}={value}" for name, value in named.items())
    for sent in own:
        pairs = [(name, swap.get(value, value)) for name, value in sent.pairs]
        path = f"{sent.path.partition('#')[0]}{'&' if '?' in sent.path else '?'}{query}"
        told = by.send(sent, path, [*pairs, *named.items()])
        assert MARKS[whose] not in told, f"{sent.way} {sent.path}"
    assert rows(world, whose) == before


def test_no_column_can_be_set_by_naming_it(world: World) -> None:
    """Every column of every table beside every form: what was posted under those names stands nowhere afterwards (bar 6)."""
    columns = {column.name for table in db.Base.metadata.sorted_tables for column in table.columns}
    for who in (VISITORS[2], VISITORS[4], VISITORS[5], VISITORS[7]) if WHOLE else (VISITORS[2], VISITORS[4]):
        requests = [sent for sent in recorded(world, who) if sent.pairs]
        boxes: dict[str, set[str]] = {}
        for sent in requests:
            boxes.setdefault(sent.path, set()).update(sent.boxes)
        by = Sender(world, who)
        for sent in requests:
            extra = ((name, SENTINEL) for name in sorted(columns - boxes[sent.path]))
            by.send(sent, sent.path, [*sent.pairs, *extra])
        assert not list(_holding(SENTINEL)), who.name
        world.restore()


def _holding(text: str) -> Iterator[str]:
    """Where this text stands in the database, sealed or not. What was typed for somebody signed out is their own."""
    for mapper in db.Base.registry.mappers:
        if mapper.local_table is None or mapper.local_table.name in {"kept_posts"}:
            continue
        sealed = [name for name, held in vars(mapper.class_).items() if isinstance(held, Sealed)]
        for row in db.session().scalars(select(mapper.class_)).unique():
            held = [getattr(row, name) for name in sealed] + [getattr(row, each.key) for each in mapper.column_attrs]
            if text in repr(held):
                yield mapper.local_table.name


def test_the_things_of_two_people_differ(world: World) -> None:
    """So that the tests above cannot pass because there is nothing to mix up."""
    assert not theirs(world, "ana") & theirs(world, "ben") and not theirs(world, "ana") & theirs(world, "cai")
    assert sum(map(len, rows(world, "ana").values())) > 20
