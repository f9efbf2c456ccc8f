"""What a request in the sandbox works with: the configuration, the store and the faults of this application."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from portal.sandbox.config import SandboxConfig
from portal.sandbox.faults import Faults
from portal.sandbox.store import Store

NAME = "sandbox-clinic"


@dataclass(frozen=True)
class Clinic:
    config: SandboxConfig
    store: Store
    faults: Faults


def clinic() -> Clinic:
    """The clinic of the current application."""
    found = current_app.extensions[NAME]
    assert isinstance(found, Clinic)
    return found
