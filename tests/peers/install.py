"""Gets the peers from their registries into .peers/, each pinned by its lock file, all at once: python -m tests.peers.install [name …]

Uses nothing but Python's own library, so that it can run beside the making of the environment.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).with_name("servers")
PLACE = ROOT / ".peers"
NPM_PINS = ("package.json", "package-lock.json", ".npmrc")
HAPI_PINS = ("hapi/pom.xml", "hapi/jars.sha256", "hapi/Hapi.java")
SEKMET_PINS = ("sekmet.txt",)
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
NEWEST_MINUTES = 9


class CannotInstall(Exception):
    """Why a peer could not be had, in one line."""


def node() -> None:
    """oidc-provider and Medplum's router, by `npm ci` from the lock."""
    program = _program("npm")
    for name in NPM_PINS:
        shutil.copy(PINS / name, PLACE / name)
    _run([program, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], PLACE)


def hapi() -> None:
    """HAPI's modules by Maven, each jar compared with its kept sha256; our main class compiled over them."""
    maven, compiler = _program("mvn"), _program("javac")
    home = PLACE / "hapi"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    shutil.copy(PINS / "hapi/pom.xml", home / "pom.xml")
    _run([maven, "-q", "-B", "-C", COPY, "-DincludeScope=runtime", "-DoutputDirectory=lib"], home)
    _compare(home / "lib", PINS / "hapi/jars.sha256")
    _run([compiler, "-nowarn", "-d", "classes", "-cp", "lib/*", str(PINS / "hapi/Hapi.java")], home)


def sekmet() -> None:
    """sekmet-fhir from PyPI into a virtual environment of its own, by hashes."""
    home = PLACE / "sekmet"
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=True)
    pins = str(PINS / "sekmet.txt")
    _run([str(home / "bin/pip"), "install", "-q", "--no-compile", "--require-hashes", "-r", pins], PLACE)


INSTALLERS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "node": (node, NPM_PINS),
    "hapi": (hapi, HAPI_PINS),
    "sekmet": (sekmet, SEKMET_PINS),
}


def digest(name: str) -> str:
    """What the pins of one part say, as a hash."""
    found = hashlib.sha256()
    for pin in INSTALLERS[name][1]:
        found.update((PINS / pin).read_bytes())
    return found.hexdigest()


def installed(name: str) -> bool:
    stamp = PLACE / f".{name}"
    return stamp.exists() and stamp.read_text() == digest(name)


def install(name: str) -> str:
    """A line about what was done; raises CannotInstall."""
    if installed(name):
        return f"{name}: there"
    PLACE.mkdir(exist_ok=True)
    started = monotonic()
    INSTALLERS[name][0]()
    (PLACE / f".{name}").write_text(digest(name))
    return f"{name}: installed in {monotonic() - started:.0f} s"


def _compare(folder: Path, kept: Path) -> None:
    wanted = dict(reversed(line.split("  ")) for line in kept.read_text().splitlines())
    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise CannotInstall(f"not what jars.sha256 says: {', '.join(wrong[:5])}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise CannotInstall(f"{name} is not on this machine")
    return found


def _run(command: list[str], folder: Path) -> None:
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=quiet, capture_output=True, text=True, timeout=NEWEST_MINUTES * 60, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise CannotInstall(f"{Path(command[0]).name} took more than {NEWEST_MINUTES} minutes") from late
    if done.returncode:
        raise CannotInstall(f"{Path(command[0]).name}: {(done.stdout + done.stderr).strip()[-600:]}")


def main(names: list[str]) -> int:
    with ThreadPoolExecutor() as pool:
        waiting = {name: pool.submit(install, name) for name in names or INSTALLERS}
    failed = 0
    for name, done in waiting.items():
        try:
            print(f"Peers: {done.result()}")
        except CannotInstall as why:
            failed += 1
            print(f"Peers: {name} cannot be had: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
