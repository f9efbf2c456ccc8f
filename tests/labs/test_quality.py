"""Data quality: each check sees its own kind of fault and no other, counts go by day and source, and nothing of anybody is in it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal import db
from portal.actors import Role, system
from portal.clock import now
from portal.db import session
from portal.ehr import connections
from portal.ehr import service as ehr
from portal.ehr.models import Connection
from portal.errors import NotAllowed
from portal.labs import measuring
from portal.labs.models import ResultQuality
from portal.labs.quality import CHECKS, DROPPED, measure
from portal.labs.units import convert
from tests import make
from tests.labs.make import observation, quantity, reference, report
from tests.labs.test_questions import keep, make_connection

AT = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = {
    "valueQuantity": quantity("4.10"),
    "referenceRange": [reference("3.5", "5.1")],
    "issued": "2026-03-03T08:00:00Z",
}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ([observation(**GOOD)], {}),
        ([{**observation(**GOOD), "code": {}}], {"unmapped": 1, "impossible": 1}),
        ([{**observation(**GOOD), "code": {"coding": [{"system": "urn:local", "code": "K"}]}}], {"unmapped": 1}),
        ([{**observation(**GOOD), "code": {"text": "Potassium"}}], {"unmapped": 1}),
        ([observation(valueQuantity={"value": 4})], {"no-unit": 1}),
        ([observation(valueInteger=4)], {}),
        ([observation(valueQuantity=quantity("4"), referenceRange=[reference("3", "5", "mg/dL")])], {"unit-clash": 1}),
        ([observation(valueQuantity=quantity("4"), referenceRange=[reference("3", "5", "")])], {}),
        ([observation("1", **GOOD), observation("2", valueQuantity=quantity("16", "mg/dL"))], {"unit-clash": 1}),
        ([observation("1", **GOOD), observation("2", valueQuantity=quantity("4100", "umol/L"))], {}),
        ([observation(valueQuantity={"value": "four", "unit": "g"})], {"impossible": 1}),
        ([observation(valueQuantity=quantity("4"), referenceRange=[reference("5", "3")])], {"impossible": 1}),
        ([observation(**{**GOOD, "at": "2126-01-01", "issued": None})], {"impossible": 1}),
        ([observation(**{**GOOD, "at": "0026-01-01", "issued": None})], {"impossible": 1}),
        ([observation(**{**GOOD, "at": "sometime"})], {"impossible": 1}),
        ([observation()], {"no-value": 1}),
        ([observation(status="preliminary")], {}),
        ([observation(dataAbsentReason={"text": "Clotted"})], {}),
        ([observation(**{**GOOD, "effectiveDateTime": None, "issued": None})], {"no-date": 1}),
        ([observation(**{**GOOD, "issued": "2026-03-09T08:11:00Z"})], {"late": 1}),
        ([observation(**{**GOOD, "issued": "2026-03-09T08:09:00Z"})], {}),
        ([observation("1", **GOOD), report(results=("1", "gone"))], {"partial": 1}),
        ([observation("p", hasMember=[{"reference": "Observation/gone"}])], {"partial": 1}),
    ],
)  # fmt: skip
def test_each_check_sees_its_own_kind_of_fault(resources, found):
    results, counts = measure(resources, convert, AT)
    assert {key: count for key, count in counts.items() if count} == found
    assert results == sum(each["resourceType"] == "Observation" for each in resources)
    assert set(counts) | DROPPED == {check.key for check in CHECKS}


@pytest.fixture
def clinic(app):
    made = make.clinic()
    connection = make_connection(made)
    for name, bad in (("ana", True), ("ben", False)):
        patient = make.patient(made, name, connection_id=connection, fhir_id=name)
        keep(patient, connection, [observation(valueQuantity={"value": 4} if bad else quantity("4"))])
    yield made, connection


def test_a_day_is_counted_once_however_often_it_is_measured(clinic):
    made, connection = clinic
    with db.transaction():
        connections.alert(session().get_one(Connection, connection), "other-patient", None, 3)
    for _ in range(2):
        assert measuring.take(system(made.id)) == 1
    row = session().query(ResultQuality).one()
    assert (row.readings, row.results, row.counts["no-unit"], row.counts["wrong-patient"]) == (2, 2, 1, 3)
    told = json.dumps(row.counts)
    assert "ana" not in told and set(row.counts) <= {check.key for check in CHECKS}


def test_a_threshold_that_is_passed_is_an_alarm_and_a_day_nobody_read_is_a_gap(clinic):
    made, _ = clinic
    doctor = make.staff_actor(make.staff(made))
    measuring.take(system(made.id))
    (source,) = measuring.quality(doctor)
    assert [line.check.key for line in source.alarms] == ["no-unit"]
    line = next(each for each in source.lines if each.check.key == "no-unit")
    assert line.latest == (1, 2) and line.share == 50 and line.days[0][1] is None and line.days[-1][1] == 1
    with time_machine.travel(now() + timedelta(days=40), tick=False):
        (later,) = measuring.quality(doctor)
        assert later.measured_at is None and not later.alarms


def test_who_may_see_it(clinic, sign_in):
    made, _ = clinic
    system_actor = system(made.id)
    clerk = make.staff(made, Role.FRONT_DESK, "Sam", "sam@example.org")
    make.staff(made, Role.PRIVACY_OFFICER, "Kim", "kim@example.org")
    measuring.take(system(made.id))
    with pytest.raises(NotAllowed):
        measuring.quality(make.staff_actor(clerk))
    with pytest.raises(NotAllowed):
        measuring.take(make.staff_actor(clerk))
    db.close()
    shown = sign_in("kim@example.org").get("/desk/quality")
    assert shown.status_code == 200 and "Numbers without a unit" in shown.get_data(as_text=True)
    assert sign_in("sam@example.org").get("/desk/quality").status_code == 403
    assert ehr.sources(system_actor)
