"""What a message says and never says, what becomes of it, how it is sent by hand, and how it is stopped."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts import service as accounts
from portal.accounts.models import Clinic, Patient
from portal.actors import Role, system
from portal.audit.models import AuditRow
from portal.db import session, transaction
from portal.errors import NotAllowed, NotFound
from portal.intake.models import Visit
from portal.notices import mail, planning, sending, service
from portal.notices.models import Kind, NoReminders, Notice, State
from portal.settings import Settings
from tests import make
from tests.conftest import csrf
from tests.notices.conftest import NOON, Box, kinds, office, person, run, text
from tests.review.conftest import world as world  # the fixture

CANARIES = ("Kestrelina", "Morales-Osprey", "1985-03-27", "Lapwing surgery", "Dr Heron", "kestrel-answer", "metformin")


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("kind", [each for each in Kind if each is not Kind.SECURITY])
def test_a_message_never_says_who_or_what(
    kind: Kind, language: str, config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = make.patient(clinic, "Kestrelina Morales-Osprey", email="k@example.org", language=language)
        visit = make.visit(ana, in_days=5)
        with transaction() as current:
            session().get_one(Visit, visit.id).detail = {"what": "Lapwing surgery", "with": "Dr Heron", "where": None}
            current.add(planning._notice(system(clinic.id), kind, "x:y", visit.id, ana.id))
        letter = sending._letter(
            office(box),
            system(clinic.id),
            session().query(Notice).one(),
            sending.Reach("k@example.org", language, False),
        )
    made = mail.written(letter)
    whole = made.as_string() + "".join(str(part.get_content()) for part in made.walk() if not part.is_multipart())
    for canary in CANARIES:
        assert canary.lower() not in whole.lower()
        assert base64.b64encode(canary.encode()).decode()[:-4] not in whole
    assert ana.id not in re.sub(r"/messages/stop/\S+", "", whole)
    assert visit.id not in whole
    assert made["Content-Language"] == (language if language != "fr" else "en")


def test_only_what_can_be_stopped_says_how(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = person(clinic)
        make.patient_account(ana)
        make.visit(ana, in_days=10)
        make.visit(person(clinic, "Ben Adu"), in_days=10, appointment_id="b")
        run(config, box)
    asked, invited = sorted(box.got, key=lambda each: str(each["To"]))
    assert asked["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(asked["List-Unsubscribe"]).startswith("<http://localhost/messages/stop/")
    assert invited["List-Unsubscribe"] is None


def test_an_odd_name_of_a_clinic_or_address_adds_no_header(config: Settings, app: Flask, box: Box) -> None:
    odd = make.clinic("odd", "Bad\r\nBcc: everybody@example.org <b>&")
    with time_machine.travel(NOON, tick=False):
        make.visit(person(odd, email="x@example.org\r\nBcc: y@example.org"), in_days=10)
        make.visit(person(odd, "Ben Adu", email="not an address"), in_days=10, appointment_id="b")
        make.visit(person(odd, "Cai Dee", email="c@example.org"), in_days=10, appointment_id="c")
        run(config, box)
    assert all(message["Bcc"] is None for message in box.got)
    assert kinds(State.FAILED).count("invitation") >= 2
    for message in box.got:
        html = message.get_body(("html",))
        assert html is not None
        assert "<b>" not in str(html.get_content())


def test_no_address_and_a_refused_one_are_told_to_staff(
    config: Settings, clinic: Clinic, box: Box, sign_in: Callable[..., FlaskClient]
) -> None:
    with time_machine.travel(NOON, tick=False):
        make.visit(person(clinic, email=None), in_days=10)
        run(config, box)
        box.fault = mail.NotTaken()
        make.visit(person(clinic, "Ben Adu"), in_days=10, appointment_id="b")
        run(config, box)
    rows = service.listed(make.staff_actor(make.staff(clinic, Role.FRONT_DESK, "Sam")))
    assert {(row.name, row.why) for row in rows} == {
        ("Ana Morales", sending.NO_ADDRESS),
        ("Ben Adu", sending.NOT_TAKEN),
    }
    make.staff(clinic, Role.FRONT_DESK, "Jo", "jo@example.org")
    page = sign_in("jo@example.org").get("/desk/messages").text
    assert sending.NOT_TAKEN in page
    assert "ben@example.org" in page


def test_a_server_that_is_away_is_tried_again_for_two_days(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make.visit(person(clinic), in_days=13)
        box.fault = mail.NotNow()
        run(config, box)
        tries = 0
        notice = session().query(Notice).one()
        while notice.state == State.WAITING:
            clock.shift(timedelta(minutes=61))
            run(config, box)
            tries += 1
            assert tries < 100
        assert (notice.state, notice.detail["why"]) == (State.FAILED, sending.TOO_LONG)
        assert 40 < notice.tries < 60


def test_a_worker_that_died_with_a_message_in_hand_leaves_it_to_the_next_with_the_same_id(
    config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make.visit(person(clinic), in_days=10)
        box.fault = KeyboardInterrupt()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            run(config, box)
        box.fault = None
        assert run(config, box) == 0, "another worker may still have it in hand"
        clock.shift(sending.STUCK + timedelta(seconds=1))
        assert run(config, box) == 1
        assert box.got[0]["Message-ID"] == f"<{session().query(Notice).one().id}@localhost>"


def test_what_was_sent_is_written_down_where_the_patient_reads_it(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        make.visit(person(clinic), in_days=10)
        run(config, box)
    rows = session().query(AuditRow).filter_by(event="message-sent").all()
    assert [row.patient_id for row in rows] == [session().query(Patient).one().id]


def test_the_front_desk_sends_an_invitation_by_hand_at_any_hour_and_its_link_works(
    config: Settings, clinic: Clinic, box: Box, sign_in: Callable[..., FlaskClient]
) -> None:
    ana = person(clinic)
    visit, ana_id = make.visit(ana, in_days=40).id, ana.id
    make.staff(clinic, Role.FRONT_DESK, "Jo", "jo@example.org")
    client = sign_in("jo@example.org")
    form = {"csrf_token": csrf(client, "/desk/messages")}
    told = [client.post(f"/desk/messages/invite/{visit}", data=form) for _ in range(2)]
    assert [each.status_code for each in told] == [200, 200]
    codes = [re.search(r'class="pv-reference">([^<]+)<', each.text) for each in told]
    assert client.post(f"/desk/messages/invite/{'0' * 16}", data=form).status_code == 404
    assert run(config, box) in {1, 2}  # two when the minute changed in between
    link = re.search(r"http://localhost/join/(\S+)", text(box.got[0]))
    assert link
    assert accounts.invitation(link[1]).patient_id == ana_id
    assert codes[0] and codes[1] and codes[1][1] not in box.got[0].as_string(), "the code goes another way"
    assert not accounts.prove(link[1], codes[0][1], "1985-03-27"), "the newest code counts"
    assert accounts.prove(link[1], codes[1][1], "1985-03-27")
    with pytest.raises(NotAllowed):
        service.invite(make.staff_actor(make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")), visit, 14)


def test_reminders_are_stopped_with_the_link_alone_and_wanted_again_by_the_person(
    config: Settings, clinic: Clinic, client: FlaskClient, sign_in: Callable[..., FlaskClient]
) -> None:
    ana = person(clinic)
    make.patient_account(ana)
    path = f"/messages/stop/{service.stop_token(ana.id)}"
    for _ in range(3):
        assert client.get(path).status_code == 200
    assert session().get(NoReminders, ana.id) is None, "looking stopped them"
    for _ in range(2):
        assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    session().expire_all()
    assert session().get(NoReminders, ana.id) is not None
    mine = sign_in("ana@example.org")
    page = mine.get("/messages").text
    assert "You get no reminders." in page
    form = {"csrf_token": csrf(mine, "/messages"), "wanted": "yes"}
    assert mine.post("/messages/reminders", data=form).status_code == 303
    assert "You get no reminders." not in mine.get("/messages").text


@pytest.mark.parametrize("token", ["x", "a.b", "%00", "InBhdGllbnQi.forged", "é"])
def test_a_link_that_is_not_ours_stops_nothing(token: str, clinic: Clinic, client: FlaskClient) -> None:
    assert client.get(f"/messages/stop/{quote(token)}").status_code == 404
    assert client.post(f"/messages/stop/{quote(token)}").status_code == 404


def test_a_token_for_stopping_is_no_key_to_anything_else(clinic: Clinic) -> None:
    token = service.stop_token(person(clinic).id)
    with pytest.raises(NotFound):
        service.check(token + "x")
