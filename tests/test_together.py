"""A worker that dies takes one test with it: the rest of its work is done by another, and the run ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFTEST = """
from tests import together
def pytest_xdist_make_scheduler(config, log):
    return together.Together(config, log)
"""
TESTS = """
import os, pytest
@pytest.mark.parametrize("number", range(9))
def test_it(number):
    if number in {0, 4, 8}:
        os._exit(3)
"""


def test_workers_that_die_take_one_test_each_with_them(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_them.py").write_text(TESTS)
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    house = str(Path(__file__).parent.parent)
    heard = subprocess.run(
        [*words, "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=house,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "3 failed, 6 passed" in heard.stdout, heard.stdout + heard.stderr
