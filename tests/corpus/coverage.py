"""Prints what the engine makes of the public forms and cases, as Markdown: python -m tests.corpus.coverage (half a minute)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from portal.questionnaire import report
from tests.authoring.not_honoured import reason
from tests.authoring.suites import Case, every
from tests.corpus.corpus import ROOT, forms, read, registry

MOST = 40
OWN_NAMES = "http://hobby.intake-forms/"
"""Notes of those who gathered the forms: no part of them."""
CLASSES = {
    "no-link-id": "a question or part has no linkId: its answers could not be told apart (1..1)",
    "fhir-version": "elements that are neither of FHIR R4 nor as FHIR STU3 or R5 have them",
    "derivation": "it says that it complies with another form, and does not",
    "duplicate-link-id": "que-2: one linkId for two items, an answer belongs to neither",
    "expression-language": "CQL alone decides what is asked",
    "shape": "no JSON of FHIR: `true` as a text, a date for an integer",
    "que-12": "que-12: conditions on several questions, all or any is not said",
    "enable-when": "a condition looks at a question that is not there",
    "modifier-extension": "a modifierExtension nobody here understands, or a critical extension that is not done",
    "cycle": "conditions go in a circle",
    "type": "a type that R4 does not have",
}
"""What is refused and why, the first that fits counting."""
ORDER = ["fhir-version", *CLASSES]


def reports() -> Iterator[dict[str, Any]]:
    for path in forms():
        try:
            yield report(read(path), file=path, registry=registry())
        except ValueError:
            yield {"file": path, "status": "unreadable", "reasons": []}


def table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    listed = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in listed) + "\n"


def counted(counts: Counter[str], heads: tuple[str, str]) -> str:
    return table(heads, counts.most_common(MOST))


def class_of(one: dict[str, Any]) -> str:
    codes = {found["code"] for found in one["reasons"]}
    return next((code for code in ORDER if code in codes), ", ".join(sorted(codes)))


def refusals(found: list[dict[str, Any]]) -> str:
    refused = [one for one in found if one["status"] == "refused"]
    classes = Counter(map(class_of, refused))
    example = {class_of(one): one["file"].rsplit("/", 1)[-1] for one in reversed(refused)}
    rows = ((code, count, CLASSES.get(code, "NOT EXPLAINED"), example[code]) for code, count in classes.most_common())
    return table(("refused for", "forms", "because", "such as"), rows)


def suites(cases: list[Case]) -> str:
    """Cases met and missed by suite; then each that is missed, with its reason."""
    counts: dict[str, Counter[str]] = {}
    misses: list[str] = []
    for case in cases:
        differs = case.run()
        counts.setdefault(case.suite, Counter())["missed" if differs else "met"] += 1
        if differs:
            name = case.name.split(" ")[0] if case.suite.startswith("validate") else case.name
            misses.append(f"- {case.suite}, {name[:70]}: {reason(case.key) or 'NOT LISTED: ' + differs}")
    rows = [(suite, row["met"], row["missed"]) for suite, row in counts.items()]
    met, missed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    head = table(("suite", "as expected", "otherwise"), [*rows, ("**all**", met, missed)])
    return "\n".join([head, "Where we differ, and why:", *misses])


def main() -> int:
    if not ROOT.is_dir():
        print("set PORTAL_CORPUS to the folder of public forms", file=sys.stderr)
        return 2
    found = list(reports())
    status = Counter(one["status"] for one in found)
    opened = [one for one in found if one["status"] == "ok"]
    used = Counter(feature for one in opened for feature in one["features"])
    missed = Counter(name for one in opened for name in {m["feature"] for m in one["not_honoured"]})
    missed = Counter({name: count for name, count in missed.items() if not name.startswith(OWN_NAMES)})
    print(f"{len(found)} forms: {status['ok']} open, {status['refused']} refused with a reason.")
    print(f"{sum(one['items'] for one in opened)} items on {sum(one['pages'] for one in opened)} pages.\n")
    print(refusals(found))
    print(counted(used, ("feature used", "forms")))
    print(counted(missed, ("not honoured, and said so", "forms")))
    print(suites(every()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
