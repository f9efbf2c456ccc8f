"""The SMART endpoints: discovery, /token, /authorize with its page to pick a patient, /jwks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.sandbox import grants, signing
from portal.sandbox.clinic import clinic
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.oauth_errors import InvalidRequest, OAuthError
from portal.sandbox.people import choices

bp = Blueprint("oauth", __name__)

CAPABILITIES = [
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "context-standalone-patient",
    "context-banner",
    "sso-openid-connect",
    "permission-offline",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
]
AUTHORIZE_PARAMETERS = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "code_challenge",
    "code_challenge_method",
    "nonce",
)


def smart_configuration(config: SandboxConfig) -> dict[str, Any]:
    """The document at `[base]/.well-known/smart-configuration`."""
    return {
        "issuer": config.public_url,
        "jwks_uri": config.public_url + "/jwks",
        "authorization_endpoint": config.public_url + "/authorize",
        "token_endpoint": config.token_url,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": list(grants.GRANTS),
        "response_types_supported": ["code"],
        "scopes_supported": [
            "openid",
            "fhirUser",
            "launch/patient",
            "offline_access",
            "patient/*.rs",
            "system/*.cruds",
        ],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "capabilities": CAPABILITIES,
    }


@bp.get("/fhir/.well-known/smart-configuration")
def discovery() -> ResponseReturnValue:
    return jsonify(smart_configuration(clinic().config))


@bp.get("/.well-known/openid-configuration")
def openid_configuration() -> ResponseReturnValue:
    known = smart_configuration(clinic().config)
    more = {"subject_types_supported": ["pairwise"], "id_token_signing_alg_values_supported": ["RS256"]}
    return jsonify(known | more)


@bp.get("/jwks")
def jwks() -> ResponseReturnValue:
    return jsonify(signing.jwks(clinic().store)), 200, {"Cache-Control": "public, max-age=300"}


@bp.post("/token")
def token() -> ResponseReturnValue:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    try:
        if request.mimetype != "application/x-www-form-urlencoded":
            raise InvalidRequest("The token request must be form-encoded.")
        if any(len(values) > 1 for values in request.form.listvalues()):
            raise InvalidRequest("A parameter may appear only once.")
        answer = grants.token(clinic().store, clinic().config, request.form)
    except OAuthError as refused:
        return jsonify(error=refused.error, error_description=str(refused)), refused.status, headers
    return jsonify(answer), 200, headers


@bp.route("/authorize", methods=["GET", "POST"])
def authorize() -> ResponseReturnValue:
    """GET shows the picker; POST with a patient answers to the client. An unknown client or address is never redirected to."""
    asked = {name: request.values[name] for name in AUTHORIZE_PARAMETERS if name in request.values}
    client = clinic().config.client(asked.get("client_id", ""))
    if client is None or asked.get("redirect_uri") not in client.redirect_uris:
        return render_template("problem.html", words="This application or its address is not registered here."), 400
    wrong = _wrong(asked, client)
    if wrong:
        return _back(asked, error=wrong[0], error_description=wrong[1])
    if request.form.get("decision") == "deny":
        return _back(asked, error="access_denied", error_description="The person said no.")
    patient = request.form.get("patient", "")
    if not patient:
        return render_template("picker.html", asked=asked, people=choices(clinic().store))
    if patient not in {person.id for person in choices(clinic().store)}:
        return render_template("problem.html", words="There is no such patient."), 400
    return _back(asked, code=grants.new_code(clinic().store, clinic().config, client, asked, patient))


def _wrong(asked: dict[str, str], client: Client) -> tuple[str, str] | None:
    """What is wrong with an authorization request, as (error, words)."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code."
    if asked.get("aud", "").rstrip("/") != clinic().config.base_url:
        return "invalid_request", f"aud must be {clinic().config.base_url}."
    if asked.get("code_challenge_method") != "S256":
        return "invalid_request", "PKCE with S256 is needed."
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", asked.get("code_challenge", "")):
        return "invalid_request", "code_challenge must be a SHA-256 in base64url."
    if not asked.get("state"):
        return "invalid_request", "state is needed."
    if not grants.sign_in_scope(client, asked.get("scope", "")):
        return "invalid_scope", "None of the scopes can be granted."
    return None


def _back(asked: dict[str, str], **answer: str) -> ResponseReturnValue:
    query = {**answer, "iss": clinic().config.public_url}
    if "state" in asked:
        query["state"] = asked["state"]
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return redirect(asked["redirect_uri"] + joint + urlencode(query))
