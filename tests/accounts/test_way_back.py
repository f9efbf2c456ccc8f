"""Back into an account: link, code and birth date together, once, within half an hour, and nothing weaker than the way in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from portal.accounts import renewing, staffing
from portal.accounts.models import Account
from portal.accounts.renewing import WayBack
from portal.actors import Actor, Role
from portal.clock import now
from portal.errors import NotAllowed, NotFound
from tests import make
from tests.accounts.people import ANA, Person, account, code_of
from tests.conftest import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True)
NEW = "six wet stones beside a kettle"
BORN = {"day": "27", "month": "3", "year": "1985"}


@pytest.fixture
def desk(ana: Person) -> Actor:
    from portal.accounts import service as accounts

    return make.staff_actor(make.staff(accounts.clinics()[0], Role.FRONT_DESK, "Sam"))


@pytest.fixture
def offer(ana: Person, desk: Actor) -> Callable[..., WayBack]:
    return lambda *, all_lost=False: renewing.offer_patient(desk, str(_ana().patient_id), factors_too=all_lost)


def _ana() -> Account:
    return account(ANA)


def use(person: Person, way: WayBack, code: str | None = None, password: str = NEW, **born: str) -> int:
    path = f"/back-in/{way.token}"
    typed = {"code": way.code if code is None else code, "password": password, **BORN, **born}
    return person.post(path, **typed).status_code


def test_all_three_set_a_new_password_sign_everybody_out_and_are_told_next_time(
    strict: Flask, ana: Person, offer: Callable[..., WayBack]
) -> None:
    ana.sign_in()
    way, other = offer(), Person(strict, ANA)
    for _ in range(3):
        assert other.get(f"/back-in/{way.token}").status_code == 200, "looking never uses it up"
    assert use(other, way) == 303
    assert not ana.is_in() and not other.is_in(), "setting a password is not signing in"
    assert other.sign_in().status_code == 422
    assert other.sign_in(NEW).location == "/security/news?next=/"
    told = other.text("/security/news?next=/")
    assert "A new password was set with a link from the clinic" in told and "made a link" in told
    assert other.post("/security/news?next=/who-looked", "/security/news").location == "/who-looked"
    assert Person(strict, ANA).sign_in(NEW).location == "/", "told once"
    assert other.get(f"/back-in/{way.token}").status_code == 410, "the link works once"


WRONG: tuple[dict[str, str], ...] = (
    {"code": "ab3d-ef5g"},
    {"code": ""},
    {"day": "28"},
    {"year": ""},
    {"month": "13"},
    {"code": "", "day": ""},
)


def test_any_wrong_part_looks_the_same_and_five_of_them_end_the_link(
    strict: Flask, ana: Person, offer: Callable[..., WayBack]
) -> None:
    for wrong in WRONG:
        way, thief = offer(), Person(strict, ANA)
        path = f"/back-in/{way.token}"
        typed = {"code": way.code, "password": NEW, **BORN, **wrong}
        pages = [thief.post(path, **typed) for _ in range(4)]
        assert [each.status_code for each in pages] == [422] * 4, wrong
        assert all("The code or the date of birth is not right" in each.get_data(as_text=True) for each in pages)
        assert thief.post(path, **typed).status_code == 410, wrong
        assert use(thief, way) == 410, "even everything right is too late now"
    assert ana.sign_in().status_code == 303, "her password is as it was"


def test_a_second_factor_is_still_asked_for_unless_the_clinic_was_told_it_is_lost(
    strict: Flask, ana: Person, offer: Callable[..., WayBack]
) -> None:
    ana.sign_in()
    ana.add_app()
    other = Person(strict, ANA)
    assert use(other, offer()) == 303
    assert other.sign_in(NEW).location == "/sign-in/code"
    assert use(other, offer(all_lost=True), password="seven dry leaves under a chair") == 303
    assert other.sign_in("seven dry leaves under a chair").location == "/security/news?next=/"
    assert "Your second steps were removed" in other.text("/security/news")


def test_half_an_hour_a_newer_link_and_a_change_by_the_owner_end_a_link(
    strict: Flask, ana: Person, offer: Callable[..., WayBack]
) -> None:
    first, second = offer(), offer()
    other = Person(strict, ANA)
    assert other.get(f"/back-in/{first.token}").status_code == 410
    ana.sign_in()
    ana.post("/security/news", "/security/news")
    ana.post("/security/password", "/security/password", password=NEW)
    assert other.get(f"/back-in/{second.token}").status_code == 410
    third = offer()
    with time_machine.travel(now() + timedelta(minutes=31), tick=False):
        assert other.get(f"/back-in/{third.token}").status_code == 410


def test_a_weak_password_is_refused_and_does_not_use_the_link_up(ana: Person, offer: Callable[..., WayBack]) -> None:
    way = offer()
    for weak in ("short", "password1234567", "riversideclinic2026", "anamorales19850327"):
        assert use(ana, way, password=weak) == 422
    assert use(ana, way) == 303


def test_a_link_for_joining_does_not_renew_and_one_for_renewing_does_not_join(
    ana: Person, desk: Actor, offer: Callable[..., WayBack]
) -> None:
    from portal.accounts import service as accounts

    invited = accounts.invite(desk, make.patient(accounts.clinics()[0], "Ben").id, 14).token
    assert ana.get(f"/back-in/{invited}").status_code == 410
    assert ana.get(f"/join/{offer().token}").status_code == 410


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR])
def test_only_who_invites_makes_a_way_back_and_only_in_their_clinic(ana: Person, role: Role) -> None:
    from portal.accounts import service as accounts

    patient_id = str(_ana().patient_id)
    with pytest.raises(NotAllowed):
        renewing.offer_patient(make.staff_actor(make.staff(accounts.clinics()[0], role)), patient_id, factors_too=True)
    far = make.staff_actor(make.staff(make.clinic("far", "Far", forms=()), Role.FRONT_DESK))
    with pytest.raises(NotFound):
        renewing.offer_patient(far, patient_id, factors_too=True)


def test_the_host_that_a_request_names_never_shapes_the_link(strict: Flask, ana: Person) -> None:
    from portal.accounts import service as accounts

    make.staff(accounts.clinics()[0], Role.FRONT_DESK, "Jo", "jo@example.org")
    jo = Person(strict, "jo@example.org")
    jo.sign_in()
    jo.add_app()
    path = f"/desk/sign-in-help/{_ana().patient_id}"
    page = jo.client.post(
        path,
        data={"lost": "password", "csrf_token": _token(jo, path)},
        headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    ).get_data(as_text=True)
    assert "http://localhost/back-in/" in page and "evil" not in page
    evil = jo.client.get(path, headers={"Host": "evil.example"})
    assert evil.status_code == 400


def _token(person: Person, path: str) -> str:
    from tests.conftest import csrf

    return csrf(person.client, path)


# -- staff ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def jo(strict: Flask) -> Actor:
    return make.staff_actor(make.staff(make.clinic(forms=()), Role.ADMINISTRATOR, "Jo Park"))


def test_a_new_member_of_staff_begins_with_link_and_code_and_sets_up_a_second_factor(strict: Flask, jo: Actor) -> None:
    way = staffing.hire(jo, "Dr Lee", "lee@example.org", "clinician").way
    assert way is not None
    lee = Person(strict, "lee@example.org")
    assert lee.sign_in("").status_code == 422 and lee.sign_in(NEW).status_code == 422, "no password opens it yet"
    assert "Begin here" in lee.text(f"/back-in/{way.token}") and "date of birth" not in lee.text(
        f"/back-in/{way.token}"
    )
    assert lee.post(f"/back-in/{way.token}", code="wrong", password=NEW).status_code == 422
    assert lee.post(f"/back-in/{way.token}", code=way.code, password=NEW).status_code == 303
    lee.sign_in(NEW)
    assert lee.get("/desk").location == "/security/set-up"
    lee.add_app()
    assert lee.get("/desk").status_code == 200


def test_suspended_departed_and_other_roles_are_out_or_changed_on_the_next_request(strict: Flask, jo: Actor) -> None:
    from portal.accounts import service as accounts

    make.staff(accounts.clinics()[0])
    lee = Person(strict, "clinician@example.org")
    lee_id = account(lee.email).id
    lee.sign_in()
    lee.add_app()
    assert lee.get("/desk").status_code == 200
    staffing.suspend(jo, lee_id, left=False)
    assert lee.get("/desk").status_code == 303 and lee.sign_in().status_code == 422
    staffing.restore(jo, lee_id)
    assert lee.get("/desk").status_code == 303, "the old session stays ended"
    with time_machine.travel(now() + timedelta(minutes=1), tick=False):
        lee.sign_in()
        lee.second_step(code_of(lee.email))
        assert lee.get("/desk").status_code == 200
        staffing.give_role(jo, lee_id, "privacy-officer")
        assert lee.get("/desk").status_code == 303
        staffing.suspend(jo, lee_id, left=True)
    staffing.restore(jo, lee_id)
    assert lee.sign_in().status_code == 422, "who left has no password any more"
    assert [each.state for each in staffing.members(jo) if each.id == lee_id] == ["invited"]


def test_nobody_changes_their_own_account_or_one_elsewhere_and_only_administrators_change_any(jo: Actor) -> None:
    from portal.accounts import service as accounts

    lee = make.staff(accounts.clinics()[0])
    far = make.staff_actor(
        make.staff(make.clinic("far", "Far", forms=()), Role.ADMINISTRATOR, "Far", "far@example.org")
    )
    acts: tuple[Callable[[Actor, str], object], ...] = (
        staffing.way_back,
        staffing.restore,
        lambda actor, who: staffing.give_role(actor, who, "administrator"),
        lambda actor, who: staffing.suspend(actor, who, left=True),
    )
    for act in acts:
        with pytest.raises(NotAllowed):
            act(jo, str(jo.account_id))
        with pytest.raises(NotFound):
            act(far, lee.id)
        with pytest.raises(NotAllowed):
            act(make.staff_actor(lee), str(jo.account_id))
    with pytest.raises(NotAllowed):
        staffing.hire(make.staff_actor(lee), "X", "x@example.org", "administrator")


def test_a_patient_is_no_member_of_staff(jo: Actor) -> None:
    from portal.accounts import service as accounts

    patient = make.patient_account(make.patient(accounts.clinics()[0]), ANA)
    assert [each.email for each in staffing.members(jo)] == ["administrator@example.org"]
    for act in (staffing.way_back, staffing.restore, staffing.member):
        with pytest.raises(NotFound):
            act(jo, patient.id)
