"""Row 2 of the client matrix: what goes out to a clinic's sign-in."""

import re

import pytest

from portal.ehr import authorize, scopes

from .hostile import Hostile
from .make import Place
from .signing_in import BROWSER, CLIENT_ID, SITE, Scene, scene


@pytest.fixture
def at(clinic: Place, server: Hostile) -> Scene:
    return scene(clinic, server)


def test_row_02_authorize__response_type_and_client_id(at: Scene) -> None:
    for way in (at.connect(), at.sign_in(), at.from_ehr()):
        assert (way.fields["response_type"], way.fields["client_id"]) == ("code", CLIENT_ID)


def test_row_02_authorize__redirect_uri_exact(at: Scene) -> None:
    """One for each connection, made of our own address and never of a header."""
    way = at.connect()
    assert way.fields["redirect_uri"] == f"{SITE}/launch/callback/{at.connection.id}"
    at.back(way, at.patient)
    assert at.at.asked()[0]["redirect_uri"] == way.fields["redirect_uri"]


def test_row_02_authorize__scope_minimal_without_wildcards(at: Scene) -> None:
    assert at.sign_in().fields["scope"] == "openid fhirUser launch/patient"
    assert at.from_ehr().fields["scope"] == "launch openid fhirUser"
    asked = at.connect().fields["scope"].split()
    assert "*" not in " ".join(asked)
    reads = [each for each in asked if each.startswith("patient/")]
    assert all(re.fullmatch(r"patient/[A-Z][A-Za-z]+\.(r|rs)", each) for each in reads), "nothing is written"
    assert {each.partition("/")[2].partition(".")[0] for each in reads} == set(scopes.READS)


def test_row_02_authorize__state_unpredictable_for_each_way(at: Scene) -> None:
    states = [authorize.make_secrets().state for _ in range(500)]
    assert len(set(states)) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", each) for each in states), "256 bits"
    assert at.connect().fields["state"] != at.connect().fields["state"]


def test_row_02_authorize__aud_is_the_base_exactly(at: Scene, server: Hostile) -> None:
    assert {way.fields["aud"] for way in (at.connect(), at.sign_in(), at.from_ehr(iss=server.base + "/"))} == {
        server.base
    }


def test_row_02_authorize__pkce_s256_with_a_fresh_verifier(at: Scene) -> None:
    seen = set()
    for _ in range(3):
        way = at.connect()
        at.back(way, at.patient)
        verifier = at.at.asked()[-1]["code_verifier"]
        assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
        assert way.fields["code_challenge_method"] == "S256"
        assert way.fields["code_challenge"] == authorize.challenge(verifier)
        seen.add(verifier)
    assert len(seen) == 3


def test_row_02_authorize__pkce_s256_as_in_the_rfc() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert authorize.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_row_02_authorize__launch_echoed_from_the_ehr(at: Scene) -> None:
    way = at.from_ehr(launch="a b&c=d/é")
    assert way.fields["launch"] == "a b&c=d/é"
    assert "launch=a%20b%26c%3Dd%2F%C3%A9" in way.url
    assert "launch" in way.fields["scope"].split()


def test_row_02_authorize__launch_omitted_standalone(at: Scene) -> None:
    for way in (at.connect(), at.sign_in()):
        assert "launch" not in way.fields
        assert "launch/patient" in way.fields["scope"].split()
        assert "launch" not in way.fields["scope"].split()


def test_row_02_authorize__openid_and_fhir_user_together_with_a_nonce(at: Scene) -> None:
    ways = [at.connect(), at.sign_in(), at.from_ehr()]
    for way in ways:
        asked = way.fields["scope"].split()
        assert ("openid" in asked) and ("fhirUser" in asked)
    assert len({way.fields["nonce"] for way in ways}) == 3


def test_row_02_authorize__a_lasting_permission_is_asked_for_as_openid_connect_wants(
    clinic: Place, server: Hostile
) -> None:
    """OpenID Connect 11: without `prompt=consent` a strict server leaves offline_access out, and nobody stays connected."""
    at = scene(clinic, server)
    assert at.connect().fields["prompt"] == "consent"
    assert "prompt" not in at.sign_in().fields and "prompt" not in at.from_ehr().fields


def test_row_02_authorize__openid_only_where_the_server_says_who_signs_in(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server, issuer=None, jwks_uri=None, authorization_response_iss_parameter_supported=None)
    way = at.connect()
    assert "openid" not in way.fields["scope"].split()
    assert "nonce" not in way.fields and "prompt" not in way.fields


def test_row_02_authorize__post_when_the_server_says_so(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server, capabilities=["authorize-post", "permission-v2"])
    assert at.connect().by_post
    assert at.sign_in().by_post
    assert not at.from_ehr().by_post, "nobody is there to press a button"


def test_row_02_authorize__an_address_with_a_query_keeps_it(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server, authorization_endpoint=f"{server.url}/authorize?tenant=7")
    assert at.connect().url.startswith(f"{server.url}/authorize?tenant=7&response_type=code")


def test_row_02_authorize__v1_scopes_where_the_server_knows_no_v2(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server, capabilities=["permission-v1"])
    asked = at.connect().fields["scope"].split()
    assert "patient/Condition.read" in asked
    assert not any(each.endswith((".rs", ".write", ".*")) for each in asked)


def test_a_way_out_tells_nothing_when_it_is_printed(at: Scene) -> None:
    way = at.connect()
    assert way.fields["state"] not in repr(way)
    assert BROWSER.browser not in repr(BROWSER)
