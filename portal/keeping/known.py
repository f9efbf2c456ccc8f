"""What is known about the locked packages: python -m portal.keeping.known asks by pip-audit and npm and counts the answers.

0 when every package was asked about, nothing is known and the lock files were worked out lately; 1 when something is known, or they
are older than UPDATED; 2 when some could not be asked about: what was not looked up is never said to be clean.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from portal.clock import now
from portal.keeping.packages import NODE, PYTHON

WORDS = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json", "-r", str(PYTHON)]
LONGEST = 600
UPDATED = timedelta(days=60)
"""How old a lock file may be at a release: with that, no package is further behind than SECURITY.md promises."""


@dataclass
class Known:
    """What came of asking: `weak` are package and advisory, `silent` the packages that nobody answered about."""

    asked: int = 0
    weak: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        return 1 if self.weak else 2 if self.silent or not self.asked else 0

    def __str__(self) -> str:
        lines = [f"  {each}" for each in self.weak]
        said = f"{self.asked} packages asked about, {len(self.weak)} known weaknesses"
        if self.silent:
            said += f"; nobody answered about {len(self.silent)}: {', '.join(self.silent[:5])}{' …' if len(self.silent) > 5 else ''}"
        return "\n".join([*lines, said])


def of_python(said: Any) -> Known:
    """What pip-audit's JSON comes to; it calls what it could not look up clean, so that is counted here."""
    found = Known()
    for each in said.get("dependencies", []):
        name = f"{each['name']} {each.get('version', '')}".strip()
        if "skip_reason" in each:
            found.silent.append(each["name"])
            continue
        found.asked += 1
        found.weak += [
            f"{name}: {one['id']}, mended in {' or '.join(one['fix_versions']) or 'no version yet'}"
            for one in each["vulns"]
        ]
    return found


def of_node(said: Any, packages: int) -> Known:
    """What npm's JSON comes to; an error in the place of an answer is none."""
    if "vulnerabilities" not in said or "error" in said:
        return Known(silent=["everything of package-lock.json"])
    return Known(packages, [f"{name}: {held['severity']}" for name, held in sorted(said["vulnerabilities"].items())])


def main() -> int:
    found = [_ask("Python", _auditor() + WORDS, of_python)]
    locked = json.loads(NODE.read_text())["packages"] if NODE.exists() else {}
    if len(locked) > 1:
        words = ["npm", "audit", "--package-lock-only", "--json"]
        found.append(_ask("Node", words, lambda said: of_node(said, len(locked) - 1)))
    found += [age(each, _worked_out(each)) for each in (PYTHON, NODE) if each.exists()]
    return max((each.code for each in found), key=[0, 2, 1].index)


def age(lock: Path, at: datetime | None, moment: datetime | None = None) -> Known:
    """Whether a lock file was worked out lately; unknown for one that nobody can say it of."""
    if at is None:
        found = Known(silent=[f"the age of {lock.name}"])
        print(f"{lock.name}: nobody can say when it was worked out", flush=True)
        return found
    days = ((moment or now()) - at).days
    late = days > UPDATED.days
    print(
        f"{lock.name}: worked out {days} days ago{f', more than {UPDATED.days}: run make lock' if late else ''}",
        flush=True,
    )
    return Known(1, [f"{lock.name} is {days} days old"] if late else [])


def _worked_out(lock: Path) -> datetime | None:
    """When the lock file was last changed, by the repository's history."""
    words = ["git", "log", "-1", "--format=%cI", "--", lock.name]
    try:
        told = subprocess.run(words, cwd=lock.parent, capture_output=True, text=True, timeout=60, check=True).stdout
        return datetime.fromisoformat(told.strip())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _ask(what: str, words: list[str], read: Any) -> Known:
    try:
        told = subprocess.run(words, cwd=NODE.parent, capture_output=True, text=True, timeout=LONGEST, check=False)
        found: Known = read(json.loads(told.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired) as wrong:
        found = Known(silent=[f"anything ({type(wrong).__name__})"])
    print(f"{what}: {found}", flush=True)
    return found


def _auditor() -> list[str]:
    """How pip-audit is called here: by uv, by pipx, or out of an environment that is made for it and thrown away."""
    for runner in (["uvx", "pip-audit"], ["pipx", "run", "pip-audit"]):
        if shutil.which(runner[0]):
            return runner
    place = Path(tempfile.mkdtemp(prefix="pip-audit-"))
    venv.create(place, with_pip=True)
    subprocess.run([place / "bin" / "pip", "install", "--quiet", "pip-audit"], check=False)
    return [str(place / "bin" / "pip-audit")]


if __name__ == "__main__":
    sys.exit(main())
