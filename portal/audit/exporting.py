"""The trail leaves the portal: AuditEvents of some days as NDJSON or a Bundle, or the bare chain for the verifier."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, select

from portal.actors import Actor, Permission, Role
from portal.audit import chain, service, telling
from portal.audit.events import Event
from portal.audit.models import AuditHead, AuditRow
from portal.audit.verifier import canonical
from portal.clock import now
from portal.db import session
from portal.errors import NotAllowed

BATCH = 500


def events(actor: Actor, site: telling.Site, first: date, last: date) -> Iterator[dict[str, Any]]:
    """The AuditEvents of the clinic from `first` to `last` (days in UTC, both included), oldest first; exporting is an event too."""
    _may(actor)
    service.noted(actor, Event.AUDIT_EXPORTED, f"{first.isoformat()}:{last.isoformat()}")
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    wanted = _of(actor).where(AuditRow.recorded_at >= start, AuditRow.recorded_at < end)
    for row in _read(wanted.order_by(AuditRow.recorded_at, AuditRow.seq)):
        yield telling.event(row, site)


def bundle(found: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A Bundle of type collection."""
    entries = [{"fullUrl": f"urn:previsit:audit-event:{each['id']}", "resource": each} for each in found]
    stamp = now().isoformat(timespec="seconds")
    return {"resourceType": "Bundle", "type": "collection", "timestamp": stamp, "entry": entries}


def bare(actor: Actor) -> Iterator[dict[str, Any]]:
    """The whole chain of the clinic as the verifier reads it: a row each, and at last the head. Details stay behind, as digests."""
    _may(actor)
    service.noted(actor, Event.AUDIT_EXPORTED, "chain")
    head = session().get_one(AuditHead, actor.clinic_id)
    end = {"clinic_id": head.clinic_id, "seq": head.seq, "hash": head.hash}
    for row in _read(_of(actor).where(AuditRow.seq <= head.seq).order_by(AuditRow.seq)):
        yield chain.exported(row)
    yield {"head": end}


def line(value: dict[str, Any]) -> str:
    return canonical(value).decode() + "\n"


def _may(actor: Actor) -> None:
    if not (actor.role is Role.SYSTEM or actor.may(Permission.SEE_AUDIT)):
        raise NotAllowed


def _of(actor: Actor) -> Select[AuditRow]:
    return select(AuditRow).where(AuditRow.clinic_id == actor.clinic_id)


def _read(wanted: Select[AuditRow]) -> Iterator[AuditRow]:
    yield from session().scalars(wanted.execution_options(yield_per=BATCH))
