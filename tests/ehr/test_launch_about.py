"""Staff who come from the clinic's own system with answers open there find them asked for at the desk."""

from __future__ import annotations

from portal import db
from portal.ehr.identity import Identity
from portal.ehr.users import tie
from tests.ehr.signing_in import PRACTITIONER
from tests.ehr.test_launch_pages import House, _account, _connection, house  # noqa: F401

# the application's own fixtures, not this folder's database
from tests.conftest import database  # noqa: F401  isort:skip

OPEN_THERE: tuple[tuple[object, str], ...] = (
    ([{"reference": "QuestionnaireResponse/r1"}], "&about=QuestionnaireResponse%2Fr1"),
    ([{"reference": "Appointment/a1"}, {"reference": "QuestionnaireResponse/r1"}], "&about=QuestionnaireResponse%2Fr1"),
    ([{"reference": "Appointment/a1"}], ""),
    ([{"reference": "QuestionnaireResponse/r1", "role": "https://example.org/other"}], ""),
    ([{"reference": "https://evil.example/fhir/QuestionnaireResponse/r1&x=1"}], ""),
    ("QuestionnaireResponse/r1", ""),
    (None, ""),
)


def test_answers_that_were_open_in_the_record_are_asked_for_at_the_desk(house: House) -> None:  # noqa: F811
    with db.transaction():
        tie(_account("lee@example.org"), _connection(house), Identity(house.at.server.url, "somebody", PRACTITIONER))
    db.close()
    client = house.visitor()
    for context, about in OPEN_THERE:
        house.at.claims, house.at.token = {"fhirUser": PRACTITIONER}, {"fhirContext": context}
        there = house.back(client, house.launched(client)).headers["Location"]
        assert there == f"/desk?show=all&patient={house.ana}{about}", context
