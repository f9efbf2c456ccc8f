"""People see where they are signed in and when they were before, in words, and end it: one, or all others."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal import db
from portal.accounts.models import SignIn
from portal.accounts.sessions import KEPT
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import session
from portal.errors import Misconfigured
from portal.settings import read
from tests import make
from tests.accounts.people import ANA, DOOR, Person, account
from tests.conftest import DATABASES, csrf

pytestmark = pytest.mark.parametrize("database", DATABASES[:1], indirect=True)
PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def phone(strict: Flask, ana: Person) -> Person:
    """Ana at her phone, signed in from another network."""
    person = Person(strict, ANA, address="203.0.113.9")
    person.client.environ_base["HTTP_USER_AGENT"] = PHONE
    person.sign_in()
    return person


def test_each_session_is_named_by_device_time_and_place_and_can_be_ended(ana: Person, phone: Person) -> None:
    ana.sign_in()
    page = ana.text("/security")
    assert "Chrome on Android" in page and "Network 203.0.113.0" in page and "203.0.113.9" not in page
    theirs = page.partition('name="session" value="')[2][:16]
    ana.post("/security/sessions/end", "/security", session=theirs)
    assert ana.is_in() and not phone.is_in()
    assert "You ended it from another device" in ana.text("/security")


def test_all_others_end_at_once_and_each_is_written_down(strict: Flask, ana: Person, phone: Person) -> None:
    third = Person(strict, ANA)
    third.sign_in()
    ana.sign_in()
    ana.post("/security/sessions/end-others", "/security")
    assert ana.is_in() and not phone.is_in() and not third.is_in()
    db.close()
    ended = select(AuditRow).where(AuditRow.event == Event.SESSION_ENDED.value, AuditRow.role == "patient")
    assert len(session().scalars(ended).all()) >= 2


def test_a_session_left_open_is_shown_as_over_when_its_time_has_run_out(ana: Person, phone: Person) -> None:
    with time_machine.travel(now() + timedelta(minutes=31), tick=False):
        ana.sign_in()
        page = ana.text("/security")
        assert "Ended by itself after a time without use" in page and "Sign out there" not in page


def test_where_somebody_was_is_forgotten_after_a_month(ana: Person, phone: Person) -> None:
    with time_machine.travel(now() + KEPT + timedelta(days=1), tick=False):
        ana.sign_in()
        page = ana.text("/security")
        assert "A device we do not know" in page and "203.0.113" not in page
        db.close()
        kept = session().scalars(select(SignIn).where(SignIn.account_id == account(ANA).id)).all()
        assert [row.device is not None for row in sorted(kept, key=lambda row: row.began_at)] == [False, False, True]


def test_a_password_change_ends_the_others_and_needs_no_old_rules(strict: Flask, ana: Person, phone: Person) -> None:
    ana.sign_in()
    assert ana.post("/security/password", "/security/password", password="short").status_code == 422
    changed = ana.post("/security/password", "/security/password", password="six wet stones beside a kettle")
    assert changed.status_code == 303 and ana.is_in() and not phone.is_in()
    assert Person(strict, ANA).sign_in().status_code == 422
    assert Person(strict, ANA).sign_in("six wet stones beside a kettle").status_code == 303


def test_the_cookies_hold_no_name_and_are_the_sites_own(strict: Flask, ana: Person) -> None:
    answer, serializer = ana.sign_in(), strict.session_interface.get_signing_serializer(strict)  # type: ignore[attr-defined]
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Domain" not in cookie and "Path=/" in cookie
        held = cookie.partition("=")[2].partition(";")[0]
        opened = (
            str(serializer.loads(held)) if cookie.startswith("previsit=") else held
        )  # by chance a token holds any three letters: whole names only
        assert not [text for text in (cookie, opened) if ANA in text or "Ana " in text]
        assert len(cookie) < 4096


def test_a_session_from_before_signing_in_is_worth_nothing_after(strict: Flask, ana: Person) -> None:
    """Fixation: whoever put a cookie into her browser before does not share what she signs in to."""
    ana.get(DOOR)
    planted = ana.client.get_cookie("previsit").value  # type: ignore[union-attr]
    ana.sign_in()
    thief = strict.test_client()
    thief.set_cookie("previsit", planted)
    assert ana.is_in() and thief.get("/security").status_code == 303


def test_no_page_before_signing_in_leaves_a_session_that_opens_anything(strict: Flask, ana: Person) -> None:
    for page in (DOOR, "/sign-in/code", "/privacy", "/sign-in"):
        stranger = Person(strict, ANA)
        stranger.get(page)
        stranger.post(f"{DOOR}/passkey/ask", DOOR)
        for path in ("/visits", "/security", "/who-looked", "/desk"):
            assert stranger.get(path).status_code == 303, (page, path)


def test_the_second_factor_of_staff_can_be_off_in_the_demo_only(database: str, tmp_path: object) -> None:
    settings = make.settings(tmp_path, database)  # type: ignore[arg-type]
    base = {
        "PREVISIT_INSTANCE": str(tmp_path),
        "PREVISIT_BASE_URL": "https://intake.example.org",
        "PREVISIT_CONSENT_DEFAULT": "deny",
    }
    assert read(base).staff_need_two and settings.keys
    for wrong in ("off", "no", "", "Required"):
        with pytest.raises(Misconfigured, match="PREVISIT_STAFF_SECOND_FACTOR"):
            read({**base, "PREVISIT_STAFF_SECOND_FACTOR": wrong})
    assert not read({**base, "PREVISIT_DEMO": "1", "PREVISIT_STAFF_SECOND_FACTOR": "off"}).staff_need_two


def test_suspended_while_reading_the_next_request_is_nobodys(strict: Flask, ana: Person) -> None:
    from portal.db import transaction

    ana.sign_in()
    token = csrf(ana.client, "/security")
    with transaction():
        account(ANA).suspended_at = now()
    db.close()
    assert ana.get("/visits").status_code == 303
    assert ana.client.post("/security/sessions/end-others", data={"csrf_token": token}).status_code == 303
