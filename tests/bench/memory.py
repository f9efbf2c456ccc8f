"""Memory of the portal: at rest, and with every form that comes along loaded and drawn."""

from __future__ import annotations

import time

from tests.bench import running
from tests.bench.figures import goal, told


def run() -> None:
    with running.running() as portal:
        time.sleep(2)  # what is loaded at the start has been loaded
        idle = running.memory(portal.watching) + running.memory(portal.serving)
        goal("memory at rest, portal in two processes", idle, 120, unit="MB")
        told(f"worker at rest {running.memory(portal.working):.0f} MB")
        patient = running.signed_in(portal.url, running.PATIENT)
        for asked in portal.asked:
            answer = patient.get(portal.form(asked.name))
            assert answer.ok, (asked, answer.status_code)
        goal(
            f"memory of a serving process with {len(portal.asked)} forms loaded",
            running.memory(portal.serving),
            200,
            unit="MB",
        )
