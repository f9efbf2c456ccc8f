"""Whose proof is old proves again before what matters, and staff without a second factor find its set-up only: every way in."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import db
from portal.accounts.models import SignIn
from portal.accounts.sessions import Stage
from portal.app import CONFINED_TO, FRESH
from portal.clock import now
from portal.db import transaction
from tests import make
from tests.house.addresses import Way, insiders, ways
from tests.house.world import KNOWN, NOTES, Visitor, World, changed, fingerprints

BESIDE = NOTES | {"challenges"}


def aged(world: World, visitor: Visitor, *, minutes: int = 11, stage: Stage = Stage.FULL) -> FlaskClient:
    """A client whose session stands, but who proved so long ago who they are."""
    client = world.client(visitor)
    with transaction() as current:
        newest = current.scalars(select(SignIn).order_by(SignIn.began_at.desc(), SignIn.id).limit(1)).one()
        newest.proved_at, newest.stage = now() - timedelta(minutes=minutes), stage.value
    db.close()
    return client


def stepped(app_ways: list[Way]) -> list[Way]:
    return [way for way in app_ways if way.endpoint in FRESH]


def test_every_door_of_the_table_is_there_and_what_matters_is_in_it(built: World) -> None:
    there = {way.endpoint for way in ways(built.app, "GET", "POST")}
    assert set(FRESH) <= there and {page for page in FRESH.values() if page} <= there
    assert there >= CONFINED_TO
    wanted = {"labs.downloaded", "ehr.rotate", "ehr.register", "emergency.begin", "staffing.hire", "security.remove"}
    wanted |= {"helpers.offer", "proxies.offer", "help.offer"}  # who may get in, for good
    assert wanted <= set(FRESH)
    assert not {"consent.take_back", "me.sign_out", "security.end_others"} & set(FRESH), (
        "these never wait for a password"
    )


def test_an_old_proof_opens_none_of_them_and_changes_nothing(world: World) -> None:
    for way in stepped(list(ways(world.app, "GET", "POST"))):
        visitor = insiders(way, KNOWN)[0]
        client = aged(world, visitor)
        before = fingerprints(NOTES)
        path = way.path(world, visitor)
        answer = client.open(path, method=way.method, data=None if way.safe else {**way.door.form, **world.csrf})
        assert answer.status_code == 303 and answer.location.startswith("/security/prove?next="), str(way)
        assert not changed(before, fingerprints(NOTES)), str(way)
        back = parse_qs(urlsplit(answer.location).query)["next"][0]
        assert back == path if FRESH[way.endpoint] is None else client.get(back).status_code < 400, f"{way}: {back}"


def test_after_the_proof_the_way_is_open_and_the_token_is_another(world: World) -> None:
    visitor = next(each for each in KNOWN if each.name == "patient self")
    client = aged(world, visitor)
    asked = client.get("/security/password")
    old = client.get_cookie("previsit").value  # type: ignore[union-attr]
    wrong = client.post(asked.location, data={"password": "not the right one", **world.csrf})
    assert wrong.status_code == 422 and client.get("/security/password").status_code == 303
    right = client.post(asked.location, data={"password": make.PASSWORD, **world.csrf})
    assert right.location == "/security/password" and client.get(right.location).status_code == 200
    thief = world.app.test_client()
    thief.set_cookie("previsit", old)
    assert thief.get("/visits").status_code == 303


@pytest.mark.parametrize("hostile", ["//evil.example", "https://evil.example/", "/\\evil", "javascript:x", "/%0d%0ax"])
def test_the_proof_leads_on_to_pages_of_ours_only(world: World, hostile: str) -> None:
    visitor = next(each for each in KNOWN if each.name == "patient self")
    client = world.client(visitor)
    answer = client.post(
        "/security/prove", query_string={"next": hostile}, data={"password": make.PASSWORD, **world.csrf}
    )
    assert answer.status_code == 303 and answer.location.startswith("/") and "evil" not in answer.location


def test_who_has_to_set_up_a_second_factor_finds_nothing_else(world: World) -> None:
    for visitor in (
        each
        for each in KNOWN
        if each.role and each.account in {"clinician", "administrator", "privacy-officer", "auditor"}
    ):
        client = aged(world, visitor, minutes=0, stage=Stage.SET_UP)
        before = fingerprints(BESIDE)
        for way in ways(world.app, "GET", "POST"):
            if way.door.roles is None or visitor not in insiders(way, (visitor,)) or way.endpoint in CONFINED_TO:
                continue
            data = None if way.safe else {**way.door.form, **world.csrf}
            answer = client.open(way.path(world, visitor), method=way.method, data=data)
            assert answer.status_code == 303 and answer.location == "/security/set-up", str(way)
        assert not changed(before, fingerprints(BESIDE)), visitor.name


def test_a_session_that_waits_for_its_second_factor_is_nobody(world: World) -> None:
    for visitor in KNOWN[:3]:
        client = aged(world, visitor, minutes=0, stage=Stage.CODE)
        for way in ways(world.app, "GET"):
            if way.door.roles is not None and visitor in insiders(way, (visitor,)):
                answer = client.get(way.path(world, visitor))
                assert answer.status_code == 303 and answer.location.startswith("/sign-in?next="), str(way)
