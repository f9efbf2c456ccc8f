"""The kill harness: real workers killed with SIGKILL at every step boundary, restarted, and everything counted.

    python -m tests.delivery.kill --runs 50                  12 points x 50 runs on each database that is there
    python -m tests.delivery.kill --runs 5 --variant blind   conditional create without read-back: must be caught

The server's commit is gated by the harness (see gated.py), never slept: a timed test hides the very bug it looks for.
"""

import argparse
import itertools
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime

from .killing import POINTS, RELEASES, VARIANTS, Case, Result, forking, run


def databases() -> list[str]:
    return ["sqlite", *(["postgresql"] if os.environ.get("PREVISIT_TEST_POSTGRES") else [])]


def cases(runs: int, variant: str, points: tuple[str, ...] = POINTS) -> list[Case]:
    releases = itertools.cycle(RELEASES if variant == "sound" else ("late",))
    return [
        Case(database, point, next(releases), variant, number=number)
        for number, database, point in itertools.product(range(runs), databases(), points)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="sound")
    parser.add_argument("--points", nargs="*", default=list(POINTS))
    chosen = parser.parse_args()
    began = datetime.now(UTC)
    planned = cases(chosen.runs, chosen.variant, tuple(chosen.points))
    print(f"{len(planned)} runs: {len(chosen.points)} points x {chosen.runs} x {', '.join(databases())}", flush=True)
    if "postgresql" not in databases():
        print("PostgreSQL is left out: PREVISIT_TEST_POSTGRES is not set.", flush=True)
    table: dict[str, Counter[str]] = {point: Counter() for point in chosen.points}
    with ProcessPoolExecutor(chosen.jobs, mp_context=forking()) as pool:
        for result in pool.map(run, planned):
            tally(table[result.case.point], result)
            if not result.sound:
                print(json.dumps(asdict(result)), flush=True)
    return report(table, chosen.variant, (datetime.now(UTC) - began).total_seconds())


COLUMNS = ("runs", "lost", "doubled", "false", "unreached", "unfinished")


def tally(row: Counter[str], result: Result) -> None:
    row["runs"] += 1
    row["lost"] += result.lost
    row["doubled"] += result.doubled
    row["false"] += bool(result.false)
    row["unreached"] += not result.reached
    row["unfinished"] += not result.finished


def report(table: dict[str, Counter[str]], variant: str, seconds: float) -> int:
    print(f"{'killed at':<12}" + "".join(f"{column:>12}" for column in COLUMNS))
    for point, row in table.items():
        print(f"{point:<12}" + "".join(f"{row[column]:>12}" for column in COLUMNS))
    total = sum(table.values(), Counter())
    print(f"{'all':<12}" + "".join(f"{total[column]:>12}" for column in COLUMNS) + f"   in {seconds:.0f} s")
    broken = sum(total[column] for column in COLUMNS[1:])
    if variant == "blind":
        print("The broken variant was caught." if total["doubled"] else "THE BROKEN VARIANT WAS NOT CAUGHT.")
        return 0 if total["doubled"] else 1
    print("0 lost, 0 doubled, 0 false." if not broken else "NOT SOUND.")
    return 0 if not broken else 1


if __name__ == "__main__":
    sys.exit(main())
