"""Arrows look down: the import contracts of pyproject.toml hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.settings import ROOT

ROOMS = sorted(path.name for path in (ROOT / "portal").iterdir() if (path / "models.py").exists())


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", run.stdout), run.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_with_tables_keeps_them_to_itself(room: str) -> None:
    assert f'protected_modules = ["portal.{room}.models"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("room", ROOMS)
def test_service_and_models_of_every_room_are_held_to_run_without_a_request(room: str) -> None:
    contract = (
        (ROOT / "pyproject.toml").read_text().partition("Services and models never reach Flask")[2].partition("[[")[0]
    )
    for drawer in ("service", "models"):
        if (ROOT / "portal" / room / f"{drawer}.py").exists():
            assert f'"portal.{room}.{drawer}"' in contract, f"portal.{room}.{drawer}"
