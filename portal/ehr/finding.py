"""Finds visits at a clinic's server; what comes back is checked here, whatever the server made of the question."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from portal.ehr.client import FhirClient
from portal.ehr.errors import NotFhir, NotPermitted, NotThere
from portal.ehr.reading import Reason, State, state_for
from portal.ehr.visits import Appointment, appointment
from portal.fhir.resources import (
    Json,
    at,
    key_of,
    objects_at,
    parse_reference,
    points_to,
    text_at,
    type_of,
)

MOST_PEOPLE = 200
"""How many patients are asked for one by one in one look at the calendar."""


@dataclass(frozen=True)
class Appointments:
    """What a look at the calendar found. `state` is NONE only when everything was looked at.

    `unclear` counts appointments that name no patient, several, or one that did not come with them.
    """

    state: State
    appointments: tuple[Appointment, ...] = ()
    read_at: datetime | None = None
    complete: bool = False
    reason: Reason | None = None
    unclear: int = 0


def upcoming(client: FhirClient, connection_id: str, start: datetime, end: datetime) -> Appointments:
    """Appointments starting in [start, end), whatever else the server sends along. Raises EhrError."""
    params = [
        ("date", f"ge{_instant(start)}"),
        ("date", f"lt{_instant(end)}"),
        ("_include", "Appointment:patient"),
        ("_include", "Appointment:practitioner"),
        ("_include", "Appointment:location"),
        ("_count", "100"),
    ]
    found = client.search("Appointment", params)
    people = {key_of(each): each for each in found.included if type_of(each) == "Patient"}
    _fetch_absent(client, found.matches, people)
    made: list[Appointment] = []
    unclear = 0
    for each in found.matches:
        begins = starts_at(each)
        if type_of(each) != "Appointment" or begins is None or not start <= begins < end:
            continue
        patient = _patient_of(each, people, client.base)
        if patient is None:
            unclear += 1
        else:
            made.append(appointment(connection_id, each, patient, begins, found.included))
    state = state_for(len(made), found.complete)
    reason = None if found.complete else Reason.TOO_MUCH
    return Appointments(state, tuple(made), found.read_at, found.complete, reason, unclear)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def starts_at(appointment: Json) -> datetime | None:
    """The start as an aware datetime; None when it is missing or no instant."""
    try:
        found = datetime.fromisoformat(text_at(appointment, "start"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _patient_of(appointment: Json, people: dict[str, Json], base: str) -> Json | None:
    named = set(_patients(appointment, base))
    return people.get(named.pop()) if len(named) == 1 else None


def _fetch_absent(client: FhirClient, appointments: Iterable[Json], people: dict[str, Json]) -> None:
    """Servers that do not send the patients along are asked for each; one that is not given stays unclear."""
    wanted = dict.fromkeys(name for each in appointments for name in _patients(each, client.base) if name not in people)
    for name in list(wanted)[:MOST_PEOPLE]:
        with suppress(NotThere, NotPermitted, NotFhir):
            people[name] = client.read("Patient", name.removeprefix("Patient/"))


def _patients(appointment: Json, base: str) -> Iterator[str]:
    for part in objects_at(appointment, "participant"):
        ref = parse_reference(at(part, "actor", "reference"))
        if ref and ref.type == "Patient" and points_to(part["actor"], ref.key, base):
            yield ref.key
