"""`python -m tests.consent [--cases 100000]`: the statement about consent (F9), counted: vectors, random consents, ways out.

Exits with 1 when anything differs, leaks or is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.consent.dice import difference
from tests.consent.test_pcf_vectors import VECTORS as PCF

HERE = Path(__file__).resolve().parent
VECTORS = ("test_pcf_vectors.py", "test_edge_vectors.py", "test_redaction.py", "test_service.py", "test_superseding.py")
WAYS_OUT = ("test_f9.py", "test_sinks.py")
EDGES = frozenset(range(1, 38))
MOST_SHOWN = 3


def chunk(cases: range) -> tuple[Counter[str], list[object]]:
    met: Counter[str] = Counter()
    wrong: list[object] = []
    for case in cases:
        expected, found = difference(case)
        met[expected] += 1
        if found is not None:
            wrong.append(found)
    return met, wrong[:MOST_SHOWN]


def random_consents(cases: int) -> bool:
    """The portal beside the reference; prints the counts."""
    started, met, wrong = time.perf_counter(), Counter[str](), list[object]()
    parts = [range(first, min(first + 1000, cases)) for first in range(0, cases, 1000)]
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        for counted, found in pool.map(chunk, parts):
            met += counted
            wrong += found
    took = time.perf_counter() - started
    print(
        f"random consents: {sum(met.values())} ({met['permit']} permit, {met['deny']} deny), {len(wrong)} differences, {took:.0f} s"
    )
    for each in wrong[:MOST_SHOWN]:
        print(f"  {each}")
    return not wrong and sum(met.values()) == cases


def tests(title: str, files: tuple[str, ...], *options: str) -> bool:
    """Run these files and print whether all passed (none at all is a failure), and what they count themselves."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        *options,
        *(str(HERE / each) for each in files),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent.parent)
    counted = [
        line for line in answer.stdout.splitlines() if re.search(r"\d.*(ways out|consents: |takes effect|mails)", line)
    ]
    print(f"{title}: {'all passed' if answer.returncode == 0 else 'failed'}")
    for line in counted:
        print(f"  {line.lstrip('. sx')}")
    if answer.returncode:
        print(answer.stdout[-4000:], answer.stderr[-2000:])
    return answer.returncode == 0


def all_vectors() -> bool:
    """Every vector of the bar has a test that bears its number: P01 to P23 as a table, E01 to E37 by name."""
    names = " ".join(
        re.findall(r"def test_(e\d\d(?:_to_e\d\d)?)", "".join((HERE / each).read_text() for each in VECTORS))
    )
    found = {int(each) for each in re.findall(r"e(\d\d)", names)}
    for first, last in re.findall(r"e(\d\d)_to_e(\d\d)", names):
        found |= set(range(int(first), int(last) + 1))
    table = {row[0] for row in PCF}
    missing = sorted(EDGES - found)
    print(
        f"vectors: {len(table)} of PCF and {len(EDGES & found)} of our own{f', missing: {missing}' if missing else ''}"
    )
    return len(table) == 23 and not missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    cases = parser.parse_args().cases
    held = [all_vectors(), tests("their tests", VECTORS), random_consents(cases), tests("ways out", WAYS_OUT)]
    print("F9 holds" if all(held) else "F9 does not hold")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
