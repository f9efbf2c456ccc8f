"""How the portal stands against OWASP ASVS 5.0, levels 1 and 2: python -m tests.trust.asvs [--table]; 1 when a named test is missing."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT, TABLE = TESTS.parent, Path(__file__).with_name("asvs.txt")
LEVELS = {"1": 70, "2": 183}
"""How many requirements of each level there are in ASVS 5.0.0."""
MET, SET, NOT_APPLICABLE, NOT_MET = "met", "met where set", "not applicable", "not met"


@dataclass(frozen=True)
class Requirement:
    number: str
    level: str
    what: str
    how: str

    @property
    def state(self) -> str:
        if self.how.startswith("n/a:"):
            return NOT_APPLICABLE
        if self.how.startswith("not met:"):
            return NOT_MET
        return SET if self.how.startswith("set ") else MET

    @property
    def setting(self) -> str:
        """The variable that an operator sets, where it is met only then."""
        return self.how.split()[1].rstrip(":") if self.state == SET else ""

    def problems(self) -> list[str]:
        """What is named as evidence and is not there; a reason that gives none."""
        if self.state in {NOT_APPLICABLE, NOT_MET}:
            return [] if len(self.how.partition(":")[2].split()) >= 2 else [f"{self.number}: no reason"]
        if self.how.startswith("doc "):
            path, _, heading = self.how.removeprefix("doc ").partition("#")
            headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
            return [] if heading in headings else [f"{self.number}: {path} has no heading {heading!r}"]
        if self.setting and not any(self.setting in text for text in _product()):
            return [f"{self.number}: the portal knows no {self.setting}"]
        named = self.how.partition(": ")[2].split() if self.setting else self.how.split()
        return [f"{self.number}: there is no test {each}" for each in named if not _is_there(each)] or (
            [] if named else [f"{self.number}: nothing shows it"]
        )


def requirements() -> list[Requirement]:
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return [Requirement(*(part.strip() for part in line.split("|", 3))) for line in lines]


@cache
def _product() -> tuple[str, ...]:
    return tuple(path.read_text() for path in (ROOT / "portal").rglob("*.py"))


def _is_there(name: str) -> bool:
    path, _, test = name.partition("::")
    return test in _tests_of(TESTS / path)


@cache
def _tests_of(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


def main() -> int:
    found = requirements()
    if "--table" in sys.argv:
        for each in found:
            print(f"{each.number:8}{each.level:3}{each.state:16}{each.what}: {each.how}")
    else:
        for each in found:
            if each.state in {SET, NOT_MET}:
                print(
                    f"{each.state:14}{each.number:8}L{each.level}  {each.what}: {each.setting or each.how.partition(':')[2].strip()}"
                )
    for level in LEVELS:
        counted = Counter(each.state for each in found if each.level == level)
        told = ", ".join(f"{counted[state]} {state}" for state in (MET, SET, NOT_APPLICABLE, NOT_MET))
        print(f"level {level}: {sum(counted.values())} requirements: {told}")
    problems = [problem for each in found for problem in each.problems()]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
