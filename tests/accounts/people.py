"""People at the door in the tests of signing in: a page is read, a form is posted, an app shows its code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts import totp
from portal.accounts.models import Account, Factor
from portal.db import close, session
from tests import make
from tests.accounts.authenticator import Passkey
from tests.conftest import csrf

DOOR = "/at/riverside/sign-in"
ANA = "ana@example.org"


@dataclass
class Person:
    """Somebody at a browser of their own."""

    app: Flask
    email: str
    address: str = "127.0.0.1"
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, environ_base={"REMOTE_ADDR": self.address})

    def text(self, path: str) -> str:
        return self.get(path).get_data(as_text=True)

    def post(self, path: str, form: str = DOOR, **typed: str) -> TestResponse:
        """Post with the token of the form at `form`, which is not the page itself where that one is shut or changes."""
        data = {**typed, "csrf_token": csrf(self.client, form)}
        return self.client.post(path, data=data, environ_base={"REMOTE_ADDR": self.address})

    def sign_in(self, password: str = make.PASSWORD, door: str = DOOR) -> TestResponse:
        return self.post(door, door, email=self.email, password=password)

    def second_step(self, code: str) -> TestResponse:
        return self.post("/sign-in/code", "/sign-in/code", code=code)

    def is_in(self) -> bool:
        return self.get("/security").status_code == 200

    def add_app(self) -> list[str]:
        """Set up an authenticator app; the recovery codes that are shown."""
        self.post("/security/app/begin", "/privacy")
        page = self.post("/security/app", "/security/app", code=code_of(self.email, confirmed=False))
        assert page.status_code in {200, 303}, page.get_data(as_text=True)
        found = page.get_data(as_text=True).split("<code>")[1:]
        return [each.partition("<")[0] for each in found]

    def asked(self, path: str, form: str) -> dict[str, Any]:
        answer = self.post(path, form)
        assert answer.status_code == 200, answer.status_code
        found: dict[str, Any] = json.loads(answer.data)
        return found

    def add_passkey(self, passkey: Passkey) -> TestResponse:
        asked = self.asked("/security/passkey/ask", "/security/passkey")
        return self.post("/security/passkey", "/security/passkey", credential=passkey.made(asked), name="My phone")

    def use_passkey(self, passkey: Passkey) -> TestResponse:
        asked = self.asked(f"{DOOR}/passkey/ask", DOOR)
        return self.post(f"{DOOR}/passkey", DOOR, credential=passkey.signed(asked))


def account(email: str) -> Account:
    return next(each for each in session().scalars(select(Account)) if each.profile["email"] == email)


def app_of(email: str, *, confirmed: bool = True) -> Factor:
    close()
    wanted = select(Factor).where(Factor.account_id == account(email).id, Factor.kind == "app")
    found = wanted.where(Factor.confirmed_at.is_not(None) if confirmed else Factor.confirmed_at.is_(None))
    return session().scalars(found).one()


def code_of(email: str, *, confirmed: bool = True) -> str:
    """What the app of this person shows now."""
    return totp.current_code(app_of(email, confirmed=confirmed))
