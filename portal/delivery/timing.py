"""How long delivery waits: leases, the server's processing bound, backoff with jitter, the breaker's pauses.  Pure."""

from dataclasses import dataclass
from datetime import timedelta

HOUR = 3600.0


@dataclass(frozen=True)
class Timing:
    """Seconds. `send` is the longest one call of the client may take (token, request, one repeat after a 401);
    `lease` exceeds it: a worker opens no socket later than lease - send after its claim."""

    lease: float = 300
    send: float = 240
    bound: float = 120
    first: float = 30
    longest: float = HOUR
    give_up: float = 72 * HOUR
    pause_first: float = 5
    pause_longest: float = 300
    silences_to_open: int = 3
    unfit_checks_to_hold: int = 3
    crashes_to_hold: int = 5

    @property
    def settled(self) -> timedelta:
        """After a mark "sending", when no worker can still be writing and the server has had its bound."""
        return timedelta(seconds=self.lease + self.bound)

    @property
    def horizon(self) -> timedelta:
        """No date of ours lies farther ahead; one that does was written by a clock that ran wrong, and counts as past."""
        return timedelta(seconds=2 * max(self.longest, self.lease + self.bound))


def backoff(tries: int, jitter: float, timing: Timing) -> timedelta:
    """The wait after the `tries`-th failure: 30 s doubling to 1 h, of which `jitter` (0–1) takes away up to half."""
    return timedelta(seconds=_doubling(tries, timing.first, timing.longest) * (1 - jitter / 2))


def pause(failures: int, jitter: float, timing: Timing) -> timedelta:
    """How long a server that does not answer is left alone after its `failures`-th silence in a row."""
    return timedelta(seconds=_doubling(failures, timing.pause_first, timing.pause_longest) * (1 - jitter / 4))


def _doubling(count: int, first: float, longest: float) -> float:
    return min(longest, first * 2.0 ** min(max(count, 1) - 1, 30))
