"""The invented people: sound records that show what the demo promises of them."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.fhir import exact
from portal.fhir.structure import problems
from portal.sandbox.config import utc_now
from portal.sandbox.seeds import people, plant, records
from portal.sandbox.seeds.pieces import Days
from portal.sandbox.seeds.visits import visits
from portal.sandbox.store import Store
from tests.sandbox.asking import Asking
from tests.sandbox.conftest import TODAY


def test_every_record_is_sound() -> None:
    written = [*records(TODAY), *visits(Days(TODAY))]
    assert {f"{one['resourceType']}/{one['id']}": problems(one) for one in written if problems(one)} == {}


def test_there_are_fourteen_people_with_a_sentence_and_an_identifier_each() -> None:
    assert len(people()) == 14
    assert len({person.mrn for person in people()}) == 14
    assert all(person.sentence.endswith(".") and person.name for person in people())


def test_the_same_day_gives_the_same_records() -> None:
    assert exact.dumps(records(TODAY)) == exact.dumps(records(TODAY))


def test_every_person_is_there_and_can_be_found_by_identifier(read: Asking) -> None:
    for person in people():
        assert read.ids(f"Patient?identifier=https://sandbox-clinic.example/mrn|{person.mrn}") == [person.id]


def test_ana_comes_tomorrow_with_a_full_chart(read: Asking) -> None:
    counts = {
        kind: len(read.ids(f"{kind}?patient=ana-morales"))
        for kind in ("MedicationRequest", "AllergyIntolerance", "Condition", "Coverage")
    }
    assert counts == {"MedicationRequest": 2, "AllergyIntolerance": 1, "Condition": 2, "Coverage": 1}
    tomorrow = read.get("Appointment?patient=ana-morales&date=2026-11-22&_include=Appointment:patient").json()
    assert [entry["resource"]["resourceType"] for entry in tomorrow["entry"]] == ["Appointment", "Patient"]
    assert tomorrow["entry"][0]["resource"]["serviceType"][0]["text"]


def test_none_known_and_nothing_recorded_are_different(read: Asking) -> None:
    code = "http://snomed.info/sct|716186003"
    assert read.ids(f"AllergyIntolerance?patient=robert-hughes&code={code}") == ["robert-hughes-no-known-allergies"]
    for kind in (
        "AllergyIntolerance",
        "Condition",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Coverage",
    ):
        assert read.ids(f"{kind}?patient=fatima-sayed") == []
    assert read.ids("Appointment?patient=fatima-sayed&date=2026-11-22")


def test_somebody_has_no_results_at_all(read: Asking) -> None:
    assert (
        read.ids("Observation?patient=oliver-lindqvist") == read.ids("DiagnosticReport?patient=oliver-lindqvist") == []
    )
    assert read.ids("Condition?patient=oliver-lindqvist")


def test_a_child_is_tied_to_a_parent_who_is_a_patient_too(read: Asking) -> None:
    assert read.ids("RelatedPerson?patient=noah-bennett") == ["grace-for-noah"]
    assert read.ids("Person?link=RelatedPerson/grace-for-noah&patient=grace-bennett") == ["grace-bennett"]
    assert read.get("Coverage?patient=noah-bennett").json()["entry"][0]["resource"]["subscriber"] == {
        "reference": "Patient/grace-bennett"
    }


def test_a_corrected_result_says_so_and_its_first_version_is_still_there(read: Asking) -> None:
    (found,) = read.ids("Observation?patient=mei-chen&code=2823-3")
    now = read.get(f"Observation/{found}").json()
    before = read.get(f"Observation/{found}/_history/1").json()
    assert (now["status"], now["valueQuantity"]["value"], "6.8" in now["note"][0]["text"]) == ("corrected", 4.1, True)
    assert (before["status"], before["valueQuantity"]["value"]) == ("final", 6.8)
    assert len(read.ids("DiagnosticReport?patient=mei-chen&status=corrected")) == 1


def test_two_people_look_alike_and_differ(read: Asking) -> None:
    assert len(read.ids("Patient?family=garcia&given=maria&birthdate=1990")) == 2
    assert len(read.ids("Patient?family=garcia&birthdate=1990-03-04")) == 1


def test_somebody_prefers_spanish(read: Asking) -> None:
    assert read.get("Patient/lucia-ortega").json()["communication"][0] == {
        "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]},
        "preferred": True,
    }


def results_of(read: Asking, who: str, code: str) -> list[dict[str, Any]]:
    page = read.get(f"Observation?patient={who}&code=http://loinc.org|{code}&_sort=date&_count=100")
    return [entry["resource"] for entry in exact.loads(page.text)["entry"]]


def test_eight_years_of_labs_with_a_changed_range_and_a_value_below_the_limit(read: Asking) -> None:
    creatinine = results_of(read, "kwame-mensah", "2160-0")
    assert date.fromisoformat(creatinine[0]["effectiveDateTime"]) < date(2018, 12, 31)
    ranges = [one["referenceRange"][0]["high"]["value"] for one in creatinine]
    assert ranges == [Decimal("1.20")] * 8 + [Decimal("1.35")] * 9
    assert str(creatinine[8]["valueQuantity"]["value"]) == "1.10", "digits as the laboratory wrote them"
    assert results_of(read, "kwame-mensah", "14957-5")[-1]["valueQuantity"]["comparator"] == "<"
    assert creatinine[-1]["interpretation"][0]["coding"][0]["code"] == "H"


def test_results_come_in_every_kind(read: Asking) -> None:
    page = read.get("Observation?patient=priya-raman&_count=100").json()
    values = Counter(key for entry in page["entry"] for key in entry["resource"] if key.startswith(("value", "data")))
    counted = {"valueString": 1, "valueCodeableConcept": 2, "valueQuantity": 2, "valueSampledData": 1}
    assert values == {**counted, "dataAbsentReason": 1}
    pressure = read.get("Observation?patient=ana-morales&code=85354-9").json()["entry"][0]["resource"]
    assert [part["valueQuantity"]["value"] for part in pressure["component"]] == [134, 84]


def test_a_report_brings_its_results_along(read: Asking) -> None:
    page = read.get("DiagnosticReport?patient=ana-morales&code=24331-1&_include=DiagnosticReport:result").json()
    assert Counter(entry["search"]["mode"] for entry in page["entry"]) == {"match": 1, "include": 5}


def test_what_an_included_panel_holds_comes_along_when_asked_again_and_again(read: Asking) -> None:
    once = "DiagnosticReport?patient=ana-morales&code=24331-1&_include=DiagnosticReport:subject"
    again = "&_include:iterate=Patient:general-practitioner&_include:iterate=DiagnosticReport:result&_include:iterate=Observation:subject"
    kinds = Counter(entry["resource"]["resourceType"] for entry in read.get(once + again).json()["entry"])
    assert kinds == {"DiagnosticReport": 1, "Patient": 1, "Observation": 5}


def test_every_report_names_results_that_are_there_and_every_result_its_range_or_none(read: Asking) -> None:
    for entry in read.get("DiagnosticReport?_count=500").json()["entry"]:
        for result in entry["resource"].get("result", []):
            assert read.get(result["reference"]).status_code == 200


def test_appointments_lie_around_today(read: Asking) -> None:
    days = {
        day: len(read.ids(f"Appointment?date={day}"))
        for day in ("2026-11-20", "2026-11-21", "2026-11-22", "2026-11-26")
    }
    assert days == {"2026-11-20": 2, "2026-11-21": 2, "2026-11-22": 6, "2026-11-26": 5}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "clinic.sqlite3", "http://clinic.example/fhir", utc_now)


def counted(store: Store, where: str = "") -> int:
    with store.reading() as unit:
        found: int = unit.connection.execute(f"SELECT count(*) FROM version {where}").fetchone()[0]
    return found


def test_planting_twice_changes_nothing(store: Store) -> None:
    plant(store, TODAY)
    before = counted(store)
    plant(store, TODAY)
    assert counted(store) == before


def test_a_later_day_keeps_everything_and_somebody_comes_tomorrow_again(store: Store) -> None:
    plant(store, TODAY)
    before, charts = counted(store), counted(store, "WHERE type <> 'Appointment'")
    plant(store, date(2026, 12, 24))
    assert counted(store) > before
    assert counted(store, "WHERE type <> 'Appointment'") == charts
    assert counted(store, "WHERE id = 'ana-morales-2026-12-25'") == 1
