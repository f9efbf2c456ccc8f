"""The invented people of the sandbox clinic and their records, relative to a given day."""

from __future__ import annotations

from datetime import date

from portal.sandbox.store import Store


def people() -> list[str]:
    return []


def plant(store: Store, today: date) -> None: ...
