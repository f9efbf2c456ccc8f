"""Who answers for two: what was sent for one is never done for the other, and nothing goes on when a permission has ended.

Dana answers for Ana, and in the first two tests for Ben too, as a parent does for two children.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from portal.accounts import ages, granting, proxies
from portal.accounts.models import Account, Patient
from portal.accounts.proxy_models import ProxyGrant
from portal.actors import system
from portal.db import close, session, transaction
from tests import make
from tests.accounts.proxying import also
from tests.hostile.recording import Sender, Sent, Tape, recorded, rows
from tests.hostile.test_replay import DANA
from tests.house.world import MARKS, World


def patient(world: World, name: str) -> Patient:
    return session().get_one(Patient, session().get_one(Account, world.people[name]).patient_id)


def grant(world: World, name: str) -> ProxyGrant:
    held = patient(world, name)
    found = next(
        each
        for each in proxies.of_patient(system(held.clinic_id), held.id)
        if each.account_id == world.people[str(DANA.account)]
    )
    return session().get_one(ProxyGrant, found.id)


@pytest.fixture
def parent(world: World) -> World:
    also(session().get_one(Account, world.people[str(DANA.account)]), patient(world, "ben"))
    close()
    return world


def answering_for(world: World, name: str) -> Callable[[FlaskClient], None]:
    key = grant(world, name).id
    close()

    def choose(client: FlaskClient) -> None:
        assert client.post("/answering-for", data={"for": key, **world.csrf}).status_code == 303

    return choose


def for_one(world: World, name: str) -> list[Sent]:
    """What the parent's browser sends while they answer for this child."""
    client = world.client(DANA)
    answering_for(world, name)(client)
    return [sent for sent in recorded(world, DANA, client) if not sent.path.startswith("/answering-for")]


def mixed(told: str) -> bool:
    """Whether a page shows something of both. Their names may stand together where one says for whom one answers."""
    return all(mark in told.replace(f"{mark}-name", "") for mark in (MARKS["ana"], MARKS["ben"]))


def test_what_was_sent_for_one_is_never_done_for_the_other(parent: World) -> None:
    """Each request for Ana while Ben is chosen, and each form that was typed for Ana with Ben's things in its address."""
    requests = for_one(parent, "ana")
    swap = {held: parent.things["ben"][name] for name, held in parent.things["ana"].items()}
    by, before = Sender(parent, DANA, answering_for(parent, "ben")), rows(parent, "ben")
    done = 0
    for sent in requests:
        path = sent.path
        for old, new in swap.items():
            path = path.replace(old, new)
        for each in {sent.path, path} if "subject" in dict(sent.pairs) else {sent.path}:
            told = by.send(sent, each, list(sent.pairs))
            assert not mixed(told), f"{sent.way} {each}"
            done += sent.posted
    assert rows(parent, "ben") == before
    assert done >= 30


def test_the_same_requests_for_the_right_one_are_done(parent: World) -> None:
    """So that the test above cannot pass because such requests never do anything."""
    requests = for_one(parent, "ana")
    by, before = Sender(parent, DANA, answering_for(parent, "ana")), rows(parent, "ana")
    for sent in requests:
        by.send(sent, sent.path, list(sent.pairs))
    assert rows(parent, "ana") != before


def taken_back(world: World) -> None:
    held = patient(world, "ana")
    granting.revoke(make.patient_actor(held), held.id, grant(world, "ana").id)


def time_over(world: World) -> None:
    with transaction():
        held = grant(world, "ana")
        held.ends_on = (ages.today(held.clinic_id) - timedelta(days=1)).isoformat()


@pytest.mark.parametrize("end", [taken_back, time_over], ids=lambda each: each.__name__)
def test_nothing_goes_on_when_the_permission_has_ended_meanwhile(
    world: World, tape: Tape, end: Callable[[World], None]
) -> None:
    """In the session that was open before, with pages that were on the screen before. To give it up by oneself is no way back."""
    requests = tape.of(DANA)
    by = Sender(world, DANA)
    end(world)
    close()
    before = rows(world, "ana")
    for sent in requests:
        if not sent.path.startswith(("/sign-out", "/answering-for")):
            told = by.send(sent, sent.path, list(sent.pairs))
            assert MARKS["ana"] not in told, f"{sent.way} {sent.path}"
    assert rows(world, "ana") == before
