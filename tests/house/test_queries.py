"""No page asks the database more often because there is more to show, and none asks too often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from portal import db
from portal.db import session
from portal.ehr.models import Connection
from tests.house import plans
from tests.house.addresses import Way, insiders, ways
from tests.house.doors import THINGS
from tests.house.world import KNOWN, World, build

FEW, MANY = 2, 20
"""Two, so that there is one of each kind: of what was sent, one is on hold and the others are accepted."""
ANSWERS = {"launch.callback": 403}
"""What a page answers where it is not 200 or a way on: whoever said no at the clinic's system reads that."""
USUAL = 40
MOST = {
    "intake.check": 60,
    "review.submission": 80,
}
"""How often a page may ask at most, where it is more than usual."""


WHOLE: dict[str, str] = {}
"""Statements that would read a whole table of a large clinic, with the page and the step: found out along with the counts."""


@contextmanager
def asked() -> Iterator[Counter[str]]:
    """Every statement sent meanwhile, with how often."""
    said: Counter[str] = Counter()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said[statement] += 1

    engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def count(world: World) -> dict[str, Counter[str]]:
    """The statements of each page, as the first visitor who may open it (opened once before: what is kept is kept)."""
    found = {}
    for way in ways(world.app, "GET"):
        visitor = insiders(way, KNOWN)[0]
        client, path = world.client(visitor), way.path(world, visitor)
        client.get(path + _from_the_clinic(world, client, way, path))
        query = _from_the_clinic(world, client, way, path)
        with asked() as said:
            answer = client.get(path + query)
        assert answer.status_code < 400 or answer.status_code == ANSWERS.get(way.endpoint), (
            f"{way}: {answer.status_code}"
        )
        found[f"{way.endpoint} {way.rule}"] = said
    return found


def _from_the_clinic(world: World, client: FlaskClient, way: Way, path: str) -> str:
    """What only a clinic's system says: from where Previsit was opened, and that somebody said no there."""
    if way.endpoint not in ("launch.from_ehr", "launch.callback"):
        return ""
    connection = session().get_one(Connection, world.things["ana"][THINGS["connection_id"]])
    opened = f"?{urlencode({'iss': connection.base_url, 'launch': 'x'})}"
    db.close()
    if way.endpoint == "launch.from_ehr":
        return opened
    sent = parse_qs(urlsplit(client.get(f"/at/riverside/launch{opened}").headers["Location"]).query)
    return f"?{urlencode({'state': sent['state'][0], 'error': 'access_denied'})}"


@pytest.fixture(scope="module")
def counts(
    tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None
) -> Iterator[tuple[dict[str, Counter[str]], ...]]:
    found: list[dict[str, Counter[str]]] = []
    for many in (FEW, MANY):
        folder: Path = tmp_path_factory.mktemp(f"house-{many}")
        world = build(folder, f"sqlite:///{folder / 'previsit.db'}", many=many)
        found.append(count(world))
        if many == MANY:
            plans.large(db.engine())
            pages = {statement: page for page, said in found[-1].items() for statement in said}
            WHOLE.update({said: f"{pages[said]}: {step}" for said, step in plans.whole(db.engine(), pages).items()})
        db.dispose()
    yield tuple(found)


def test_twenty_things_are_asked_for_as_often_as_two(counts: tuple[dict[str, Counter[str]], ...]) -> None:
    few, many = counts
    grown = {
        page: f"{few[page].total()} → {many[page].total()}: {_more(few[page], many[page])}"
        for page in few
        if many[page].total() > few[page].total()
    }
    assert not grown, "\n".join(f"{page}: {said}" for page, said in grown.items())


def _more(few: Counter[str], many: Counter[str]) -> str:
    return "; ".join(
        f"{times}× {' '.join(statement.split())[:160]}" for statement, times in (many - few).most_common(3)
    )


def test_no_page_asks_more_often_than_it_may(
    counts: tuple[dict[str, Counter[str]], ...], capsys: pytest.CaptureFixture[str]
) -> None:
    _, many = counts
    totals = {page: said.total() for page, said in many.items()}
    with capsys.disabled():
        most = sorted(totals.items(), key=lambda each: -each[1])[:6]
        print("\nStatements a page: " + ", ".join(f"{page.split()[0]} {times}" for page, times in most))
    assert not {page: times for page, times in totals.items() if times > MOST.get(page.split()[0], USUAL)}


def test_no_page_reads_a_whole_table_of_a_large_clinic(counts: tuple[dict[str, Counter[str]], ...]) -> None:
    """What grows for ever is asked for by an index that narrows it, or a page at a time."""
    assert not WHOLE, "\n".join(f"{step}\n    {' '.join(said.split())}" for said, step in WHOLE.items())
