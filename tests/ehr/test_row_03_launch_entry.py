"""Row 3 of the client matrix: Previsit opened from inside an EHR."""

import pytest

from portal.ehr import launching
from portal.ehr.launch_errors import NotOurServer
from portal.ehr.registering import pause
from portal.errors import NotFound, Unreadable

from .hostile import Hostile
from .make import Place, place
from .signing_in import BROWSER, PRACTITIONER, QUICK, Scene, scene

STRANGERS = [
    "https://evil.example/fhir",
    "{base}.evil.example",
    "{base}x",
    "{base}/../other",
    "{base}/deeper",
    "{url}",
    "{url}/fhir?x=1",
    "{url}/fhir#x",
    "http://user@127.0.0.1:{port}/fhir",
    "http://127.0.0.1:{port}@evil.example/fhir",
    "http://127.0.0.1.:{port}/fhir",
    "http://2130706433:{port}/fhir",
    "http://0x7f000001:{port}/fhir",
    "http://localhost:{port}/fhir",
    "http://[::ffff:127.0.0.1]:{port}/fhir",
    "http://127.0.0.1:{port}//fhir",
    "http://127.0.0.1:{port}/fhir%2f",
    "http://127.0.0.1:{port}\\fhir",
    " {base}",
    "{base}\n",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "{base}" + "a" * 9000,
]


@pytest.fixture
def at(clinic: Place, server: Hostile) -> Scene:
    return scene(clinic, server)


@pytest.mark.parametrize("iss", STRANGERS)
def test_row_03_launch_entry__iss_not_registered_is_refused_without_a_request(
    at: Scene, server: Hostile, iss: str
) -> None:
    said = iss.replace("{base}", server.base).replace("{url}", server.url).replace("{port}", str(server.port))
    with pytest.raises(NotOurServer):
        at.from_ehr(iss=said)
    assert server.seen == []


def test_row_03_launch_entry__iss_registered_is_taken_with_or_without_a_slash(at: Scene, server: Hostile) -> None:
    for iss in (server.base, server.base + "/"):
        assert at.from_ehr(iss=iss).url.startswith(f"{server.url}/authorize?")


def test_row_03_launch_entry__iss_of_a_paused_or_patients_only_system_is_refused(at: Scene, server: Hostile) -> None:
    from portal.ehr import registration

    registration.register(
        at.place.admin, at.connection.id, client_id="x", method="none", for_patients=True, for_staff=False
    )
    with pytest.raises(NotOurServer):
        at.from_ehr()
    registration.register(
        at.place.admin, at.connection.id, client_id="x", method="none", for_patients=True, for_staff=True
    )
    pause(at.place.admin, at.connection.id, "work on it")
    with pytest.raises(NotOurServer):
        at.from_ehr()
    with pytest.raises(NotFound):
        at.sign_in()
    assert server.seen == []


def test_row_03_launch_entry__missing_launch(at: Scene, server: Hostile) -> None:
    with pytest.raises(Unreadable):
        at.from_ehr(launch="")
    assert server.seen == []


@pytest.mark.parametrize("launch", ["a" * 2049, "a\nb", "\x00"])
def test_row_03_launch_entry__odd_launch(at: Scene, launch: str) -> None:
    with pytest.raises(Unreadable):
        at.from_ehr(launch=launch)


def test_row_03_launch_entry__two_tabs_at_once(at: Scene) -> None:
    at.at.claims = {"fhirUser": PRACTITIONER}
    first, second = at.from_ehr(launch="one"), at.from_ehr(launch="two")
    assert first.fields["state"] != second.fields["state"]
    at.at.nonce = second.fields["nonce"]
    assert at.back(second).claim
    at.at.nonce = first.fields["nonce"]
    assert at.back(first).claim
    assert len({each["code_verifier"] for each in at.at.asked()}) == 2


def test_row_03_launch_entry__a_server_of_two_clinics_needs_the_clinics_own_address(at: Scene, server: Hostile) -> None:
    other = scene(place(), server)
    with pytest.raises(NotOurServer):
        at.from_ehr()
    own = launching.from_ehr(server.base, "x", BROWSER, other.place.clinic_id, QUICK)
    assert own.fields["redirect_uri"].endswith(other.connection.id)
