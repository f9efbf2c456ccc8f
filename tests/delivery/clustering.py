"""Workers of a cluster as real processes, and the counting of what they did."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from portal import db
from portal.delivery import cluster, service, wakes, worker
from portal.delivery.states import State
from portal.delivery.timing import Timing
from portal.delivery.tools import Passage, Tools
from portal.ehr.client import FhirClient
from portal.ehr.http import Limits, Wire

from .gated import Clinic
from .killing import KEYS, forking

SHORT = Timing(lease=1.5, send=1, bound=0.5, first=0.1, longest=0.5, pause_first=0.1, pause_longest=0.2)
PATIENT = replace(SHORT, lease=60)
"""without a sweep nothing may run out: what does is made up for by a sweep only, and a machine can stand still for a second"""


def work(url: str, base: str, trace: str, sweep: float | None) -> None:
    """One machine of the cluster: production code from the engine down. Writes its number into `trace` at each claim."""
    db.connect(url, KEYS)
    cluster.POLL, cluster.BEAT, cluster.DEAD, cluster.AGAIN = 0.2, 0.3, 1.0 if sweep else 60.0, 0.2
    limits = Limits(connect=0.5, read=0.9, total=0.9) if sweep else Limits(connect=20, read=20, total=20)
    client = FhirClient(base, Wire(base), None, limits)

    def checkpoint(step: str) -> None:
        if step == "claimed":
            with Path(trace).open("a") as held:
                held.write(f"{os.getpid()}\n")

    timing = SHORT if sweep else PATIENT
    tools = Tools(gate=lambda _: Passage(True), clients=lambda _: client, timing=timing, checkpoint=checkpoint)
    pace = worker.Pace(hands=2, drain=2)
    jobs = [worker.Job("wakes", sweep, lambda: wakes.sweep(tools.clock, tools.timing))] if sweep else []
    stop = threading.Event()
    worker.stop_at_signals(stop)
    worker.run(tools, stop, jobs, pace, cluster.engine(url, tools, pace))


class Machines:
    """The worker processes of one test; `end` leaves none behind."""

    def __init__(self, url: str, base: str, trace: Path, sweep: float | None = 0.3) -> None:
        self.arguments = (url, base, str(trace), sweep)
        self.trace = trace
        self.running: list[Any] = []

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            process = forking().Process(target=work, args=self.arguments, daemon=True)
            process.start()
            self.running.append(process)

    def kill(self) -> None:
        """The longest running one, at whatever it is doing."""
        process = self.running.pop(0)
        process.kill()
        process.join(5)

    def end(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.join(4)
            if process.is_alive():
                process.kill()
                process.join()

    def worked(self) -> set[str]:
        return set(self.trace.read_text().split()) if self.trace.exists() else set()


def until(condition: Callable[[], bool], patience: float = 30.0) -> bool:
    """Whether it came true; the database may be away meanwhile."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if condition():
                return True
        except Exception:
            time.sleep(0.1)
        finally:
            db.close()
        time.sleep(0.03)
    return False


def confirmed(submissions: list[str]) -> int:
    return sum(status.state is State.CONFIRMED for status in service.statuses_of(submissions).values())


def counts(server: Clinic, submissions: list[str], keys: list[str]) -> dict[str, int]:
    """What the server holds against what was accepted and what is told."""
    there = server.keys()
    told = service.statuses_of(submissions)
    pairs = list(zip(submissions, keys, strict=True))
    return {
        "accepted": len(submissions),
        "lost": sum(there[key] == 0 for _, key in pairs),
        "doubled": sum(there[key] > 1 for _, key in pairs),
        "false": sum((told[one].state is State.CONFIRMED) != (there[key] == 1) for one, key in pairs),
    }
