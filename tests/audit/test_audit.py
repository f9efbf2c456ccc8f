"""The audit trail: with what it tells or not at all, append-only, and every change to it found."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.actors import system
from portal.audit import chain, verifier
from portal.audit import service as audit
from portal.audit.events import PLAIN, Event
from portal.audit.models import AuditHead, AuditRow
from portal.audit.verifier import Row
from portal.db import session, transaction
from tests import make


def test_an_event_stands_or_falls_with_what_it_tells(app: object) -> None:
    clinic = make.clinic(forms=())
    with pytest.raises(ZeroDivisionError), transaction():
        audit.record(system(clinic.id), Event.SUBMITTED, subject="submissions:x")
        _ = 1 // 0
    assert session().scalars(select(AuditRow)).all() == []
    assert audit.verify(clinic.id) is None


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET subject = 'x'", "DELETE FROM audit_events"])
def test_the_database_itself_refuses_to_change_the_trail(app: object, statement: str) -> None:
    make.patient_account(make.patient(make.clinic()))
    with pytest.raises(DBAPIError, match="append-only"), transaction() as current:
        current.execute(text(statement))


def test_every_mutation_of_the_chain_is_found(app: object) -> None:
    clinic = make.clinic()
    for number in range(30):
        with transaction():
            audit.record(system(clinic.id), Event.FORM_SAVED, subject=f"drafts:{number}", detail={"n": number})
    rows = [chain.exported(row) for row in session().scalars(select(AuditRow).order_by(AuditRow.seq))]
    head = session().get_one(AuditHead, clinic.id)
    ends, key = {clinic.id: (head.seq, head.hash)}, db.keys().derived("audit")
    assert verifier.breaks(key, rows, ends) == []
    chance = random.Random(20261121)
    for _ in range(1000):
        assert verifier.breaks(key, _mutated(rows, chance), ends)


def _mutated(rows: list[Row], chance: random.Random) -> list[Row]:
    copies = [*rows]
    place = chance.randrange(len(copies))
    kind = chance.choice(["edit", "delete", "swap", "insert", "truncate"])
    if kind == "edit":
        field = chance.choice([name for name in verifier.FIELDS if name not in {"clinic_id", "seq"}])
        copies[place] = {**copies[place], field: "changed"}
    elif kind == "delete":
        del copies[place]
    elif kind == "truncate":
        del copies[place:]
    elif kind == "insert":
        copies.insert(place, chance.choice(rows))
    else:
        other = (place + 1 + chance.randrange(len(copies) - 1)) % len(copies)
        copies[place], copies[other] = copies[other], copies[place]
    return copies


def test_the_patient_reads_who_looked_in_plain_words_and_only_their_own(app: object) -> None:
    clinic = make.clinic()
    ana, ben = make.patient(clinic, "Ana"), make.patient(clinic, "Ben")
    doctor = make.staff_actor(make.staff(clinic))
    audit.seen(doctor, Event.SUBMISSION_SEEN, subject="submissions:1", patient_id=ana.id)
    audit.seen(doctor, Event.SUBMISSION_SEEN, subject="submissions:2", patient_id=ben.id)
    reader = make.patient_actor(ana)
    db.close()
    entries = audit.who_looked(reader)
    assert [(entry.who, entry.sentence % {"who": entry.who}) for entry in entries] == [
        ("Dr Lee", "Dr Lee opened your answers to prepare your visit.")
    ]


def test_every_sentence_names_who() -> None:
    assert all("%(who)s" in sentence for sentence in PLAIN.values())


def test_the_chain_is_gapless_in_each_clinic_by_itself(app: object) -> None:
    one, other = make.clinic("one", "One", forms=()), make.clinic("other", "Other", forms=())
    for clinic in (one, other, one):
        with transaction():
            audit.record(system(clinic.id), Event.STARTED, subject="app:start")
    for clinic, expected in ((one, [1, 2]), (other, [1])):
        seqs = session().scalars(select(AuditRow.seq).where(AuditRow.clinic_id == clinic.id).order_by(AuditRow.seq))
        assert list(seqs) == expected
        assert audit.verify(clinic.id) is None
