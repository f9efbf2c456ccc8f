"""`portal match FILE`: compares the pairs of a file and prints one JSON line a pair, and what came of it all on standard error."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from portal.errors import PortalError
from portal.review.agreement import compare
from portal.review.linkage import pairs
from portal.review.matching import Likeness, likeness, score

WRONG = (Likeness.SURE, "different")


def main(paths: Sequence[str], out: TextIO = sys.stdout, told: TextIO = sys.stderr) -> int:
    """0 when the files were read to their end, 2 with a sentence when they could not be read."""
    counted: Counter[tuple[Likeness, str | None]] = Counter()
    try:
        for pair in pairs(*map(Path, paths)):
            fields = compare(pair.one, pair.other)
            verdict = likeness(fields) if pair.compared else Likeness.UNLIKE
            counted[verdict, pair.truth] += 1
            line = {
                "pair": pair.name,
                "verdict": verdict,
                "score": score(fields),
                "fields": fields,
                "truth": pair.truth,
                "compared": pair.compared,
            }
            out.write(json.dumps(line) + "\n")
    except (OSError, UnicodeDecodeError, PortalError) as wrong:
        told.write(f"{' '.join(paths)} could not be read: {wrong}\n")
        return 2
    told.write(summary(counted))
    return 0


def summary(counted: Counter[tuple[Likeness, str | None]]) -> str:
    """Precision and recall of automatic ties, the share that a person looks at, and how many ties were wrong."""
    total = counted.total()
    tied = sum(number for (verdict, _), number in counted.items() if verdict is Likeness.SURE)
    right, wrong = counted[Likeness.SURE, "match"], counted[WRONG]
    true = sum(number for (_, truth), number in counted.items() if truth == "match")
    asked = sum(number for (verdict, _), number in counted.items() if verdict is Likeness.MAYBE)
    asked_right = counted[Likeness.MAYBE, "match"]
    missed = counted[Likeness.UNLIKE, "match"]
    return (
        f"{total} pairs: {tied} tied, {asked} for a person, {total - tied - asked} unlike\n"
        f"of those that are one person: {_share(right, true)} tied, {_share(asked_right, true)} for a person, "
        f"{_share(missed, true)} lost; for a person though different: {asked - asked_right}\n"
        f"wrong automatic ties: {wrong}; precision {_share(right, right + wrong)}; "
        f"recall {_share(right, true)}, with a person's look {_share(true - missed, true)}\n"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "not known"
