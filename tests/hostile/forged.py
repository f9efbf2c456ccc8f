"""Tokens of identity that nobody may believe: a good one with one thing changed about it, as many as are wanted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from itertools import count, islice
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

Json = dict[str, Any]
ISSUER, CLIENT, NONCE, NOW = "https://ehr.example.org", "previsit", "n-0S6_WzA2Mj", 1_795_000_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CLAIMS: Json = {"iss": ISSUER, "sub": "ana", "aud": CLIENT, "exp": NOW + 300, "iat": NOW, "nonce": NONCE}
HEADER: Json = {"alg": "RS256", "kid": "k1", "typ": "JWT"}
MISSING = object()

NO_TEXT: tuple[Any, ...] = (MISSING, None, "", " ", 0, 1, True, [], {}, {"a": 1}, [[]], 1e308)
NO_TIME: tuple[Any, ...] = (MISSING, None, "", str(NOW + 300), True, [NOW + 300], {"t": NOW + 300}, -1, 0, -(2**63))


def near(text: str) -> tuple[Any, ...]:
    """What looks like this text and is not."""
    made = (
        text + "/", text + " ", " " + text, text.upper(), text[:-1], text + "\n", text + "\u0000", text.replace("e", "\u0435"),
        f"{text}#", f"{text}?x", f"{text}.evil.example", f"https://evil.example/{text}", [text, text], {"v": text},
    )  # fmt: skip
    return tuple(each for each in made if each != text)


WRONG: dict[str, tuple[Any, ...]] = {
    "iss": (
        *NO_TEXT,
        *near(ISSUER),
        [ISSUER],
        "http://ehr.example.org",
        "https://ehr.example.org:443",
        "//ehr.example.org",
    ),
    "aud": (*NO_TEXT, *near(CLIENT), ["another"], [CLIENT, "another"], [[CLIENT]], "*"),
    "azp": ("another", "", 0, [CLIENT], None, CLIENT.upper()),
    "nonce": (*NO_TEXT, *near(NONCE), [NONCE], NONCE[::-1]),
    "sub": (MISSING, None, "", 0, 7, True, [], ["ana"], {}, "x" * 301),
    "exp": (*NO_TIME, NOW - 61, NOW - 86_400, float("-inf")),
    "iat": (*NO_TIME, NOW + 61, NOW - 3_601, NOW + 86_400, 2**63),
    "nbf": (NOW + 61, NOW + 86_400, 2**63),
}
HEADERS: tuple[Json, ...] = (
    *({"alg": alg} for alg in ("none", "None", "NONE", "nOnE", "", None, 0, [], ["RS256"], {}, "RS256 ", "rs256", "HS256", "RS1", "ES512",
                               "ES256K", "EdDSA", "RSA-OAEP", "dir", "A128KW")),
    *({name: value} for name in ("jku", "x5u") for value in ("https://evil.example/k", "", "file:///etc/passwd", ["a"])),
    {"jwk": {"kty": "oct", "k": "eA"}}, {"x5c": ["MIIB"]}, {"x5c": []}, {"zip": "DEF"}, {"zip": ""}, {"enc": "A128GCM"},
    {"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"kid": "k2"}, {"kid": ""}, {"kid": 1}, {"kid": ["k1"]},
    {"kid": "../../../dev/null"}, {"kid": "k1' UNION SELECT 'x"}, {"kid": "k1\x00"},
)  # fmt: skip


def packed(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def good(key: RSAKey) -> str:
    return jwt.encode(HEADER, CLAIMS, key)


def signed(header: Json, claims: Json, key: RSAKey) -> str:
    """Signed as the server signs, whatever the header and the claims say."""
    first = f"{packed(header)}.{packed(claims)}"
    made = key.get_op_key("sign")
    return f"{first}.{packed(made.sign(first.encode(), PKCS1v15(), SHA256()))}"


def forged(key: RSAKey, chance: Random) -> Iterator[tuple[str, str]]:
    """(what was done, token), without an end; the listed ones come first."""
    yield from _claims(key)
    yield from _headers(key)
    yield from _passwords(key)
    yield from _shapes(good(key))
    yield from _flipped(good(key), chance)


def some(key: RSAKey, many: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    return islice(forged(key, Random(seed)), many)


def _claims(key: RSAKey) -> Iterator[tuple[str, str]]:
    for name, values in WRONG.items():
        for value in values:
            held = {**CLAIMS, name: value}
            if value is MISSING:
                del held[name]
            yield f"{name} is {'missing' if value is MISSING else repr(value)[:60]}", signed(HEADER, held, key)


def _headers(key: RSAKey) -> Iterator[tuple[str, str]]:
    for changed in HEADERS:
        whole = signed({**HEADER, **changed}, CLAIMS, key)
        yield f"header has {changed}", whole
        yield f"header has {changed}, and no signature", whole.rpartition(".")[0] + "."
    yield "a header of a list", f"{packed([HEADER])}.{packed(CLAIMS)}.{good(key).rpartition('.')[2]}"
    yield "claims of a list", signed(HEADER, [CLAIMS], key)  # type: ignore[arg-type]
    for name, other in (
        ("another RSA key", RSAKey.generate_key(2048)),
        ("a key of 1024 bits", RSAKey.generate_key(1024)),
    ):
        yield f"signed by {name}", signed(HEADER, CLAIMS, other)
    yield "signed by a curve", jwt.encode({**HEADER, "alg": "ES256"}, CLAIMS, ECKey.generate_key("P-256"))


def _passwords(key: RSAKey) -> Iterator[tuple[str, str]]:
    """The server's public key used as if it were a password."""
    public = key.as_dict(private=False)
    words = {"PEM": key.as_pem(private=False), "DER": key.as_der(private=False), "the JWK": json.dumps(public).encode(),
             "n": str(public["n"]).encode(), "nothing": b"", "the kid": b"k1"}  # fmt: skip
    for size in (256, 384, 512):
        first = f"{packed({**HEADER, 'alg': f'HS{size}'})}.{packed(CLAIMS)}"
        for name, word in words.items():
            digest = hmac.new(word, first.encode(), getattr(hashlib, f"sha{size}")).digest()
            yield f"HS{size} with {name} as its password", f"{first}.{packed(digest)}"


