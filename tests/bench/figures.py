"""How figures are taken and printed: processor time, medians, one line each with its goal."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

TOLD: list[tuple[str, bool]] = []
"""Every goal told so far, and whether it was met."""


def goal(what: str, found: float, bound: float, *, unit: str = "×", least: bool = False) -> None:
    """One line: the figure, the goal, met or not. `least`: the figure should be as large as the bound."""
    met = found >= bound if least else found <= bound
    TOLD.append((what, met))
    sign = "≥" if least else "≤"
    print(
        f"{what:74}{shown(found):>9} {unit:3} goal {sign} {shown(bound):>7} {unit:3} {'met' if met else 'NOT MET'}",
        flush=True,
    )


def told(text: str) -> None:
    """A line without a goal."""
    print(f"  {text}", flush=True)


def shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def median_cpu(run: Callable[[], Any], rounds: int = 7) -> float:
    """Milliseconds of processor time of this process, after one run that does not count."""
    run()
    taken = []
    for _ in range(rounds):
        before = time.process_time()
        run()
        taken.append(time.process_time() - before)
    return statistics.median(taken) * 1000
