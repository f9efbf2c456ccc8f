"""The worker as a whole: several hands, periodic jobs, a quiet end."""

import threading
import time
from collections.abc import Iterator

import pytest

from portal import db
from portal.delivery import service, worker
from portal.delivery.states import State
from portal.delivery.tools import Passage, Tools
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire

from .gated import Clinic, running
from .make import Place, another_patient, queue


@pytest.fixture
def server() -> Clinic:
    return Clinic(promise=1)


@pytest.fixture
def tools(server: Clinic) -> Iterator[Tools]:
    with running(server) as base:
        client = FhirClient(base, Wire(base), None, Limits(connect=1, read=3, total=4))
        yield Tools(gate=lambda _item: Passage(True), clients=lambda _clinic: client)


def test_several_hands_deliver_everything_once(clinic: Place, server: Clinic, tools: Tools) -> None:
    items = [queue(clinic, patient_id=another_patient(clinic, f"p{n}")).submission_id for n in range(12)]
    db.close()
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(tools, stop, (), worker.Pace(hands=3, idle=0.02)))
    thread.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and server.commits < 12:
        time.sleep(0.05)
    time.sleep(0.2)
    stop.set()
    thread.join(10)
    found = [service.status_of(submission) for submission in items]
    assert {status.state for status in found if status} == {State.CONFIRMED}
    assert set(server.keys().values()) == {1} and server.writes == 12


def test_work_in_hand_is_finished_when_the_worker_is_told_to_stop(clinic: Place, server: Clinic, tools: Tools) -> None:
    submission = queue(clinic).submission_id
    db.close()
    server.hold = 1
    stop, ended = threading.Event(), []
    thread = threading.Thread(target=lambda: ended.append(worker.run(tools, stop, (), worker.Pace(idle=0.02))))
    thread.start()
    assert server.received.wait(10)
    stop.set()
    server.release()
    thread.join(10)
    assert ended == [True]
    status = service.status_of(submission)
    assert status and status.state is State.CONFIRMED


def test_a_worker_that_cannot_finish_says_so_in_time(clinic: Place, server: Clinic, tools: Tools) -> None:
    queue(clinic)
    db.close()
    server.hold, server.promise = 1, 3
    stop, ended = threading.Event(), []
    thread = threading.Thread(
        target=lambda: ended.append(worker.run(tools, stop, (), worker.Pace(idle=0.02, drain=0.3)))
    )
    thread.start()
    assert server.received.wait(10)
    began = time.monotonic()
    stop.set()
    thread.join(10)
    assert ended == [False] and time.monotonic() - began < 2
    server.release()
    time.sleep(0.5)  # the hand that was left behind ends before its database goes


def test_a_job_that_fails_is_tried_again_and_stops_nobody(clinic: Place, tools: Tools) -> None:
    ran: list[int] = []

    def job() -> None:
        ran.append(1)
        raise RuntimeError

    stop = threading.Event()
    jobs = [worker.Job("calendar", 0.02, job)]
    thread = threading.Thread(target=worker.run, args=(tools, stop, jobs, worker.Pace(idle=0.02)))
    thread.start()
    until = time.monotonic() + 10
    while time.monotonic() < until and len(ran) < 3:
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert len(ran) >= 3 and not thread.is_alive()