def _shapes(whole: str) -> Iterator[tuple[str, str]]:
    head, body, end = whole.split(".")
    yield from {
        "no signature": f"{head}.{body}.", "two parts": f"{head}.{body}", "four parts": f"{whole}.{end}",
        "five parts": f"{whole}.x.y", "parts in another order": f"{body}.{head}.{end}", "the body twice": f"{head}.{body}{body}.{end}",
        "blanks before": f" {whole}", "a line after": f"{whole}\n.", "a line within": f"{head}.\n{body}.{end}",
        "commas": whole.replace(".", ","), "percent": whole.replace(".", "%2E"),
        "JSON": json.dumps({"protected": head, "payload": body, "signature": end}),
        "signed with naught": f"{head}.{body}.{packed(bytes(256))}", "signed with ones": f"{head}.{body}.{packed(bytes([255]) * 256)}",
        "a short signature": f"{head}.{body}.{end[:40]}", "a signature twice": f"{head}.{body}.{end}{end}",
        "an empty head": f".{body}.{end}", "an empty body": f"{head}..{end}", "Bearer": f"Bearer {whole}",
        "a body that is no JSON": f"{head}.{packed(b'{')}.{end}",
        "a claim changed": f"{head}.{packed(json.dumps(CLAIMS).replace('ana', 'eve').encode())}.{end}",
    }.items()  # fmt: skip


def _flipped(whole: str, chance: Random) -> Iterator[tuple[str, str]]:
    """One to three letters are others, or one part is cut: anywhere. What still says the same bytes is no forgery."""
    same = _bytes(whole)
    for number in count():
        made = list(whole)
        for _ in range(chance.randrange(1, 4)):
            made[chance.randrange(len(made))] = chance.choice(LETTERS)
        text = "".join(made) if number % 10 else whole[: chance.randrange(len(whole) - 1)]
        if _bytes(text) != same:
            yield f"letters changed ({number})", text


def _bytes(token: str) -> list[bytes]:
    return [
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4) if len(part) % 4 != 1 else "")
        for part in token.split(".")
    ]
