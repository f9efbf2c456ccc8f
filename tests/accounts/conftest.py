"""Ana, a patient, and a clinic whose staff have to prove twice who they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

import portal
from portal import db
from portal.settings import Settings
from tests import make
from tests.accounts.people import ANA, Person


@pytest.fixture
def strict(config: Settings) -> Iterator[Flask]:
    """The portal as it is installed: staff need a second factor."""
    yield portal.create_app(replace(config, staff_second_factor="required"))
    db.close()


@pytest.fixture
def ana(strict: Flask) -> Person:
    make.patient_account(make.patient(make.clinic(forms=())), ANA)
    return Person(strict, ANA)
