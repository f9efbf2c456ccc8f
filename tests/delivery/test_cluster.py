"""The cluster: several worker processes woken by procrastinate on PostgreSQL; workers and broker killed and started again."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from portal import db
from portal.db import new_id
from portal.delivery import wakes
from portal.delivery.cluster import engine
from portal.delivery.states import OPEN, State
from portal.delivery.tools import Passage, Tools
from portal.delivery.worker import Pace
from portal.errors import Misconfigured

from . import conftest as _tables  # noqa: F401  (every model)
from .broker import Broker, broker, programs
from .clustering import SHORT, Machines, confirmed, counts, until
from .gated import Clinic, running
from .killing import KEYS
from .make import URN, Hands, Place, another_patient, bundle, created, place, queue, response

pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.skipif(
        programs() is None and "PREVISIT_REQUIRE_ALL" not in os.environ, reason="PostgreSQL is not installed here"
    ),
]


@pytest.fixture(scope="module")
def server_of_our_own() -> Iterator[Broker]:
    with broker() as made:
        yield made


@pytest.fixture
def cluster(server_of_our_own: Broker) -> Iterator[str]:
    """A database with our tables and the engine."""
    admin = server_of_our_own.url
    name = f"cluster_{new_id()}"
    url = admin.replace("/postgres", f"/{name}")
    _say(admin, f"CREATE DATABASE {name}")
    db.connect(url, KEYS)
    db.migrate()
    wakes.arrange("procrastinate")
    yield url
    db.dispose()


def _say(url: str, statement: str) -> None:
    db.connect(url, KEYS)
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    db.dispose()


def _jobs(column: str = "queueing_lock") -> list[str]:
    with db.engine().connect() as connection:
        return list(
            connection.scalars(
                text(f"SELECT {column} FROM procrastinate.procrastinate_jobs WHERE status = 'todo' ORDER BY id")
            )
        )


class Line:
    """Accepts answers of many patients, and remembers under which keys they must be found."""

    def __init__(self, patients: int) -> None:
        self.place = place("p0")
        self.people = [(self.place.patient_id, "p0")]
        self.people += [(another_patient(self.place, f"p{n}"), f"p{n}") for n in range(1, patients)]
        self.submissions: list[str] = []
        self.keys: list[str] = []

    def accept(self, count: int, seed: int = 0) -> None:
        for patient_id, fhir_id in Random(seed).choices(self.people, k=count):
            key = new_id()
            item = queue(self.place, bundle(created(response(fhir_id, key))), patient_id=patient_id)
            self.submissions.append(item.submission_id)
            self.keys.append(f"{URN}|{key}")
        db.close()


def test_workers_and_broker_are_killed_and_nothing_is_lost_doubled_or_told_falsely(
    cluster: str, server_of_our_own: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic, line = Clinic(promise=0.3), Line(12)
    with running(clinic) as base:
        machines = Machines(cluster, base, tmp_path / "trace")
        try:
            line.accept(10, 1)
            machines.start(3)
            assert until(lambda: clinic.commits >= 3)
            clinic.lose, clinic.hold = 1, 1
            machines.kill()
            machines.start()
            line.accept(10, 2)
            assert until(lambda: clinic.commits >= 12)
            with db.engine().connect() as connection:  # the broker's connections, ours too
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            line.accept(10, 3)
            assert until(lambda: clinic.commits >= 22)
            server_of_our_own.crash()
            server_of_our_own.start()
            db.engine().dispose()
            line.accept(10, 4)
            machines.kill()
            machines.start()
            finished = until(lambda: confirmed(line.submissions) == len(line.submissions), 60)
        finally:
            machines.end()
        found = counts(clinic, line.submissions, line.keys)
        with capsys.disabled():
            print(f"\ncluster: {found}, {clinic.writes} writes by {len(machines.worked())} workers")
        assert finished
        assert found == {"accepted": 40, "lost": 0, "doubled": 0, "false": 0}
        assert len(machines.worked()) >= 3, "one worker did it all"


def test_an_acceptance_wakes_a_worker_without_any_sweep_and_a_patients_line_goes_on_by_itself(
    cluster: str, tmp_path: Path
) -> None:
    clinic, line = Clinic(), Line(2)
    with running(clinic) as base:
        machines = Machines(cluster, base, tmp_path / "trace", sweep=None)
        try:
            machines.start()
            assert until(lambda: _workers() == 1)
            line.accept(6, 5)
            assert until(lambda: confirmed(line.submissions) == 6)
        finally:
            machines.end()
        assert counts(clinic, line.submissions, line.keys) == {"accepted": 6, "lost": 0, "doubled": 0, "false": 0}
        assert _jobs() == []


def _workers() -> int:
    with db.engine().connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM procrastinate.procrastinate_workers")) or 0)


def test_a_wake_stands_or_falls_with_the_acceptance_and_carries_nothing_but_the_items_id(cluster: str) -> None:
    at = place()
    with pytest.raises(RuntimeError), db.transaction():
        queue(at)
        raise RuntimeError
    assert _jobs() == []
    item = queue(at)
    assert _jobs() == [item.id]
    assert _jobs("args::text") == [f'{{"item_id": "{item.id}"}}']


def test_an_engine_that_is_broken_stops_no_acceptance_and_the_sweep_makes_up_for_what_it_missed(cluster: str) -> None:
    at: Place = place()
    _change("ALTER TABLE procrastinate.procrastinate_jobs RENAME TO gone")
    item_id = queue(at).id
    db.close()
    _change("ALTER TABLE procrastinate.gone RENAME TO procrastinate_jobs")
    assert _jobs() == []
    assert wakes.sweep(Hands().clock, SHORT) == 1
    assert wakes.sweep(Hands().clock, SHORT) == 1
    assert _jobs() == [item_id], "one wake is enough"


def _change(statement: str) -> None:
    with db.engine().begin() as connection:
        connection.execute(text(statement))


def test_installing_twice_changes_nothing_and_with_the_engine_off_nothing_is_woken(cluster: str) -> None:
    wakes.arrange("procrastinate")
    queue(place())
    db.close()
    assert len(_jobs()) == 1
    wakes.arrange("own")
    queue(place("pat-2"))
    assert len(_jobs()) == 1
    wakes.arrange("procrastinate")
    assert wakes.sweep(Hands().clock, SHORT) == 2
    assert len(_jobs()) == 2


def test_a_step_of_procrastinate_that_came_later_is_taken_once(cluster: str) -> None:
    name = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
    _change(f"DELETE FROM procrastinate.previsit_steps WHERE name = '{name}'")
    _change("CREATE TABLE procrastinate.untouched (id int)")
    wakes.arrange("procrastinate")
    with db.engine().connect() as connection:
        assert connection.scalar(text(f"SELECT count(*) FROM procrastinate.previsit_steps WHERE name = '{name}'")) == 1


def test_whoever_may_work_the_outbox_may_run_the_engine_and_nobody_else_sees_it(cluster: str) -> None:
    worker, reader = f"worker_{new_id()}", f"reader_{new_id()}"
    for role in (worker, reader):
        _change(f"CREATE ROLE {role}")
        _change(f"GRANT SELECT ON outbox_items TO {role}")
    _change(f"GRANT UPDATE ON outbox_items TO {worker}")
    wakes.arrange("procrastinate")
    with db.engine().connect() as connection:
        may = {
            role: (
                connection.scalar(text(f"SELECT has_schema_privilege('{role}', 'procrastinate', 'USAGE')")),
                connection.scalar(
                    text(f"SELECT has_table_privilege('{role}', 'procrastinate.procrastinate_jobs', 'UPDATE')")
                ),
            )
            for role in (worker, reader)
        }
    assert may == {worker: (True, True), reader: (False, False)}


def test_the_trigger_knows_the_same_open_states_as_the_worker() -> None:
    named = {frozenset(re.findall(r"'([a-z-]+)'", found)) for found in re.findall(r"IN \(([^)]*)\)", _sql())}
    assert named == {frozenset(state.value for state in OPEN)}
    assert f"'{State.HELD.value}'" in _sql()


def _sql() -> str:
    return "\n".join(line for line in wakes.OURS.read_text().splitlines() if "grantee" not in line)


def test_without_the_package_the_worker_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "procrastinate", None)
    tools = Tools(gate=lambda _: Passage(True), clients=lambda _: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(Misconfigured, match=r"previsit\[cluster\]"):
        engine("postgresql+psycopg://nobody@127.0.0.1/none", tools, Pace())
