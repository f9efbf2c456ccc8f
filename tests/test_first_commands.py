"""A new installation on PostgreSQL, command by command as the README says, with a role that owns nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from portal import cli, db, walls
from tests import conftest
from tests.test_variables import clinic, environ  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(not conftest.POSTGRES, reason="PREVISIT_TEST_POSTGRES is not set")


@pytest.fixture
def role(environ: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: F811
    """An empty database of its owner's, and the portal's own role, which may do nothing yet."""
    name = f"app_{uuid4().hex[:12]}"
    with conftest._server() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN"))
    made = conftest._postgres("")
    owner = next(made)
    monkeypatch.setenv("PREVISIT_OWNER_DATABASE", owner)
    url = make_url(owner).set(username=name, password=None)
    monkeypatch.setenv("PREVISIT_DATABASE", url.render_as_string(hide_password=False))
    yield name
    next(made, None)
    with conftest._server() as connection:
        connection.execute(text(f"DROP ROLE {name}"))


def test_every_first_command_works_with_a_role_that_owns_nothing(
    role: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["audit", "verify"]) == 1
    assert "portal clinic" in capsys.readouterr().err
    assert clinic() == 0
    assert db.engine().url.username == role
    assert not walls.owned()
    monkeypatch.setattr("sys.stdin", io.StringIO("five plain words and a fish\n"))
    person = ["--role", "administrator", "--name", "Jo Park", "--email", "jo@example.org"]
    server = ["--name", "Record", "--base-url", "https://fhir.example.org/r4", "--client-id", "previsit"]
    here = ["--clinic", "springfield"]
    for words in (
        ["staff", *here, *person],
        ["connection", *here, *server],
        ["rotate-keys", *here],
        ["proxy-age", *here, "--years", "16"],
        ["after-restore"],
        ["migrate"],
        ["audit", "verify"],
    ):
        assert cli.main(words) == 0, words
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Springfield") and "(springfield, " in last and "whole" in last, "clinics are told by name"
