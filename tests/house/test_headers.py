"""What every answer carries whatever it is: a policy without exceptions, no caching, and cookies that tell nothing."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from portal.settings import ROOT
from tests.house.addresses import NOBODYS, insiders, unsafe, ways
from tests.house.world import KNOWN, MARKS, VISITORS, World

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "img-src": "'self' data:",
}
SANDBOXED = {name: "'none'" for name in ("default-src", "frame-ancestors", "base-uri", "form-action")} | {"sandbox": ""}
HANDED_OVER = {"cards.picture", "intake.file", "labs.document", "review.file"}
"""Files that somebody gave: a browser saves them, and opened all the same they run in a box of their own."""
EXPORTS = {"trail.exported", "measures.table", "measures.measure_report", "measures.measure"}
"""The same for what one takes along of the clinic: no id in its address could be missing."""
KEPT_A_LITTLE = {"keys.every_key", "keys.keys_of"}
"""Our public keys: no person's, and servers are to keep them for a few minutes."""


def every_answer(world: World) -> Iterator[tuple[str, TestResponse]]:
    """Pages, redirections and refusals of every way in."""
    stranger = VISITORS[0]
    for way in ways(world.app, "GET"):
        visitor = insiders(way, KNOWN)[0]
        client = world.client(visitor)
        yield way.endpoint, client.get(way.path(world, visitor))
        yield f"{way.endpoint} (missing)", client.get(way.path(world, visitor, NOBODYS))
        yield f"{way.endpoint} (stranger)", world.client(stranger).get(way.path(world, visitor))
    for way in unsafe(world.app):
        visitor = insiders(way, KNOWN)[0]
        yield f"{way.endpoint} (400)", world.client(visitor).post(way.path(world, visitor))
    yield from errors(world)


def errors(world: World) -> Iterator[tuple[str, TestResponse]]:
    stranger, patient, privacy = (world.client(VISITORS[place]) for place in (0, 2, 6))
    yield "404", stranger.get("/no-such-page")
    yield "404 (signed in)", patient.get("/no-such-page")
    yield "403", patient.get("/desk")
    yield "403 (staff)", privacy.get("/desk")
    yield "405", patient.delete("/visits")
    yield "400 (host)", stranger.get("/pulse", headers={"Host": "evil.example"})
    yield "400 (bytes)", stranger.get("/%ff%fe")
    large = b"a" * (world.app.config["MAX_CONTENT_LENGTH"] + 1)
    yield "413", patient.post("/language", data=large, content_type="application/x-www-form-urlencoded")
    yield "as JSON", patient.get("/no-such-page", headers={"Accept": "application/json"})


def test_every_answer_has_the_policy_and_is_kept_by_nobody(world: World) -> None:
    seen: set[int] = set()
    for name, answer in every_answer(world):
        seen.add(answer.status_code)
        assert answer.status_code < 500, name
        assert {key: answer.headers.get(key) for key in ALWAYS} == ALWAYS, name
        handed = name in HANDED_OVER or (name.removesuffix(" (missing)") in EXPORTS and answer.status_code == 200)
        assert policy(answer) == (SANDBOXED if handed else POLICY), name
        assert not handed or answer.headers["Content-Disposition"].startswith("attachment"), name
        if name.partition(" ")[0] not in KEPT_A_LITTLE:
            assert answer.headers["Cache-Control"] == "no-store", name
        assert answer.headers["X-Request-Id"], name
    assert seen >= {200, 302, 303, 400, 403, 404, 405, 413}


def policy(answer: TestResponse) -> dict[str, str]:
    parts = answer.headers.get("Content-Security-Policy", "").split(";")
    assert "unsafe" not in answer.headers.get("Content-Security-Policy", "")
    named = (part.strip().partition(" ") for part in parts if part.strip())
    return {name: value for name, _, value in named}


def test_something_that_breaks_is_told_in_plain_words_without_what_was_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError(f"the answer was {MARKS['ana']}")

    monkeypatch.setitem(world.app.view_functions, "intake.home", broken)
    answer = world.client(VISITORS[2]).get(f"/visits?q={MARKS['ana']}")
    shown = answer.get_data(as_text=True)
    assert (answer.status_code, policy(answer), answer.headers["Cache-Control"]) == (500, POLICY, "no-store")
    assert f"was {MARKS['ana']}" not in shown and "Traceback" not in shown and "RuntimeError" not in shown
    assert answer.headers["X-Request-Id"] in shown
    said = "".join(capsys.readouterr()) + caplog.text
    assert answer.headers["X-Request-Id"] in said and MARKS["ana"] not in said


def test_a_file_of_ours_is_what_it_says_and_runs_nothing(world: World) -> None:
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "static" / "images").glob("*.svg")]
    assert files
    for file in files:
        answer = world.app.test_client().get(f"/{file}")
        assert (answer.status_code, answer.headers.get("X-Content-Type-Options")) == (200, "nosniff"), file
        assert "default-src 'none'" in answer.headers.get("Content-Security-Policy", ""), file


def test_cookies_are_ours_alone_and_tell_nothing_about_anybody(world: World) -> None:
    set_cookies = []
    for way in ways(world.app, "GET"):
        visitor = insiders(way, KNOWN)[0]
        client = world.client(visitor)
        client.delete_cookie("language")
        answer = client.get(way.path(world, visitor))
        set_cookies += answer.headers.getlist("Set-Cookie")
    stranger = world.app.test_client()
    set_cookies += stranger.get("/at/riverside/sign-in").headers.getlist("Set-Cookie")
    assert set_cookies
    for cookie in set_cookies:
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and len(cookie) < 4096
        clear = decoded(cookie.partition("=")[2].partition(";")[0])
        assert set(json.loads(clear)) <= {"csrf_token", "_user_id", "_fresh", "proof", "_permanent", "_id"}, clear
        assert not any(mark in clear.lower() or "@" in clear for mark in MARKS.values())


def decoded(value: str) -> str:
    """What anybody can read in a signed cookie."""
    body = value.removeprefix(".").split(".")[0]
    clear = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return (zlib.decompress(clear) if value.startswith(".") else clear).decode()


def test_a_secure_installation_says_so_in_cookie_and_header(tmp_path_factory: pytest.TempPathFactory) -> None:
    import portal
    from portal import db
    from tests import make

    folder = tmp_path_factory.mktemp("secure")
    config = make.settings(folder, f"sqlite:///{folder / 'x.db'}", base_url="https://intake.example.org")
    try:
        app = portal.create_app(config)
        db.migrate()
        make.clinic()
        answer = app.test_client().get("/sign-in", base_url="https://localhost")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-") and "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie
        assert int(answer.headers["Strict-Transport-Security"].split(";")[0].partition("=")[2]) >= 31_536_000
    finally:
        db.dispose()
