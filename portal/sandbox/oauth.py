"""The SMART endpoints without pages: discovery, /token, /revoke, /jwks. The pages of a sign-in are in authorizing.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.sandbox import grants, signing
from portal.sandbox.clinic import clinic
from portal.sandbox.config import SandboxConfig
from portal.sandbox.oauth_errors import InvalidRequest, OAuthError

bp = Blueprint("oauth", __name__)

CAPABILITIES = [
    "launch-standalone",
    "launch-ehr",
    "client-public",
    "client-confidential-asymmetric",
    "client-confidential-symmetric",
    "context-standalone-patient",
    "context-ehr-patient",
    "context-banner",
    "sso-openid-connect",
    "permission-offline",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
]


def smart_configuration(config: SandboxConfig) -> dict[str, Any]:
    """The document at `[base]/.well-known/smart-configuration`."""
    return {
        "issuer": config.public_url,
        "jwks_uri": config.public_url + "/jwks",
        "authorization_endpoint": config.public_url + "/authorize",
        "token_endpoint": config.token_url,
        "revocation_endpoint": config.public_url + "/revoke",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": list(grants.GRANTS),
        "response_types_supported": ["code"],
        "scopes_supported": [
            "openid",
            "fhirUser",
            "launch",
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
        answer = grants.token(clinic().store, clinic().config, request.form, _basic())
    except OAuthError as refused:
        return jsonify(error=refused.error, error_description=str(refused)), refused.status, headers
    return jsonify(answer), 200, headers


@bp.post("/revoke")
def revoke() -> ResponseReturnValue:
    """RFC 7009: what the client gives back is forgotten; a refresh token takes its whole sign-in with it."""
    headers = {"Cache-Control": "no-store"}
    try:
        grants.revoke(clinic().store, clinic().config, request.form, _basic())
    except OAuthError as refused:
        return jsonify(error=refused.error, error_description=str(refused)), refused.status, headers
    return "", 200, headers


def _basic() -> tuple[str, str] | None:
    """The client's name and secret from HTTP Basic, url-decoded as RFC 6749 2.3.1 wants it."""
    given = request.authorization
    if given is None or given.type != "basic":
        return None
    return unquote(given.username or ""), unquote(given.password or "")
