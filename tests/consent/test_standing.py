"""Several people choosing for one patient: everybody's newest word holds, a refusal wins, and disagreement is a state that is seen."""

from types import SimpleNamespace

import pytest
from sqlalchemy.exc import DatabaseError

from portal.consent import service
from portal.consent.decision import Policy
from portal.consent.models import ConsentVersion
from portal.consent.standing import SAID, holding
from portal.db import session, transaction
from tests import make

ALL = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "open"}
OBSERVATION = {"resourceType": "Observation", "id": "1"}


def said(who, **choices):
    """A version: `who` is "self" or the name of somebody who acts for the patient."""
    capacity = "self" if who == "self" else "proxy"
    return SimpleNamespace(
        account_id=who, capacity=capacity, choices={**dict.fromkeys(SAID, "yes"), **choices}, who=who
    )


@pytest.mark.parametrize(
    ("newest_first", "hold", "questions"),
    [
        ([], [], ()),
        ([said("self")], ["self"], ()),
        ([said("self"), said("mother", share="no")], ["self"], ()),
        ([said("mother")], ["mother"], ()),
        ([said("mother"), said("mother", share="no")], ["mother"], ()),
        ([said("mother"), said("father")], ["mother", "father"], ()),
        ([said("mother", share="no"), said("father")], ["mother", "father"], ("share",)),
        (
            [said("father"), said("mother", research="no"), said("father", share="no")],
            ["father", "mother"],
            ("research",),
        ),
        ([said("mother"), said("self", share="no"), said("father")], ["mother", "self"], ("share",)),
    ],
)
def test_who_holds(newest_first, hold, questions):
    found = holding(newest_first)
    assert [each.who for each in found.versions] == hold
    assert found.questions == questions and found.conflict is bool(questions)


def test_two_parents_who_disagree_share_nothing_until_they_agree(app):
    with app.app_context():
        clinic = make.clinic()
        patient = make.patient(clinic, "Noah Bennett")
        me, doctor = make.patient_actor(patient), make.staff_actor(make.staff(clinic))
        for share in ("no", "yes"):
            service.give(me, {**ALL, "share": share}, language="en", seen=service.sheet_for(me, "en").sha256)
        made = service.history(me)
        parents = [_as_parent(each.row, f"{number:016x}") for number, each in enumerate(made)]
        with transaction() as current:
            current.add_all(parents)
        newest, other, *_ = service.history(me)
        assert [newest.standing, other.standing] == ["conflict", "conflict"]
        assert newest.disputed[0] == "share" and newest.disputes[0].startswith("Share my answers"), (
            "and it is told about what"
        )
        assert not service.would_permit(doctor, patient.id, OBSERVATION, policy=Policy.BASIC_NORMAL)
        with transaction() as current:
            current.add(_as_parent(made[0].row, parents[1].account_id, number=5))
        assert [each.standing for each in service.history(me)][:3] == ["active", "active", "replaced"]
        assert service.would_permit(doctor, patient.id, OBSERVATION, policy=Policy.BASIC_NORMAL)


def _as_parent(row, account_id, number=None):
    return ConsentVersion(
        clinic_id=row.clinic_id,
        patient_id=row.patient_id,
        number=number or row.number + 2,
        act=row.act,
        capacity="proxy",
        given_at=row.given_at,
        account_id=account_id,
        document=row.document,
    )


def test_the_database_refuses_to_change_what_was_chosen(app):
    with app.app_context():
        me = make.patient_actor(make.patient(make.clinic()))
        made = service.give(me, ALL, language="en", seen=service.sheet_for(me, "en").sha256).version
        with pytest.raises(DatabaseError, match="never changed"), transaction() as current:
            current.get_one(ConsentVersion, made.id).number = 9
        session().rollback()
