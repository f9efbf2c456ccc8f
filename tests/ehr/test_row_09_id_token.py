"""Row 9 of the client matrix: an id_token proves who signed in, or nobody did (bar 34: forty bad tokens, none accepted)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from portal.clock import now
from portal.ehr.errors import NotProven
from portal.ehr.identity import user_at
from portal.ehr.launch_models import SIGN_IN

from .hostile import Hostile
from .make import Place
from .signing_in import CLIENT_ID, Scene, public, scene, server_key

Json = dict[str, Any]


@pytest.fixture
def at(clinic: Place, server: Hostile) -> Scene:
    return scene(clinic, server)


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(header: Json, claims: Json) -> str:
    return f"{_part(header | {'alg': 'none'})}.{_part(claims)}."


def _hs256(header: Json, claims: Json, secret: bytes) -> str:
    signed = f"{_part(header | {'alg': 'HS256'})}.{_part(claims)}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _hs256_with_the_public_key(header: Json, claims: Json) -> str:
    return _hs256(header, claims, server_key().as_pem(private=False))


def _hs256_with_the_jwk(header: Json, claims: Json) -> str:
    return _hs256(header, claims, json.dumps(public(server_key())).encode())


def _by_another_key(header: Json, claims: Json) -> str:
    return jwt.encode(header, claims, RSAKey.generate_key(2048))


def _broken(header: Json, claims: Json) -> str:
    head, _, signature = jwt.encode(header, claims, server_key()).split(".")
    return f"{head}.{_part(claims | {'sub': 'somebody-else'})}.{signature}"


def _cut(header: Json, claims: Json) -> str:
    return jwt.encode(header, claims, server_key()).rpartition(".")[0] + "."


def _with_their_own_key(header: Json, claims: Json) -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode(header | {"jwk": key.as_dict(private=False)}, claims, key)


def _es256(header: Json, claims: Json) -> str:
    return jwt.encode(header | {"alg": "ES256"}, claims, ECKey.generate_key("P-256"))


SIGNED: list[Callable[[Json, Json], str]] = [
    _unsigned,
    _hs256_with_the_public_key,
    _hs256_with_the_jwk,
    _by_another_key,
    _broken,
    _cut,
    _with_their_own_key,
    _es256,
]
HEADERS: list[Json] = [
    {"jku": "https://evil.example/jwks"},
    {"x5u": "https://evil.example/cert"},
    {"x5c": ["MIIB"]},
    {"crit": ["exp"], "exp": 1},
    {"zip": "DEF"},
]
CLAIMS: list[Json] = [
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "another-client"},
    {"aud": None},
    {"aud": []},
    {"aud": [CLIENT_ID, "another"]},
    {"aud": [CLIENT_ID, "another"], "azp": "another"},
    {"azp": "another"},
    {"exp": -90},
    {"exp": None},
    {"exp": "tomorrow"},
    {"exp": True},
    {"iat": 120},
    {"iat": -4000},
    {"iat": None},
    {"nbf": 120},
    {"nonce": None},
    {"nonce": "another"},
    {"nonce": ""},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 301},
]
RAW: list[Any] = [None, "", "x", "a.b.c", "a.b.c.d.e", 7, ["x"], "é.é.é", "e30.e30.e30", "x" * 17_000]


def _in_time(claims: Json) -> Json:
    """Numbers of exp, iat and nbf are seconds from now."""
    at = int(now().timestamp())
    return {
        name: at + value if name in ("exp", "iat", "nbf") and type(value) is int else value
        for name, value in claims.items()
    }


@pytest.mark.parametrize("sign", SIGNED, ids=lambda each: each.__name__)
def test_row_09_id_token__signature_by_the_servers_key_only(at: Scene, sign: Callable[[Json, Json], str]) -> None:
    """alg none, HS256 with the public key as its secret, somebody else's key, a changed body, no signature, a key of their own."""
    at.at.sign = sign
    with pytest.raises(NotProven):
        at.back(at.sign_in())


@pytest.mark.parametrize("header", HEADERS, ids=lambda each: next(iter(each)))
def test_row_09_id_token__header_that_brings_keys_or_conditions(at: Scene, header: Json) -> None:
    at.at.sign = lambda usual, claims: (
        f"{_part(usual | header)}.{_part(claims)}.{jwt.encode(usual, claims, server_key()).rpartition('.')[2]}"
    )
    with pytest.raises(NotProven):
        at.back(at.sign_in())
    assert not any("evil" in path for path in at.at.server.paths())


@pytest.mark.parametrize("claims", CLAIMS, ids=str)
def test_row_09_id_token__iss_aud_exp_iat_nonce(at: Scene, claims: Json) -> None:
    at.at.claims = _in_time(claims)
    with pytest.raises(NotProven):
        at.back(at.sign_in())


