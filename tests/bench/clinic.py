"""A clinic as it stands after years: people who were here once, what they sent, and a trail of all of it; in bulk, as rows rest."""

from __future__ import annotations

import itertools
import random
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, func, insert, select, text

from portal import bundled, db, sealing
from portal.accounts.models import Clinic, Patient
from portal.accounts.service import email_index
from portal.actors import Role, system
from portal.audit import chain
from portal.audit.events import Event
from portal.audit.models import SQLITE_GUARDS, AuditHead, AuditRow
from portal.clock import now
from portal.db import DataKey, Sealed, session, transaction
from portal.delivery import ledger
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.states import Kind
from portal.fhir import exact
from portal.intake import sending
from portal.intake.models import Status, Submission
from tests.house.settling import settle
from tests.house.world import World

MARK, SLUG = "heron", "consent-to-treatment"
LEFT_OUT = ("audit_events", "data_keys", "grants", "kept_posts", "answering", "challenges", "factors", "recovery_codes")
"""What is made otherwise, or what somebody who was here once has not."""
FINISHED: dict[str, dict[str, Any]] = {
    "result_questions": {"state": "closed"},
    "audit_questions": {"state": "closed"},
    "tie_decisions": {"left": 0},
    "notices": {"state": "sent"},
}
SINCE = {"emergencies": "checked_at", "card_pictures": "sent_at", "invitations": "used_at", "sign_ins": "ended_at"}
"""The column that says since when it is over."""
FIRST = [
    "Ada",
    "Ben",
    "Cora",
    "Dov",
    "Eva",
    "Finn",
    "Gita",
    "Hana",
    "Ivan",
    "Jana",
    "Kofi",
    "Lena",
    "Musa",
    "Nina",
    "Omar",
    "Petra",
    "Quin",
    "Rosa",
    "Sven",
    "Tara",
    "Uma",
    "Vito",
    "Wren",
    "Yara",
]
LAST = [
    "Adler",
    "Brown",
    "Costa",
    "Diaz",
    "Evans",
    "Frost",
    "Garcia",
    "Hughes",
    "Ito",
    "Jones",
    "Khan",
    "Lopez",
    "Moore",
    "Novak",
    "Okoye",
    "Patel",
    "Quinn",
    "Reyes",
    "Smith",
]
BATCH, YEARS = 250, 730
Row = dict[str, Any]
Clear = dict[str, list[str]]
"""What is sealed, by its column, cut where the template's ids and name stand."""


def grow(world: World, people: int, entries: int) -> None:
    """That many people who were here once, two visits and two submissions each, and a trail of that many entries."""
    clinic = session().get_one(Patient, world.things["ana"]["patient"]).clinic_id
    before = _Before(clinic, _template(world, clinic))
    chosen = random.Random(1)
    keys: dict[str, bytes] = {}
    db.close()
    for start in range(0, people, BATCH):
        made: dict[Table, list[Row]] = {}
        for number in range(start, min(start + BATCH, people)):
            before.again(number, chosen, made, keys)
        with db.engine().begin() as store:
            for table in before.tables:
                if made.get(table):
                    store.execute(insert(table), made[table])
    _trail(clinic, keys, entries, chosen)


def _template(world: World, clinic_id: str) -> str:
    """One such person, made as the product makes them; their id."""
    _, things = settle(session().get_one(Clinic, clinic_id), world.things["ana"]["connection"], "old", MARK, 2)
    patient_id, actor = things["patient"], system(clinic_id)
    form = exact.loads((bundled.FOLDER / f"{SLUG}.json").read_bytes())
    with transaction() as current:
        for sent in current.scalars(select(Submission).where(Submission.patient_id == patient_id)):
            sent.document = {**sent.document, "questionnaires": {f"{form['url']}|{form['version']}": form}}
            if sent.status != Status.ACCEPTED:
                sending.move(actor, sent, Status.ACCEPTED)
        for item in current.scalars(select(OutboxItem).where(OutboxItem.patient_id == patient_id)):
            ledger.append(item, Kind.CONFIRMED, at=now(), by=actor)
            current.add(
                Receipt(
                    clinic_id=clinic_id,
                    patient_id=patient_id,
                    item_id=item.id,
                    checked_at=now(),
                    changed=0,
                    entries=[],
                )
            )
    return patient_id


