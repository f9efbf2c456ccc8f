"""Who gets a token: SMART Backend Services, and everything that is wrong with an assertion."""

from __future__ import annotations

import base64
import hmac
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pytest_httpserver import HTTPServer

from portal.sandbox.assertions import ASSERTION_TYPE
from portal.sandbox.config import Client, SandboxConfig
from tests.ports import free_port
from tests.sandbox.asking import Asking, patient, words
from tests.sandbox_server import CLIENT_ID, Sandbox, client_key, running_sandbox

READ = "system/Patient.read"


def asked(sandbox: Sandbox, assertion: str, **changed: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "scope": READ,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return requests.post(sandbox.token_url, data=form | changed, timeout=5)


def signed(sandbox: Sandbox, key: Any, algorithm: str, **header: str) -> str:
    now = int(time.time())
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": sandbox.token_url, "exp": now + 200, "jti": str(uuid.uuid4())}
    return jwt.encode({"alg": algorithm, "kid": client_key().kid} | header, claims, key, algorithms=[algorithm])


def signed_with_the_public_key(sandbox: Sandbox) -> str:
    """HS256 with the published key as the secret: the old trick on verifiers that believe the header."""

    def written(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    header = json.dumps({"alg": "HS256", "kid": client_key().kid}).encode()
    body = f"{written(header)}.{sandbox.assertion().split('.')[1]}"
    return f"{body}.{written(hmac.digest(client_key().as_pem(private=False), body.encode(), 'sha256'))}"


def test_a_good_assertion_gets_a_short_lived_token(clinic: Sandbox) -> None:
    answer = asked(clinic, clinic.assertion())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, READ)
    assert "refresh_token" not in body


WRONG_CLAIMS: list[tuple[str, Callable[[Sandbox], dict[str, Any]]]] = [
    ("another audience", lambda clinic: {"aud": clinic.base_url}),
    ("no audience", lambda clinic: {"aud": None}),
    ("an unknown issuer", lambda clinic: {"iss": "stranger", "sub": "stranger"}),
    ("sub that is not iss", lambda clinic: {"sub": "somebody"}),
    ("expired", lambda clinic: {"exp": int(time.time()) - 30}),
    ("no expiry", lambda clinic: {"exp": None}),
    ("too long a life", lambda clinic: {"exp": int(time.time()) + 3600}),
    ("no jti", lambda clinic: {"jti": None}),
    ("from the future", lambda clinic: {"nbf": int(time.time()) + 100}),
]


@pytest.mark.parametrize(("name", "claims"), WRONG_CLAIMS, ids=[name for name, _ in WRONG_CLAIMS])
def test_an_assertion_is_refused_for(clinic: Sandbox, name: str, claims: Callable[[Sandbox], dict[str, Any]]) -> None:
    answer = asked(clinic, clinic.assertion(**claims(clinic)))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["error_description"]


def test_a_jti_works_once_and_a_refused_scope_uses_it_up_too(clinic: Sandbox) -> None:
    assertion = clinic.assertion()
    assert asked(clinic, assertion, scope="openid").json()["error"] == "invalid_scope"
    assert asked(clinic, assertion).json()["error"] == "invalid_client"


def test_other_signatures_are_refused(clinic: Sandbox) -> None:
    stranger = ECKey.generate_key("P-384")
    forged = [
        signed(clinic, stranger, "ES384"),
        signed(clinic, client_key(), "ES384", kid="unknown"),
        signed(clinic, client_key(), "ES384", jku="http://127.0.0.1:1/jwks"),
        signed_with_the_public_key(clinic),
        signed(clinic, RSAKey.generate_key(2048), "RS384"),
        signed(clinic, RSAKey.generate_key(2048), "RS256"),
        clinic.assertion().rsplit(".", 1)[0] + ".",
        "not a token",
    ]
    assert [asked(clinic, assertion).json()["error"] for assertion in forged] == ["invalid_client"] * len(forged)


WRONG_FORMS = [
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"client_assertion_type": "jwt"}, 401, "invalid_client"),
    ({"client_id": "somebody-else"}, 401, "invalid_client"),
    ({"scope": ""}, 400, "invalid_scope"),
    (
        {"scope": "system/Zebra.read patient/Patient.read system/Patient.sr system/Patient.rs?name=x"},
        400,
        "invalid_scope",
    ),
]


