"""A system that knows Previsit only for people who sign in: what works there, and what is honestly said not to."""

from datetime import timedelta

import pytest

from portal.clock import now
from portal.ehr import launching, registering, registration, service
from portal.ehr.errors import OnlyPeople
from portal.ehr.models import Connection
from portal.ehr.reading import Kind, Reason, State
from portal.errors import Conflict
from tests.delivery.make import Hands, bundle, created, queue, response
from tests.delivery.make import Place as Delivering

from .hostile import Hostile
from .make import Place, condition, searchset
from .signing_in import CLIENT_ID, QUICK, Scene, SignIn, with_account

STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "Alpha EHR"},
    "rest": [
        {
            "mode": "server",
            "resource": [
                {"type": kind, "interaction": [{"code": "read"}, {"code": "search-type"}]}
                for kind in ("Patient", "Condition")
            ],
        }
    ],
}


@pytest.fixture
def scene(clinic: Place, server: Hostile) -> Scene:
    """People sign in; the server offers no sign-in for systems at all."""
    at = SignIn(server, document={"grant_types_supported": ["authorization_code"]})
    at.open()
    server.fhir("metadata", STATEMENT)
    connection = clinic.connect(server.base, client_id="")
    registration.register(
        clinic.admin, connection.id, client_id=CLIENT_ID, method="none", for_patients=True, for_staff=True
    )
    return Scene(clinic, connection, at, with_account(clinic.patient(connection, "p1")), with_account(clinic.clerk))


def test_its_test_says_that_it_answers_and_its_page_what_works_without_a_service(scene: Scene) -> None:
    tested = service.test(scene.place.admin, scene.connection.id, QUICK)
    assert (tested.ok, tested.missing, tested.scope) == (True, [], "")
    shown = service.overview(scene.place.admin, scene.connection.id)
    assert shown.only_people and shown.confirmed and shown.software == "Alpha EHR"
    assert [each.has for each in shown.without] == [True, True, True, False, False, False]
    assert scene.at.asked() == [] and not [each for each in scene.at.server.seen if each.path == "/token"]


def test_staff_come_from_inside_and_patients_sign_in_and_connect(scene: Scene) -> None:
    assert scene.back(scene.connect(), scene.patient).kind == "connect"
    assert scene.back(scene.sign_in()).session_token
    scene.at.claims = {"fhirUser": "Practitioner/dr-lee"}
    assert scene.back(scene.from_ehr()).claim


def test_a_connected_patients_record_is_read_with_their_permission_and_nobody_elses_is(scene: Scene) -> None:
    scene.at.server.fhir("Condition", searchset(scene.at.server.base, "Condition?patient=p1", condition("c1")))
    before = service.read(scene.patient, scene.patient.patient_id or "", Kind.CONDITIONS, limits=QUICK)
    assert (before.state, before.reason) == (State.COULD_NOT_LOOK, Reason.ONLY_PEOPLE)
    scene.back(scene.connect(), scene.patient)
    own = service.read(scene.patient, scene.patient.patient_id or "", Kind.CONDITIONS, limits=QUICK)
    assert (own.state, len(own.resources)) == (State.KNOWN, 1)
    theirs = service.read(
        scene.place.clerk, scene.patient.patient_id or "", Kind.CONDITIONS, max_age=timedelta(0), limits=QUICK
    )
    assert (theirs.state, len(theirs.resources), theirs.reason) == (State.KNOWN, 1, Reason.ONLY_PEOPLE)


def test_the_calendar_is_not_looked_at_and_that_is_said_so(scene: Scene) -> None:
    at = now()
    found = service.upcoming(scene.place.system, scene.place.clinic_id, at, at + timedelta(days=3), QUICK)
    assert (found.state, found.reason) == (State.COULD_NOT_LOOK, Reason.ONLY_PEOPLE)
    with pytest.raises(OnlyPeople):
        service.client_for(scene.connection)


def test_what_was_accepted_is_held_at_once_with_the_reason_and_goes_when_it_is_a_service(scene: Scene) -> None:
    from portal.delivery import desk
    from portal.delivery.sender import send_next
    from portal.delivery.states import Reason as Held

    patient_id = scene.patient.patient_id or ""
    place = Delivering(scene.place.clinic_id, patient_id, scene.place.clerk, scene.place.admin)
    item = queue(place, bundle(created(response("p1")), fhir_id="p1"), patient_id=patient_id)
    hands = Hands()
    connection = scene.connection
    send_next(hands.tools(lambda _: service.client_for(connection)))
    [held] = desk.held(scene.place.clerk)
    assert (held.item_id, held.reason) == (item.id, Held.ONLY_PEOPLE)
    assert "only for people" in held.words.happened
    assert desk.held_item(scene.place.clerk, item.id).reviewable, "nothing of it is there"
    assert [each.path for each in scene.at.server.seen if each.method == "POST"] == []
    assert service.make_service(scene.place.admin, connection.id, " ")
    assert service.make_service(scene.place.admin, connection.id, "previsit") == []
    scene.at.document, connection.discovered_at = {}, None
    scene.at.open()
    assert service.client_for(connection) is not None
    with pytest.raises(Conflict):
        service.make_service(scene.place.admin, connection.id, "another")


def test_of_two_connections_the_one_that_knows_us_as_a_service_is_worked_with(clinic: Place, server: Hostile) -> None:
    people: Connection = clinic.connect(server.base, client_id="")
    assert service.connection_for(clinic.clinic_id) == people
    both = clinic.connect(server.base, client_id="previsit")
    assert service.connection_for(clinic.clinic_id) == both


@pytest.mark.parametrize(
    ("client_id", "only_people", "right"),
    [("previsit", False, True), ("", True, True), ("", False, False), (" ", False, False), ("previsit", True, False)],
)
def test_a_client_id_is_left_empty_only_on_purpose(client_id: str, only_people: bool, right: bool) -> None:
    found = registering.issues("N", "https://ehr.example.org/fhir", client_id, only_people=only_people)
    assert (not found) is right
    assert {each.where for each in found} <= {"client_id"}


def test_nobody_can_sign_in_at_a_system_without_pkce_and_the_test_says_so(scene: Scene) -> None:
    scene.at.document = {"code_challenge_methods_supported": ["plain"]}
    scene.at.open()
    tested = service.test(scene.place.admin, scene.connection.id, QUICK)
    assert not tested.ok and "PKCE" in tested.detail
    assert launching.offers(scene.place.clinic_id), "the offer stands; each try says why it cannot be"
