"""The kill harness: real workers killed with SIGKILL at every step boundary, restarted, and everything counted.

    python -m tests.delivery.kill --runs 50                  12 points x 50 runs on each database that is there
    python -m tests.delivery.kill --runs 5 --variant blind   one precaution taken out (see killing.VARIANTS): must be caught

After the sound worker each broken variant runs a few times; one that the harness does not notice fails the whole.

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

from .killing import BROKEN, POINTS, RELEASES, VARIANTS, Case, Result, broken, forking, run


def databases() -> list[str]:
    return ["sqlite", *(["postgresql"] if os.environ.get("PREVISIT_TEST_POSTGRES") else [])]


def cases(runs: int, points: tuple[str, ...] = POINTS) -> list[Case]:
    releases = itertools.cycle(RELEASES)
    return [
        Case(database, point, next(releases), number=number)
        for number, database, point in itertools.product(range(runs), databases(), points)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--variant", choices=sorted(VARIANTS), help="only this one")
    parser.add_argument("--points", nargs="*", default=list(POINTS))
    chosen = parser.parse_args()
    with ProcessPoolExecutor(chosen.jobs, mp_context=forking()) as pool:
        code = 0
        if chosen.variant in (None, "sound"):
            code = sound(pool, chosen.runs, tuple(chosen.points))
        for variant in BROKEN:
            if chosen.variant in (None, variant):
                code |= caught(pool, variant, chosen.runs if chosen.variant else 3)
    return code


def sound(pool: ProcessPoolExecutor, runs: int, points: tuple[str, ...]) -> int:
    began = datetime.now(UTC)
    planned = cases(runs, points)
    print(f"{len(planned)} runs: {len(points)} points x {runs} x {', '.join(databases())}", flush=True)
    if "postgresql" not in databases():
        print("PostgreSQL is left out: PREVISIT_TEST_POSTGRES is not set.", flush=True)
    table: dict[str, Counter[str]] = {point: Counter() for point in points}
    for result in pool.map(run, planned):
        tally(table[result.case.point], result)
        if not result.sound:
            print(json.dumps(asdict(result)), flush=True)
    return report(table, (datetime.now(UTC) - began).total_seconds())


def caught(pool: ProcessPoolExecutor, variant: str, runs: int) -> int:
    """0 when every run without the precaution doubled: the suite's rule, `Result.caught`."""
    planned = [broken(variant, database, number) for number in range(runs) for database in databases()]
    results = list(pool.map(run, planned))
    noticed = sum(result.caught for result in results)
    lies = sum(bool(result.false) for result in results)
    print(
        f"without a precaution ({variant}): {noticed} of {len(results)} runs caught (doubled), {lies} told falsely too",
        flush=True,
    )
    for result in results:
        if not result.caught:
            print(json.dumps(asdict(result)), flush=True)
    return 0 if noticed == len(results) else 1


COLUMNS = ("runs", "lost", "doubled", "false", "unreached", "unfinished")


def tally(row: Counter[str], result: Result) -> None:
    row["runs"] += 1
    row["lost"] += result.lost
    row["doubled"] += result.doubled
    row["false"] += bool(result.false)
    row["unreached"] += not result.reached
    row["unfinished"] += not result.finished


def report(table: dict[str, Counter[str]], seconds: float) -> int:
    print(f"{'killed at':<12}" + "".join(f"{column:>12}" for column in COLUMNS))
    for point, row in table.items():
        print(f"{point:<12}" + "".join(f"{row[column]:>12}" for column in COLUMNS))
    total = sum(table.values(), Counter())
    print(f"{'all':<12}" + "".join(f"{total[column]:>12}" for column in COLUMNS) + f"   in {seconds:.0f} s")
    broken_runs = sum(total[column] for column in COLUMNS[1:])
    print(f"{total['lost']} lost, {total['doubled']} doubled, {total['false']} false.", flush=True)
    return 0 if not broken_runs else 1


if __name__ == "__main__":
    sys.exit(main())
