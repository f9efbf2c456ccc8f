"""Where messages are sent, who makes a way into somebody's account cannot use it: the code goes to its owner and to nobody else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts import staffing
from portal.accounts.models import SecurityNote
from portal.actors import Role
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import session
from portal.notices.wording import HAPPENED
from tests import make
from tests.accounts.people import ANA, Person, account
from tests.conftest import DATABASES, csrf
from tests.notices.conftest import Box, run, text

pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True)
NEW = "six wet stones beside a kettle"
BORN = {"day": "27", "month": "3", "year": "1985"}
LINK = re.compile(r"/back-in/[\w-]+")
CODE = re.compile(r"\b[2-9a-z]{4}-[2-9a-z]{4}\b")


@pytest.fixture
def writing(strict: Flask) -> Flask:
    """The portal of a clinic that sends messages."""
    strict.config["SETTINGS"] = replace(strict.config["SETTINGS"], mail="folder")
    return strict


def worker(app: Flask, role: Role, email: str) -> Person:
    make.staff(accounts.clinics()[0], role, role.value, email)
    person = Person(app, email)
    person.sign_in()
    person.add_app()
    return person


def sent_code(app: Flask, to: str) -> list[str]:
    """The codes that have been sent to an address, the newest last."""
    box = Box()
    run(app.config["SETTINGS"], box)
    return [code for each in box.got if each["To"] == to for code in CODE.findall(text(each))]


def test_an_administrator_never_sees_the_code_of_a_colleague_and_the_colleague_gets_in(writing: Flask) -> None:
    make.clinic(forms=())
    jo = worker(writing, Role.ADMINISTRATOR, "jo@example.org")
    make.staff(accounts.clinics()[0], Role.CLINICIAN, "Dr Lee", "lee@example.org")
    new = {"name": "Dr New", "email": "new@example.org", "role": "clinician"}
    path = f"/admin/staff/{account('lee@example.org').id}"
    for at, act, typed, email in (
        (path, f"{path}/way-back", {}, "lee@example.org"),
        ("/admin/staff", "/admin/staff", new, "new@example.org"),
    ):
        page = jo.client.post(act, data={**typed, "csrf_token": csrf(jo.client, at)}).get_data(as_text=True)
        [link] = LINK.findall(page)
        assert not CODE.search(re.sub(r"<[^>]+>", " ", page)), "nowhere on the page"
        assert f"Link for {account(email).profile['name']}" in page and f"It goes to {email}" in page
        thief, owner = Person(writing, email), Person(writing, email)
        assert thief.post(link, code="", password=NEW).status_code == 422
        [code] = sent_code(writing, email)
        assert owner.post(link, code=code, password=NEW).status_code == 303
        assert owner.sign_in(NEW).status_code == 303


def test_the_code_of_a_link_that_is_over_is_not_sent_any_more(writing: Flask) -> None:
    make.clinic(forms=())
    jo = make.staff_actor(make.staff(accounts.clinics()[0], Role.ADMINISTRATOR, "Jo", "jo@example.org"))
    lee = make.staff(accounts.clinics()[0], Role.CLINICIAN, "Dr Lee", "lee@example.org")
    staffing.way_back(jo, lee.id, messages=True)
    staffing.way_back(jo, lee.id, messages=True)
    codes = sent_code(writing, "lee@example.org")
    assert len(set(codes)) == 1, "the newest link's only"
    staffing.way_back(jo, lee.id, messages=True)
    with time_machine.travel(now() + timedelta(days=4), tick=False):
        assert sent_code(writing, "lee@example.org") == []


def test_the_desk_sees_the_code_only_by_saying_so_and_then_others_are_told(writing: Flask, ana: Person) -> None:
    sam = worker(writing, Role.FRONT_DESK, "sam@example.org")
    make.staff(accounts.clinics()[0], Role.PRIVACY_OFFICER, "Pat", "pat@example.org")
    path = f"/desk/sign-in-help/{account(ANA).patient_id}"
    shown = {"": 0, "sent": 0, "shown": 1, "anything": 0}
    for choice, codes in shown.items():
        typed = {"lost": "password", "code": choice, "csrf_token": csrf(sam.client, path)}
        page = sam.client.post(path, data=typed).get_data(as_text=True)
        assert len(set(CODE.findall(re.sub(r"<[^>]+>", " ", page)))) == codes, choice
        if choice == "sent":
            [link] = LINK.findall(page)
            code = sent_code(writing, ANA)[-1]
            assert Person(writing, ANA).post(link, code=code, password=NEW, **BORN).status_code == 303
    officer = select(SecurityNote.what).where(SecurityNote.account_id == account("pat@example.org").id)
    assert list(session().scalars(officer)) == ["code-shown"]
    offered = select(AuditRow).where(AuditRow.event == Event.RECOVERY_OFFERED.value).order_by(AuditRow.seq)
    said = [row.detail["code"] for row in session().scalars(offered)]
    assert said == ["sent", "sent", "shown", "sent"]


def test_a_new_account_or_role_is_told_to_everybody_who_watches_over_staff_but_who_did_it(writing: Flask) -> None:
    clinic = make.clinic(forms=())
    jo = make.staff_actor(make.staff(clinic, Role.ADMINISTRATOR, "Jo", "jo@example.org"))
    for role, email in ((Role.ADMINISTRATOR, "al@example.org"), (Role.PRIVACY_OFFICER, "pat@example.org")):
        make.staff(clinic, role, role.value, email)
    lee = make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")
    make.staff(make.clinic("far", "Far", forms=()), Role.ADMINISTRATOR, "Far", "far@example.org")
    staffing.hire(jo, "Dr Made Up", "jo+2@example.org", "clinician", messages=True)
    staffing.give_role(jo, lee.id, "administrator")
    box = Box()
    run(writing.config["SETTINGS"], box)
    told = [each["To"] for each in box.got if HAPPENED["en"]["staff-changed"] in text(each)]
    assert sorted(told) == ["al@example.org", "al@example.org", "pat@example.org", "pat@example.org"]
