"""The database: engine, the current session, `transaction()`, and the column types every room shares."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import local
from typing import Any, ClassVar

from sqlalchemy import DateTime, Engine, LargeBinary, MetaData, String, bindparam, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from portal import engines, sealing
from portal.clock import now
from portal.errors import Busy, Misconfigured, Unreadable
from portal.fhir import exact
from portal.sealing import KeyRing, SealBroken

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> str:
    """16 hex characters: unguessable enough for an address, and known before the row is stored."""
    return secrets.token_hex(8)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC out; a naive one is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table: an id of ours, known at construction so that sealed columns can bind to it."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime()}
    __sealed_owner__: ClassVar[str] = "clinic_id"

    def __init__(self, **values: Any) -> None:
        if "id" in type(self).__mapper__.columns and "id" not in values:
            self.id = new_id()
        sealed = {
            name: values.pop(name) for name in list(values) if isinstance(getattr(type(self), name, None), Sealed)
        }
        for name, value in [*values.items(), *sealed.items()]:
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no {name}")
            setattr(self, name, value)


def key() -> Mapped[str]:
    return mapped_column(String(16), primary_key=True)


def sealed_column() -> Mapped[bytes]:
    return mapped_column(LargeBinary)


class DataKey(Base):
    """The wrapped data key of one owner (a patient or a clinic); deleting it erases everything sealed for that owner."""

    __tablename__ = "data_keys"
    owner: Mapped[str] = mapped_column(String(16), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class Sealed:
    """A JSON value at rest in the column `<name>_sealed`, bound to table, column, row and owner.

    Assign to change; never mutate what you read.
    """

    def __set_name__(self, owner: type[Base], name: str) -> None:
        self.name, self.table = name, owner.__tablename__
        self.column = f"{name}_sealed"

    def __get__(self, row: Any, kind: type[Any] | None = None) -> Any:
        if row is None:
            return self
        sealed = getattr(row, self.column)
        if sealed is None:
            return None
        opened = row.__dict__.get(f"_opened_{self.name}")
        if opened is None or opened[0] is not sealed:
            found = self.opened(row.id, self._owner(row), sealed)
            opened = row.__dict__[f"_opened_{self.name}"] = (sealed, found)
        return opened[1]

    def __set__(self, row: Any, value: Any) -> None:
        if value is None:
            setattr(row, self.column, None)
            return
        setattr(row, self.column, self.sealed(row.id, self._owner(row), value))

    def opened(self, row_id: str, owner: str, sealed: bytes) -> Any:
        """The value, of a row that was read by its columns only."""
        return exact.reloads(sealing.unseal(_data_key(owner), sealed, self._place(row_id, owner)))

    def sealed(self, row_id: str, owner: str, value: Any) -> bytes:
        """What rests in the column, for a row that is written by its columns only."""
        try:
            clear = exact.dumps(value).encode()
        except exact.UnwritableJson as odd:
            raise Unreadable(f"This cannot be kept: {odd}.") from odd
        return sealing.seal(_data_key(owner, make=True), clear, self._place(row_id, owner))

    def _owner(self, row: Any) -> str:
        owner: str | None = getattr(row, row.__sealed_owner__)
        if not owner:
            raise ValueError(f"{type(row).__name__}.{self.name} is sealed for {row.__sealed_owner__}, which is not set")
        return owner

    def _place(self, row_id: str, owner: str) -> str:
        return f"{self.table}|{self.column}|{row_id}|{owner}"


_WRAPPED = select(DataKey.wrapped).where(DataKey.owner == bindparam("owner"))


def _data_key(owner: str, *, make: bool = False) -> bytes:
    current = session()
    known: dict[str, bytes] = current.info.setdefault("data_keys", {})
    if owner not in known:
        wrapped = current.scalar(_WRAPPED, {"owner": owner})
        if wrapped is None and make:
            wrapped = _make_data_key(current, owner)
        if wrapped is None:
            raise SealBroken(f"no key for {owner}")
        known[owner] = _bound().keys.unwrap(wrapped, owner)
    return known[owner]


def know_key(owner: str, wrapped: bytes | None) -> None:
    """The wrapped key of an owner that was read along with something of theirs: it need not be asked for again just now."""
    known: dict[str, bytes] = session().info.setdefault("data_keys", {})
    if wrapped is not None and owner not in known:
        known[owner] = _bound().keys.unwrap(wrapped, owner)


def knows_key(owner: str) -> bool:
    """Whether this unit of work has met something of this owner."""
    return owner in session().info.get("data_keys", ())


def _make_data_key(current: Session, owner: str) -> bytes | None:
    dialect = sqlite if current.get_bind().dialect.name == "sqlite" else postgresql
    row = {"owner": owner, "wrapped": _bound().keys.wrap(sealing.new_key(), owner), "made_at": now()}
    current.execute(dialect.insert(DataKey).values(**row).on_conflict_do_nothing())
    return current.scalar(select(DataKey.wrapped).where(DataKey.owner == owner))


def masters_in_use() -> dict[int, int]:
    """How many data keys each master wraps."""
    head = func.substr(DataKey.wrapped, 1, 2)
    rows = session().execute(select(head, func.count()).group_by(head))
    return {sealing.version_of(bytes(version)): count for version, count in rows}


class _Bound:
    def __init__(self, engine: Engine, keys: KeyRing) -> None:
        self.engine = engine
        self.keys = keys
        self.sessions = sessionmaker(engine)
        self.walls: bool | None = None
        """whether PostgreSQL holds this role behind the walls between clinics; found out once"""


_state: dict[str, _Bound] = {}
_current = local()


EVERY_CLINIC = "*"


def connect(url: str, keys: KeyRing, *, walled: bool = False) -> None:
    """Bind this process to one database and one key ring; replaces (and closes) what was bound before.

    `walled`: PostgreSQL shows this process only the rows of the clinic named by `within`, and none before one is named
    (see portal/walls.py). The worker and the command line work for every clinic.
    """
    dispose()
    _state["bound"] = _Bound(engines.opened(url, EVERY_CLINIC, _name_clinic if walled else None), keys)


def within(clinic_id: str | None) -> None:
    """From now on this thread works in one clinic, in EVERY_CLINIC, or in none."""
    _current.clinic, current = clinic_id, getattr(_current, "session", None)
    if current is not None and current.in_transaction():
        _name_clinic(current.connection())


def clinic_within() -> str | None:
    return getattr(_current, "clinic", None)


def dispose() -> None:
    close()
    bound = _state.pop("bound", None)
    if bound:
        bound.engine.dispose()


def engine() -> Engine:
    return _bound().engine


def keys() -> KeyRing:
    return _bound().keys


def _bound() -> _Bound:
    if "bound" not in _state:
        raise Misconfigured("No database is connected yet.")
    return _state["bound"]


_NAME_CLINIC = text("SELECT set_config('previsit.clinic', :clinic, true)")
_WALLS = text("SELECT coalesce(row_security_active(to_regclass('audit_events')), false)")


def _name_clinic(connection: Connection) -> None:
    """For the length of this transaction; costs nothing where the role sees everything anyway."""
    bound = _state.get("bound")
    if bound is None or bound.engine.dialect.name != "postgresql":
        return
    if bound.walls is None:
        bound.walls = bool(connection.scalar(_WALLS))
    if bound.walls:
        connection.execute(_NAME_CLINIC, {"clinic": clinic_within() or ""})


def migrate() -> None:
    """Bring the schema up to date (Alembic); safe to call at each start, and by several processes at once."""
    from alembic import command  # here: 10 MB that only this moment needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engines.reached(engine()).execution_options(writing=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(7346201)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def session() -> Session:
    """The session of this thread's unit of work (a request, a delivery, a command); made when first asked for."""
    current: Session = getattr(_current, "session", None) or _bound().sessions()
    _current.session = current
    return current


