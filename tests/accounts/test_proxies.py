"""Who may answer for a patient: offered, taken up, held within its time and scope, taken back at once, each step kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from portal.accounts import ages, answering, ending, granting, proxies, proxy_links, sessions
from portal.accounts import service as accounts
from portal.accounts.models import Account, SecurityNote
from portal.accounts.proxy_models import ProxyStep
from portal.actors import Role, Scope, system
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Gone, NotAllowed, NotFound
from tests import make
from tests.accounts.proxying import ALL, BORN, actor_for, also, child, link, proxy, wanted


@pytest.fixture(autouse=True)
def _open(app: Flask):  # type: ignore[no-untyped-def]
    with app.app_context():
        yield


def test_somebody_who_is_no_patient_answers_for_one_and_is_told_apart() -> None:
    clinic = make.clinic()
    noah = child(clinic)
    grace = proxy(noah, relation="parent")
    actor = answering.acting(sessions.actor_of(grace, None))
    assert (actor.role, actor.patient_id, actor.name) == (Role.PROXY, noah.id, "Grace Bennett")
    assert actor.behalf is not None and actor.behalf.name == "Noah Bennett"
    assert [step.act for step in proxies.of_patient(system(clinic.id), noah.id)[0].steps] == ["offered", "accepted"]


def test_a_patient_keeps_one_account_for_themself_and_for_others() -> None:
    clinic = make.clinic()
    mother, noah, mia = (
        make.patient(clinic, "Grace Bennett", birthDate=BORN),
        child(clinic),
        child(clinic, "Mia Bennett"),
    )
    account = make.patient_account(mother, "grace@example.org")
    also(account, noah, relation="parent")
    also(account, mia, relation="parent", scope=("forms",))
    acting = answering.acting(sessions.actor_of(account, None))
    assert acting.role is Role.PATIENT and acting.patient_id == mother.id, "oneself, until another is chosen"
    assert [each.name for each in acting.subjects] == ["Grace Bennett", "Mia Bennett", "Noah Bennett"]
    for_mia = actor_for(account, mia)
    assert for_mia.allows(Scope.FORMS) and not for_mia.allows(Scope.RESULTS) and not for_mia.allows(Scope.CONSENTS)


def test_only_who_knows_their_own_birth_date_uses_the_link_and_the_childs_is_no_use() -> None:
    noah = child(make.clinic())
    token = link(noah, relation="parent")
    assert proxy_links.prove(token, noah.person["birthDate"]) is None
    assert proxy_links.prove(token, BORN)
    for _ in range(4):
        assert proxy_links.prove(token, "1999-01-01") is None
    with pytest.raises(Gone):
        proxy_links.prove(token, BORN)


def test_a_link_works_once_and_not_without_the_proof() -> None:
    noah = child(make.clinic())
    token = link(noah, relation="parent")
    with pytest.raises(Gone):
        proxy_links.join(token, "guessed", "grace@example.org", make.PASSWORD, "en")
    proof = proxy_links.prove(token, BORN)
    assert proxy_links.join(token, proof, "grace@example.org", make.PASSWORD, "en").token
    with pytest.raises(Gone):
        proxy_links.join(token, proof, "other@example.org", make.PASSWORD, "en")


def test_a_link_is_no_good_to_the_patient_nor_to_a_patient_born_on_another_day_nor_to_staff() -> None:
    clinic = make.clinic()
    ana, ben = make.patient(clinic), make.patient(clinic, "Ben Ode", birthDate="1990-01-01")
    own, other = make.patient_account(ana), make.patient_account(ben, "ben@example.org")
    token = link(ana)
    proof = proxy_links.prove(token, BORN)
    for account in (own, other):
        assert proxy_links.accept(sessions.actor_of(account, None), token, proof)
    with pytest.raises(NotAllowed):
        proxy_links.accept(make.staff_actor(make.staff(clinic)), token, proof)


@pytest.mark.parametrize(
    ("relation", "years", "until", "wrong"),
    [
        ("parent", 8, "", None),
        ("parent", 18, "", "relation"),
        ("guardian", 40, "", "relation"),
        ("carer", 40, "", None),
        ("representative", 40, "", None),
        ("friend", 40, "", "relation"),
        ("carer", 40, "2020-01-01", "until"),
        ("carer", 40, "soon", "until"),
    ],
)
def test_what_may_be_offered(relation: str, years: int, until: str, wrong: str | None) -> None:
    patient = child(make.clinic(), years=years)
    issues = granting.offer(system(patient.clinic_id), patient.id, wanted(relation=relation, until=until), 14).issues
    assert [each.where for each in issues] == ([wrong] if wrong else [])


@pytest.mark.parametrize("scope", [(), ("everything",), ("forms", "everything")])
def test_a_grant_without_a_scope_we_know_is_no_grant(scope: tuple[str, ...]) -> None:
    patient = make.patient(make.clinic())
    issues = granting.offer(system(patient.clinic_id), patient.id, wanted(scope=scope), 14).issues
    assert [each.where for each in issues] == ["scope"]


def test_a_grant_holds_to_the_end_of_its_last_day_and_not_longer() -> None:
    ana = make.patient(make.clinic())
    last = ages.today(ana.clinic_id) + timedelta(days=10)
    carer = proxy(ana, until=last.isoformat())
    for days, holds in ((9.9, True), (12, False)):
        with time_machine.travel(now() + timedelta(days=days), tick=False):
            assert bool(proxies.subjects(carer)) is holds, days


@pytest.mark.parametrize("years", [18, 16])
def test_a_parent_answers_until_the_day_before_the_child_is_old_enough(years: int) -> None:
    clinic = make.clinic()
    ages.set_age(system(clinic.id), years)
    today = ages.today(clinic.id)
    born = ages.birthday(today, -years) + timedelta(days=1)
    noah = make.patient(clinic, "Noah Bennett", birthDate=born.isoformat())
    grace = proxy(noah, relation="parent")
    [subject] = proxies.subjects(grace)
    assert subject.ends_on == today and subject.comes_of_age
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        assert proxies.subjects(grace) == ()
        assert proxies.of_patient(system(clinic.id), noah.id)[0].standing == "aged-out"


def test_what_ends_by_itself_is_told_before_and_written_down_after() -> None:
    clinic = make.clinic()
    office, ana = system(clinic.id), make.patient(clinic)
    carer = proxy(ana, until=(ages.today(clinic.id) + timedelta(days=70)).isoformat())
    assert proxies.soon(actor_for(carer, ana)) == ()
    told = []
    for day in range(73):
        with time_machine.travel(now() + timedelta(days=day), tick=False):
            over = ending.end_what_is_over(office)
            assert ending.end_what_is_over(office) == 0, "written down once"
            told += [(70 - day, what) for what in ["before"] * ending.tell_ahead(office) + ["after"] * over]
            assert ending.tell_ahead(office) == 0, "told once, however often it is looked"
            if day == 20:
                assert len(proxies.soon(actor_for(carer, ana))) == 1
    assert told == [(30, "before"), (3, "before"), (-1, "after")]
    grant = proxies.of_patient(office, ana.id)[0]
    assert grant.standing == "expired" and grant.steps[-1].act == "ended"
    assert _told(carer) == ["helping-ends", "helping-ends", "helping-over"]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/London", "America/Chicago"])
def test_a_child_comes_of_age_at_midnight_where_the_clinic_is(zone: str) -> None:
    clinic = accounts.add_clinic("lake", "Lakeside", zone, "en", "1")
    noah = make.patient(clinic, "Noah Bennett", birthDate="2010-06-15")
    grace = proxy(noah, relation="parent")
    midnight = datetime(2028, 6, 15, tzinfo=ZoneInfo(zone))
    for second, holds in ((-1, True), (0, False)):
        with time_machine.travel(midnight + timedelta(seconds=second), tick=False):
            assert bool(proxies.subjects(grace)) is holds
            assert ending.end_what_is_over(system(clinic.id)) == (not holds)


def _told(account: Account) -> list[str]:
    wanted = select(SecurityNote.what).where(SecurityNote.account_id == account.id).order_by(SecurityNote.at)
    return list(session().scalars(wanted))


def test_a_birthday_on_29_february_comes_on_1_march() -> None:
    assert ages.birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert ages.birthday(date(2008, 2, 29), 20) == date(2028, 2, 29)


def test_the_patient_or_the_desk_takes_it_back_at_once_and_nobody_else() -> None:
    clinic = make.clinic()
    ana, ben = make.patient(clinic), make.patient(clinic, "Ben Ode")
    carer = proxy(ana)
    grant = proxies.of_patient(system(clinic.id), ana.id)[0].id
    desk, doctor = make.staff_actor(make.staff(clinic, Role.FRONT_DESK)), make.staff_actor(make.staff(clinic))
    for other in (make.patient_actor(ben), doctor, actor_for(carer, ana)):
        with pytest.raises((NotFound, NotAllowed)):
            granting.revoke(other, ana.id, grant)
    with pytest.raises(NotFound):
        granting.revoke(desk, ben.id, grant)
    granting.revoke(make.patient_actor(ana), ana.id, grant)
    assert proxies.subjects(carer) == ()
    with pytest.raises(Conflict):
        granting.revoke(desk, ana.id, grant)


def test_a_child_can_neither_let_anybody_answer_nor_take_it_back() -> None:
    noah = child(make.clinic())
    me = make.patient_actor(noah)
    with pytest.raises(NotAllowed):
        granting.offer(me, noah.id, wanted(), 14)
    proxy(noah, relation="parent")
    with pytest.raises(NotAllowed):
        granting.revoke(me, noah.id, proxies.of_patient(me, noah.id)[0].id)


def test_whoever_answers_may_stop_and_only_for_themself() -> None:
    ana = make.patient(make.clinic())
    first, second = proxy(ana), proxy(ana, "Paul Reed", "paul@example.org")
    mine = actor_for(first, ana)
    assert mine.behalf is not None
    with pytest.raises(NotFound):
        granting.give_up(actor_for(second, ana), mine.behalf.key)
    granting.give_up(mine, mine.behalf.key)
    assert proxies.subjects(first) == () and len(proxies.subjects(second)) == 1


def test_nobody_who_answers_for_a_patient_lets_others_answer() -> None:
    ana = make.patient(make.clinic())
    carer = actor_for(proxy(ana), ana)
    with pytest.raises(NotAllowed):
        granting.offer(carer, ana.id, wanted("Paul Reed"), 14)
    with pytest.raises(NotAllowed):
        proxies.of_patient(carer, ana.id)


def test_another_clinic_knows_nothing_of_it() -> None:
    near, far = make.clinic(), make.clinic("hillside", "Hillside Clinic")
    ana = make.patient(near)
    proxy(ana)
    desk = make.staff_actor(make.staff(far, Role.FRONT_DESK))
    for call in (lambda: proxies.of_patient(desk, ana.id), lambda: granting.offer(desk, ana.id, wanted(), 14)):
        with pytest.raises(NotFound):
            call()


def test_the_database_refuses_to_change_a_step() -> None:
    ana = make.patient(make.clinic())
    proxy(ana)
    with pytest.raises(DatabaseError, match="never changed"), transaction() as current:
        current.query(ProxyStep).first().act = "revoked"
    session().rollback()


def test_a_record_that_the_patient_is_no_longer_tied_to_names_nobody() -> None:
    clinic = make.clinic()
    ana = make.patient(clinic, connection_id="c" * 16, fhir_id="ana")
    carer = proxy(ana, reference="RelatedPerson/grace")
    assert actor_for(carer, ana).behalf.reference == "RelatedPerson/grace"  # type: ignore[union-attr]
    with transaction():
        ana.fhir_id = "another"
    assert actor_for(carer, ana).behalf.reference == ""  # type: ignore[union-attr]


def test_every_scope_is_offered() -> None:
    assert set(ALL) == set(Scope)
