"""The chaos soak: thousands of deliveries through a proxy that loses, delays, doubles, cuts and garbles, and a three-day outage.

python -m tests.delivery.soak                       10,000 submissions on each database that is there
python -m tests.delivery.soak --submissions 500     a shorter one
"""

import argparse
import sys
import tempfile
from pathlib import Path

from .kill import databases
from .soaking import Report, Soak, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speed", type=float, default=Soak.speed)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", nargs="*", default=databases())
    chosen = parser.parse_args()
    reports = []
    for database in chosen.databases:
        soak = Soak(
            database,
            chosen.submissions,
            patients=max(10, chosen.submissions // 5),
            workers=chosen.workers,
            speed=chosen.speed,
            seed=chosen.seed,
            patience=60 + chosen.submissions,
        )
        with tempfile.TemporaryDirectory() as folder:
            reports.append(run(soak, Path(folder)))
        print(said(reports[-1]), flush=True)
    return 0 if all(report.sound for report in reports) else 1


def said(report: Report) -> str:
    """The counts, in three lines."""
    faults = sum(count for name, count in report.faults.items() if name != "none")
    return (
        f"soak on {report.soak.database}: {report.accepted} accepted, {report.confirmed} confirmed, {report.withheld} withheld, "
        f"{report.lost} lost, {report.doubled} doubled, {sum(report.false.values())} told falsely in {report.looks} looks\n"
        f"  {report.altered} altered, {report.unpermitted} sent without permission, {report.stray} stray, "
        f"{report.unfinished} unfinished, sent again by a clerk: {dict(report.resent)}, {report.busy} times too busy to accept\n"
        f"  {faults} of {sum(report.faults.values())} requests broken: {dict(report.faults)}; {report.seconds} s\n"
        f"  {'SOUND' if report.sound else f'NOT SOUND {dict(report.false)}'}"
    )


if __name__ == "__main__":
    sys.exit(main())