@pytest.mark.parametrize(("changed", "status", "error"), WRONG_FORMS)
def test_a_token_request_is_refused(clinic: Sandbox, changed: dict[str, str], status: int, error: str) -> None:
    answer = asked(clinic, clinic.assertion(), **changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_json_and_doubled_parameters_are_no_token_request(clinic: Sandbox) -> None:
    by_json = requests.post(clinic.token_url, json={"grant_type": "client_credentials"}, timeout=5)
    twice = requests.post(clinic.token_url, data=[("grant_type", "client_credentials")] * 2, timeout=5)
    assert [by_json.json()["error"], twice.json()["error"]] == ["invalid_request"] * 2


@pytest.mark.parametrize("other_first", [True, False])
def test_keys_of_two_kinds_live_in_one_set_and_a_set_may_be_at_a_url(
    tmp_path: Path, httpserver: HTTPServer, other_first: bool
) -> None:
    rsa, ec = RSAKey.generate_key(2048, auto_kid=True), ECKey.generate_key("P-384", auto_kid=True)
    keys = [key.as_dict(private=False) for key in ((rsa, ec) if other_first else (ec, rsa))]
    httpserver.expect_request("/jwks").respond_with_json({"keys": keys})
    port = free_port()
    client = Client(CLIENT_ID, jwks_url=httpserver.url_for("/jwks"))
    sandbox = Sandbox(SandboxConfig(tmp_path, f"http://127.0.0.1:{port}", (client,), seed=False), "127.0.0.1", port)
    sandbox.start()
    try:
        for key, algorithm in ((rsa, "RS384"), (ec, "ES384")):
            answer = asked(sandbox, signed(sandbox, key, algorithm, kid=str(key.kid), jku=str(client.jwks_url)))
            assert answer.status_code == 200, answer.text
    finally:
        sandbox.stop()


def test_a_token_stops_working_when_its_time_is_over(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, seed=False, token_seconds=1) as sandbox:
        ask = Asking(sandbox)
        assert ask.get("Patient").status_code == 200
        time.sleep(1.2)
        expired = ask.get("Patient")
    assert expired.status_code == 401
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz"])
def test_without_a_token_nothing_is_read(clinic: Sandbox, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    for method, path in (("GET", "/Patient"), ("POST", ""), ("GET", "/Patient/1"), ("DELETE", "/Patient/1")):
        answer = requests.request(method, clinic.base_url + path, headers=headers, timeout=5)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert words(answer)


def test_a_token_in_the_address_is_not_looked_at(clinic: Sandbox) -> None:
    answer = requests.get(f"{clinic.base_url}/Patient?access_token={clinic.token()}", timeout=5)
    assert answer.status_code == 401


def test_granted_is_what_was_asked_and_is_allowed_spelled_as_asked(clinic: Sandbox) -> None:
    wanted = "system/Patient.read system/Observation.rs launch/patient patient/*.read system/Consent.cruds system/*.*"
    answer = asked(clinic, clinic.assertion(), scope=wanted)
    assert answer.json()["scope"] == "system/Patient.read system/Observation.rs system/Consent.cruds system/*.*"


ALLOWED = [
    ("system/Patient.read", {"read", "search"}),
    ("system/Patient.write", {"create", "update", "delete"}),
    ("system/Patient.rs", {"read", "search"}),
    ("system/Patient.s", {"search"}),
    ("system/Patient.c", {"create"}),
    ("system/*.u", {"update"}),
    ("system/Patient.*", {"read", "search", "create", "update", "delete"}),
    ("system/Observation.cruds", set()),
]


@pytest.mark.parametrize(("scope", "allowed"), ALLOWED)
def test_a_token_does_what_its_scope_says_and_no_more(clinic: Sandbox, scope: str, allowed: set[str]) -> None:
    made = Asking(clinic).made(patient())
    path = f"Patient/{made['id']}"
    ask = Asking(clinic, scope)
    tried = {
        "read": ask.get(path),
        "search": ask.get("Patient"),
        "create": ask("POST", "Patient", patient()),
        "update": ask("PUT", path, patient(id=made["id"])),
        "delete": ask("DELETE", path),
    }
    assert {verb for verb, answer in tried.items() if answer.ok} == allowed
    assert {answer.status_code for answer in tried.values() if not answer.ok} <= {403}


def test_a_narrow_token_cannot_reach_more_by_a_bundle_or_an_include(clinic: Sandbox) -> None:
    everything = Asking(clinic)
    ana = everything.made(patient())["id"]
    everything.made(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{ana}"},
        }
    )
    ask = Asking(clinic, "system/Observation.rs")
    entries = ask.get("Observation?_include=Observation:patient").json()["entry"]
    assert [entry["resource"]["resourceType"] for entry in entries] == ["Observation"]
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": f"Patient/{ana}"}}],
    }
    assert ask("POST", "", json.dumps(batch)).json()["entry"][0]["response"]["status"] == "403 Forbidden"
    assert ask("POST", "", json.dumps(batch | {"type": "transaction"})).status_code == 403
