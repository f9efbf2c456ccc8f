"""Reading a page changes nothing: only the access log grows, and what was last read of the clinic's record."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text, update

from portal import db
from portal.clock import now
from portal.db import transaction
from portal.ehr.models import RecordReading
from tests.house.addresses import insiders, ways
from tests.house.world import KNOWN, LOOKED, NOTES, World, changed, digests, fingerprints

ASKS_EACH_TIME = {"review.match"}
"""Pages that look at the clinic's server whenever they are opened."""
QUERIES = ("", "?show=all&from=check&next=/desk&saved=1&ended=1&page=2&sort=name&id=7&delete=1")


@pytest.mark.parametrize("query", QUERIES, ids=["plain", "with a query"])
def test_a_page_that_is_read_changes_nothing(world: World, query: str) -> None:
    for way in ways(world.app, "GET"):
        for visitor in insiders(way, KNOWN):
            client = world.client(visitor)
            before = fingerprints(NOTES, ())
            answer = client.get(way.path(world, visitor) + query)
            assert answer.status_code < 500, f"{way} by {visitor.name}"
            wrote = changed(before, fingerprints(NOTES, ()))
            assert not wrote - (LOOKED if way.endpoint in ASKS_EACH_TIME else set()), f"{way} by {visitor.name}"


def test_a_page_that_looks_at_the_record_again_keeps_only_what_it_read_and_when_it_was_heard(world: World) -> None:
    """Five minutes later the session notes that it was used; twenty minutes later the record is looked at again."""
    clients = {visitor: world.client(visitor) for visitor in KNOWN}
    began = now()
    with transaction() as current:  # the world may have been made minutes ago
        current.execute(update(RecordReading).values(read_at=began, tried_at=began))
    for minutes, may in ((5, {"sign_ins"}), (14, {"sign_ins"}), (20, {"sign_ins"} | LOOKED)):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            for way in ways(world.app, "GET"):
                for visitor in insiders(way, KNOWN)[:1]:
                    before = fingerprints(NOTES, ())
                    assert clients[visitor].get(way.path(world, visitor)).status_code < 500, str(way)
                    allowed = may | (LOOKED if way.endpoint in ASKS_EACH_TIME else set())
                    assert not changed(before, fingerprints(NOTES, ())) - allowed, f"{way} after {minutes} minutes"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clinics SET name = 'Elsewhere'",
        "INSERT INTO clinics SELECT * FROM (SELECT * FROM clinics LIMIT 0)",
        "delete from clinics where id = 'none'",
        "WITH gone AS (SELECT 1) UPDATE clinics SET name = 'Nowhere'",
        "REINDEX",
    ],
)
def test_whatever_may_write_makes_the_digests_be_worked_out_again(world: World, statement: str) -> None:
    """The tests above read a table again only after such a statement."""
    before = fingerprints(columns=())
    held = digests().held["clinics"]
    db.close()
    with db.engine().begin() as connection:
        connection.execute(text(statement))
    assert digests().held["clinics"] is not held
    assert bool(changed(before, fingerprints(columns=()))) is ("SET name" in statement)
