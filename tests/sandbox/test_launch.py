"""The pages around a sign-in: who, whose record, what is allowed; the page that plays an EHR; secrets; giving tokens back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.asking import Asking
from tests.sandbox.test_sign_in import answered, exchanged, refreshed, request_of, signed_in
from tests.sandbox_server import LAUNCH_URL, PUBLIC_CLIENT_ID, REDIRECT_URI, SECRET, SECRET_CLIENT_ID, Sandbox

FROM_EHR = {"scope": "launch openid fhirUser"}


def opened(sandbox: Sandbox, patient: str = "ana-morales", user: str = "Practitioner/ifeoma-okoro") -> dict[str, str]:
    """What the EHR page sends to the application's launch address."""
    form = {"client_id": PUBLIC_CLIENT_ID, "user": user, "patient": patient}
    answer = requests.post(f"{sandbox.url}/ehr", data=form, timeout=5, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(LAUNCH_URL + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def arrived(sandbox: Sandbox, **asked: str) -> dict[str, str]:
    """Where the browser is sent back to from /authorize, without anybody being asked."""
    url = f"{sandbox.url}/authorize"
    answer = requests.get(url, params=request_of(sandbox, **asked), timeout=5, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_the_ehr_opens_an_application_with_the_patient_who_is_open(full_clinic: Sandbox) -> None:
    sent = opened(full_clinic)
    assert sent["iss"] == full_clinic.base_url
    code = arrived(full_clinic, **FROM_EHR, launch=sent["launch"])["code"]
    tokens = exchanged(full_clinic, code=code).json()
    assert tokens["patient"] == "ana-morales"
    keys = KeySet.import_key_set(requests.get(f"{full_clinic.url}/jwks", timeout=5).json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["fhirUser"] == f"{full_clinic.base_url}/Practitioner/ifeoma-okoro"


def test_a_launch_is_good_for_once_and_for_its_application_only(full_clinic: Sandbox) -> None:
    sent = opened(full_clinic)
    asked = {**FROM_EHR, "launch": sent["launch"]}
    assert arrived(full_clinic, **asked, client_id=SECRET_CLIENT_ID)["error"] == "invalid_request"
    assert "code" in arrived(full_clinic, **asked)
    assert arrived(full_clinic, **asked)["error"] == "invalid_request"


@pytest.mark.parametrize("asked", [{"scope": "launch openid"}, {"scope": "openid fhirUser", "launch": "guessed"}])
def test_launch_and_its_scope_belong_together(full_clinic: Sandbox, asked: dict[str, str]) -> None:
    assert arrived(full_clinic, **asked)["error"] == "invalid_scope"


def test_somebody_who_works_there_is_asked_for_a_patient_and_then_for_consent(full_clinic: Sandbox) -> None:
    url, user = f"{full_clinic.url}/authorize", {"user": "Practitioner/ifeoma-okoro"}
    picker = requests.post(url, data=request_of(full_clinic) | user, timeout=5)
    assert 'name="patient"' in picker.text
    consent = requests.post(url, data=request_of(full_clinic) | user | {"patient": "mei-chen"}, timeout=5)
    assert 'value="offline_access" checked' in consent.text
    assert "code" in answered(full_clinic, user | {"patient": "mei-chen"})


def test_what_is_taken_away_on_the_consent_page_is_not_granted(full_clinic: Sandbox) -> None:
    chosen = {"choosing": "1", "allowed": "launch/patient", "patient": "ana-morales"}
    assert exchanged(full_clinic, code=answered(full_clinic, chosen)["code"]).json()["scope"] == "launch/patient"
    assert answered(full_clinic, {"choosing": "1", "patient": "ana-morales"})["error"] == "access_denied"


def test_a_client_with_a_secret_proves_itself_by_it_and_by_one_way_only(full_clinic: Sandbox) -> None:
    code = answered(full_clinic, {"patient": "ana-morales"}, client_id=SECRET_CLIENT_ID)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": "v" * 43}

    def asked(auth: tuple[str, str] | None, **more: str) -> requests.Response:
        return requests.post(full_clinic.token_url, data=form | more, auth=auth, timeout=5)

    assert asked(None, client_id=SECRET_CLIENT_ID).json()["error"] == "invalid_client"
    assert asked((SECRET_CLIENT_ID, "guessed")).json()["error"] == "invalid_client"
    assert asked((SECRET_CLIENT_ID, SECRET), client_secret=SECRET).json()["error"] == "invalid_client"
    assert asked((SECRET_CLIENT_ID, SECRET)).status_code == 200


def test_what_is_given_back_is_worth_nothing_any_more(full_clinic: Sandbox) -> None:
    tokens = signed_in(full_clinic)
    url, client = f"{full_clinic.url}/revoke", {"client_id": PUBLIC_CLIENT_ID}
    assert requests.post(url, data={"token": "guessed", **client}, timeout=5).status_code == 200
    assert requests.post(url, data={"token": tokens["access_token"]}, timeout=5).status_code == 401
    ask = Asking(full_clinic, token=tokens["access_token"])
    assert ask.get("Patient/ana-morales").status_code == 200
    requests.post(url, data={"token": tokens["refresh_token"], **client}, timeout=5)
    assert ask.get("Patient/ana-morales").status_code == 401
    assert refreshed(full_clinic, tokens["refresh_token"]).json()["error"] == "invalid_grant"
