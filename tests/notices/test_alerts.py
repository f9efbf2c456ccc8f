"""What changed about somebody's way in is told them by e-mail: patients, who answers for them, and staff; with nothing to click."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from portal.accounts import notes, renewing, staffing, throttle
from portal.accounts.devices import Arrival
from portal.accounts.models import Clinic
from portal.actors import Role
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import users
from portal.ehr.models import Connection
from portal.notices import service
from portal.notices.models import Kind, Notice, State
from portal.notices.wording import HAPPENED
from portal.settings import Settings
from tests import make
from tests.accounts import proxying
from tests.notices.conftest import NOON, Box, person, run, text

ADDRESS = re.compile(r"https?://[^\s<\"]+")


def told(box: Box) -> list[str]:
    return [text(message) for message in box.got]


@pytest.mark.parametrize("what", sorted(notes.WORDS))
def test_every_kind_of_change_is_told_once_in_words_without_a_link(
    config: Settings, clinic: Clinic, box: Box, what: str
) -> None:
    patient = person(clinic, language="es")
    ana = make.patient_account(patient)
    lee = make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")
    grace = proxying.proxy(person(clinic, "Ben Ode"))
    for each in (ana, lee, grace):
        notes.note(each, what, read=False)
    run(config, box)
    assert run(config, box) == 0, "once"
    assert sorted(message["To"] for message in box.got) == ["ana@example.org", "grace@example.org", "lee@example.org"]
    for message in box.got:
        said, html = text(message), message.get_body(("html",)).get_content()
        assert HAPPENED["en"][what if what != "code" else "link-made"] in said, (
            "a code is told only while its link opens"
        )
        assert "020 7946 0000" in said
        assert set(ADDRESS.findall(said)) == {"http://localhost"}, "the portal's address, and no other"
        assert "<a " not in html and "List-Unsubscribe" not in message
        assert "Ana" not in said and "Lee" not in said and "Diabetes" not in said


def test_every_word_has_its_sentence_in_every_language() -> None:
    assert all(set(words) == {*notes.WORDS, "changed"} for words in HAPPENED.values())


def test_at_night_too_and_in_the_language_of_the_account(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON.replace(hour=3), tick=False):
        lucia = make.patient_account(person(clinic, "Lucía Ortega", language="es"), "lucia@example.org")
        with transaction():
            lucia.profile = {**lucia.profile, "language": "es"}
            notes.note(lucia, "password", read=True)
        run(config, box)
    [message] = box.got
    assert message["Subject"] == "Su cuenta en Riverside Clinic: algo ha cambiado"
    assert "23 de noviembre de 2026, 03:00" in text(message)


def test_what_is_done_is_told_from_the_verbs_themselves(config: Settings, clinic: Clinic, box: Box) -> None:
    """Recovery begun and used, a new password, a role: nobody has to think of writing."""
    ana = make.patient_account(person(clinic))
    admin = make.staff_actor(make.staff(clinic, Role.ADMINISTRATOR, "Jo", "jo@example.org"))
    lee = make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")
    way = renewing.offer_patient(
        make.staff_actor(make.staff(clinic, Role.FRONT_DESK)), str(ana.patient_id), factors_too=False
    )
    assert not renewing.renew(way.token, way.code, "1985-03-27", "six wet stones beside a kettle", staff_need_two=False)
    staffing.give_role(admin, lee.id, "auditor")
    with transaction():
        record = Connection(
            clinic_id=clinic.id,
            name="Record",
            base_url="https://ehr.example.org/fhir",
            client_id="c",
            auth_origins=[],
            made_at=now(),
        )
        session().add(record)
    proxying.proxy(make.patient(clinic, "Eva Ode"))
    ben = person(clinic, "Ben Ode")
    make.patient_account(ben, "ben@example.org")
    proxying.proxy(ben, email="helper@example.org")
    assert users.tie_by_hand(admin, record.id, "lee@example.org", "Practitioner/7") == []
    hired = staffing.hire(admin, "New", "new@example.org", "clinician")
    assert hired.way
    run(config, box)
    sentences = {key for key, sentence in HAPPENED["en"].items() for each in told(box) if sentence in each}
    assert sentences == {"link-made", "renewed", "role", "helper"}, "a tie said ahead opens nothing yet"
    assert "new@example.org" not in {message["To"] for message in box.got}, "who has no way in yet has lost none"


def test_an_account_that_is_shut_by_guessing_is_told_once_a_day_and_the_door_looks_nothing_up_for_it(
    config: Settings, clinic: Clinic, box: Box
) -> None:
    ana = make.patient_account(person(clinic))
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(throttle.PER_ACCOUNT):
            throttle.failed(ana.email_index, Arrival(f"10.0.{number // 9}.{number % 9}"))
            throttle.failed("f" * 64, Arrival(f"10.1.{number // 9}.{number % 9}"))
        assert session().query(notes.SecurityNote).count() == 0
        run(config, box)
        clock.shift(timedelta(hours=1))
        throttle.failed(ana.email_index, Arrival("10.9.9.9"))
        run(config, box)
    assert [HAPPENED["en"]["locked"] in each for each in told(box)] == [True]


def test_ten_wrong_codes_after_the_right_password_are_told(config: Settings, clinic: Clinic, box: Box) -> None:
    ana = make.patient_account(person(clinic))
    many = [throttle.failed_factor(ana.id) for _ in range(12)]
    assert many.index(True) == throttle.PER_FACTOR - 1 and sum(many) == 1


def test_the_list_of_the_desk_is_about_visits_and_the_patient_reads_their_own(
    config: Settings, clinic: Clinic, box: Box, sign_in: Callable[..., FlaskClient]
) -> None:
    ana = make.patient_account(person(clinic))
    notes.note(ana, "password", read=True)
    run(config, box)
    assert session().query(Notice).one().state == State.SENT
    assert service.listed(make.staff_actor(make.staff(clinic, Role.FRONT_DESK))) == []
    assert "About how you sign in" in sign_in("ana@example.org").get("/messages").text


def test_who_has_left_is_not_written_to(config: Settings, clinic: Clinic, box: Box) -> None:
    lee = make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")
    notes.note(lee, "role", read=False)
    with transaction():
        lee.left_at = now()
    run(config, box)
    assert not box.got and session().query(Notice).one().kind == Kind.SECURITY
