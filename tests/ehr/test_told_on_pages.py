"""What was read only in part, not at all, or before: the patient's page says so, in the words of the reason."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

from portal import db
from portal.accounts.models import Patient
from portal.ehr.models import RecordReading
from tests import make as people

from .hostile import Say, say
from .make import condition, searchset
from .test_launch_pages import House
from .test_launch_pages import house as house  # the fixture

# the application's own fixtures, not this folder's database
from tests.conftest import database  # noqa: F401  isort:skip


def _others(base: str) -> Say:
    return say(searchset(base, "Condition?patient=p1", condition("c1"), condition("c2", "p2")))


def _further_pages(base: str) -> Say:
    return say(searchset(base, "Condition?patient=p1", condition("c1"), next_url=f"{base}/Condition?patient=p1"))


NOT_WHOLE: dict[str, tuple[Callable[[str], Say], str]] = {
    "another patient's": (
        _others,
        "This may not be everything.</strong> Some entries could not be shown to be yours and were left out.",
    ),
    "further pages": (_further_pages, "This may not be everything.</strong> There is more than we could read."),
    "filter ignored": (
        lambda base: say(searchset(base, "Condition", condition("c2", "p2"))),
        "did not answer the question we asked.",
    ),
    "not permitted": (lambda _: Say(403, b"", {}), "does not let us read this."),
    "busy": (lambda _: Say(503, b"", {}), "is busy at the moment."),
}


def test_what_is_not_whole_is_told_so_on_the_patients_page(house: House) -> None:
    visit = people.visit(db.session().get_one(Patient, house.ana)).id
    house.at.server.fhir("metadata", {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    client = house.sign_in("ana@example.org")
    for name, (answer, words) in NOT_WHOLE.items():
        house.at.server.on["GET /fhir/Condition"] = answer(house.base)
        page = unescape(client.get(f"/visits/{visit}/confirm/condition").get_data(as_text=True))
        assert words in page, name
        assert ("Asthma" in page) == ("This may not be everything" in page), name
        assert "could not look again" not in page, f"{name}: it has just been looked"
        with db.transaction() as current:
            current.query(RecordReading).delete()
        db.close()


def test_what_is_older_because_the_newest_look_failed_says_both(house: House) -> None:
    visit = people.visit(db.session().get_one(Patient, house.ana)).id
    house.at.server.on["GET /fhir/Condition"] = say(searchset(house.base, "Condition?patient=p1", condition("c1")))
    client = house.sign_in("ana@example.org")
    path = f"/visits/{visit}/confirm/condition"
    whole = client.get(path).get_data(as_text=True)
    assert "Asthma" in whole and "may not be everything" not in whole and "could not look again" not in whole
    house.at.server.on["GET /fhir/Condition"] = Say(503, b"", {})
    with db.transaction() as current:
        for row in current.query(RecordReading):
            row.read_at = row.read_at - timedelta(hours=1) if row.read_at else None
    db.close()
    page = client.get(path).get_data(as_text=True)
    assert "Asthma" in page and "is busy at the moment. We could not look again just now" in page
