"""The ways out: a mail server over an encrypted line, and the folder of the demo."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal import sealing
from portal.accounts.models import Clinic
from portal.errors import Misconfigured
from portal.notices import mail
from portal.notices.models import Kind
from portal.settings import Settings, read
from tests.notices.postman import certificate, mail_server
from tests.ports import dead_port
from tests.review.conftest import world as world  # the fixture


def settings_with(tmp_path: Path, **environ: str) -> Settings:
    if not (tmp_path / "keys.json").exists():
        sealing.create(tmp_path / "keys.json")
    given = {
        "PREVISIT_INSTANCE": str(tmp_path),
        "PREVISIT_BASE_URL": "https://intake.example.org",
        "PREVISIT_CONSENT_DEFAULT": "deny",
        "PREVISIT_MAIL_FROM": "visits@example.org",
    }
    return read({**given, **environ})


@pytest.mark.parametrize(
    "address",
    ["smtp://mail.example.org", "http://mail.example.org", "smtps://", "mail.example.org:25", "smtp://10.0.0.1"],
)
def test_mail_without_encryption_to_another_machine_is_refused_at_start(address: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_MAIL "):
        settings_with(tmp_path, PREVISIT_MAIL=address)


@pytest.mark.parametrize("hours", ["21", "21-24", "a-b", "21-8-9", "-1-8", "²-8"])
def test_quiet_hours_that_are_none_are_refused_at_start(hours: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_QUIET_HOURS"):
        settings_with(tmp_path, PREVISIT_QUIET_HOURS=hours)


def test_a_mail_server_needs_a_sender(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_MAIL_FROM"):
        settings_with(tmp_path, PREVISIT_MAIL="smtps://mail.example.org", PREVISIT_MAIL_FROM="")


def test_without_a_mail_server_nothing_is_sent(tmp_path: Path) -> None:
    assert mail.post(settings_with(tmp_path)) is None


LETTER = mail.Letter(
    "abc",
    Kind.REMINDER,
    "ana@example.org",
    "es",
    "Riverside",
    "020",
    "https://x.example/visits",
    "https://x.example/s",
    "v@example.org",
)


def test_over_an_encrypted_line_with_a_name_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mail_server(context) as server:
        way = mail.post(settings_with(tmp_path, PREVISIT_MAIL=f"smtp+starttls://clinic:p%40ss@127.0.0.1:{server.port}"))
        assert way is not None
        way.send(mail.written(LETTER))
    assert [message["Subject"] for message in server.got] == ["Se acerca su cita en Riverside"]
    assert server.encrypted == [True]
    assert base64.b64decode(server.logins[0].split()[-1]) == b"\0clinic\0p@ss"


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with mail_server(context) as server, pytest.raises(mail.NotNow):
        mail.SmtpPost("127.0.0.1", server.port, "", "", "starttls").send(mail.written(LETTER))
    assert not server.got


def test_a_server_that_offers_no_encryption_gets_nothing(tmp_path: Path) -> None:
    with mail_server() as server, pytest.raises(mail.NotTaken):
        mail.SmtpPost("127.0.0.1", server.port, "", "", "starttls").send(mail.written(LETTER))
    assert not server.got


@pytest.mark.parametrize(
    ("command", "answer", "meaning"),
    [
        ("RCPT", "550 no such person", mail.NotTaken),
        ("RCPT", "450 full", mail.NotNow),
        ("MAIL", "451 busy", mail.NotNow),
        ("EHLO", "421 closing", mail.NotNow),
        (".", "554 no", mail.NotTaken),
        (".", "452 later", mail.NotNow),
        ("DATA", "451 later", mail.NotNow),
    ],
)
def test_what_a_server_answers_is_understood(command: str, answer: str, meaning: type[Exception]) -> None:
    with mail_server() as server:
        server.replies = {command: answer}
        if command == "EHLO":
            server.replies["HELO"] = answer
        with pytest.raises(meaning):
            mail.SmtpPost("127.0.0.1", server.port, "", "", "").send(mail.written(LETTER))


def test_a_line_that_breaks_or_nobody_at_the_other_end_is_tried_again() -> None:
    with mail_server() as server, pytest.raises(mail.NotNow):
        server.breaks = True
        mail.SmtpPost("127.0.0.1", server.port, "", "", "").send(mail.written(LETTER))
    with pytest.raises(mail.NotNow):
        mail.SmtpPost("127.0.0.1", dead_port(), "", "", "").send(mail.written(LETTER))


def test_the_demo_keeps_messages_in_a_folder_and_shows_them(tmp_path: Path) -> None:
    way = mail.FolderPost(tmp_path / "mail")
    way.send(mail.written(LETTER))
    way.send(mail.written(replace(LETTER, id="def")))
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 2
    assert not list((tmp_path / "mail").glob("*.part"))


def test_the_mailbox_page_is_the_demos_only(client: FlaskClient, clinic: Clinic) -> None:
    assert client.get("/mailbox").status_code == 404
