"""What real servers do differently when they are read, each against a server that does just that."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.ehr import fetching, finding
from portal.ehr.client import FhirClient
from portal.ehr.errors import TryLater
from portal.ehr.http import Wire
from portal.ehr.reading import Kind, Reason, State

from .hostile import Hostile, Say, Seen, say
from .make import condition, searchset

PAGE = int(fetching.PAGE)


@pytest.fixture
def client(server: Hostile) -> FhirClient:
    return FhirClient(server.base, Wire(server.base), None)


def pageless(server: Hostile, held: int, *, total: bool, most: int = 10_000) -> None:
    """A server that cuts its list at `_count` (and at `most`) and never gives a next page."""

    def answer(seen: Seen) -> Say:
        asked = int(seen.path.partition("_count=")[2].partition("&")[0])
        shown = [condition(f"c{number}") for number in range(min(held, asked, most))]
        found = searchset(server.base, seen.path.rpartition("/")[2], *shown)
        return say(found | ({"total": held} if total else {}))

    server.on["GET /fhir/Condition"] = answer


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("held", [0, 1, PAGE - 1, PAGE + 1, 2 * PAGE - 1])
def test_a_list_cut_without_a_next_page_is_read_whole(
    server: Hostile, client: FhirClient, held: int, total: bool
) -> None:
    pageless(server, held, total=total)
    found = fetching.fetch(client, Kind.CONDITIONS, "p1")
    assert (len(found.resources), found.why) == (held, None)
    assert len(server.seen) == (2 if held > PAGE else 1)


def test_a_full_page_that_the_server_counted_is_the_whole(server: Hostile, client: FhirClient) -> None:
    pageless(server, PAGE, total=True)
    assert fetching.fetch(client, Kind.CONDITIONS, "p1").complete
    assert len(server.seen) == 1


@pytest.mark.parametrize("total", [True, False])
def test_a_list_that_stays_cut_is_never_called_complete(server: Hostile, client: FhirClient, total: bool) -> None:
    pageless(server, 3 * PAGE, total=total, most=PAGE)
    found = fetching.fetch(client, Kind.CONDITIONS, "p1")
    assert (len(found.resources), found.why) == (PAGE, Reason.TOO_MUCH)


def spelled(server: Hostile, known: str, *, echoes: bool) -> None:
    """A server that knows a patient only by one of the two spellings of a reference."""

    def answer(seen: Seen) -> Say:
        asked = seen.path.partition("patient=")[2].partition("&")[0]
        shown = [condition("c1")] if asked == known else []
        found = searchset(server.base, seen.path.rpartition("/")[2], *shown)
        return say(found if echoes else {name: value for name, value in found.items() if name != "link"})

    server.on["GET /fhir/Condition"] = answer


@pytest.mark.parametrize("known", ["p1", "Patient%2Fp1"])
def test_nothing_is_believed_only_when_both_spellings_of_the_patient_find_nothing(
    server: Hostile, client: FhirClient, known: str
) -> None:
    spelled(server, known, echoes=False)
    assert [each["id"] for each in fetching.fetch(client, Kind.CONDITIONS, "p1").resources] == ["c1"]


def test_a_server_that_confirms_its_filters_is_asked_once(server: Hostile, client: FhirClient) -> None:
    spelled(server, "somebody else", echoes=True)
    assert fetching.fetch(client, Kind.CONDITIONS, "p1").resources == []
    assert len(server.seen) == 1


NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)


def visit(name: str, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": name,
        "status": "booked",
        "start": NINE.isoformat(),
        "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}],
    }


def test_patients_that_do_not_come_with_their_visits_are_asked_for_once_each(
    server: Hostile, client: FhirClient
) -> None:
    visits = [visit("a1", "p1"), visit("a2", "p1"), visit("a3", "gone"), visit("a4", "hidden")]
    server.on["GET /fhir/Appointment"] = lambda seen: say(searchset(server.base, seen.path.rpartition("/")[2], *visits))
    server.fhir("Patient/p1", {"resourceType": "Patient", "id": "p1", "name": [{"family": "Jo"}]})
    server.on["GET /fhir/Patient/hidden"] = say({"resourceType": "OperationOutcome", "issue": []}, 403)
    found = finding.upcoming(client, "c", NINE - timedelta(hours=1), NINE + timedelta(hours=1))
    assert ({each.id for each in found.appointments}, found.unclear) == ({"a1", "a2"}, 2)
    assert server.paths().count("/fhir/Patient/p1") == 1
    assert found.state is State.KNOWN


def test_a_busy_server_is_not_taken_for_one_without_the_patient(server: Hostile, client: FhirClient) -> None:
    server.on["GET /fhir/Appointment"] = lambda seen: say(
        searchset(server.base, seen.path.rpartition("/")[2], visit("a1", "p1"))
    )
    server.on["GET /fhir/Patient/p1"] = Say(503, b"", {"Retry-After": "7"})
    with pytest.raises(TryLater):
        finding.upcoming(client, "c", NINE - timedelta(hours=1), NINE + timedelta(hours=1))