class _Before:
    """The rows of the template, opened, to be written again for others."""

    def __init__(self, clinic: str, patient: str) -> None:
        self.clinic, self.patient = clinic, patient
        self.rows: dict[Table, list[tuple[Row, dict[str, list[str]]]]] = {}
        self.tables = [each for each in db.Base.metadata.sorted_tables if each.name not in LEFT_OUT]
        kinds = {mapper.local_table: mapper.class_ for mapper in db.Base.registry.mappers}
        accounts: list[str] = []
        for table in self.tables:
            found = session().execute(select(table).where(self._theirs(table, accounts))).mappings().all()
            if table.name == "readings":
                found = [row for row in found if row["document_sealed"]]
            if table.name == "accounts":
                accounts += [row["id"] for row in found]
            self.rows[table] = [self._opened(kinds[table], dict(row)) for row in found]
        own = {row["id"] for held in self.rows.values() for row, _ in held if row.get("id")} | {patient}
        own |= {
            row[name] for table, held in self.rows.items() for row, _ in held for name in ("reference",) if name in row
        }
        self.ids = sorted(own)
        self.known = re.compile(f"({'|'.join([*self.ids, f'{MARK}-name'])})")
        for held in self.rows.values():
            for _, clear in held:
                clear.update({column: self.known.split(words[0]) for column, words in clear.items()})
        self.tables.append(cast(Table, DataKey.__table__))

    def _theirs(self, table: Table, accounts: list[str]) -> Any:
        if table.name == "patients":
            return table.c.id == self.patient
        if "patient_id" in table.c:
            return table.c.patient_id == self.patient
        return table.c.account_id.in_(accounts) if "account_id" in table.c else text("1=0")

    def _opened(self, kind: type[db.Base], row: Row) -> tuple[Row, Clear]:
        clear: Clear = {}
        for held in vars(kind).values():
            if isinstance(held, Sealed) and row[held.column] is not None:
                clear[held.column] = [exact.dumps(held.opened(row["id"], self.patient, row[held.column]))]
        return row, clear

    def again(self, number: int, chosen: random.Random, made: dict[Table, list[Row]], keys: dict[str, bytes]) -> None:
        """The same for another person, some days of the last two years ago."""
        new = {old: db.new_id() for old in self.ids}
        person, key = new[self.patient], sealing.new_key()
        name = f"{chosen.choice(FIRST)} {chosen.choice(LAST)}{number}"
        new[f"{MARK}-name"] = name
        keys[person] = key
        ago = timedelta(days=chosen.uniform(5, YEARS))
        email = f"p{number}@example.org"
        wrapped = db.keys().wrap(key, person)
        made.setdefault(self.tables[-1], []).append({"owner": person, "wrapped": wrapped, "made_at": now() - ago})
        for table, held in self.rows.items():
            for row, clear in held:
                made.setdefault(table, []).append(self._row(table, row, clear, new, ago, key, person, (number, email)))

    def _row(
        self,
        table: Table,
        row: Row,
        clear: Clear,
        new: dict[str, str],
        ago: timedelta,
        key: bytes,
        person: str,
        who: tuple[int, str],
    ) -> Row:
        number, email = who
        after = {name: _shifted(value, new, ago) for name, value in row.items()}
        after |= FINISHED.get(table.name, {})
        if table.name in SINCE:
            after[SINCE[table.name]] = now() - ago
        for name in ("token_hash", "code_index"):
            if after.get(name):
                after[name] = secrets.token_hex(32)
        if "reference" in after:
            after["reference"] = f"PV-{secrets.token_hex(5)}"
        if after.get("fhir_id"):
            after["fhir_id"] = f"old-{number}"
        if after.get("appointment_id"):
            after["appointment_id"] += f"-{number}"
        if "email_index" in after:
            after["email_index"] = email_index(email)
        if "about" in after:
            after["about"] = "".join(new.get(each, each) for each in self.known.split(after["about"]))
        for column, words in clear.items():
            said = "".join(new.get(each, each) for each in words)
            if table.name == "patients":
                said = exact.dumps(
                    {**exact.loads(said), "email": email, "birthDate": _born(number), "phone": f"020 {number:07}"}
                )
            after[column] = sealing.seal(key, said.encode(), f"{table.name}|{column}|{after['id']}|{person}")
        return after


