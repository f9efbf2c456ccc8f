"""One person's requests sent by another (bar 3): all of them, and one id at a time; nothing is shown, nothing of theirs changes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from portal import db
from portal.db import Sealed
from tests.hostile.recording import Sender, Tape, rows, theirs
from tests.house.world import MARKS, VISITORS, Visitor, World

WHOLE = bool(os.environ.get("PREVISIT_HOSTILE_WHOLE"))
NAMED = {visitor.name: visitor for visitor in VISITORS}
ANA, BEN, CAI = NAMED["patient self"], NAMED["other patient of the clinic"], NAMED["other clinic's patient"]
DESK, CLINICIAN, OFFICER = NAMED["front desk"], NAMED["clinician"], NAMED["privacy officer"]
ADMINISTRATOR, AUDITOR = NAMED["administrator"], NAMED["auditor"]
FAR_CLINICIAN, FAR_ADMINISTRATOR = NAMED["other clinic's clinician"], NAMED["other clinic's administrator"]
DANA, EVE, FAY, GIL = (
    NAMED[name] for name in ("proxy", "proxy out of scope", "proxy whose time is over", "proxy revoked")
)
OTHERS = (
    (ANA, BEN, "ana"),
    (CLINICIAN, FAR_CLINICIAN, "ana"),
    (BEN, DANA, "ben"),
    (DANA, GIL, "ana"),
    *(
        ((ANA, CAI, "ana"), (ADMINISTRATOR, FAR_ADMINISTRATOR, "ana"), (BEN, EVE, "ben"), (ANA, FAY, "ana"),
         (ANA, GIL, "ana"), (DANA, FAY, "ana"), (DANA, BEN, "ana"), (DANA, CAI, "ana"), (DANA, FAR_CLINICIAN, "ana"))
        if WHOLE
        else ()
    ),
)  # fmt: skip
"""Whose requests they were, who sends them, and whose things they are about: patients of one clinic and of two, staff of another
clinic, who answers for one patient with what is another's, and who answered once and does so no more."""
SENTINEL = "pvx-sentinel"
NAMES = ("patient_id", "patient", "visit_id", "account_id", "owner", "submission_id", "id", "person", "subject")


@pytest.mark.parametrize(("owner", "sender", "whose"), OTHERS, ids=lambda each: getattr(each, "name", each))
def test_another_persons_requests_show_and_change_nothing_of_theirs(
    world: World, tape: Tape, owner: Visitor, sender: Visitor, whose: str
) -> None:
    requests = tape.of(owner)
    by, before = Sender(world, sender), rows(world, whose)
    for sent in requests:
        told = by.send(sent, sent.path, list(sent.pairs))
        assert MARKS[whose] not in told, f"{sent.way} {sent.path}"
    assert rows(world, whose) == before
    assert len(requests) >= 20


@pytest.mark.parametrize(
    ("owner", "sender"), [(ANA, BEN), *([(ANA, CAI), (BEN, DANA)] if WHOLE else [])], ids=lambda each: each.name
)
def test_one_id_of_theirs_in_ones_own_request_shows_and_changes_nothing(
    world: World, tape: Tape, owner: Visitor, sender: Visitor
) -> None:
    """In the query, in each hidden field that names something, and under every name that could be believed."""
    own, whose = tape.of(sender), owner.own
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


def test_no_column_can_be_set_by_naming_it(world: World, tape: Tape) -> None:
    """Every column of every table beside every form: what was posted under those names stands nowhere afterwards (bar 6)."""
    columns = {column.name for table in db.Base.metadata.sorted_tables for column in table.columns}
    for who in (ANA, DESK, CLINICIAN, ADMINISTRATOR, DANA) if WHOLE else (ANA, DESK):
        requests = [sent for sent in tape.of(who) if sent.pairs]
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
