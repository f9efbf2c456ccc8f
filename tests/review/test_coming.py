"""The front desk's list: by day, narrowed, and one person found by whatever they say on the telephone."""

from zoneinfo import ZoneInfo

import pytest

from portal.accounts import finding
from portal.actors import Actor, Role
from portal.clock import now
from portal.errors import NotAllowed
from portal.review import coming
from tests import make
from tests.review.conftest import World
from tests.review.test_pages import path, post, read, text
from tests.review.test_service import ORDINARY

JOSE = {"birthDate": "1984-03-12", "phone": "+1 (217) 555-0142", "email": "jose.n@example.org"}


@pytest.mark.parametrize(
    ("words", "finds"),
    [
        ("José", True),
        ("jose NUNEZ", True),
        ("núñez", True),
        ("nunez pedro", False),
        ("1984-03-12", True),
        ("12.3.1984", True),
        ("03/12/1984", True),
        ("13.3.1984", False),
        ("555 0142", True),
        ("0142", True),
        ("142", False),
        ("217-555-0142", True),
        ("0012175550142", True),
        ("2175550143", False),
        ("jose.n@", True),
        ("", False),
        ("()", False),
        ("%", False),
    ],
)
def test_a_patient_is_found_by_what_they_say_of_themselves(world: World, words: str, finds: bool) -> None:
    patient = make.patient(world.clinic, "José María Núñez", **JOSE)
    make.patient(make.clinic("hill", "Hill Clinic"), "José Núñez", **JOSE)
    found = finding.find(Actor(Role.FRONT_DESK, world.clinic.id), words)
    assert [each.id for each in found] == ([patient.id] if finds else [])


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PATIENT])
def test_who_does_not_see_the_queue_finds_nobody(world: World, role: Role) -> None:
    with pytest.raises(NotAllowed):
        finding.find(Actor(role, world.clinic.id), "a")


def test_what_was_found_leads_to_what_they_sent_and_says_how_to_reach_them(world: World) -> None:
    submission, client = world.submit(*ORDINARY), world.signed_in(Role.FRONT_DESK)
    answer = post(client, "/desk/visits/find", words="okafor")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert path(submission) in page
    assert "okafor" not in answer.request.path
    assert "Nobody found" in post(client, "/desk/visits/find", words="nobody of this name").get_data(as_text=True)


def test_the_list_is_by_day_and_narrowed_to_who_is_late(world: World) -> None:
    other = make.patient(world.clinic, "Second Person")
    make.visit(other)
    world.submit(*ORDINARY)
    client = world.signed_in(Role.FRONT_DESK)
    page = read(text(client, "/desk/visits?state=not-joined"))
    assert "Second Person" in page
    assert "Adaeze Okafor" not in page
    assert "Adaeze Okafor" in read(text(client, "/desk/visits?state=nonsense"))


def test_days_are_in_the_order_people_ask_for_them(world: World) -> None:
    zone = ZoneInfo(world.clinic.timezone)
    for days in (3, -3, 0, -1, 1):
        make.visit(make.patient(world.clinic), in_days=days)
    actor = Actor(Role.FRONT_DESK, world.clinic.id)
    found = [each for each in coming.found(actor, "e") if each.visit.id != world.visit.id]
    today = now().astimezone(zone).date()
    listed = [(day.name, (day.date - today).days) for day in coming.by_day(found, zone)]
    assert listed == [("Today", 0), ("Tomorrow", 1), ("", 3), ("Yesterday", -1), ("", -3)]
