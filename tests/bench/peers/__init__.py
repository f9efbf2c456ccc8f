"""The engines and renderers beside which Previsit is measured; they are installed into an ignored folder, never shipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from functools import lru_cache
from hashlib import sha512
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / ".bench"
LFORMS = "40.1.3"
LFORMS_SHA512 = (
    "58baee4e6f817159da7c2d2b480437fdc36a871bdc941531c811baf1ab9bfee8"
    "5ad8d68af47f1965c1174d3b8e46e1b3cc2b74c1aedfbe1ba2799b5c0c874fcd"
)
RUN_SECONDS = 600


class Missing(Exception):
    """A peer cannot be had here; the message says why."""


def called(command: list[str], folder: Path) -> str:
    """What a command says; Missing when it fails or takes too long."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise Missing(f"{command[0]}: {wrong}") from None
    if done.returncode:
        raise Missing(f"{' '.join(command[:2])} failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}")
    return done.stdout


@lru_cache(maxsize=1)
def node_modules() -> Path:
    """The folder in which fhirpath.js and sdc-populate stand, by the lock file beside this module."""
    return _installed(HERE, FOLDER)


def _installed(source: Path, folder: Path) -> Path:
    """The folder, with the packages of the lock file in `source`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(source / name, folder / name)
    done = folder / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < (source / "package-lock.json").stat().st_mtime:
        called(["npm", "ci", "--ignore-scripts"], folder)
    return folder


def run(script: str, case: dict[str, Any], rounds: int) -> dict[str, Any]:
    """What one of the scripts beside this module makes of a case: JSON in and out."""
    folder = node_modules()
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(case, file, default=float)
        file.flush()
        said = called(["node", str(HERE / script), file.name, str(rounds)], folder)
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


@lru_cache(maxsize=1)
def lforms() -> Path:
    """The published bundle of LHC-Forms, unpacked; its dependencies are inside it."""
    folder = FOLDER / f"lforms-{LFORMS}"
    if not folder.exists():
        FOLDER.mkdir(exist_ok=True)
        called(["npm", "pack", f"lforms@{LFORMS}", "--silent"], FOLDER)
        packed = FOLDER / f"lforms-{LFORMS}.tgz"
        if sha512(packed.read_bytes()).hexdigest() != LFORMS_SHA512:
            raise Missing("the package of LHC-Forms is not the one that was pinned")
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
    return folder / "package" / "dist" / "lforms"


@lru_cache(maxsize=1)
def smart() -> Path:
    """Smart Forms' renderer in the application beside this module, bundled as its authors' build tool would: one minified module."""
    folder, source = FOLDER / "smart", HERE / "smart"
    _installed(source, folder)
    shutil.copyfile(source / "smart.jsx", folder / "smart.jsx")
    options = "--bundle --minify --format=esm --jsx=automatic --target=es2022 --outdir=dist --log-level=error"
    fonts = ("--loader:.woff=file", "--loader:.woff2=file")
    production = '--define:process.env.NODE_ENV="production"'
    called([str(folder / "node_modules/.bin/esbuild"), "smart.jsx", *options.split(), *fonts, production], folder)
    return folder / "dist"
