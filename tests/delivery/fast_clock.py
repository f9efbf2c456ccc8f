"""A clock for the soak: runs faster than ours, the same in every process, and skips the time in which nobody does anything."""

import multiprocessing
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import session
from portal.delivery.claim import due
from portal.delivery.models import Endpoint, OutboxItem
from portal.delivery.states import OPEN
from portal.delivery.timing import Timing

from .proxy import Plan


class Clock:
    """Runs `speed` times as fast as ours, and jumps ahead when told to; the same in every process."""

    def __init__(self, speed: float) -> None:
        self.speed, self.began, self.base = speed, time.monotonic(), datetime.now(UTC)
        self.ahead: Any = multiprocessing.get_context("forkserver").Value("d", 0.0)

    def passed(self) -> float:
        return (time.monotonic() - self.began) * self.speed + float(self.ahead.value)

    def now(self) -> datetime:
        return self.base + timedelta(seconds=self.passed())

    def mark(self) -> list[Any]:
        return ["soak", self.passed()]

    def jump(self, seconds: float) -> None:
        with self.ahead.get_lock():
            self.ahead.value += seconds


class Skipper(threading.Thread):
    """While nobody works and nothing is due, time goes on to shortly before the next date that somebody waits for.

    Never while the proxy still carries something: the server keeps its processing bound.
    """

    def __init__(self, clock: Clock, plan: Plan) -> None:
        super().__init__(daemon=True)
        self.clock, self.plan, self.done = clock, plan, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.03):
            try:
                if not self.plan.busy:
                    self.clock.jump(self._idle())
            except DBAPIError:
                continue
            finally:
                db.close()

    def _idle(self) -> float:
        """Seconds that nobody would notice."""
        current, at = session(), self.clock.now()
        open_ = OutboxItem.state.in_([state.value for state in OPEN])
        if current.scalar(select(OutboxItem.id).where(open_, OutboxItem.leased_until.is_not(None)).limit(1)):
            return 0
        if current.scalar(due(at, Timing()).with_only_columns(OutboxItem.id).limit(1)):
            return 0
        ahead = [
            current.scalar(select(func.min(column)).where(column > at, *more))
            for column, *more in ((OutboxItem.next_at, open_), (Endpoint.open_until,), (Endpoint.probing_until,))
        ]
        left = min((moment - at).total_seconds() for moment in (*ahead, at + timedelta(hours=1)) if moment)
        return left - 20 if left > 60 else min(left, 5)
