"""Running clinics: an empty one for each test, and one with all its people for the tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.sandbox.asking import Asking
from tests.sandbox_server import Sandbox, running_sandbox

TODAY = date(2026, 11, 21)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed=False) as sandbox:
        yield sandbox


@pytest.fixture
def ask(clinic: Sandbox) -> Asking:
    """A client of the empty clinic that may do everything."""
    return Asking(clinic)


@pytest.fixture(scope="session")
def full_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("full"), today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def read(full_clinic: Sandbox) -> Asking:
    """A client of the clinic with all its people; for reading only."""
    return Asking(full_clinic)
