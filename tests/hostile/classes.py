"""Classes of weakness found in products like this one, each with the tests that would find it here: `make classes`."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CLASSES, ADVISORIES = (Path(__file__).with_name(f"{name}.txt") for name in ("classes", "advisories"))
NUMBER = re.compile(r"CVE-20\d\d-\d{4,6}|-")
VENDORS = re.compile(r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}|-")


@dataclass(frozen=True)
class Weakness:
    """One class; `tests` are file::function, or file::* for the whole file."""

    name: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Advisory:
    number: str
    vendors: str
    product: str
    kind: str
    what: str


def classes() -> dict[str, Weakness]:
    """By their short names."""
    return {kind: Weakness(name, tuple(tests.split())) for kind, name, tests in _lines(CLASSES)}


def advisories() -> list[Advisory]:
    return [Advisory(*ids.split(), *more) for ids, *more in _lines(ADVISORIES)]


def _lines(path: Path) -> list[list[str]]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [[part.strip() for part in line.split("|")] for line in lines]


def problems() -> Iterator[str]:
    """Tests that are named and not there, classes without one, advisories of no class, ids that are none or stand there twice."""
    known = classes()
    for kind, weakness in known.items():
        if not weakness.tests:
            yield f"{kind}: no test"
        for test in weakness.tests:
            path, _, name = test.partition("::")
            there = functions(TESTS / path)
            if not there or (name != "*" and name not in there):
                yield f"{kind}: there is no {test}"
    for each in (found := advisories()):
        if each.kind not in known or not each.what:
            yield f"{each.number} {each.vendors}: of no class we know"
        if not (
            NUMBER.fullmatch(each.number) and VENDORS.fullmatch(each.vendors) and {each.number, each.vendors} != {"-"}
        ):
            yield f"{each.number} {each.vendors}: no such id"
    ids = Counter(one for each in found for one in (each.number, each.vendors) if one != "-")
    yield from (f"{one} stands there {many} times" for one, many in ids.items() if many > 1)


@cache
def functions(path: Path) -> frozenset[str]:
    if not path.exists():
        return frozenset()
    body = ast.parse(path.read_text()).body
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def table() -> str:
    found, known, lines = advisories(), classes(), list[str]()
    for kind, weakness in known.items():
        seen = [each.number if each.number != "-" else each.vendors for each in found if each.kind == kind]
        lines += [
            weakness.name,
            f"    seen: {', '.join(seen) or 'in products of every kind'}",
            f"    here: {', '.join(weakness.tests)}",
        ]
    ours = [each for each in found if each.product == "OpenEMR 2026"]
    without = sum(each.number == "-" for each in ours)
    tests = {one for each in known.values() for one in each.tests}
    lines += [f"{len(known)} classes, {len(tests)} tests; {len(found)} advisories, {len(ours)} of them OpenEMR's of 2026 "
              f"({without} with the vendor's id only) in {len({each.kind for each in ours})} classes"]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(), *problems(), sep="\n")
    sys.exit(1 if list(problems()) else 0)
