"""Servers without transactions (and what was left half-done): entry by entry, each looked for before it is sent, partial told as such."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from portal.delivery import claim, earlier, record, trouble, uptime
from portal.delivery.bundle import Entry
from portal.delivery.classify import NO_CREDENTIAL, Landed, Seen, Verdict, classify_one
from portal.delivery.client import RecordClient
from portal.delivery.look import Conclusion, Found, Sight, conclude, look, trouble_in
from portal.delivery.person import out_of_use
from portal.delivery.states import SEND_AFTER, Reason
from portal.delivery.tools import Outcome, Tools, Work
from portal.ehr.errors import EhrError
from portal.fhir import exact


def turn(tools: Tools, work: Work, client: RecordClient, left: float) -> Outcome:
    """Look what is there, send what is missing in an order in which references resolve, look again; `left`: seconds too early."""
    if left > 0:
        return record.wait(tools, work, timedelta(seconds=left))
    try:
        if work.past.kind in SEND_AFTER and out_of_use(client, work.payload):
            return record.out_of_use(tools, work)
        sight = look(client, work.payload, work.past.landed)
    except EhrError as error:
        return _not_looked(tools, work, error)
    work = replace(work, progress=tuple(record.entries(sight)))
    missing = _missing(sight, work)
    stop = trouble_in(sight) or (Conclusion(None, work.past.alerted) if work.past.alerted else None)
    if stop is None and isinstance(missing, Conclusion):
        stop = missing
    older = earlier.still_stands(sight, work.before)
    if older and not (trouble_in(sight) or work.past.alerted):
        return record.answered_before(tools, work, older if work.past.sending_at else None)
    if stop is not None:
        return record.undecided(tools, work, sight, stop)
    assert not isinstance(missing, Conclusion)
    return _send_missing(tools, work, client, missing, dict(sight.placed))


def _not_looked(tools: Tools, work: Work, error: EhrError) -> Outcome:
    met = trouble.of_look(error)
    if work.past.kind in SEND_AFTER and not met.hold:
        return record.verdict(tools, work, trouble.of_send(error))
    return record.unchecked(tools, work, met)


def _missing(sight: Sight, work: Work) -> list[Entry] | Conclusion:
    """The entries still to be sent; or, for an update whose target someone else has moved, that a person must look."""
    landed = {one.index for one in work.past.landed}
    missing = []
    for one in sight.found:
        if one.resources and (one.entry.method == "POST" or not one.differences):
            continue
        if one.entry.index in landed:
            if one.entry.method == "POST":
                return Conclusion(None, Reason.NOT_VISIBLE_YET)
            continue
        if _moved(one):
            return Conclusion(None, Reason.CHANGED_MEANWHILE)
        missing.append(one.entry)
    return missing


def _moved(one: Found) -> bool:
    return one.entry.base is not None and one.version != one.entry.base


def _send_missing(
    tools: Tools, work: Work, client: RecordClient, missing: list[Entry], placed: dict[str, str]
) -> Outcome:
    waiting = list(missing)
    told = list(work.past.landed)
    while waiting:
        entry = next((one for one in waiting if not _unplaced(one, waiting)), None)
        if entry is None:
            return record.stuck(tools, work)
        verdict = _write(tools, work, client, entry, placed)
        if isinstance(verdict, Outcome):
            return verdict
        if verdict.seen is not Seen.SENT:
            return record.verdict(tools, work, verdict)
        landed = verdict.landed[0]
        record.partial(tools, work, landed)
        work = _progressed(work, landed)
        told.append(landed)
        if entry.full_url:
            placed[entry.full_url] = landed.reference
        waiting.remove(entry)
    return _verify(tools, work, client, tuple(told))


def _unplaced(entry: Entry, waiting: list[Entry]) -> bool:
    """Whether it points to something that is not at the server yet."""
    text = exact.dumps(entry.resource)
    return any(other is not entry and other.full_url and f'"{other.full_url}"' in text for other in waiting)


def _write(tools: Tools, work: Work, client: RecordClient, entry: Entry, placed: dict[str, str]) -> Verdict | Outcome:
    deadline = uptime.seconds() + tools.timing.lease - tools.timing.send
    with claim.held(work.claim) as item:
        refused = record.mark_sending(tools, item, entry.index)
    if refused:
        return refused
    tools.checkpoint("marked")
    claim.stop_if_late(deadline)
    body = exact.dumps(resolved(entry.resource, placed)).encode()
    try:
        answer = client.write(entry.method, entry.target or entry.type, body, _conditions(entry))
    except EhrError as error:
        return trouble.of_send(error)
    tools.checkpoint("answered")
    verdict = classify_one(answer, entry, tools.clock())
    return trouble.why_no_token(client) if verdict is NO_CREDENTIAL else verdict


def _conditions(entry: Entry) -> dict[str, str]:
    if entry.search:
        return {"If-None-Exist": urlencode(entry.search)}
    return {"If-Match": f'W/"{entry.base}"'} if entry.base else {}


def resolved(value: Any, placed: dict[str, str]) -> Any:
    """`value` with every urn:uuid of ours replaced by where the server put it."""
    if isinstance(value, dict):
        return {name: resolved(held, placed) for name, held in value.items()}
    if isinstance(value, list):
        return [resolved(held, placed) for held in value]
    return placed.get(value, value) if isinstance(value, str) else value


def _progressed(work: Work, landed: Landed) -> Work:
    entries = [
        {**entry, "references": [landed.reference]} if entry["index"] == landed.index else entry
        for entry in work.progress
    ]
    return replace(work, progress=tuple(entries))


def _verify(tools: Tools, work: Work, client: RecordClient, told: tuple[Landed, ...]) -> Outcome:
    try:
        sight = look(client, work.payload, told)
    except EhrError as error:
        return record.unchecked(tools, work, trouble.of_look(error))
    tools.checkpoint("looked")
    older = earlier.still_stands(sight, work.before)
    if older and not trouble_in(sight):
        return record.answered_before(tools, work, older)
    found = conclude(sight, told)
    if found.arrived:
        return record.confirm(tools, work, sight)
    if found.arrived is None:
        return record.undecided(tools, work, sight, found)
    return record.not_there(tools, work, sight, fresh=True)
