"""`python -m tests.authoring.coverage`: how many public cases of each suite the commands meet, and why not the others."""

from __future__ import annotations

from collections import Counter

from tests.authoring.not_honoured import reason
from tests.authoring.suites import Case, every


def table(cases: list[Case]) -> str:
    """Counts by suite, then each miss with its reason."""
    rows: dict[str, Counter[str]] = {}
    misses: list[str] = []
    for case in cases:
        differs = case.run()
        rows.setdefault(case.suite, Counter())["missed" if differs else "met"] += 1
        if differs:
            misses.append(f"  {case.key}: {reason(case.key) or 'NOT LISTED: ' + differs}")
    lines = [f"{'suite':32} {'met':>6} {'missed':>7}"]
    lines += [f"{suite:32} {row['met']:6} {row['missed']:7}" for suite, row in rows.items()]
    return "\n".join([*lines, "", "Missed, and why:", *misses])


if __name__ == "__main__":
    found = every()
    print(table(found) if found else "Set PORTAL_CORPUS to the folder of public cases to see this.")
