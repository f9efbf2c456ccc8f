"""A folder of one's own, and a form in it with its value set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.authoring.forms import COLOURS, FORM, bundle
from tests.authoring.running import Desk


@pytest.fixture
def here(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def form(here: Desk) -> Path:
    return here.put("form.json", bundle(FORM, COLOURS))
