"""Prints what the engine makes of the public forms and cases, as Markdown: python -m tests.corpus.coverage."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from portal.questionnaire import report
from tests.corpus.corpus import ROOT, forms, read, registry
from tests.corpus.not_honoured import PAIRS, VALIDATION
from tests.corpus.test_validators import PAIR_CASES, VALIDATOR_CASES, verdict

MOST = 25


def reports() -> Iterator[dict[str, Any]]:
    for path in forms():
        try:
            yield report(read(path), file=path, registry=registry())
        except ValueError:
            yield {"file": path, "status": "unreadable", "reasons": []}


def rows(counted: Counter[str], heads: tuple[str, str]) -> list[str]:
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    return lines + [f"| {name} | {count} |" for name, count in counted.most_common(MOST)]


def suites() -> Iterator[str]:
    for name, listed, known in (("validators", VALIDATOR_CASES, VALIDATION), ("pairs", PAIR_CASES, PAIRS)):
        wanted = [(case, "valid" if case["verdict"] == "presumed-valid" else case["verdict"]) for case in listed]
        wanted = [(case, "invalid" if want.startswith("linkId-mismatch") else want) for case, want in wanted]
        passed = sum(verdict(case) == want for case, want in wanted)
        yield f"| {name} | {passed} of {len(wanted)} | {len(known)} explained in not_honoured.py |"


def main() -> int:
    if not ROOT.is_dir():
        print("set PORTAL_CORPUS to the folder of public forms", file=sys.stderr)
        return 2
    found = list(reports())
    status = Counter(one["status"] for one in found)
    opened = [one for one in found if one["status"] == "ok"]
    refused = Counter(one["reasons"][0]["code"] for one in found if one["status"] == "refused")
    used = Counter(feature for one in opened for feature in one["features"])
    missed = Counter(m["feature"] for one in opened for m in {m["feature"]: m for m in one["not_honoured"]}.values())
    print(
        f"{len(found)} forms: {status['ok']} open, {status['refused']} refused with a reason, {status['unreadable']} unreadable."
    )
    print(f"{sum(one['items'] for one in opened)} items on {sum(one['pages'] for one in opened)} pages.\n")
    for counted, heads in (
        (refused, ("refused for", "forms")),
        (used, ("feature", "forms")),
        (missed, ("not honoured", "forms")),
    ):
        print("\n".join(rows(counted, heads)), "\n")
    print("| suite | as expected | where we differ |\n|---|---|---|")
    print("\n".join(suites()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
