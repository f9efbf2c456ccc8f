"""The rows of the SMART client matrix that backend services meet: discovery, assertion, JWKS, tokens, errors, scopes, API use.

A test's number is its row: 1 discovery, 6 private_key_jwt, 7 JWKS, 8 token response, 11 token errors, 12 backend services,
13 API use, 15 storage.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import KeySet

from portal import db
from portal.clock import now
from portal.ehr import discovery, keys, scopes, service, smart
from portal.ehr.discovery import judge
from portal.ehr.errors import EhrError, NoCredential, NotReached, NotSmart
from portal.ehr.http import Answer, Failure, Limits, Wire
from portal.ehr.models import AccessToken, Connection, SigningKey
from portal.ehr.service import Reason, State

from .hostile import Hostile, Say, Seen, say
from .make import Place, condition, searchset

BASE = "https://ehr.example.org/fhir"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
QUICK = Limits(connect=1, read=1, total=2)
JSON = {"Content-Type": "application/json"}
GOOD: dict[str, Any] = {"token_endpoint": f"{BASE}/token", "capabilities": ["permission-v2"]}
TOKEN = {"access_token": "abc", "token_type": "Bearer", "expires_in": 300, "scope": "system/Patient.rs"}


def _discover(server: Hostile, said: Say) -> discovery.Endpoints:
    server.on["GET /fhir/.well-known/smart-configuration"] = said
    return discovery.discover(Wire(server.base), server.base, (), NOW, QUICK)[0]


# -- 1: discovery ------------------------------------------------------------------------------------------------------


def test_row_01_discovery__accept_json(server: Hostile) -> None:
    _discover(server, Say(200, {"token_endpoint": f"{server.url}/token"}, JSON))
    assert server.paths() == ["/fhir/.well-known/smart-configuration"]
    assert server.seen[0].headers["accept"] == "application/json"
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("/token", "https://ehr.example.org/token"),
        ("auth/token", "https://ehr.example.org/auth/token"),
        ("https://ehr.example.org:443/token", "https://ehr.example.org:443/token"),
    ],
)
def test_row_01_discovery__relative_endpoints(said: str, found: str) -> None:
    assert judge({"token_endpoint": said}, BASE, ()).token == found


@pytest.mark.parametrize(
    "said",
    [
        Say(404, b"", {}),
        Say(200, b"", JSON),
        Say(200, b"<html>", {"Content-Type": "text/html"}),
        Say(200, b"[]", JSON),
        Say(200, b"{", JSON),
        Say(200, {}, JSON),
        Say(200, {"token_endpoint": None}, JSON),
        Say(200, {"token_endpoint": 7}, JSON),
        Say(200, {"token_endpoint": ""}, JSON),
        Say(200, {"token_endpoint": "javascript:alert(1)"}, JSON),
        Say(302, b"", {"Location": "/elsewhere"}),
        Say(500, b"", {}),
    ],
)
def test_row_01_discovery__missing_or_invalid_document(server: Hostile, said: Say) -> None:
    with pytest.raises(NotSmart):
        _discover(server, said)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://auth.evil.example/token",
        "http://ehr.example.org/token",
        "https://ehr.example.org.evil.example/token",
        "//evil.example/token",
        "https://ehr.example.org:8443/token",
        "https://user@ehr.example.org/token",
    ],
)
def test_row_01_discovery__no_other_host(endpoint: str) -> None:
    with pytest.raises(NotSmart):
        judge({"token_endpoint": endpoint}, BASE, ())


def test_row_01_discovery__no_other_host_but_a_confirmed_one() -> None:
    found = judge({"token_endpoint": "https://auth.example.org/token"}, BASE, ("https://auth.example.org",))
    assert found.token == "https://auth.example.org/token"


@pytest.mark.parametrize(
    "changed",
    [
        {"token_endpoint_auth_methods_supported": ["client_secret_basic"]},
        {"grant_types_supported": ["authorization_code"]},
        {"token_endpoint_auth_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
def test_row_01_discovery__no_way_in_for_us_is_refused_by_name(changed: dict[str, Any]) -> None:
    with pytest.raises(NotSmart):
        judge(GOOD | changed, BASE, ())


@pytest.mark.parametrize("said", [None, [], ["plain"], "S256", [None]])
def test_row_01_discovery__without_s256_refused_for_people(said: Any) -> None:
    document = GOOD | {"authorization_endpoint": f"{BASE}/authorize", "code_challenge_methods_supported": said}
    with pytest.raises(NotSmart, match="PKCE"):
        discovery.judge_launch(document, BASE, (), "none")
    fine = discovery.judge_launch(document | {"code_challenge_methods_supported": ["S256"]}, BASE, (), "none")
    assert fine.authorization == f"{BASE}/authorize"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"])
def test_row_01_discovery__no_other_host_for_people_either(name: str) -> None:
    document = GOOD | {"authorization_endpoint": f"{BASE}/authorize", "code_challenge_methods_supported": ["S256"]}
    for elsewhere in ("https://evil.example/x", "http://ehr.example.org/x", "//evil.example/x"):
        with pytest.raises(NotSmart):
            discovery.judge_launch(document | {name: elsewhere}, BASE, (), "none")


def test_row_01_discovery__cached_and_fetched_again_on_endpoint_failure(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    bearer = service.client_for(connection, QUICK)._bearer
    assert bearer is not None
    server.on["POST /token"] = Say(404, b"", {})
    server.on["POST /token2"] = server.grant
    server.smart(token_endpoint=f"{server.url}/token2")
    assert bearer.token(QUICK)
    assert server.paths().count("/fhir/.well-known/smart-configuration") == 2
    assert server.paths()[-1] == "/token2"


def test_row_01_discovery__cached_last_good_serves_while_it_is_away(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    service.client_for(connection, QUICK)
    server.on["GET /fhir/.well-known/smart-configuration"] = Say(503, b"", {})
    with time_machine.travel(now() + timedelta(days=2)):
        assert service.client_for(connection, QUICK)


def test_bar_90_a_server_that_names_another_sign_in_is_not_used_until_confirmed(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.fhir(
        "metadata", {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"mode": "server"}]}
    )
    connection = clinic.connect(server.base)
    assert service.test(clinic.admin, connection.id, QUICK).ok
    server.smart(issuer="https://evil.example")
    tested = service.test(clinic.admin, connection.id, QUICK)
    assert (tested.ok, tested.reason) == (False, Reason.CHANGED)
    patient = clinic.patient(connection, "p1")
    seen = len(server.seen)
    reading = service.read(patient, patient.patient_id or "", service.Kind.CONDITIONS)
    assert (reading.state, reading.reason, len(server.seen)) == (State.COULD_NOT_LOOK, Reason.CHANGED, seen)
    service.resume(clinic.admin, connection.id, "the clinic moved its sign-in")
    assert service.test(clinic.admin, connection.id, QUICK).ok


def test_bar_90_other_software_behind_the_same_address_is_not_used(clinic: Place, server: Hostile) -> None:
    server.smart()
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "software": {"name": "Alpha"}}
    server.fhir("metadata", statement)
    connection = clinic.connect(server.base)
    assert service.test(clinic.admin, connection.id, QUICK).ok
    server.fhir("metadata", statement | {"software": {"name": "Beta"}})
    assert service.test(clinic.admin, connection.id, QUICK).reason is Reason.CHANGED
    assert service.connection_for(clinic.clinic_id) is None


# -- 6: the assertion --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_row_06_private_key_jwt__rs384_and_es384__claims_and_header(
    clinic: Place, server: Hostile, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 2048)
    server.smart(token_endpoint_auth_signing_alg_values_supported=[algorithm])
    connection = clinic.connect(server.base, algorithms=("ES384", "RS384"))
    service.client_for(connection, QUICK).get("Patient/p1")
    sent = next(each for each in server.seen if each.path == "/token")
    token = jwt.decode(
        sent.form["client_assertion"], KeySet.import_key_set(service.jwks(connection.id)), algorithms=[algorithm]
    )
    assert token.header["alg"] == algorithm
    assert token.header["typ"] == "JWT"
    assert token.header["kid"] in {key["kid"] for key in service.jwks(connection.id)["keys"]}
    assert "jku" not in token.header
    assert token.claims["iss"] == token.claims["sub"] == "previsit"
    assert token.claims["aud"] == f"{server.url}/token"
    assert 0 < token.claims["exp"] - datetime.now(UTC).timestamp() <= 300
    assert isinstance(token.claims["exp"], int)
    assert len(token.claims["jti"]) >= 32


def test_row_06_private_key_jwt__jti_unique_also_on_retry() -> None:
    signer = smart.Signer("k", "ES384", keys.ECKey.generate_key("P-384"))
    made = {smart.assertion("c", "https://t", signer, NOW) for _ in range(50)}
    jtis = {jwt.decode(each, signer.key, algorithms=["ES384"]).claims["jti"] for each in made}
    assert len(jtis) == 50


def test_row_12_backend_services__client_credentials_request(clinic: Place, server: Hostile) -> None:
    server.smart()
    service.client_for(clinic.connect(server.base), QUICK).get("Patient/p1")
    sent = next(each for each in server.seen if each.path == "/token")
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(sent.form) == {"grant_type", "scope", "client_assertion_type", "client_assertion"}
    assert sent.form["grant_type"] == "client_credentials"
    assert sent.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "authorization" not in sent.headers


# -- 7: the key set ----------------------------------------------------------------------------------------------------


def test_row_07_jwks__public_members_only(clinic: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 2048)
    connection = clinic.connect("https://ehr.example.org/fhir", algorithms=("ES384", "RS384"))
    published = service.jwks(connection.id)["keys"]
    assert sorted(key["alg"] for key in published) == ["ES384", "RS384"]
    members = {"RSA": {"kty", "n", "e"}, "EC": {"kty", "crv", "x", "y"}}
    for key in published:
        assert set(key) == members[key["kty"]] | {"kid", "alg", "use"}
        assert key["use"] == "sig"
    assert len({key["kid"] for key in published}) == 2


def test_row_07_jwks__rotation_overlaps(clinic: Place) -> None:
    connection = clinic.connect("https://ehr.example.org/fhir")
    start = now()
    old = service.jwks(connection.id)["keys"][0]["kid"]

    def signs_at(at: datetime) -> str:
        return keys.signer(connection.id, ("ES384", "RS384"), at).kid

    service.rotate_keys(clinic.admin, connection.id)
    both = {key["kid"] for key in service.jwks(connection.id)["keys"]}
    assert len(both) == 2
    assert signs_at(start + timedelta(minutes=1)) == old, "the new key is published before it signs"
    assert timedelta(seconds=keys.CACHE_SECONDS) < keys.PUBLISH_AHEAD
    later = start + timedelta(minutes=16)
    assert signs_at(later) in both - {old}
    assert {key["kid"] for key in keys.published(later, connection.id)["keys"]} == both, "old assertions still verify"
    assert {key["kid"] for key in keys.published(start + timedelta(hours=2), connection.id)["keys"]} == both - {old}


def test_row_15_storage__sealed_at_rest(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    server.on["POST /token"] = Say(200, TOKEN | {"access_token": "canary-token-123"}, JSON)
    service.client_for(connection, QUICK).get("Patient/p1")
    row = db.session().query(SigningKey).one()
    private = row.private["d"]
    at_rest = json.dumps([_raw(each) for each in (*db.session().query(SigningKey), *db.session().query(AccessToken))])
    assert private not in at_rest
    assert "canary-token-123" not in at_rest
    assert db.session().query(AccessToken).one().token == {"token": "canary-token-123"}
    for shown in (
        repr(smart.Granted("canary-token-123", "s", NOW)),
        repr(keys.signer(connection.id, ("ES384",), now())),
    ):
        assert "canary" not in shown
        assert private not in shown


def _raw(row: Any) -> dict[str, str]:
    return {column.name: repr(getattr(row, column.name)) for column in row.__table__.columns}


# -- 8: the token response ---------------------------------------------------------------------------------------------


def _read(body: Any, status: int = 200, **headers: str) -> smart.Granted:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return smart.read_token(Answer(status, headers or JSON, content), "system/Patient.rs", NOW)


@pytest.mark.parametrize("kind", ["bearer", "Bearer", "BEARER"])
def test_row_08_token_response__token_type_in_any_case(kind: str) -> None:
    assert _read(TOKEN | {"token_type": kind}).token == "abc"


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (300, 300),
        (None, 300),
        ("600", 600),
        ("soon", 300),
        (True, 300),
        (-5, 15),
        (0, 15),
        (10**9, 86_400),
        (3600.5, 300),
    ],
)
def test_row_08_token_response__missing_expires_in(expires_in: Any, seconds: int) -> None:
    assert _read(TOKEN | {"expires_in": expires_in}).expires_at == NOW + timedelta(seconds=seconds)


def test_row_08_token_response__extra_members_kept() -> None:
    extra = {
        "patient": "p9",
        "need_patient_banner": True,
        "smart_style_url": "https://x",
        "refresh_token": "r",
        "x": [{}],
    }
    assert _read(TOKEN | extra | {"scope": "system/Patient.r"}).scope == "system/Patient.r"
    assert _read({name: value for name, value in TOKEN.items() if name != "scope"}).scope == "system/Patient.rs"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>oops</html>", 200),
        (b"", 200),
        (b"[]", 200),
        ({"error": "invalid_client"}, 200),
        (TOKEN | {"error": "server_error"}, 200),
        ({"access_token": ""}, 200),
        ({"token_type": "bearer"}, 200),
        (TOKEN | {"access_token": 7}, 200),
        (TOKEN | {"access_token": "a b"}, 200),
        (TOKEN | {"access_token": "a\r\nX: y"}, 200),
        (TOKEN | {"access_token": "é"}, 200),
        (TOKEN | {"access_token": "a" * 20_000}, 200),
        (TOKEN | {"token_type": "mac"}, 200),
        (TOKEN | {"token_type": None}, 200),
        (TOKEN, 500),
        (TOKEN, 302),
        (b"<html>", 500),
    ],
)
def test_row_08_token_response__what_is_no_token_is_no_credential(body: Any, status: int) -> None:
    with pytest.raises(NoCredential):
        _read(body, status)


# -- 11: token errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "terminal"),
    [
        (401, {"error": "invalid_client"}, True),
        (400, {"error": "invalid_request"}, True),
        (400, {"error": "invalid_scope"}, True),
        (400, {"error": "unauthorized_client"}, True),
        (400, {"error": "invalid_grant"}, True),
        (403, b"", True),
        (503, {"error": "temporarily_unavailable"}, False),
        (429, b"", False),
        (500, b"Internal Server Error", False),
        (400, {"error": "<script>alert(1)</script>"}, True),
    ],
)
def test_row_11_token_errors__terminal_or_worth_another_try(status: int, body: Any, terminal: bool) -> None:
    with pytest.raises(NoCredential) as raised:
        _read(body, status)
    assert raised.value.terminal is terminal
    assert "<" not in raised.value.code


def test_row_11_token_errors__retry_after_and_rate_limit() -> None:
    with pytest.raises(NoCredential) as raised:
        _read(b"", 429, **{"Retry-After": "30"})
    assert raised.value.retry_after == 30.0
    with pytest.raises(NoCredential) as raised:
        _read(b"", 429, RateLimit='"default";r=0;t=30')
    assert raised.value.retry_after is None


def test_row_11_token_errors__time_outs() -> None:
    with pytest.raises(NotReached):
        smart.read_token(Answer(None, failure=Failure.TIMEOUT), "s", NOW)


def test_row_11_token_errors__bounded_backoff(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.on["POST /token"] = Say(401, {"error": "invalid_client"}, JSON)
    connection = clinic.connect(server.base)
    for _ in range(5):
        with pytest.raises(NoCredential) as raised:
            service.client_for(connection, QUICK).get("Patient/p1")
        assert raised.value.code == "invalid_client"
    assert server.paths().count("/token") == 1
    with time_machine.travel(now() + timedelta(minutes=2)):
        server.smart()
        server.on["POST /token"] = server.grant
        service.client_for(connection, QUICK).get("Patient/p1")
    assert server.paths().count("/token") == 2


def test_row_11_token_errors__nothing_secret_is_told__exceptions(clinic: Place, server: Hostile) -> None:
    server.smart()
    sent: list[str] = []

    def refuse(seen: Seen) -> Say:
        sent.append(seen.form["client_assertion"])
        return Say(400, {"error": "invalid_client", "error_description": f"bad: {sent[-1]} canary"}, JSON)

    server.on["POST /token"] = refuse
    with pytest.raises(EhrError) as raised:
        service.client_for(clinic.connect(server.base), QUICK).get("Patient/p1")
    for text in (str(raised.value), repr(raised.value), raised.value.sentence):
        assert "canary" not in text
        assert sent[0] not in text


# -- 12: backend services ----------------------------------------------------------------------------------------------


def test_row_12_backend_services__system_scopes_by_need(clinic: Place, server: Hostile) -> None:
    server.smart()
    service.client_for(clinic.connect(server.base), QUICK).get("Patient/p1")
    asked = next(each for each in server.seen if each.path == "/token").form["scope"].split()
    assert all(scope.startswith("system/") and "*" not in scope for scope in asked)
    assert all(re.fullmatch(r"system/[A-Z][A-Za-z]+\.c?r?u?s?", scope) for scope in asked)
    assert {"system/Patient.rus", "system/AllergyIntolerance.crus", "system/Immunization.crus"} <= set(asked)
    assert not any(scope.partition(".")[2].count("d") for scope in asked), "nothing is ever deleted"


@pytest.mark.parametrize(
    ("capabilities", "v2"),
    [(["permission-v2"], True), (["permission-v1"], False), (["permission-v1", "permission-v2"], True), ([], True)],
)
def test_row_13_api_use__scopes_v1_and_v2(capabilities: list[str], v2: bool) -> None:
    spelled = scopes.asked({"Patient": "rs", "Consent": "crus"}, v2=scopes.speaks_v2(capabilities))
    wanted = (
        "system/Patient.rs system/Consent.crus"
        if v2
        else "system/Patient.read system/Consent.read system/Consent.write"
    )
    assert spelled == wanted


@pytest.mark.parametrize(
    ("granted", "permitted"),
    [
        ("system/Condition.rs", True),
        ("system/Condition.read", True),
        ("system/*.rs", True),
        ("system/*.cruds", True),
        ("system/Condition.*", True),
        ("openid system/Patient.r system/Condition.s", True),
        ("system/Condition.r", False),
        ("system/Condition.write", False),
        ("system/Condition.rs?category=x", False),
        ("system/Conditions.rs", False),
        ("system/condition.rs", False),
        ("", False),
    ],
)
def test_row_08_token_response__narrower_scope_decides(granted: str, permitted: bool) -> None:
    assert scopes.permits(granted, "Condition", "s") is permitted


def test_row_08_token_response__narrower_scope_degrades_with_a_message(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.on["POST /token"] = Say(200, TOKEN | {"scope": "system/Patient.rs system/Condition.rs"}, JSON)
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1", condition("c1")))
    patient = clinic.patient(clinic.connect(server.base), "p1")
    name = patient.patient_id or ""
    assert service.read(patient, name, service.Kind.CONDITIONS).state is State.KNOWN
    reading = service.read(patient, name, service.Kind.ALLERGIES)
    assert (reading.state, reading.reason) == (State.COULD_NOT_LOOK, Reason.PERMISSION)
    assert "/fhir/AllergyIntolerance" not in " ".join(server.paths())


def test_row_12_backend_services__token_cached_until_shortly_before_it_expires(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        for seconds, tokens in ((0, 1), (200, 1), (285, 2)):
            clock.move_to(start + timedelta(seconds=seconds))
            service.client_for(connection, QUICK).get("Patient/p1")
            assert server.paths().count("/token") == tokens


def test_row_12_backend_services__no_refresh_token_expected(clinic: Place, server: Hostile) -> None:
    """One that comes all the same is neither kept nor used: the next token is asked for with a new assertion."""
    server.smart()
    server.on["POST /token"] = Say(200, TOKEN | {"refresh_token": "canary-refresh"}, JSON)
    connection = clinic.connect(server.base)
    start = now()
    for minutes in (0, 10):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            service.client_for(connection, QUICK).get("Patient/p1")
    asked = [each.form for each in server.seen if each.path == "/token"]
    assert [each["grant_type"] for each in asked] == ["client_credentials"] * 2
    assert db.session().query(AccessToken).one().token == {"token": "abc"}


# -- 13: API use -------------------------------------------------------------------------------------------------------


def test_row_13_api_use__one_refresh_and_one_retry_on_401(clinic: Place, server: Hostile) -> None:
    server.smart()
    answers = iter([Say(401, b"", {}), say({"resourceType": "Patient", "id": "p1"})])
    server.on["GET /fhir/Patient/p1"] = lambda _seen: next(answers)
    assert service.client_for(clinic.connect(server.base), QUICK).read("Patient", "p1")["id"] == "p1"
    assert [path for path in server.paths() if "well-known" not in path] == ["/token", "/fhir/Patient/p1"] * 2
    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_row_13_api_use__one_refresh_and_one_retry_on_401__no_more(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.on["GET /fhir/Patient/p1"] = Say(401, b"", {})
    with pytest.raises(EhrError):
        service.client_for(clinic.connect(server.base), QUICK).read("Patient", "p1")
    assert server.paths().count("/fhir/Patient/p1") == 2


def test_row_13_api_use__one_refresh_and_one_retry_on_401__a_write(clinic: Place, server: Hostile) -> None:
    server.smart()
    answers = iter([Say(401, b"", {}), say({"resourceType": "Bundle", "type": "transaction-response"})])
    server.on["POST /fhir"] = lambda _seen: next(answers)
    answer = service.client_for(clinic.connect(server.base), QUICK).transaction(b'{"value":1.10}')
    assert answer.status == 200
    assert [each.body for each in server.seen if each.path == "/fhir"] == [b'{"value":1.10}'] * 2


def test_row_13_api_use__no_retry_on_403(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.on["GET /fhir/Condition"] = Say(403, b"", {"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
    patient = clinic.patient(clinic.connect(server.base), "p1")
    reading = service.read(patient, patient.patient_id or "", service.Kind.CONDITIONS)
    assert (reading.state, reading.reason) == (State.COULD_NOT_LOOK, Reason.PERMISSION)
    assert sum("Condition" in path for path in server.paths()) == 1
    assert server.paths().count("/token") == 1


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        (Say(401, {"error": "invalid_client"}, JSON), Failure.CREDENTIAL),
        (Say(503, {"error": "temporarily_unavailable"}, JSON), Failure.CONNECT),
        (Say(raw=b""), Failure.CONNECT),
    ],
)
def test_row_14_push__without_a_token_nothing_is_sent(
    clinic: Place, server: Hostile, token: Say, failure: Failure
) -> None:
    server.smart()
    server.on["POST /token"] = token
    answer = service.client_for(clinic.connect(server.base), QUICK).transaction(b"{}")
    assert (answer.status, answer.sent, answer.failure) == (None, False, failure)
    assert "/fhir" not in server.paths()


def test_two_clinics_with_the_same_server_have_keys_and_tokens_of_their_own(clinic: Place, server: Hostile) -> None:
    from .make import place

    server.smart()
    other = place()
    ours, theirs = clinic.connect(server.base), other.connect(server.base)
    service.client_for(ours, QUICK).get("Patient/p1")
    service.client_for(theirs, QUICK).get("Patient/p1")
    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]
    kids = [{key["kid"] for key in service.jwks(each.id)["keys"]} for each in (ours, theirs)]
    assert not kids[0] & kids[1]
    assert {key["kid"] for key in service.jwks()["keys"]} == kids[0] | kids[1]
    assert db.session().query(Connection).count() == 2
