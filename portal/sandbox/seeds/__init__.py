"""The invented people of the sandbox clinic and their records, the same for the same day; planted once.

A start on a later day keeps everything and only books new appointments for whoever has none ahead, so that a demo finds
somebody coming tomorrow on every day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from portal.sandbox.seeds import adults, families, results
from portal.sandbox.seeds.circle import pharmacy, to_call
from portal.sandbox.seeds.forms import forms
from portal.sandbox.seeds.person import BY_ID, PEOPLE, Person
from portal.sandbox.seeds.pieces import Days, Resource
from portal.sandbox.seeds.staff import staff
from portal.sandbox.seeds.visits import visits
from portal.sandbox.store import Store, Unit

RECORDS: dict[str, Callable[[Days], list[Resource]]] = {
    "ana-morales": adults.ana_morales,
    "lucia-ortega": adults.lucia_ortega,
    "noah-bennett": families.noah_bennett,
    "grace-bennett": families.grace_bennett,
    "kwame-mensah": results.kwame_mensah,
    "mei-chen": results.mei_chen,
    "maria-garcia-a": adults.maria_garcia_a,
    "maria-garcia-b": adults.maria_garcia_b,
    "robert-hughes": adults.robert_hughes,
    "oliver-lindqvist": adults.oliver_lindqvist,
    "priya-raman": results.priya_raman,
    "mai-tran": adults.mai_tran,
    "alex-nowak": adults.alex_nowak,
}


AROUND: dict[str, Resource] = {
    "ana-morales": {
        "contact": [to_call(("Diego", "Morales"), "Husband", "+12175550116")],
        "extension": [pharmacy("walnut-pharmacy", "Walnut Street Pharmacy")],
    },
    "lucia-ortega": {"contact": [to_call(("Marta", "Ortega"), "Hermana", "+12175550117")]},
}
"""Who may be called, and the pharmacy, of those whose Patient says so."""


def people() -> tuple[Person, ...]:
    """Everybody the clinic knows; `name`, `born`, `mrn` and `sentence` are for showing them to a visitor."""
    return PEOPLE


def person(person_id: str) -> Person:
    """One of them by the id of the Patient resource; KeyError for a stranger."""
    return BY_ID[person_id]


def records(today: date) -> list[Resource]:
    """Every resource without the appointments, in an order in which references are already there."""
    days = Days(today)
    charts = [made for who in PEOPLE if who.id in RECORDS for made in RECORDS[who.id](days)]
    return [*staff(), *forms(), *(who.patient() | AROUND.get(who.id, {}) for who in PEOPLE), *charts]


def plant(store: Store, today: date) -> None:
    """Write what is not there yet, in one transaction."""
    with store.writing() as unit:
        planted = unit.connection.execute("SELECT 1 FROM setting WHERE name = 'planted'").fetchone()
        if planted is None:
            for made in records(today):
                unit.update(made, made["id"])
            unit.connection.execute("INSERT INTO setting (name, value) VALUES ('planted', ?)", (today.isoformat(),))
        for made in visits(Days(today)):
            if planted is None or _has_nothing_ahead(unit, made, today):
                unit.update(made, made["id"])


def _has_nothing_ahead(unit: Unit, made: Resource, today: date) -> bool:
    """Whether a coming appointment is worth booking: its patient has none from today on."""
    if made["status"] != "booked":
        return False
    found = unit.connection.execute(
        "SELECT 1 FROM by_reference s JOIN by_date d ON d.key = s.key AND d.param = 'date'"
        " JOIN resource r ON r.key = s.key AND r.type = 'Appointment'"
        " WHERE s.param = 'patient' AND s.target = ? AND d.high > ?",
        (made["participant"][0]["actor"]["reference"], today.isoformat()),
    ).fetchone()
    return found is None
