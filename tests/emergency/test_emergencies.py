"""Break-glass: who may, what it opens and what not, how it ends, who learns of it (bar 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from portal.actors import Actor, Purpose, Role
from portal.audit import service as audit
from portal.audit.models import AuditRow
from portal.clock import now
from portal.consent import service as consent
from portal.db import session
from portal.emergency import service
from portal.emergency.models import Emergency
from portal.errors import NotAllowed, NotFound
from portal.review import opening
from portal.review import service as review
from tests import make
from tests.conftest import csrf
from tests.review.conftest import DESK, World
from tests.review.conftest import world as world  # the fixture

PSY = "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY"
URGENT = [
    {"key": "self-harm", "words": "A secret", "labels": [PSY]},
    {"key": "x", "words": "No secret", "labels": []},
]
WHY = "Found unconscious at home"


def choose(world: World, **chosen: str) -> None:
    me = make.patient_actor(world.patient, "a" * 16)
    answers = {"share": "yes", "sensitive": "no", "results": "yes", "research": "no", "until": "open"} | chosen
    given = consent.give(me, answers, language="en", seen=consent.sheet_for(me, "en").sha256, visit_id=world.visit.id)
    assert given.version, given.issues


def urgent(actor: Actor, submission: str) -> list[str]:
    return review.open_submission(actor, submission, DESK).urgent


def in_emergency(world: World, patient_id: str | None = None) -> Actor:
    return replace(world.actor(), emergency=patient_id or world.patient_id)


def begin(world: World, client: FlaskClient, why: str = WHY) -> int:
    path = f"/desk/emergency/{world.patient_id}"
    answer = client.post(path, data={"csrf_token": csrf(client, path), "reason": why})
    return answer.status_code


def rows(event: str) -> list[AuditRow]:
    return session().query(AuditRow).filter_by(event=event).all()


# what each choice opens: (share, sensitive) → what a clinician sees without and within an emergency
OPENS = {
    ("yes", "yes"): (["A secret", "No secret"], ["A secret", "No secret"]),
    ("yes", "emergency"): (["No secret", opening.KEPT_BACK], ["A secret", "No secret"]),
    ("yes", "no"): (["No secret", opening.KEPT_BACK], ["No secret", opening.KEPT_BACK]),
    ("emergency", "no"): ([opening.KEPT_BACK], ["A secret", "No secret"]),
    ("no", "no"): ([opening.KEPT_BACK], [opening.KEPT_BACK]),
}


@pytest.mark.parametrize(("share", "sensitive"), OPENS)
def test_an_emergency_opens_what_the_patient_allows_then_and_nothing_else(
    world: World, share: str, sensitive: str
) -> None:
    submission = world.submit(urgent=URGENT)
    choose(world, share=share, sensitive=sensitive)
    assert (urgent(world.actor(), submission), urgent(in_emergency(world), submission)) == OPENS[share, sensitive]


def test_it_is_about_one_patient(world: World) -> None:
    submission = world.submit(urgent=URGENT)
    choose(world, sensitive="emergency")
    assert "A secret" not in urgent(in_emergency(world, "0" * 16), submission)


def test_a_purpose_in_the_request_or_the_role_alone_opens_nothing(world: World) -> None:
    choose(world, sensitive="emergency")
    held = {"resourceType": "Observation", "id": "o", "meta": {"security": [{"system": PSY[:-4], "code": "PSY"}]}}
    for role in (Role.CLINICIAN, Role.FRONT_DESK, Role.ADMINISTRATOR):
        asked = consent.permits(
            world.actor(role), world.patient_id, held, policy=consent.Policy.ALL_AUTHORIZED, purpose="BTG"
        )
        assert not asked.permit
    seen = consent.permits(in_emergency(world), world.patient_id, held, policy=consent.Policy.ALL_AUTHORIZED)
    assert seen.permit


def test_after_the_choices_have_run_out_an_emergency_opens_nothing_either(world: World) -> None:
    submission = world.submit(urgent=URGENT)
    choose(world, sensitive="emergency", until="visit")
    with time_machine.travel(now() + timedelta(days=400), tick=False):
        assert urgent(in_emergency(world), submission) == [opening.KEPT_BACK]


def test_from_the_page_to_the_end_of_the_hour(world: World) -> None:
    submission = world.submit(urgent=URGENT)
    choose(world, sensitive="emergency")
    client = world.signed_in()
    path = f"/desk/submissions/{submission}"
    assert "A secret" not in client.get(path).text
    assert begin(world, client, "no") == 422
    assert begin(world, client) == 303
    page = client.get(path).text
    assert "A secret" in page
    assert "Emergency access to" in page
    assert {row.purpose for row in rows("submission-seen")} == {Purpose.TREATMENT, Purpose.EMERGENCY}
    began = now()
    for minutes in range(10, 60, 10):  # the session itself would end when nothing happens
        with time_machine.travel(began + timedelta(minutes=minutes)):
            assert "A secret" in client.get(path).text
    with time_machine.travel(began + service.LONGEST + timedelta(seconds=1)):
        page = client.get(path).text
        assert "Adaeze" in page
        assert "A secret" not in page
        assert "Emergency access to" not in page
        service.end_overdue()
        service.end_overdue()
    (row,) = session().query(Emergency)
    assert row.ended_at == row.until
    assert len(rows("emergency-begun")) == len(rows("emergency-ended")) == 1


def test_closing_it_closes_it_at_once_and_another_session_never_had_it(world: World) -> None:
    submission = world.submit(urgent=URGENT)
    choose(world, sensitive="emergency")
    client, other = world.signed_in(), world.signed_in()
    path = f"/desk/submissions/{submission}"
    begin(world, client)
    assert "A secret" in client.get(path).text
    assert "A secret" not in other.get(path).text
    assert client.post("/desk/emergency/close", data={"csrf_token": csrf(client, path)}).status_code == 303
    assert "A secret" not in client.get(path).text
    assert len(rows("emergency-ended")) == 1


def test_one_at_a_time(world: World) -> None:
    second = make.patient(world.clinic, "Ben Adu", connection_id=world.connection.id, fhir_id="8")
    actor = replace(world.actor(), session_id="s" * 16)
    assert service.begin(actor, world.patient_id, WHY) == service.begin(actor, second.id, WHY) == []
    assert service.acting(actor).emergency == second.id
    assert [row.ended_at is None for row in session().query(Emergency).order_by(Emergency.began_at)] == [False, True]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CLINICIAN])
def test_only_a_clinician_may(world: World, role: Role) -> None:
    actor = replace(world.actor(), role=role, session_id="s" * 16)
    with pytest.raises(NotAllowed):
        service.begin(actor, world.patient_id, WHY)
    assert service.acting(actor).emergency is None


def test_nobody_without_a_session_opens_anything_and_thinks_it_is_open(world: World) -> None:
    with pytest.raises(NotAllowed):
        service.begin(world.actor(), world.patient_id, WHY)


def test_nobody_of_another_clinic(world: World) -> None:
    far = make.clinic("hillside", "Hillside")
    actor = replace(make.staff_actor(make.staff(far, Role.CLINICIAN, "Dr Far")), session_id="s" * 16)
    with pytest.raises(NotFound):
        service.begin(actor, world.patient_id, WHY)


def test_the_patient_reads_who_it_was_and_why(world: World) -> None:
    choose(world, sensitive="emergency")
    submission = world.submit(urgent=URGENT)
    client = world.signed_in()
    begin(world, client)
    client.get(f"/desk/submissions/{submission}")
    told = audit.who_looked(make.patient_actor(world.patient, "a" * 16))
    begun = next(entry for entry in told if entry.reason)
    assert (begun.who, begun.reason) == ("Dr Lee", WHY)
    assert {entry.sentence for entry in told if entry.emergency} >= {
        "%(who)s opened your answers to prepare your visit."
    }


def test_the_privacy_officer_checks_it_once_and_nobody_else(world: World) -> None:
    officer = make.staff_actor(make.staff(world.clinic, Role.PRIVACY_OFFICER, "Pat"))
    service.begin(replace(world.actor(), session_id="s" * 16), world.patient_id, WHY)
    (row,) = session().query(Emergency)
    assert service.unchecked(officer) == 1
    assert service.check(officer, row.id, "no")
    assert service.check(officer, row.id, "Asked Dr Lee: the ambulance called.") == []
    assert service.check(officer, row.id, "Something quite different.") == []
    (told,) = service.listed(officer)
    assert (told.reason, told.row.detail["finding"]) == (WHY, "Asked Dr Lee: the ambulance called.")
    assert service.unchecked(officer) == 0
    with pytest.raises(NotAllowed):
        service.listed(world.actor())
    far = make.clinic("hillside", "Hillside")
    stranger = make.staff_actor(make.staff(far, Role.PRIVACY_OFFICER, "Far"))
    assert service.listed(stranger) == []
    with pytest.raises(NotFound):
        service.check(stranger, row.id, "Asked Dr Lee: the ambulance called.")


def test_the_privacy_officers_page(world: World) -> None:
    make.staff(world.clinic, Role.PRIVACY_OFFICER, "Pat", "pat@example.org")
    service.begin(replace(world.actor(), session_id="s" * 16), world.patient_id, WHY)
    client = world.enter("pat@example.org")
    page = client.get("/emergencies").text
    assert WHY in page
    assert '<span class="pv-bar__count">1</span>' in client.get("/audit").text, "nobody is alerted"
    assert "Not checked yet" in page
    (row,) = session().query(Emergency)
    form = {"csrf_token": csrf(client, "/emergencies"), "finding": "x"}
    assert client.post(f"/emergencies/{row.id}", data=form).status_code == 422
    form["finding"] = "Asked Dr Lee: the ambulance called."
    assert client.post(f"/emergencies/{row.id}", data=form).status_code == 303
    assert "Checked by Pat" in client.get("/emergencies").text
