"""A clinic, a way out that keeps what it gets, and one look at what is due."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from flask import Flask

from portal.accounts.models import Clinic, Patient
from portal.db import session
from portal.notices import mail, sending, service
from portal.notices.models import Notice, State
from portal.settings import Settings
from tests import make
from tests.review.conftest import world as world  # the fixture

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Box:
    """A way out that keeps what it gets, or raises what it is told to."""

    got: list[EmailMessage] = field(default_factory=list)
    fault: Exception | None = None

    def send(self, message: EmailMessage) -> None:
        if self.fault:
            raise self.fault
        self.got.append(message)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def clinic(app: Flask) -> Clinic:
    return make.clinic()


def run(config: Settings, box: mail.Post) -> int:
    return service.run(replace(config, mail_from="visits@example.org"), box)


def kinds(*states: State) -> list[str]:
    rows = session().query(Notice).order_by(Notice.made_at)
    return [row.kind for row in rows if not states or row.state in states]


def person(clinic: Clinic, name: str = "Ana Morales", **more: str | None) -> Patient:
    return make.patient(clinic, name, **{"email": f"{name.split()[0].lower()}@example.org", **more})


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def office(box: mail.Post) -> sending.Office:
    return sending.Office(box, "visits@example.org", "http://localhost", 14, service.stop_token)
