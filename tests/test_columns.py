"""Hot statements give what SQLAlchemy would give for them: the same rows, the same types, the same errors, on each database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import bindparam, event, func, select
from sqlalchemy.exc import IntegrityError, NoResultFound, ProgrammingError

from portal import columns, db
from portal.db import session, transaction
from portal.intake import drafts, visits
from portal.intake.models import Draft, Visit
from tests import make

COUNTED = select(func.count(), func.max(Visit.starts_at)).where(Visit.clinic_id == bindparam("clinic"))
Found = TypeVar("Found")
OF = select(Visit.id).where(Visit.id.in_(bindparam("visits", expanding=True)))


def heard(ask: Callable[[], Found]) -> Found:
    """The same while somebody listens, when SQLAlchemy executes it."""

    def listen(*_: object) -> None:
        return None

    event.listen(db.engine(), "before_cursor_execute", listen)
    try:
        return ask()
    finally:
        event.remove(db.engine(), "before_cursor_execute", listen)


@pytest.fixture
def visit(app: object) -> Visit:
    return make.visit(make.patient(make.clinic(forms=())))


def test_rows_are_those_of_sqlalchemy(visit: Visit) -> None:
    own = {"visit": visit.id, "clinic": visit.clinic_id, "patient": visit.patient_id}
    asks: tuple[Callable[[], columns.Found], ...] = (
        lambda: columns.ask(visits._OWN_SENT, **own),
        lambda: columns.ask(visits._OWN_LOCKED, **own),
        lambda: columns.ask(COUNTED, clinic=visit.clinic_id),
        lambda: columns.ask(OF, visits=[visit.id, "0"]),
        lambda: columns.ask(drafts._DRAFTS, visit=visit.id),
    )
    for asked in asks:
        quick, slow = list(asked()), [tuple(row) for row in heard(asked)]
        assert quick == slow
        assert [[type(value) for value in row] for row in quick] == [[type(value) for value in row] for row in slow]
    found = columns.ask(visits._OWN_SENT, **own).one()
    assert (found.id, found.starts_at, found.sent) == (visit.id, visit.starts_at, None)
    assert found.starts_at.tzinfo is not None


def test_what_is_written_is_read_and_taken_back(visit: Visit) -> None:
    row = {"id": db.new_id(), "clinic_id": visit.clinic_id, "visit_id": visit.id, "patient_id": visit.patient_id}
    more = {"task": "facts", "version": 1, "saved_at": visit.starts_at, "document_sealed": b"\x00sealed"}
    with transaction():
        columns.ask(drafts._BEGIN, **row, **more, form_version_id=None)
        columns.ask(drafts._CHANGE, draft=row["id"], version=7)
    found = columns.ask(drafts._DRAFT, visit=visit.id, task="facts").one()
    assert (found.version, found.document_sealed, found.saved_at) == (7, b"\x00sealed", visit.starts_at)
    with pytest.raises(ZeroDivisionError), transaction():
        columns.ask(drafts._CHANGE, draft=row["id"], version=8)
        _ = 1 / 0
    assert columns.ask(drafts._DRAFT, visit=visit.id, task="facts").one().version == 7


def test_what_the_database_refuses_is_refused_in_the_same_words(visit: Visit) -> None:
    row = {"id": db.new_id(), "clinic_id": visit.clinic_id, "visit_id": "no-such-visit", "patient_id": visit.patient_id}
    more = {"task": "facts", "version": 1, "saved_at": visit.starts_at, "document_sealed": b"secret"}

    def write() -> None:
        with transaction():
            columns.ask(drafts._BEGIN, **row, **more)

    with pytest.raises(IntegrityError) as quick:
        write()
    with pytest.raises(IntegrityError) as slow:
        heard(write)
    assert type(quick.value.orig) is type(slow.value.orig)
    assert "secret" not in str(quick.value)
    assert session().query(Draft).count() == 0


def test_a_value_that_is_missing_and_a_row_that_is_not_there(visit: Visit) -> None:
    with pytest.raises((KeyError, ProgrammingError)):
        columns.ask(drafts._DRAFT, visit=visit.id)
    assert columns.ask(drafts._DRAFT, visit=visit.id, task="facts").one_or_none() is None
    assert columns.ask(drafts._DRAFT, visit=visit.id, task="facts").scalar() is None
    with pytest.raises(NoResultFound):
        columns.ask(drafts._DRAFT, visit=visit.id, task="facts").one()


def test_only_what_is_always_the_same_is_kept_written(visit: Visit) -> None:
    own = {"visit": visit.id, "clinic": visit.clinic_id, "patient": visit.patient_id}
    columns.ask(visits._OWN, **own)
    before = len(columns._written)
    for _ in range(3):
        columns.ask(visits._OWN, **own)
        columns.ask(OF, visits=[visit.id])
    assert len(columns._written) <= before + 1
