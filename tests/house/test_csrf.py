"""A post without the token of its own session is refused, and nothing happened."""

from __future__ import annotations

import pytest
from itsdangerous import URLSafeTimedSerializer

from tests.house.addresses import Way, insiders, unsafe, ways
from tests.house.reading import page
from tests.house.world import KNOWN, VISITORS, World, changed, fingerprints

BY_ITS_LINK = {"stopping.stop"}
"""A mail program presses this with nothing but the link (RFC 8058); all it can do is end reminders."""
NOT_THIS_SESSIONS = "d" * 40


def tokens(world: World) -> dict[str, dict[str, str]]:
    """What somebody else's page could make a browser send."""
    other = URLSafeTimedSerializer(world.app.secret_key, salt="wtf-csrf-token").dumps(NOT_THIS_SESSIONS)
    mine = world.csrf["csrf_token"]
    return {
        "absent": {},
        "empty": {"csrf_token": ""},
        "of another session": {"csrf_token": str(other)},
        "tampered with": {"csrf_token": mine[:-9] + ("A" if mine[-9] != "A" else "B") + mine[-8:]},
    }


@pytest.mark.parametrize("kind", ["absent", "empty", "of another session", "tampered with"])
def test_a_token_that_is_not_the_sessions_own_gets_400_and_changes_nothing(world: World, kind: str) -> None:
    ways = [way for way in unsafe(world.app) if way.endpoint not in BY_ITS_LINK]
    assert len(ways) >= 20
    for way in ways:
        for visitor in {way.door.roles is None and VISITORS[0], insiders(way, KNOWN)[0]} - {False}:
            client = world.client(visitor)
            before = fingerprints({"attempts"}, ())
            form = {**way.door.form, **tokens(world)[kind]}
            answer = client.post(way.path(world, visitor), data=form)
            assert answer.status_code == 400, f"{way} by {visitor.name}"
            assert not changed(before, fingerprints({"attempts"}, ())), f"{way} by {visitor.name}"


def test_the_same_posts_with_their_token_are_heard(world: World) -> None:
    """So that the test above cannot pass because nothing is ever heard."""
    heard = []
    for way in unsafe(world.app):
        world.restore()
        heard.append(_heard(world, way))
    assert sum(heard) > len(heard) / 2


def _heard(world: World, way: Way) -> bool:
    visitor = insiders(way, KNOWN)[0]
    answer = world.client(visitor).post(way.path(world, visitor), data={**way.door.form, **world.csrf})
    assert answer.status_code != 400, f"{way}: {answer.get_data(as_text=True)[-600:]}"
    return answer.status_code in {200, 204, 303}


def test_every_form_on_every_page_carries_the_token(world: World) -> None:
    for way in ways(world.app, "GET"):
        visitor = insiders(way, KNOWN)[0]
        for form in page(world.client(visitor), way.path(world, visitor)).posts():
            assert dict(form.fields).get("csrf_token"), f"{way}: the form to {form.action or 'itself'}"
