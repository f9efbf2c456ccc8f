"""Rows 5 and 6 of the client matrix: how a code, and a refresh token, is exchanged, and how we prove who asks."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import KeySet

from portal.clock import now
from portal.ehr import grants, service

from .hostile import Hostile, Seen
from .make import Place
from .signing_in import CLIENT_ID, QUICK, Scene, scene

METHODS: list[dict[str, Any]] = [
    {"method": "none"},
    {"method": "client_secret_basic", "secret": "s3:cret/ä&"},
    {"method": "private_key_jwt"},
]


def _requests(at: Scene) -> list[Seen]:
    """The token requests of a patient who connects and whose token is renewed later."""
    at.back(at.connect(), at.patient)
    with time_machine.travel(now() + timedelta(minutes=10)):
        found = grants.client_for(at.connection, at.patient.patient_id or "", "p1", QUICK)
        assert found is not None
    return [each for each in at.at.server.seen if each.path == "/token"]


@pytest.mark.parametrize("registered", METHODS, ids=lambda each: each["method"])
def test_row_05_token_request__form_encoded_post(clinic: Place, server: Hostile, registered: dict[str, Any]) -> None:
    at = scene(clinic, server, **registered)
    code, refresh = _requests(at)
    for each in (code, refresh):
        assert each.method == "POST"
        assert each.headers["content-type"] == "application/x-www-form-urlencoded"
        assert each.path == "/token", "nothing of it stands in the address"


def test_row_05_token_request__grant_code_redirect_and_verifier(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server)
    code, refresh = (each.form for each in _requests(at))
    assert set(code) == {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"}
    assert (code["grant_type"], code["code"]) == ("authorization_code", "a-code")
    assert refresh == {"grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": CLIENT_ID}


def test_row_05_token_request__public_names_itself_and_sends_no_authentication(clinic: Place, server: Hostile) -> None:
    for each in _requests(scene(clinic, server)):
        assert each.form["client_id"] == CLIENT_ID
        assert "authorization" not in each.headers
        assert "client_assertion" not in each.form


def test_row_05_token_request__basic_with_url_encoded_id_and_secret(clinic: Place, server: Hostile) -> None:
    for each in _requests(scene(clinic, server, method="client_secret_basic", secret="s3:cret/ä&")):
        scheme, _, pair = each.headers["authorization"].partition(" ")
        assert (scheme, b64decode(pair).decode()) == ("Basic", f"{CLIENT_ID}:s3%3Acret%2F%C3%A4%26")
        assert not {"client_id", "client_secret", "client_assertion"} & set(each.form), "one way only"


def test_row_05_token_request__never_both_ways(clinic: Place, server: Hostile) -> None:
    for each in _requests(scene(clinic, server, method="private_key_jwt")):
        assert "authorization" not in each.headers
        assert not {"client_id", "client_secret"} & set(each.form)


def test_row_06_private_key_jwt__assertion_on_code_and_refresh_too(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server, method="private_key_jwt")
    keys = KeySet.import_key_set(service.jwks(at.connection.id))
    seen = set()
    for each in _requests(at):
        assert each.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        token = jwt.decode(each.form["client_assertion"], keys, algorithms=["ES384"])
        assert token.header["typ"] == "JWT"
        assert "jku" not in token.header
        assert (token.claims["iss"], token.claims["sub"]) == (CLIENT_ID, CLIENT_ID)
        assert token.claims["aud"] == f"{server.url}/token"
        seen.add(token.claims["jti"])
    assert len(seen) == 2


def test_row_05_token_request__a_way_that_the_server_does_not_take_is_refused_by_name(
    clinic: Place, server: Hostile
) -> None:
    from portal.ehr.errors import NotSmart

    at = scene(
        clinic,
        server,
        method="client_secret_basic",
        secret="x",
        token_endpoint_auth_methods_supported=["private_key_jwt"],
    )
    with pytest.raises(NotSmart, match="client_secret_basic"):
        at.connect()
