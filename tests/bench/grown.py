"""What every page costs at a clinic with years behind it, beside the same clinic on its first days: processor time, statements, rows.

The large one is the small one with more people, submissions and audit entries (tests/bench/clinic.py), so that everybody opens
the same things in both. Of PostgreSQL the time of its own process counts too.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url

import portal
from portal import db
from portal.db import session
from tests import make
from tests.bench import clinic
from tests.bench.figures import goal, told
from tests.house.addresses import Way, insiders, ways
from tests.house.world import KNOWN, Visitor, World, build

PEOPLE = int(os.environ.get("PREVISIT_BENCH_PEOPLE", "50000"))
ENTRIES = int(os.environ.get("PREVISIT_BENCH_ENTRIES", "1000000"))
ROUNDS, MOST = 5, 1.3
LEAST = 0.5
"""Milliseconds: what differs by less is noise."""
SPOKEN_TO = ("launch.from_ehr", "launch.callback")
"""What only a clinic's system opens."""
SEARCHES = {
    "trail.entries": ("?event=form-saved", "?refused=yes", "?event=staff-added", "?from=2026-01-05&to=2026-01-06"),
    "review.desk": ("?show=done", "?show=all", "?show=patient", "?show=sending"),
    "trail.questions": ("?show=closed",),
    "result_questions.listed": ("?show=closed",),
}
"""What else is asked for at an address."""


@dataclass
class Cost:
    cpu: list[float] = field(default_factory=list)
    statements: int = 0
    rows: int = 0

    @property
    def middle(self) -> float:
        return statistics.median(self.cpu) * 1000


def run() -> None:
    with TemporaryDirectory(dir=os.environ.get("PREVISIT_BENCH_FOLDER")) as held:
        folder = Path(held)
        started = time.monotonic()
        world = both(folder, PEOPLE, ENTRIES)
        told(
            f"{2 * PEOPLE:,} submissions of {PEOPLE:,} people, {ENTRIES:,} entries: {time.monotonic() - started:.0f} s"
        )
        compare(world, {"small": f"sqlite:///{folder / 'small.db'}", "large": f"sqlite:///{folder / 'previsit.db'}"})


def both(folder: Path, people: int, entries: int) -> World:
    """The small clinic (small.db) and the large one (previsit.db) in a folder."""
    world = build(folder, f"sqlite:///{folder / 'previsit.db'}", many=2)
    db.dispose()
    with sqlite3.connect(folder / "previsit.db") as file, sqlite3.connect(folder / "small.db") as copy:
        file.backup(copy)
    (folder / "world.pickle").write_bytes(pickle.dumps((world.people, world.things)))
    world.connect()
    clinic.grow(world, people, entries)
    db.dispose()
    return world


def found_at(folder: Path) -> World:
    """The world that was made in a folder before."""
    app = portal.create_app(make.settings(folder, f"sqlite:///{folder / 'small.db'}"))
    people, things = pickle.loads((folder / "world.pickle").read_bytes())
    return World(app, f"sqlite:///{folder / 'small.db'}", people, things)


@contextmanager
def counted(cost: Cost) -> Iterator[None]:
    """Statements, and the rows that came back."""

    def note(_connection: object, cursor: Any, statement: str, *_: object) -> None:
        cost.statements += 1

    engine = db.engine()
    event.listen(engine, "after_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "after_cursor_execute", note)


def compare(world: World, databases: dict[str, str], only: str = "") -> dict[str, tuple[float, float]]:
    """Each page at each clinic in turn; a line each, and the goal for the worst."""
    pages = [
        (way, insiders(way, KNOWN)[0], more)
        for way in ways(world.app, "GET")
        for more in ("", *SEARCHES.get(way.endpoint, ()))
    ]
    pages = [each for each in pages if each[0].endpoint not in SPOKEN_TO and (not only or only in str(each[0]))]
    costs: dict[str, dict[str, Cost]] = {}
    for name, address in [*databases.items()] * ROUNDS:
        world.database = address
        db.dispose()
        world.connect()
        for way, visitor, more in pages:
            cost = costs.setdefault(f"{way.rule}{more}", {}).setdefault(name, Cost())
            ask(world, way, visitor, more, cost)
    db.dispose()
    small, large = databases
    ratios = {page: (found[small].middle, found[large].middle) for page, found in costs.items()}
    told(f"{'page':52}{small:>10}{large:>10}   ×   statements")
    for page, (one, other) in sorted(ratios.items(), key=lambda each: -each[1][1] / each[1][0]):
        said = f"{costs[page][small].statements} → {costs[page][large].statements}"
        told(f"{page:52}{one:8.1f}ms{other:8.1f}ms{other / one:6.2f} {said}")
    grown = {page: other / one for page, (one, other) in ratios.items() if other - one > LEAST}
    goal("the page that grows most with the clinic", max(grown.values(), default=1.0), MOST)
    return ratios


def ask(world: World, way: Way, visitor: Visitor, more: str, cost: Cost) -> None:
    client, path = world.client(visitor), way.path(world, visitor) + more
    first = not cost.cpu
    if first:
        client.get(path)
    spent = clock()
    client.get("/pulse")
    before = spent()
    if first:
        with counted(cost):
            answer = client.get(path)
    else:
        answer = client.get(path)
    cost.cpu.append(spent() - before)
    assert answer.status_code < 400, f"{path}: {answer.status_code}"


def clock() -> Callable[[], float]:
    """Processor time so far: of this process, and of PostgreSQL's for its connections."""
    if make_url(str(db.engine().url)).get_backend_name() == "sqlite":
        return time.process_time
    mine = list(session().scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")))
    db.close()

    def both() -> float:
        return time.process_time() + sum(time.clock_gettime((~pid << 3) | 2) for pid in mine)

    return both


if __name__ == "__main__":
    from argon2 import PasswordHasher

    from portal.accounts import passwords

    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    at = Path(sys.argv[1])
    if not (at / "world.pickle").exists():
        both(at, int(sys.argv[2]), int(sys.argv[3]))
    compare(
        found_at(at),
        {"small": f"sqlite:///{at / 'small.db'}", "large": f"sqlite:///{at / 'previsit.db'}"},
        *sys.argv[2:3],
    )
