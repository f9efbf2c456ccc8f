"""The clinic's own key: made when first needed, kept with its data, public at /jwks; it signs id_tokens (RS256)."""

from __future__ import annotations

import json
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey, import_key

from portal.sandbox.store import Store

NAME = "signing-key"


def jwks(store: Store) -> dict[str, Any]:
    """The public key set."""
    public = dict(_key(store).as_dict(private=False))
    return {"keys": [public | {"alg": "RS256", "use": "sig"}]}


def sign(store: Store, claims: dict[str, Any]) -> str:
    key = _key(store)
    return str(jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key))


def _key(store: Store) -> RSAKey:
    with store.writing() as unit:
        row = unit.connection.execute("SELECT value FROM setting WHERE name = ?", (NAME,)).fetchone()
        if row is None:
            made = RSAKey.generate_key(2048, auto_kid=True)
            unit.connection.execute(
                "INSERT INTO setting (name, value) VALUES (?, ?)", (NAME, json.dumps(made.as_dict(private=True)))
            )
            return made
    key = import_key(json.loads(row[0]))
    assert isinstance(key, RSAKey)
    return key
