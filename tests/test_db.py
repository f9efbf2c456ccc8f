"""Transactions: all or nothing, re-read under the lock, busy said plainly, durable."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from portal import db
from portal.accounts.models import Clinic, Patient
from portal.db import session, transaction
from portal.errors import Busy
from portal.settings import Settings
from tests import make


def test_a_transaction_that_fails_leaves_nothing(app: object) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        make.clinic()
        _ = 1 // 0
    assert session().scalars(select(Clinic)).all() == []


def test_a_transaction_inside_another_stands_or_falls_with_it(app: object) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        with transaction():
            make.clinic()
        _ = 1 // 0
    assert session().scalars(select(Clinic)).all() == []


def test_what_was_loaded_before_is_read_again_under_the_lock(app: object) -> None:
    clinic = make.clinic()
    _ = clinic.name

    def rename() -> None:
        with transaction() as other:
            other.get_one(Clinic, clinic_id).name = "Renamed"
        db.close()

    clinic_id = clinic.id
    thread = threading.Thread(target=rename, daemon=True)
    thread.start()
    thread.join(60)
    with transaction():
        assert clinic.name == "Renamed"


def test_a_change_made_outside_a_transaction_is_refused(app: object) -> None:
    clinic = make.clinic()
    clinic.name = "Changed by the way"
    with pytest.raises(RuntimeError, match="outside"), transaction():
        pass


def test_a_lock_that_is_not_let_go_is_said_plainly(app: object, config: Settings) -> None:
    if not config.database.startswith("sqlite"):
        pytest.skip("PostgreSQL locks rows, not the database")
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction():
            holding.set()
            done.wait(20)
        db.close()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    holding.wait(5)
    try:
        with pytest.raises(Busy), transaction():
            pass
    finally:
        done.set()
        thread.join(60)


def test_saved_means_durable(app: object, config: Settings) -> None:
    if not config.database.startswith("sqlite"):
        pytest.skip("PostgreSQL is durable by its own settings")
    found = {
        name: session().execute(text(f"PRAGMA {name}")).scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_two_clinics_never_share_a_patient(app: object) -> None:
    from portal.accounts import service as accounts
    from portal.actors import system
    from portal.errors import NotFound

    one, other = make.clinic("one", "One"), make.clinic("other", "Other")
    patient = make.patient(one)
    with pytest.raises(NotFound):
        accounts.patient(system(other.id), patient.id)
    assert accounts.patients(system(other.id), {patient.id}) == {}
    assert session().scalars(select(Patient.clinic_id)).all() == [one.id]