@pytest.mark.parametrize("raw", RAW, ids=lambda each: str(each)[:12])
def test_row_09_id_token__what_is_no_token(at: Scene, raw: Any) -> None:
    at.at.token = {"id_token": raw}
    with pytest.raises(NotProven):
        at.back(at.sign_in())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"exp": -20, "iat": -350},
        {"iat": 50},
        {"nbf": 50},
        {"extra": {"x": [1, None]}},
    ],
    ids=str,
)
def test_row_09_id_token__iss_aud_exp_iat_nonce__good_ones_with_skew(at: Scene, claims: Json) -> None:
    at.at.claims = _in_time(claims)
    assert at.back(at.sign_in()).kind == SIGN_IN


def test_there_are_at_least_forty_bad_tokens() -> None:
    assert len(SIGNED) + len(HEADERS) + len(CLAIMS) + len(RAW) >= 40


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "PS256", "ES256", "ES384"])
def test_row_09_id_token__algorithms_that_are_believed(at: Scene, algorithm: str) -> None:
    curve = {"ES256": "P-256", "ES384": "P-384"}
    key: RSAKey | ECKey = ECKey.generate_key(curve[algorithm]) if algorithm in curve else server_key()
    at.at.keys = [{**key.as_dict(private=False), "kid": "k1"}]
    at.at.sign = lambda header, claims: jwt.encode(header | {"alg": algorithm}, claims, key, algorithms=[algorithm])
    assert at.back(at.sign_in()).kind == SIGN_IN


def test_row_09_id_token__jwks_fetched_once_more_on_an_unknown_kid(at: Scene, server: Hostile) -> None:
    at.back(at.sign_in())
    fresh = server_key("k2")
    at.at.header, at.at.key = {"kid": "k2"}, fresh
    at.at.keys = [public(server_key()), public(fresh)]
    assert at.back(at.sign_in()).kind == SIGN_IN
    assert server.paths().count("/jwks") == 2


def test_row_09_id_token__jwks_fetched_once_more_and_no_more(at: Scene, server: Hostile) -> None:
    at.back(at.sign_in())
    at.at.header = {"kid": "never-published"}
    with pytest.raises(NotProven):
        at.back(at.sign_in())
    assert server.paths().count("/jwks") == 2


def test_row_09_id_token__jwks_is_kept_and_a_wrong_signature_fetches_nothing(at: Scene, server: Hostile) -> None:
    at.back(at.sign_in())
    at.at.sign = _by_another_key
    with pytest.raises(NotProven):
        at.back(at.sign_in())
    assert server.paths().count("/jwks") == 1


@pytest.mark.parametrize("odd", [None, 7, {"kty": "RSA", "kid": "k1"}, {"kty": "oct", "kid": "k1", "k": "eA"}])
def test_row_09_id_token__jwks_with_odd_members(at: Scene, odd: Any) -> None:
    at.at.keys = [odd, public(server_key())]
    assert at.back(at.sign_in()).kind == SIGN_IN


def test_row_09_id_token__jwks_address_from_the_openid_description(clinic: Place, server: Hostile) -> None:
    from .hostile import Say

    at = scene(clinic, server, jwks_uri=None)
    said = {"issuer": server.url, "jwks_uri": f"{server.url}/jwks"}
    server.on["GET /.well-known/openid-configuration"] = Say(200, said, {"Content-Type": "application/json"})
    assert at.back(at.sign_in()).kind == SIGN_IN


@pytest.mark.parametrize(
    "said", [{"jwks_uri": "https://evil.example/jwks"}, {"issuer": "https://evil.example"}, {"jwks_uri": None}]
)
def test_row_09_id_token__jwks_address_elsewhere_is_never_fetched(clinic: Place, server: Hostile, said: Json) -> None:
    from .hostile import Say

    at = scene(clinic, server, jwks_uri=None)
    document = {"issuer": server.url, "jwks_uri": f"{server.url}/jwks"} | said
    server.on["GET /.well-known/openid-configuration"] = Say(200, document, {"Content-Type": "application/json"})
    with pytest.raises(NotProven):
        at.back(at.sign_in())
    assert "/jwks" not in server.paths()


BASE = "https://ehr.example.org/fhir"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Patient/p1", "Patient/p1"),
        (f"{BASE}/Patient/p1", "Patient/p1"),
        (f"{BASE}/Practitioner/7/_history/2", "Practitioner/7"),
        ("PractitionerRole/x", "PractitionerRole/x"),
        ("https://evil.example/fhir/Patient/p1", None),
        (f"{BASE}/deeper/Patient/p1", None),
        (f"{BASE}x/Patient/p1", None),
        ("Observation/1", None),
        ("/Patient/p1", None),
        ("Patient/../p1", None),
        ("", None),
        (None, None),
        (7, None),
        (["Patient/p1"], None),
    ],
)
def test_row_09_id_token__fhir_user_absolute_or_relative(said: Any, found: str | None) -> None:
    assert user_at(said, BASE) == found
