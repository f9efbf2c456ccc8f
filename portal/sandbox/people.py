"""The people as the sign-in pages list them: patients, and those who work here."""

from __future__ import annotations

from dataclasses import dataclass

from portal.sandbox.store import Store


@dataclass(frozen=True)
class Choice:
    id: str
    name: str
    birth_date: str


def choices(store: Store) -> list[Choice]:
    """Every patient, by name."""
    with store.reading() as unit:
        rows = unit.connection.execute(
            "SELECT id, json_extract(body, '$.name[0].given[0]'), json_extract(body, '$.name[0].family'),"
            " json_extract(body, '$.birthDate') FROM resource WHERE type = 'Patient' AND body IS NOT NULL"
        ).fetchall()
    found = [Choice(id_, f"{given or ''} {family or ''}".strip(), born or "") for id_, given, family, born in rows]
    return sorted(found, key=lambda choice: choice.name)


def workers(store: Store) -> list[Choice]:
    """Everybody who works here, by name; `id` is the whole reference (`Practitioner/…`)."""
    with store.reading() as unit:
        rows = unit.connection.execute(
            "SELECT id, json_extract(body, '$.name[0].given[0]'), json_extract(body, '$.name[0].family')"
            " FROM resource WHERE type = 'Practitioner' AND body IS NOT NULL"
        ).fetchall()
    found = [Choice(f"Practitioner/{id_}", f"{given or ''} {family or ''}".strip(), "") for id_, given, family in rows]
    return sorted(found, key=lambda choice: choice.name)
