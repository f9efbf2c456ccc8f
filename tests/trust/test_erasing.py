"""Erasing a person: their key, then every row about them; nobody else's; and the trail stays whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from portal import db
from portal.audit import service as audit
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.db import Base, DataKey, session
from portal.errors import PortalError
from portal.keeping import erasing
from tests.house.world import MARKS, World, build


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None) -> World:
    folder: Path = tmp_path_factory.mktemp("erasing")
    return build(folder, f"sqlite:///{folder / 'previsit.db'}")


def rows_about(patient_id: str) -> dict[str, int]:
    db.close()
    found: dict[str, int] = {}
    for table in Base.metadata.sorted_tables:
        if "patient_id" in table.c and table.name != erasing.STAYS:
            count = len(session().execute(select(table.c.patient_id).where(table.c.patient_id == patient_id)).all())
            found |= {table.name: count} if count else {}
    return found


def test_one_person_goes_and_nobody_else(world: World) -> None:
    world.connect()
    gone, stays = world.things["ana"]["patient"], {name: world.things[name]["patient"] for name in ("ben", "cai")}
    before = {name: rows_about(patient_id) for name, patient_id in stays.items()}
    assert len(rows_about(gone)) > 12
    with pytest.raises(PortalError, match="on their way"):
        erasing.erase(gone, "asked for it in writing")
    assert len(rows_about(gone)) > 12
    found = erasing.erase(gone, "asked for it in writing", even_unfinished=True)
    assert found.rows["patients"] == 1 and found.rows["sign_ins"] >= 1 and found.rows["outbox_items"] >= 1
    assert rows_about(gone) == {}
    assert {name: rows_about(patient_id) for name, patient_id in stays.items()} == before
    assert session().get(DataKey, gone) is None
    _the_trail_tells_of_it(gone)
    _nothing_is_left_in_the_files(world, gone)
    _staff_pages_still_open(world)
    with pytest.raises(PortalError, match="no patient"):
        erasing.erase(gone, "again")


def _the_trail_tells_of_it(gone: str) -> None:
    assert audit.breaks() == []
    told = session().scalars(select(AuditRow).where(AuditRow.event == Event.PATIENT_ERASED.value)).one()
    assert (told.subject, told.detail["reason"]) == (f"patients:{gone}", "asked for it in writing")
    assert session().scalars(select(AuditRow).where(AuditRow.patient_id == gone)).first() is not None


def _nothing_is_left_in_the_files(world: World, gone: str) -> None:
    """The wrapped key is overwritten in the file, and the log beside it is empty."""
    path = Path(world._path)
    wal = path.with_name(path.name + "-wal")
    assert not wal.exists() or wal.stat().st_size == 0
    assert MARKS["ana"].encode() not in path.read_bytes()


def _staff_pages_still_open(world: World) -> None:
    """Lists in which the person stood, the trail above all, open without them."""
    from tests.house.world import VISITORS

    for visitor in VISITORS:
        if visitor.name in {"front desk", "clinician", "privacy officer", "administrator"}:
            client = world.client(visitor)
            for path in ("/desk", "/desk/visits", "/desk/held", "/desk/questions", "/audit", "/audit/questions"):
                answer = client.get(path)
                assert answer.status_code in {200, 403}, (visitor.name, path)
                assert f"{MARKS['ana']}-name" not in answer.get_data(as_text=True)
