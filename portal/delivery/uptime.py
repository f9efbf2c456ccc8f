"""Time that no clock change moves: seconds since this machine booted, comparable between its processes."""

from datetime import datetime
from functools import cache
from pathlib import Path
from time import CLOCK_MONOTONIC, clock_gettime
from typing import Any

Mark = list[Any]
"""[boot id, seconds since boot]; kept in an event's detail"""


@cache
def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def seconds() -> float:
    return clock_gettime(CLOCK_MONOTONIC)


def mark() -> Mark:
    return [_boot(), round(seconds(), 3)]


def since(marked: Mark | None, at: datetime, here: Mark, now: datetime) -> float:
    """Seconds since something happened: by the machine's own counter while it is the same boot, else from `at` to `now`."""
    if marked and marked[0] and marked[0] == here[0]:
        return float(here[1]) - float(marked[1])
    return (now - at).total_seconds()
