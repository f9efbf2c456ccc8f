"""Answering for somebody in the browser: always visible, bound to the page, within the scope, over on the next request."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts import granting, proxies
from portal.accounts import service as accounts
from portal.accounts.models import Account, Patient
from portal.accounts.sessions import actor_of
from portal.actors import Role, system
from portal.consent import service as consent
from tests import make
from tests.accounts.proxying import BORN, actor_for, also, apart, child, link, proxy
from tests.conftest import csrf

SignIn = Callable[..., FlaskClient]
CHOICES = {"share": "yes", "sensitive": "yes", "emergency": "yes", "results": "yes", "research": "no", "until": "year"}


class Family:
    """Grace, who is a patient herself, and her two children, with a visit each."""

    def __init__(self) -> None:
        self.clinic = apart(make.clinic(forms=()))
        self.grace = apart(make.patient(self.clinic, "Grace Bennett", birthDate=BORN))
        self.noah, self.mia = apart(child(self.clinic)), apart(child(self.clinic, "Mia Bennett", years=5))
        self.account = apart(make.patient_account(self.grace, "grace@example.org"))
        for each in (self.noah, self.mia):
            also(self.account, each, relation="parent")
        self.visits = {
            each.person["name"].split()[0]: make.visit(each).id for each in (self.grace, self.noah, self.mia)
        }


@pytest.fixture
def family(app: Flask) -> Family:
    return Family()


def answer_for(client: FlaskClient, account: Account, patient: Patient) -> None:
    grants = proxies.of_patient(system(patient.clinic_id), patient.id)
    key = next(each.id for each in grants if each.account_id == account.id)
    answer = client.post("/answering-for", data={"for": key, "csrf_token": csrf(client, "/answering-for")})
    assert answer.status_code == 303


def bar(page: str) -> str:
    found = re.search(r'pv-answering__who">([^<]*)<', page)
    return found[1] if found else ""


def test_for_whom_stands_on_every_page_and_a_visit_is_its_patients_own(family: Family, sign_in: SignIn) -> None:
    client = sign_in("grace@example.org")
    assert client.get("/").location == "/answering-for", "with several to answer for, one says for whom"
    assert bar(client.get("/visits").text) == "You are answering for yourself"
    for name in ("Noah", "Mia"):
        page = client.get(f"/visits/{family.visits[name]}").text
        assert bar(page) == f"You are answering for {name} Bennett"
    answer_for(client, family.account, family.noah)
    for path in ("/visits", "/results", "/consent", "/who-looked", "/no-such-page", "/people-who-answer"):
        assert bar(client.get(path).text) == "You are answering for Noah Bennett", path
    assert bar(client.get(f"/visits/{family.visits['Grace']}").text) == "You are answering for yourself"


def test_two_tabs_for_two_children_never_cross(family: Family, sign_in: SignIn) -> None:
    """Noah's page is open in one tab; in another Mia is chosen; then Noah's is sent."""
    client = sign_in("grace@example.org")
    answer_for(client, family.account, family.noah)
    form = _choices(client, "/consent/choose")
    answer_for(client, family.account, family.mia)
    crossed = client.post("/consent/choose", data=form)
    assert crossed.status_code == 409 and "You answer for somebody else now" in crossed.text
    assert client.post("/consent/take-back", data=form).status_code == 409
    assert not any(_chosen(each) for each in (family.grace, family.noah, family.mia))
    sent = client.post(f"/visits/{family.visits['Noah']}/consent", data=form)
    assert sent.status_code == 303, "an address that names Noah's visit is his, whoever was chosen in between"
    assert _chosen(family.noah) and not _chosen(family.mia) and not _chosen(family.grace)


def test_a_post_that_does_not_say_for_whom_it_was_typed_is_refused(family: Family, sign_in: SignIn) -> None:
    client = sign_in("grace@example.org")
    answer_for(client, family.account, family.noah)
    form = {name: held for name, held in _choices(client, "/consent/choose").items() if name != "subject"}
    assert client.post("/consent/choose", data=form).status_code == 409
    for other in (family.mia.id, family.grace.id, "", "x" * 16):
        assert client.post("/consent/choose", data={**form, "subject": other}).status_code == 409
    assert not any(_chosen(each) for each in (family.grace, family.noah, family.mia))


def test_a_forged_page_for_one_child_saves_nothing_of_the_other(family: Family, sign_in: SignIn) -> None:
    """The address is Mia's, the page says it was Noah's."""
    client = sign_in("grace@example.org")
    form = _choices(client, f"/visits/{family.visits['Noah']}/consent")
    assert client.post(f"/visits/{family.visits['Mia']}/consent", data=form).status_code == 409
    assert not _chosen(family.mia) and not _chosen(family.noah)


@pytest.mark.parametrize(
    ("scope", "opened", "shut"),
    [
        ("forms", ("/visits", "visit"), ("/results", "/consent", "/who-looked", "consent")),
        ("results", ("/results",), ("/visits", "visit", "/consent", "/who-looked", "consent")),
        ("consents", ("/consent", "/who-looked", "consent"), ("/visits", "visit", "/results")),
    ],
)
def test_each_scope_opens_its_own_pages_only(
    app: Flask, sign_in: SignIn, scope: str, opened: tuple[str, ...], shut: tuple[str, ...]
) -> None:
    ana = apart(make.patient(make.clinic(forms=())))
    visit = f"/visits/{make.visit(ana).id}"
    proxy(ana, scope=(scope,))
    client = sign_in("grace@example.org")
    at = {"visit": visit, "consent": f"{visit}/consent"}
    assert {path: client.get(at.get(path, path)).status_code for path in opened} == dict.fromkeys(opened, 200)
    assert {path: client.get(at.get(path, path)).status_code for path in shut} == dict.fromkeys(shut, 403)
    for path in ("/people-who-answer", "/connect", "/desk"):
        assert client.get(path).status_code == 403, path


def test_what_is_taken_back_is_over_on_the_next_request(app: Flask, sign_in: SignIn) -> None:
    ana = apart(make.patient(make.clinic(forms=())))
    visit = f"/visits/{make.visit(ana).id}"
    proxy(ana)
    client = sign_in("grace@example.org")
    token = csrf(client, f"{visit}/consent")
    assert client.get(visit).status_code == 200
    grant = proxies.of_patient(system(ana.clinic_id), ana.id)[0].id
    granting.revoke(make.patient_actor(ana), ana.id, grant)
    assert client.get(visit).status_code == client.get("/visits").status_code == 403
    post = client.post(f"{visit}/consent", data={**CHOICES, "csrf_token": token, "subject": ana.id})
    assert post.status_code == 403 and not _chosen(ana)
    assert "do not answer for anybody" in client.get("/visits").text


def test_who_answers_only_for_several_says_for_whom_before_anything(app: Flask, sign_in: SignIn) -> None:
    clinic = make.clinic(forms=())
    ana, ben = apart(make.patient(clinic)), apart(make.patient(clinic, "Ben Ode"))
    carer = apart(proxy(ana))
    also(carer, ben)
    client = sign_in("grace@example.org")
    assert client.get("/results").location == "/answering-for?next=/results"
    assert client.get(f"/visits/{make.visit(ben).id}").status_code == 200, "his visit's address says it is about him"
    token = csrf(client, "/answering-for")
    chosen = client.post("/answering-for?next=/results", data={"for": "nobody", "csrf_token": token})
    assert chosen.status_code == 422 and "Choose for whom you answer" in chosen.text
    answer_for(client, carer, ben)
    assert bar(client.get("/results").text) == "You are answering for Ben Ode"


def test_nobody_is_chosen_whom_one_may_not_answer_for(family: Family, sign_in: SignIn) -> None:
    other = apart(make.patient(family.clinic, "Paul Reed"))
    proxy(other, "Carer Reed", "carer@example.org")
    grant = proxies.of_patient(system(family.clinic.id), other.id)[0].id
    client = sign_in("grace@example.org")
    token = csrf(client, "/answering-for")
    for key in (grant, other.id, family.noah.id, "self "):
        assert client.post("/answering-for", data={"for": key, "csrf_token": token}).status_code == 422


def test_the_patient_sees_who_answered_apart_from_themself(app: Flask, sign_in: SignIn) -> None:
    ana = apart(make.patient(make.clinic(forms=())))
    make.patient_account(ana)
    visit = f"/visits/{make.visit(ana).id}"
    proxy(ana)
    sign_in("grace@example.org").get(visit)
    page = sign_in("ana@example.org").get("/who-looked").text
    line = next(each for each in page.split("<li") if "Grace Bennett opened the visit." in each)
    assert "acting for the patient" in line


def test_a_patient_lets_somebody_answer_and_ends_it(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    ana = apart(make.patient(make.clinic(forms=())))
    make.patient_account(ana)
    mine = sign_in("ana@example.org")
    year, month, day = BORN.split("-")
    form = {"name": "Grace Bennett", "day": day, "month": month, "year": year, "relation": "carer", "until": "month"}
    token = csrf(mine, "/people-who-answer/new")
    refused = mine.post("/people-who-answer/new", data={"csrf_token": token, "subject": ana.id})
    assert refused.status_code == 422 and "Tick at least one thing" in refused.text
    made = mine.post("/people-who-answer/new", data={**form, "scope": ["forms"], "csrf_token": token}).text
    path = "/answer/" + re.search(r"/answer/([\w-]+)", made)[1]  # type: ignore[index]
    born = {"day": day, "month": month, "year": year, "csrf_token": csrf(client, path)}
    assert "Ana" not in client.get(path).text, "before the proof nobody is told for whom it is"
    assert client.post(path, data={**born, "year": "1981"}).status_code == 422
    assert client.post(path, data=born).location == f"{path}/account"
    account = {"email": "grace@example.org", "password": make.PASSWORD, "csrf_token": csrf(client, f"{path}/account")}
    assert client.post(f"{path}/account", data=account).location == "/visits"
    assert bar(client.get("/visits").text) == "You are answering for Ana Morales"
    listed = mine.get("/people-who-answer").text
    end = re.search(r'action="(/people-who-answer/\w+/end)"', listed)[1]  # type: ignore[index]
    assert mine.post(end, data={"csrf_token": csrf(mine, "/people-who-answer")}).status_code == 303
    assert client.get("/visits").status_code == 403


def test_somebody_with_an_account_takes_a_link_up_with_it(family: Family, sign_in: SignIn) -> None:
    lily = apart(child(family.clinic, "Lily Bennett", years=2))
    path = f"/answer/{link(lily, relation='parent')}"
    client = sign_in("grace@example.org")
    year, month, day = BORN.split("-")
    taken = client.post(path, data={"day": day, "month": month, "year": year, "csrf_token": csrf(client, path)})
    assert taken.location == "/answering-for"
    assert "Lily Bennett" in client.get("/answering-for").text
    assert client.get(path).status_code == 410


def test_the_desk_asks_whom_the_record_names_and_takes_it_back(app: Flask, sign_in: SignIn) -> None:
    clinic = apart(make.clinic(forms=()))
    noah = apart(child(clinic))
    make.staff(clinic, Role.FRONT_DESK)
    desk, path = sign_in("front-desk@example.org"), f"/desk/visits/{make.visit(noah).id}/proxies"
    form = {"name": "Grace Bennett", "birth_date": BORN, "relation": "parent", "scope": ["forms"], "reason": "seen"}
    token = csrf(desk, path)
    assert desk.post(path, data={**form, "birth_date": "5 April", "csrf_token": token}).status_code == 422
    made = desk.post(path, data={**form, "reference": "RelatedPerson/invented", "csrf_token": token})
    assert made.status_code == 200 and "/answer/" in made.text
    [grant] = proxies.of_patient(system(clinic.id), noah.id)
    assert grant.basis == "staff" and grant.reference == "", "the record names nobody by that id"
    assert desk.post(f"{path}/{grant.id}/end", data={"reason": "court order", "csrf_token": token}).status_code == 303
    page = desk.get(path).text
    assert "Taken back" in page and "court order" in page


def test_what_was_typed_for_one_child_is_not_given_back_for_the_other(family: Family, sign_in: SignIn) -> None:
    accounts.keep(family.account.id, "/consent/choose", [["share", "no"], ["subject", family.noah.id]])
    assert accounts.take_kept(actor_for(family.account, family.mia), "/consent/choose") is None
    assert accounts.take_kept(actor_of(family.account, None), "/consent/choose") is None
    assert accounts.take_kept(actor_for(family.account, family.noah), "/consent/choose")


def _choices(client: FlaskClient, path: str) -> dict[str, str]:
    page = client.get(path).text
    hidden = dict(re.findall(r'<input type="hidden" name="(subject|version|csrf_token)" value="([^"]*)"', page))
    assert set(hidden) == {"subject", "version", "csrf_token"}, path
    return {**CHOICES, **hidden}


def _chosen(patient: Patient) -> bool:
    return consent.current(make.patient_actor(patient)) is not None
