"""The worker: a few hands that take one item after the other, the periodic jobs beside them, and a quiet end at SIGTERM."""

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import SystemRandom
from time import monotonic

import structlog

from portal import db
from portal.delivery.sender import send_next
from portal.delivery.tools import Tools

log = structlog.get_logger()
Engine = Callable[[threading.Event], None]
"""something else than our own hands that takes item after item, until the event is set"""
random = SystemRandom().random


@dataclass(frozen=True)
class Job:
    """Something to do every `every` seconds; what it raises is logged and it is tried again next time."""

    name: str
    every: float
    run: Callable[[], object]


@dataclass(frozen=True)
class Pace:
    """Seconds: `idle` between two looks into an empty outbox, `drain` the longest wait for work in hand at the end."""

    hands: int = 2
    idle: float = 1.0
    drain: float = 25.0


def run(
    tools: Tools, stop: threading.Event, jobs: Sequence[Job] = (), pace: Pace = Pace(), engine: Engine | None = None
) -> bool:
    """Work until `stop` is set, then finish what is in hand. True when everything came to its end within `pace.drain`.

    What did not is safe: its lease runs out and the next worker looks at the server first.
    """
    hands = (
        [threading.Thread(target=engine, args=(stop,), name="engine", daemon=True)]
        if engine
        else [
            threading.Thread(target=_hand, args=(tools, stop, pace), name=f"hand-{number}", daemon=True)
            for number in range(pace.hands)
        ]
    )
    chores = [threading.Thread(target=_chore, args=(job, stop), name=job.name, daemon=True) for job in jobs]
    for thread in [*hands, *chores]:
        thread.start()
    stop.wait()
    until = monotonic() + pace.drain
    for thread in [*hands, *chores]:
        thread.join(max(0.0, until - monotonic()))
    return not any(thread.is_alive() for thread in [*hands, *chores])


def stop_at_signals(stop: threading.Event) -> None:
    """SIGTERM and SIGINT end the worker quietly."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


def _hand(tools: Tools, stop: threading.Event, pace: Pace) -> None:
    while not stop.is_set():
        if not turn(tools):
            stop.wait(pace.idle * (0.5 + random()))


def turn(tools: Tools, only: str | None = None) -> bool:
    """One turn; False when there was nothing to do, or the database would not have us just now."""
    try:
        return send_next(tools, only) is not None
    except Exception as fault:
        log.error("worker turn failed", fault=type(fault).__name__)
        return False
    finally:
        db.close()


def _chore(job: Job, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            job.run()
        except Exception as fault:
            log.error("job failed", job=job.name, fault=type(fault).__name__)
        finally:
            db.close()
        stop.wait(job.every * (0.9 + random() / 5))
