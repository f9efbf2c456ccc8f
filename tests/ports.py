"""Ports for servers of the tests: outside the range that outgoing connections take theirs from, so that nobody comes between."""

from __future__ import annotations

import random
import socket
from functools import cache

RANGE = range(10_000, 32_000)
HELD: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody holds; two tests at once do not get the same one but by a chance of 1 in 22,000."""
    for port in random.SystemRandom().sample(RANGE, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port between 10000 and 31999 is free")


@cache
def dead_port() -> int:
    """A port where nobody answers, now or later in this process: it is held, and never listened on."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", free_port()))
    HELD.append(holder)
    return int(holder.getsockname()[1])
