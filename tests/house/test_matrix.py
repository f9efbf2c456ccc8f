"""The authorization matrix: every way in × everybody who may come × their own, somebody else's and nobody's things."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal import app as portal_app
from portal import db
from portal.actors import Role
from portal.audit.models import AuditRow
from portal.errors import Misconfigured
from tests import make
from tests.conftest import DATABASES
from tests.house.addresses import FOREIGN, NOBODYS, OBJECTS, OWN, Way, admitted, ways
from tests.house.doors import DOORS
from tests.house.world import LOOKED, MARKS, NOTES, VISITORS, Visitor, World, build, changed, fingerprints

PUBLIC, SIGN_IN, FORBIDDEN, NOT_THERE, GONE, THROUGH = "public", "to sign-in", "403", "404", "410", "through"
KEPT_OUT = "403 or 404"
"""Without the permission: which is asked first, the permission or the object, tells nothing as long as both look the same."""
ALSO = {PUBLIC: {THROUGH, SIGN_IN, GONE}, KEPT_OUT: {FORBIDDEN, NOT_THERE}}
LINKLESS = {
    "launch.callback": NOT_THERE,
    "door.join": GONE,
    "helping.prove": GONE,
    "helping.account": GONE,
    "door.join_account": GONE,
    "way_in.back_in": GONE,
    "way_in.renew": GONE,
    "keys.keys_of": NOT_THERE,
    "launch.sign_in": NOT_THERE,
    "stopping.ask": NOT_THERE,
    "stopping.stop": NOT_THERE,
}
"""What somebody gets who holds no link that works."""
PASSING = NOTES | LOOKED | {"sign_ins", "attempts", "kept_posts", "invitations"}
"""What a refused request may leave behind: that it was refused, a session that ran out, what was typed, a counted guess."""


@dataclass(frozen=True)
class Cell:
    way: Way
    visitor: Visitor
    thing: str

    @property
    def expected(self) -> str:
        door = self.way.door
        if door.roles is None:
            return LINKLESS.get(self.way.endpoint, PUBLIC) if self.thing == NOBODYS else PUBLIC
        if not self.visitor.is_known:
            return SIGN_IN
        if self.visitor.role not in door.roles:
            return FORBIDDEN
        if not admitted(self.way, self.visitor):
            return FORBIDDEN if self.thing == OWN else KEPT_OUT
        return THROUGH if self.thing == OWN or not door.of else NOT_THERE

    def __str__(self) -> str:
        return f"{self.way} by {self.visitor.name} of {self.thing}"


def cells(app: Flask, endpoint: str) -> list[Cell]:
    """The cells of one endpoint, those first that are to be refused."""
    own = [way for way in ways(app, "GET", "POST") if way.endpoint == endpoint]
    made = [Cell(*each) for each in product(own, VISITORS, things(endpoint))]
    return sorted(made, key=lambda cell: (not cell.way.safe, cell.expected in {THROUGH, PUBLIC}))


def things(endpoint: str) -> tuple[str, ...]:
    """Own, foreign and missing where the address names an object; else there is only one address to ask for."""
    return OBJECTS if DOORS[endpoint].of else (OWN,)


def met(answer: TestResponse) -> str:
    """What an answer comes to."""
    if answer.status_code in {302, 303} and answer.location.startswith("/sign-in?next="):
        return SIGN_IN
    return {403: FORBIDDEN, 404: NOT_THERE, 410: GONE}.get(answer.status_code, THROUGH)


def test_every_way_in_has_a_row_and_every_row_of_an_open_room_a_way_in(built: World) -> None:
    there = {rule.endpoint for rule in built.app.url_map.iter_rules()}
    assert not there - set(DOORS), "these have no row in tests/house/doors.py"
    rooms = set(built.app.blueprints)
    assert not {name for name in set(DOORS) - there if name.split(".")[0] in rooms}, "these rows lead nowhere"


def test_a_bare_route_is_shut_and_turns_the_table_red(built: World) -> None:
    bare = Flask("bare")
    bare.add_url_rule("/bare", "bare", lambda: "secret")
    assert not {rule.endpoint for rule in bare.url_map.iter_rules()} <= set(DOORS)
    built.app.view_functions["bare"] = bare.view_functions["bare"]
    rule = next(bare.url_map.iter_rules("bare")).empty()
    built.app.url_map.add(rule)
    try:
        assert built.app.test_client().get("/bare").status_code == 403
    finally:
        built.app.url_map._rules.remove(rule)
        built.app.url_map._rules_by_endpoint.pop("bare")
        built.app.view_functions.pop("bare")


@pytest.mark.parametrize("how", ["a bare route", "a room that nobody opened"])
def test_a_way_in_that_nobody_was_let_through_stops_the_start(
    built: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    usual = portal_app._open_rooms

    def careless(app: Flask, *more: Any) -> None:
        usual(app, *more)
        room = app if how == "a bare route" else Blueprint("forgotten", "forgotten", url_prefix="/forgotten")
        room.add_url_rule("/bare", "bare", lambda: "secret")
        if isinstance(room, Blueprint):
            app.register_blueprint(room)

    monkeypatch.setattr(portal_app, "_open_rooms", careless)
    with pytest.raises(Misconfigured, match="bare"):
        portal_app.create_app(make.settings(tmp_path, f"sqlite:///{tmp_path / 'x.db'}"))
    built.connect()


def test_the_matrix_has_every_cell(built: World) -> None:
    ways_in = list(ways(built.app, "GET", "POST"))
    made = [cell for endpoint in DOORS for cell in cells(built.app, endpoint)]
    assert len(set(made)) == len(made) == sum(len(VISITORS) * len(things(way.endpoint)) for way in ways_in)
    print(f"{len(ways_in)} ways in × {len(VISITORS)} visitors × their things = {len(made)} cells")


def test_no_way_in_has_a_method_that_the_matrix_does_not_know(built: World) -> None:
    assert {way.method for way in ways(built.app)} == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("visitor", [VISITORS[0], VISITORS[6]], ids=lambda visitor: visitor.name)
def test_head_and_options_say_no_more_than_get(world: World, visitor: Visitor) -> None:
    client = world.client(visitor)
    for way in (way for way in ways(world.app, "GET") if way.door.roles is not None):
        path = way.path(world, visitor)
        shut = met(client.get(path)) in {SIGN_IN, FORBIDDEN}
        assert client.head(path).data == b""
        for method in ("HEAD", "OPTIONS"):
            assert not shut or met(client.open(path, method=method)) in {SIGN_IN, FORBIDDEN}, f"{method} {way}"


@pytest.mark.parametrize("endpoint", sorted(DOORS))
def test_every_cell_gives_its_outcome(world: World, endpoint: str) -> None:
    """And: no cell breaks, none shows what is somebody else's, a refusal changes nothing, foreign and missing look the same."""
    walk(world, cells(world.app, endpoint))