def _shifted(value: Any, new: dict[str, str], ago: timedelta) -> Any:
    if isinstance(value, datetime):
        return value - ago
    return new.get(value, value) if isinstance(value, str) else value


def _born(number: int) -> str:
    return f"{1935 + number % 70}-{1 + number % 12:02}-{1 + number % 28:02}"


SEEN = (
    (Event.QUEUE_SEEN, Role.FRONT_DESK),
    (Event.FORM_SAVED, Role.PATIENT),
    (Event.FORM_SAVED, Role.PATIENT),
    (Event.RECORD_READ, Role.PATIENT),
    (Event.SUBMISSION_SEEN, Role.CLINICIAN),
    (Event.SIGNED_IN, Role.PATIENT),
)


def _trail(clinic: str, keys: dict[str, bytes], entries: int, chosen: random.Random) -> None:
    """The entries of two years before those that are there, which are chained anew behind them."""
    rows, heads, engine = cast(Table, AuditRow.__table__), cast(Table, AuditHead.__table__), db.engine()
    with engine.begin() as store:
        there = [
            dict(row)
            for row in store.execute(select(rows).where(rows.c.clinic_id == clinic).order_by(rows.c.seq)).mappings()
        ]
        for verb in ("update", "delete"):
            store.exec_driver_sql(f"DROP TRIGGER audit_events_no_{verb}")
        store.execute(rows.delete().where(rows.c.clinic_id == clinic))
        for guard in SQLITE_GUARDS:
            store.exec_driver_sql(guard)
    derived, last, seq, held = db.keys().derived("audit"), chain.GENESIS, 0, list[Row]()
    for row in itertools.chain(_history(clinic, keys, entries, chosen), there):
        seq += 1
        row["seq"] = seq
        last = row["hash"] = chain.link(derived, last, row)
        held.append(row)
        if len(held) == 5000:
            with engine.begin() as store:
                store.execute(insert(rows), held)
            held = []
    with engine.begin() as store:
        if held:
            store.execute(insert(rows), held)
        store.execute(heads.update().where(heads.c.clinic_id == clinic).values(seq=seq, hash=last))
        assert store.scalar(select(func.count()).select_from(rows).where(rows.c.clinic_id == clinic)) == seq


def _history(clinic: str, keys: dict[str, bytes], entries: int, chosen: random.Random) -> Iterator[Row]:
    people, start = list(keys), now() - timedelta(days=YEARS)
    step = timedelta(days=YEARS - 1) / max(entries, 1)
    staff = [db.new_id() for _ in range(40)]
    for number in range(entries):
        event, role = chosen.choice(SEEN)
        person, row_id = chosen.choice(people), db.new_id()
        clear = b'{"who": "Somebody of the clinic"}'
        yield {
            "id": row_id,
            "clinic_id": clinic,
            "recorded_at": start + step * number,
            "event": event.value,
            "outcome": "0" if number % 500 else "8",
            "role": role.value,
            "account_id": chosen.choice(staff),
            "patient_id": person,
            "subject": f"patients:{person}",
            "purpose": "TREAT",
            "request_id": secrets.token_hex(16),
            "detail_sealed": sealing.seal(keys[person], clear, f"audit_events|detail_sealed|{row_id}|{person}"),
        }
