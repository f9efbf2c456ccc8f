"""What ASVS asks for and no room's own tests say: signing out, proof before changes, logs that stay one line, browsers that keep none."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.config import Config
from sqlalchemy import select

from portal import logs
from portal.accounts.models import SignIn
from portal.app import FRESH
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import close, session, transaction
from portal.serving import Lines
from portal.settings import ROOT
from tests import make
from tests.conftest import csrf

sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def ana(app: Flask, sign_in) -> FlaskClient:  # type: ignore[no-untyped-def]
    make.patient_account(make.patient(make.clinic(forms=())))
    client: FlaskClient = sign_in("ana@example.org")
    return client


@sqlite
def test_signing_out_is_on_every_page_and_clears_what_the_browser_kept(ana: FlaskClient) -> None:
    for path in ("/visits", "/who-looked", "/consent", "/results", "/0123456789abcdef", "/visits/0123456789abcdef"):
        assert 'action="/sign-out"' in ana.get(path).get_data(as_text=True), path
    answer = ana.post("/sign-out", data={"csrf_token": csrf(ana, "/who-looked")})
    assert "storage" in answer.headers["Clear-Site-Data"] and "cache" in answer.headers["Clear-Site-Data"]


@sqlite
def test_what_opens_the_account_is_changed_only_after_a_fresh_proof(ana: FlaskClient) -> None:
    """The password, factors and codes: who they are is asked again when it was proved a while ago."""
    doors = [rule for rule in FRESH if rule.startswith("security.")]
    assert {"security.change_password", "security.begin_app", "security.ask_passkey"} <= set(doors)
    token = csrf(ana, "/who-looked")
    with transaction() as current:
        for each in current.scalars(select(SignIn)):
            each.proved_at = now() - timedelta(hours=3)
    close()
    tried = 0
    for rule in ana.application.url_map.iter_rules():
        if rule.endpoint in doors and not rule.arguments:
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            answer = ana.open(rule.rule, method=method, data={"csrf_token": token, "password": "another one of my own"})
            assert answer.status_code in {303, 401, 403}, (rule.rule, answer.status_code)
            assert "prove" in answer.headers.get("Location", "prove"), rule.rule
            tried += 1
    assert tried > 4


@sqlite
def test_signing_in_and_failing_to_is_written_down(app: Flask, ana: FlaskClient) -> None:
    stranger = app.test_client()
    typed = {"email": "ana@example.org", "password": "not the right one at all"}
    stranger.post("/at/riverside/sign-in", data={**typed, "csrf_token": csrf(stranger, "/at/riverside/sign-in")})
    close()
    events = set(session().scalars(select(AuditRow.event)))
    assert {Event.SIGNED_IN.value, Event.SIGN_IN_FAILED.value, Event.JOINED.value} <= events


@pytest.mark.parametrize("text", ["a\r\nb", "\x1b[31mred", "a\u2028b", "\x00", '"}\n{"level":"error"', "\ud800"])
def test_a_logged_value_stays_inside_its_line(capfd: pytest.CaptureFixture[str], text: str) -> None:
    logs.configure()
    structlog.get_logger().error("a test", value=text)
    written = capfd.readouterr().err
    assert written.count("\n") == 1 and written.isascii() and "\x1b" not in written
    assert json.loads(written)["value"] == text


def test_what_a_library_says_is_one_line_of_ours_without_the_values_it_put_in(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """gunicorn told the address of whoever sent what it could not read, and the line with a link's token."""
    secret = "GET /join/TOKEN-9f3 ana@example.org"
    monkeypatch.setattr(logging.root, "handlers", [])
    logs.configure()
    server, library = Lines(Config()), logging.getLogger("a.library")
    try:
        raise ValueError(secret)
    except ValueError as refused:
        server.warning(f"Invalid request from ip=10.9.8.7: {refused}")
        server.exception("Error handling request %s", secret)
        server.error("Worker (pid:%s) was sent %s!", 17, "SIGKILL")
        library.error("not delivered to %(who)s", {"who": secret})
        library.error("not delivered to " + secret, exc_info=True)
        library.warning("%s", refused)
    written = capfd.readouterr().err
    assert "TOKEN" not in written and "ana@" not in written and "10.9" not in written
    lines = [json.loads(line) for line in written.splitlines()]
    assert [each["event"] for each in lines] == ["library"] * 6
    assert {each["error"] for each in lines} == {"ValueError"} and all(
        "test_requirements" in each["place"] for each in lines
    )
    assert lines[1]["words"] == "Error handling request %s" and lines[2]["values"] == [17, "SIGKILL"]
    assert not server.error_log.handlers, "it has no way out of its own"


def test_our_scripts_keep_nothing_in_the_browser() -> None:
    scripts = list((Path(ROOT) / "static" / "js").glob("*.js"))
    assert len(scripts) > 3
    for script in scripts:
        source = script.read_text()
        for word in ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches."):
            assert word not in source, (script.name, word)


def test_our_scripts_make_no_markup_of_text() -> None:
    """What comes from the server is parsed as a document of its own, in which nothing runs."""
    makes = r"innerHTML|outerHTML\s*\W?=(?!=)|insertAdjacentHTML|setHTML|document\.write|srcdoc|createContextualFragment|eval\("
    for script in (Path(ROOT) / "static" / "js").glob("*.js"):
        assert not re.search(makes, script.read_text()), script.name
