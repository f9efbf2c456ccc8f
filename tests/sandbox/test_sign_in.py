"""A person's sign-in: /authorize with PKCE and the picker page, the code, the id_token, refresh with rotation."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.asking import Asking
from tests.sandbox_server import CLIENT_ID, PUBLIC_CLIENT_ID, REDIRECT_URI, Sandbox

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def request_of(sandbox: Sandbox, **changed: str | None) -> dict[str, str]:
    asked = {
        "response_type": "code",
        "client_id": PUBLIC_CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid fhirUser launch/patient offline_access patient/*.rs",
        "state": "s-1",
        "aud": sandbox.base_url,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "nonce": "n-1",
    }
    return {name: value for name, value in (asked | changed).items() if value is not None}


def answered(sandbox: Sandbox, decision: dict[str, str], **changed: str | None) -> dict[str, str]:
    """What the client gets at its redirect address."""
    url, said = f"{sandbox.url}/authorize", {"decision": "allow"} | decision
    answer = requests.post(url, data=request_of(sandbox, **changed) | said, timeout=5, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(REDIRECT_URI + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def exchanged(sandbox: Sandbox, **form: str) -> requests.Response:
    usual = {
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "client_id": PUBLIC_CLIENT_ID,
    }
    return requests.post(sandbox.token_url, data=usual | form, timeout=5)


def signed_in(sandbox: Sandbox, person: str = "ana-morales", **changed: str | None) -> dict[str, Any]:
    code = answered(sandbox, {"patient": person}, **changed)["code"]
    answer = exchanged(sandbox, code=code)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def refreshed(sandbox: Sandbox, secret: str, **more: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": secret, "client_id": PUBLIC_CLIENT_ID}
    return requests.post(sandbox.token_url, data=form | more, timeout=5)


def test_the_picker_lists_everybody(full_clinic: Sandbox) -> None:
    page = requests.get(f"{full_clinic.url}/authorize", params=request_of(full_clinic), timeout=5)
    assert page.status_code == 200
    assert page.text.count('type="radio"') == 14 + 3
    assert "Ana Morales" in page.text


def test_signed_in_she_sees_her_own_record_and_nobody_elses(full_clinic: Sandbox) -> None:
    tokens = signed_in(full_clinic)
    assert tokens["patient"] == "ana-morales"
    ask = Asking(full_clinic, token=tokens["access_token"])
    assert ask.ids("Patient") == ["ana-morales"]
    assert ask.get("Patient/kwame-mensah").status_code == 404
    assert ask.get("Patient/kwame-mensah/_history/1").status_code == 404
    assert ask.ids("AllergyIntolerance") == ["ana-morales-penicillin"]
    assert ask.ids("Observation?patient=kwame-mensah") == []
    assert ask.get("Practitioner/ifeoma-okoro").status_code == 200
    assert ask("POST", "Patient", {"resourceType": "Patient", "gender": "male"}).status_code == 403


def test_she_may_write_only_about_herself(full_clinic: Sandbox) -> None:
    tokens = signed_in(full_clinic, scope="patient/*.cruds")
    ask = Asking(full_clinic, token=tokens["access_token"])
    other = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient/kwame-mensah"}}
    assert ask("POST", "Basic", other).status_code == 403
    own = ask("POST", "Basic", other | {"subject": {"reference": "Patient/ana-morales"}})
    assert own.status_code == 201
    assert ask("DELETE", f"Basic/{own.json()['id']}").status_code == 204


def test_the_id_token_is_signed_by_the_published_key_and_names_her(full_clinic: Sandbox) -> None:
    tokens = signed_in(full_clinic)
    keys = KeySet.import_key_set(requests.get(f"{full_clinic.url}/jwks", timeout=5).json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["iss"] == full_clinic.url
    assert claims["aud"] == PUBLIC_CLIENT_ID
    assert claims["nonce"] == "n-1"
    assert claims["fhirUser"] == f"{full_clinic.base_url}/Patient/ana-morales"
    private = {"d", "p", "q", "dp", "dq", "qi"}
    assert not private & set(requests.get(f"{full_clinic.url}/jwks", timeout=5).json()["keys"][0])


def test_the_answer_names_the_state_and_the_issuer(full_clinic: Sandbox) -> None:
    answer = answered(full_clinic, {"patient": "ana-morales"})
    assert (answer["state"], answer["iss"]) == ("s-1", full_clinic.url)


def test_whoever_says_no_is_believed(full_clinic: Sandbox) -> None:
    answer = answered(full_clinic, {"patient": "ana-morales", "decision": "deny"})
    assert (answer["error"], "code" in answer) == ("access_denied", False)


WRONG = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"aud": "http://elsewhere.example/fhir"}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"state": None}, "invalid_request"),
    ({"scope": "system/*.cruds"}, "invalid_scope"),
]


@pytest.mark.parametrize(("changed", "error"), WRONG)
def test_a_wrong_request_goes_back_with_its_error(
    full_clinic: Sandbox, changed: dict[str, str | None], error: str
) -> None:
    assert answered(full_clinic, {"patient": "ana-morales"}, **changed)["error"] == error


@pytest.mark.parametrize("changed", [{"client_id": "stranger"}, {"redirect_uri": "https://evil.example/"}])
def test_an_unknown_client_or_address_is_never_redirected_to(full_clinic: Sandbox, changed: dict[str, str]) -> None:
    url = f"{full_clinic.url}/authorize"
    page = requests.get(url, params=request_of(full_clinic, **changed), timeout=5, allow_redirects=False)
    assert (page.status_code, "Location" in page.headers) == (400, False)


BAD_EXCHANGES = [
    {"code_verifier": "w" * 43},
    {"code_verifier": "short"},
    {"redirect_uri": REDIRECT_URI + "/other"},
    {"code": "guessed"},
]


@pytest.mark.parametrize("changed", BAD_EXCHANGES)
def test_a_code_is_worth_nothing_without_what_belongs_to_it(full_clinic: Sandbox, changed: dict[str, str]) -> None:
    code = answered(full_clinic, {"patient": "ana-morales"})["code"]
    answer = exchanged(full_clinic, **({"code": code} | changed))
    assert (answer.status_code, answer.json()["error"] in ("invalid_grant", "invalid_request")) == (400, True)


def test_a_code_used_twice_ends_what_it_began(full_clinic: Sandbox) -> None:
    code = answered(full_clinic, {"patient": "ana-morales"})["code"]
    ask = Asking(full_clinic, token=exchanged(full_clinic, code=code).json()["access_token"])
    assert ask.get("Patient/ana-morales").status_code == 200
    assert exchanged(full_clinic, code=code).json()["error"] == "invalid_grant"
    assert ask.get("Patient/ana-morales").status_code == 401


def test_a_confidential_client_must_prove_itself_here_too(full_clinic: Sandbox) -> None:
    code = answered(full_clinic, {"patient": "ana-morales"}, client_id=CLIENT_ID)["code"]
    assert exchanged(full_clinic, code=code, client_id=CLIENT_ID).json()["error"] == "invalid_client"
    proof = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": full_clinic.assertion(),
    }
    assert exchanged(full_clinic, code=code, client_id=CLIENT_ID, **proof).status_code == 200


def test_a_refresh_gives_a_new_pair_and_the_old_one_used_again_ends_both(full_clinic: Sandbox) -> None:
    first = signed_in(full_clinic)
    second = refreshed(full_clinic, first["refresh_token"]).json()
    assert second["patient"] == "ana-morales"
    assert second["refresh_token"] != first["refresh_token"]
    ask = Asking(full_clinic, token=second["access_token"])
    assert ask.get("Patient/ana-morales").status_code == 200
    assert refreshed(full_clinic, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert ask.get("Patient/ana-morales").status_code == 401
    assert refreshed(full_clinic, second["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_may_narrow_but_not_widen(full_clinic: Sandbox) -> None:
    first = signed_in(full_clinic)
    narrowed = refreshed(full_clinic, first["refresh_token"], scope="patient/*.rs").json()
    assert narrowed["scope"] == "patient/*.rs"
    assert refreshed(full_clinic, narrowed["refresh_token"], scope="patient/*.cruds").json()["error"] == "invalid_scope"


def test_without_offline_access_there_is_no_refresh(full_clinic: Sandbox) -> None:
    assert "refresh_token" not in signed_in(full_clinic, scope="launch/patient patient/Patient.read")


def test_discovery_names_what_is_there(full_clinic: Sandbox) -> None:
    known = requests.get(f"{full_clinic.base_url}/.well-known/smart-configuration", timeout=5).json()
    assert known["token_endpoint"] == full_clinic.token_url
    assert known["code_challenge_methods_supported"] == ["S256"]
    assert {"private_key_jwt", "client_secret_basic"} == set(known["token_endpoint_auth_methods_supported"])
    for name in ("jwks_uri", "authorization_endpoint"):
        assert requests.get(known[name], timeout=5).status_code in (200, 400)
