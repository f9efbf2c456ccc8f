"""The three grants of the token endpoint: client credentials, authorization code with PKCE, refresh with rotation."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from portal.sandbox import signing, tickets
from portal.sandbox.access import granted, read_scope
from portal.sandbox.assertions import authenticated
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.oauth_errors import InvalidGrant, InvalidRequest, InvalidScope, UnauthorizedClient, UnsupportedGrant
from portal.sandbox.store import Store, Unit
from portal.sandbox.tickets import Ticket

CODE_SECONDS = 60
REFRESH_SECONDS = 30 * 24 * 3600

Form = Mapping[str, str]


def token(store: Store, config: SandboxConfig, form: Form, basic: tuple[str, str] | None = None) -> dict[str, Any]:
    """The token response. Raises OAuthError; a used jti stays used whatever comes after."""
    grant = GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise UnsupportedGrant(f"grant_type must be one of {', '.join(GRANTS)}.")
    with store.writing() as unit:
        client = authenticated(unit, config, form, basic)
        tickets.forget_expired(unit)
    return grant(store, config, client, form)


def revoke(store: Store, config: SandboxConfig, form: Form, basic: tuple[str, str] | None = None) -> None:
    """Forget a token of this client; another's, or one that is not known, is left as it is (RFC 7009: that is no error)."""
    with store.writing() as unit:
        client = authenticated(unit, config, form, basic)
        secret = form.get("token", "")
        refresh = tickets.find(unit, secret, "refresh")
        if refresh is not None and refresh.client == client.id:
            tickets.revoke_family(unit, refresh.family)
        access = tickets.find(unit, secret, "access")
        if access is not None and access.client == client.id:
            tickets.forget(unit, secret)


def _credentials(store: Store, config: SandboxConfig, client: Client, form: Form) -> dict[str, Any]:
    if client.public:
        raise UnauthorizedClient("A public client cannot have credentials of its own.")
    scope = granted(form.get("scope", ""), client.scopes, ("system",), special=False)
    if not scope:
        raise InvalidScope("Ask for system scopes, such as system/Patient.read or system/Patient.rs.")
    with store.writing() as unit:
        return _access(unit, config, _family(client, " ".join(scope), None))


def _code(store: Store, config: SandboxConfig, client: Client, form: Form) -> dict[str, Any]:
    with store.writing() as unit:
        found = tickets.find(unit, form.get("code", ""), "code")
        fresh = found is not None and tickets.use_up(unit, form["code"])
        if found is not None and not fresh:
            tickets.revoke_family(unit, found.family)
    if found is None or not fresh or found.client != client.id:
        raise InvalidGrant("The code is unknown, expired or was used before.")
    if form.get("redirect_uri") != found.detail["redirect_uri"]:
        raise InvalidGrant("redirect_uri is not the one of the authorization request.")
    if _challenge(form.get("code_verifier", "")) != found.detail["code_challenge"]:
        raise InvalidGrant("code_verifier does not fit the code_challenge.")
    with store.writing() as unit:
        return _signed_in(store, unit, config, found)


def _refresh(store: Store, config: SandboxConfig, client: Client, form: Form) -> dict[str, Any]:
    secret = form.get("refresh_token", "")
    with store.writing() as unit:
        found = tickets.find(unit, secret, "refresh")
        fresh = found is not None and found.client == client.id and tickets.use_up(unit, secret)
        if found is not None and not fresh:
            tickets.revoke_family(unit, found.family)
    if found is None or not fresh:
        raise InvalidGrant("The refresh token is unknown, expired or was used before.")
    asked = form.get("scope", found.scope).split()
    if not set(asked) <= set(found.scope.split()):
        raise InvalidScope("A refresh cannot widen the scope.")
    with store.writing() as unit:
        return _signed_in(store, unit, config, replace(found, detail={}), " ".join(asked))


def _signed_in(
    store: Store, unit: Unit, config: SandboxConfig, found: Ticket, narrowed: str | None = None
) -> dict[str, Any]:
    scope = narrowed or found.scope
    answer = _access(unit, config, replace(found, scope=scope))
    if found.patient:
        answer |= {"patient": found.patient, "need_patient_banner": True}
    if "offline_access" in found.scope.split():
        refresh = replace(found, kind="refresh", expires=unit.now.timestamp() + REFRESH_SECONDS, detail={})
        answer["refresh_token"] = tickets.issue(unit, refresh)
    if "openid" in scope.split() and found.detail:
        answer["id_token"] = found.detail["id_token"]
    return answer


def _access(unit: Unit, config: SandboxConfig, ticket: Ticket) -> dict[str, Any]:
    issued = replace(ticket, kind="access", expires=unit.now.timestamp() + config.token_seconds, detail={})
    return {
        "access_token": tickets.issue(unit, issued),
        "token_type": "Bearer",
        "expires_in": config.token_seconds,
        "scope": ticket.scope,
    }


def new_code(
    store: Store, config: SandboxConfig, client: Client, asked: Form, scope: list[str], user: str, patient: str | None
) -> str:
    """A code for one sign-in; the id_token is signed now, with the nonce of the request. `user` is `Type/id`."""
    detail = {"redirect_uri": asked["redirect_uri"], "code_challenge": asked["code_challenge"]}
    if "openid" in scope:
        detail["id_token"] = _id_token(store, config, client, asked, user, "fhirUser" in scope)
    told = patient if any(part.startswith(("patient/", "launch")) for part in scope) else None
    with store.writing() as unit:
        family = _family(client, " ".join(scope), told)
        code = replace(family, kind="code", expires=unit.now.timestamp() + CODE_SECONDS, detail=detail)
        return tickets.issue(unit, code)


def sign_in_scope(client: Client, asked: str) -> list[str]:
    """What a person's sign-in is granted: never a system scope."""
    scope = granted(asked, client.scopes, ("patient", "user"), special=True)
    return [part for part in scope if not (found := read_scope(part)) or found.context != "system"]


def _id_token(store: Store, config: SandboxConfig, client: Client, asked: Form, user: str, with_user: bool) -> str:
    now = int(config.clock().timestamp())
    claims: dict[str, Any] = {
        "iss": config.public_url,
        "sub": hashlib.sha256(f"{client.id}/{user}".encode()).hexdigest()[:32],
        "aud": client.id,
        "iat": now,
        "exp": now + 600,
    }
    if "nonce" in asked:
        claims["nonce"] = asked["nonce"]
    if with_user:
        claims["fhirUser"] = f"{config.base_url}/{user}"
    return signing.sign(store, claims)


def _family(client: Client, scope: str, patient: str | None) -> Ticket:
    return Ticket("access", secrets.token_hex(16), client.id, scope, patient, 0, False, {})


def _challenge(verifier: str) -> str:
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        raise InvalidRequest("code_verifier must have 43 to 128 characters.")
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


GRANTS: dict[str, Callable[[Store, SandboxConfig, Client, Form], dict[str, Any]]] = {
    "client_credentials": _credentials,
    "authorization_code": _code,
    "refresh_token": _refresh,
}