def walk(world: World, wanted: list[Cell]) -> None:
    clients = {visitor: world.signed_in(visitor) for visitor in VISITORS}
    answers: dict[Cell, str] = {}
    before, wrong = fingerprints(PASSING), []
    for cell in wanted:
        refused = cell.expected not in {THROUGH, PUBLIC}
        if not refused and not cell.way.safe and before is not None:
            assert not changed(before, fingerprints(PASSING)), f"a refusal of {cell.way} changed something"
            before = None  # type: ignore[assignment]
        client = clients[cell.visitor] if refused or cell.way.safe else world.client(cell.visitor)
        wrong += _look(world, client, cell, answers)
    if before is not None:
        assert not changed(before, fingerprints(PASSING)), f"looking at {wanted[0].way} changed something"
    assert not wrong, "\n".join(wrong)
    assert set(answers) == set(wanted), "100 % of the cells"


def _look(world: World, client: FlaskClient, cell: Cell, answers: dict[Cell, str]) -> list[str]:
    noted = _noted()
    path = cell.way.path(world, cell.visitor, cell.thing)
    answer = client.open(
        path, method=cell.way.method, data=None if cell.way.safe else {**cell.way.door.form, **world.csrf}
    )
    body = answer.get_data(as_text=True)
    answers[cell] = f"{answer.status_code} {sorted(answer.headers.keys())} {_same(body, path)}"
    found, wrong = met(answer), []
    if answer.status_code >= 500:
        wrong.append(f"{cell}: broke with {answer.status_code}")
    if found not in ALSO.get(cell.expected, {cell.expected}):
        wrong.append(f"{cell}: {found} ({answer.status_code}), expected {cell.expected}")
    shown = {owner for owner, mark in MARKS.items() if mark in (body + str(answer.headers)).lower()}
    if shown - _may_see(cell.visitor):
        wrong.append(f"{cell}: shows something of {shown - _may_see(cell.visitor)}")
    told = any(
        mark in body.replace(f"{mark}-name", "") or (mark in body and owner != _named(cell.visitor))
        for owner, mark in MARKS.items()
    )
    if (told or (found == FORBIDDEN and cell.visitor.is_known)) and _noted() == noted:
        wrong.append(f"{cell}: {'shown' if told else 'refused'} without a line in the audit trail")
    twin = Cell(cell.way, cell.visitor, FOREIGN if cell.thing == NOBODYS else NOBODYS)
    if cell.expected in {NOT_THERE, KEPT_OUT} and answers.get(twin, answers[cell]) != answers[cell]:
        wrong.append(f"{cell}: does not look like {twin.thing}")
    return wrong


def _noted() -> int:
    with db.engine().connect() as connection:
        return connection.scalar(select(func.count()).select_from(AuditRow)) or 0


def _named(visitor: Visitor) -> str | None:
    """Whose name stands on every page of this visitor: their own, or that of whom they answer for."""
    return visitor.own if visitor.role is Role.PROXY else visitor.account


def _may_see(visitor: Visitor) -> set[str]:
    if not visitor.is_known:
        return set()
    if visitor.role is Role.PROXY:
        return {visitor.own} if visitor.scope else set()
    if visitor.own in MARKS and visitor.account == visitor.own:
        return {visitor.own}
    return {"cai"} if visitor.own == "cai" else {"ana", "ben"}


def _same(body: str, path: str) -> str:
    """A page without what differs in every answer: request ids, tokens, its own address, how long the session lasts."""
    plain = body.replace(path, "PATH").replace(path.replace("/", "%2F"), "PATH")
    return re.sub(r'[0-9a-f]{16}|value="[^"]{40,}"|data-left="\d+"|data-token="[^"]+"', "*", plain)


@pytest.mark.parametrize("database", DATABASES[1:], indirect=True)
def test_a_sample_of_the_matrix_holds_on_postgresql(database: str, tmp_path: Path) -> None:
    world = build(tmp_path, database)
    for endpoint in (
        "intake.hub",
        "intake.confirm_section",
        "consent.copy",
        "labs.report",
        "review.decide",
        "review.invite",
    ):
        walk(world, cells(world.app, endpoint))