def writing() -> bool:
    """Whether this thread is inside `transaction()`; nothing may wait for the network then."""
    return bool(session().info.get("writing"))


def close() -> None:
    """End the unit of work: whatever was not committed is gone."""
    current: Session | None = getattr(_current, "session", None)
    if current is not None:
        current.close()
        _current.session = None


@contextmanager
def apart() -> Iterator[None]:
    """A unit of work of its own beside the current one, which keeps what it has loaded; inside a write it is the same one."""
    held: Session | None = getattr(_current, "session", None)
    if held is not None and held.info.get("writing"):
        yield
        return
    _current.session = _bound().sessions(info={"data_keys": dict(held.info.get("data_keys", {}))} if held else None)
    try:
        yield
    finally:
        close()
        _current.session = held


@contextmanager
def written_apart() -> Iterator[Connection]:
    """A short write on a connection of its own, committed at the end, beside a unit of work that only reads. Raises Busy."""
    with engine().connect().execution_options(writing=True) as store:
        try:
            begun = store.begin()
        except OperationalError as locked:
            raise Busy from locked
        with begun:
            yield store


@contextmanager
def transaction(*, keep: bool = False) -> Iterator[Session]:
    """One write: commits at the end, or rolls everything back. Inside another one it joins it.

    What was loaded before is read again under the write lock, so a check made inside holds. `keep`: and after it, what was
    loaded stands as it was written. Raises Busy when the lock cannot be had within 5 seconds.
    """
    current = session()
    if current.info.get("writing"):
        yield current
        return
    if current.new or current.dirty or current.deleted:
        raise RuntimeError("something was changed outside a transaction")
    current.commit()
    try:
        current.connection(execution_options={"writing": True})
    except OperationalError as locked:
        current.rollback()
        raise Busy from locked
    current.info["writing"] = True
    try:
        yield current
        current.expire_on_commit = not keep
        current.commit()
    except BaseException:
        current.rollback()
        current.info.pop("data_keys", None)
        raise
    finally:
        current.expire_on_commit = True
        current.info["writing"] = False
