"""A passkey in software (WebAuthn level 3): makes one, signs what it is asked, and can be told to lie about any part."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Passkey:
    """`counts`: whether it counts its uses, as security keys do and phones do not."""

    origin: str = "http://localhost"
    host: str = "localhost"
    counts: bool = False
    flags: int = PRESENT | VERIFIED
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes | None = None
    count: int = 0

    def made(self, asked: dict[str, Any]) -> str:
        """The answer to navigator.credentials.create()."""
        from webauthn.helpers import base64url_to_bytes

        self.handle = base64url_to_bytes(asked["user"]["id"])
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(self._public())
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return self._told(
            {
                "clientDataJSON": bytes_to_base64url(self._client("webauthn.create", asked)),
                "attestationObject": bytes_to_base64url(cbor2.dumps(statement)),
            }
        )

    def signed(self, asked: dict[str, Any]) -> str:
        """The answer to navigator.credentials.get()."""
        if self.counts:
            self.count += 1
        data, client = self._data(), self._client("webauthn.get", asked)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._told(
            {
                "clientDataJSON": bytes_to_base64url(client),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(signature),
                "userHandle": bytes_to_base64url(self.handle) if self.handle else None,
            }
        )

    def _told(self, response: dict[str, Any]) -> str:
        known = bytes_to_base64url(self.id)
        return json.dumps({"id": known, "rawId": known, "type": "public-key", "response": response})

    def _client(self, kind: str, asked: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": asked["challenge"], "origin": self.origin}).encode()

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _public(self) -> dict[int, Any]:
        point = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
