"""A patient adds a passkey and an authenticator app, and signs in with each: with script, and without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.journeys import swift
from tests.journeys.conftest import DESKTOP, Demo, Walker

WHO = "Nora Second Step"
EMAIL = "Nora.Second.Step@patient.example"


def with_a_passkey(person: Walker) -> None:
    """This browser has an authenticator that knows its owner."""
    told = person.page.context.new_cdp_session(person.page)
    told.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    told.send("WebAuthn.addVirtualAuthenticator", {"options": {**kind, "isUserVerified": True}})


def code_shown(demo: Demo) -> str:
    """As the demo's own command tells it."""
    ports = {"PREVISIT_PORT": demo.url.rpartition(":")[2], "PREVISIT_CLINIC_PORT": demo.clinic.rpartition(":")[2]}
    environ = {"PREVISIT_INSTANCE": str(demo.instance), "PATH": "", **ports}
    command = [sys.executable, "-m", "portal.cli", "demo-code", EMAIL]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_a_passkey_and_an_app(demo: Demo, new_patient: Callable[..., Walker], walker: Callable[..., Walker]) -> None:
    nora = new_patient(WHO, size=DESKTOP)
    with_a_passkey(nora)
    nora.open("/visits")
    nora.follow("Signing in and security")
    nora.sees("Only your password protects your account")
    nora.press("Add a passkey")
    nora.page.get_by_label("What do you call this device?").fill("My phone")
    nora.press("Make the passkey")
    nora.sees("Your recovery codes")
    assert nora.page.locator("main code").count() == 10
    with nora.page.expect_download() as saved:
        nora.page.get_by_role("link", name="Save them as a file").click()
    codes = saved.value.path().read_text().split()
    assert len(codes) == 10
    nora.press("I have kept them")
    nora.press("Add an authenticator app")
    assert nora.page.locator("main img").evaluate("image => image.complete && image.naturalWidth > 100"), "the QR code"
    nora.page.get_by_label("Code").fill(code_shown(demo))
    nora.press("Continue")
    nora.sees("It is asked for the next time you sign in")
    nora.press("Sign out")
    nora.open("/sign-in")
    nora.press("Sign in with a passkey")
    assert nora.page.url.endswith("/visits")
    plain = walker(js=False)
    plain.sign_in(EMAIL, swift.SECRET)
    plain.sees("type the 6 digits")
    plain.page.get_by_label("Code").fill("000000")
    plain.press("Continue")
    plain.sees("That code is not right")
    plain.page.get_by_label("Code").fill(codes[0])
    plain.press("Continue")
    plain.open("/security")
    plain.sees("9 codes left")
    for person in (nora, plain):
        assert not person.strangers and not person.broken
