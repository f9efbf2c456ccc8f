"""One turn of the worker: claim, ask the gate, send, classify, look, compare, receipt; every step durable before the next."""

import traceback
from dataclasses import replace
from datetime import timedelta

import structlog

from portal.db import transaction
from portal.delivery import breaker, claim, earlier, overdue, piecewise, record, trouble, uptime
from portal.delivery.claim import Claim
from portal.delivery.classify import NO_CREDENTIAL, Seen, Verdict, classify
from portal.delivery.client import RecordClient
from portal.delivery.errors import LeaseLost
from portal.delivery.look import Conclusion, Sight, conclude, look, trouble_in
from portal.delivery.person import out_of_use
from portal.delivery.placed import confirmed
from portal.delivery.states import SEND_AFTER, Kind, Reason
from portal.delivery.targets import moved
from portal.delivery.tools import Outcome, Tools, Work, in_hand
from portal.ehr.errors import EhrError

log = structlog.get_logger()
CERTAIN_ENDS = frozenset({Kind.NOT_SENT, Kind.BUSY, Kind.CONFLICTED, Kind.ANSWERED, Kind.HELD})
"""Right after "sending" these say that no request of ours is still being worked on."""


def send_next(tools: Tools, only: str | None = None) -> Outcome | None:
    """Work on the next due item (or `only` that one), one step further; None when nothing is due.

    Never raises for what a server or an item does.
    """
    lease = claim.take(tools.clock, tools.timing, only)
    if lease is None:
        return None
    tools.checkpoint("claimed")
    try:
        return _turn(tools, lease)
    except LeaseLost:
        claim.abandon()
        log.info("delivery fenced off", item=lease.item_id)
        return Outcome(lease.item_id, None)
    except Exception as fault:  # a poison item must not stop the worker; the item's own counter holds it in the end
        claim.abandon()
        log.error("delivery stumbled", item=lease.item_id, fault=type(fault).__name__, at=_place(fault))
        return record.stumbled(tools, lease)


def _place(fault: Exception) -> str:
    """Where in the code, without what was in the hands: a message may hold health data."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{frame.name}:{frame.lineno}"


def _turn(tools: Tools, lease: Claim) -> Outcome:
    with claim.held(lease) as item:
        if item.crashes > tools.timing.crashes_to_hold:
            return record.hold(tools, item, Reason.OWN_FAULT)
        work, patient_id = in_hand(lease, item), item.patient_id
    known = {
        name: each.resource for name, each in confirmed(lease.clinic_id, patient_id).items()
    }  # no lock is held for it
    work = replace(work, before=earlier.bearing(work.payload, known))
    try:
        client = tools.clients(lease.clinic_id)
        if lease.probe and not _probe(tools, work, client):
            return Outcome(lease.item_id, None)
        whole = not work.past.piecewise and tools.atomic(lease.clinic_id, client)
    except EhrError as error:
        return _out_of_reach(tools, work, error)
    if not whole:
        return piecewise.turn(tools, work, client, still_to_wait(tools, work))
    return _send(tools, work, client) if work.past.kind in SEND_AFTER else _check(tools, work, client)


def _out_of_reach(tools: Tools, work: Work, error: EhrError) -> Outcome:
    """Not even what the server can do could be asked: nothing has left."""
    met = trouble.of_look(error)
    if work.past.kind in SEND_AFTER and not met.hold:
        return record.verdict(tools, work, trouble.of_send(error))
    return record.unchecked(tools, work, met)


def _probe(tools: Tools, work: Work, client: RecordClient) -> bool:
    """Ask a server that was silent something harmless; the item stays as it is."""
    try:
        client.capabilities()
    except EhrError as error:
        met = trouble.of_look(error)
        with claim.held(work.claim) as item:
            breaker.silent(item.clinic_id, tools.clock(), tools.timing, tools.chance(), certain=True)
            claim.release(item, item.next_at)
        overdue.hold(work.claim.clinic_id, tools.clock, tools.timing)
        log.info("delivery probe failed", clinic=work.claim.clinic_id, reason=met.reason.value)
        return False
    with transaction():
        breaker.spoke(work.claim.clinic_id)
    return True


def _send(tools: Tools, work: Work, client: RecordClient) -> Outcome:
    try:
        if out_of_use(client, work.payload):
            return record.out_of_use(tools, work)
        if moved(client, work.payload):
            sight = look(client, work.payload)
            return _settle(tools, work, sight, conclude(sight), fresh=False)
        older = earlier.still_stands(look(client, work.payload), work.before) if work.before else None
    except EhrError as error:
        return _out_of_reach(tools, work, error)
    if older:
        return record.answered_before(tools, work)
    deadline = uptime.seconds() + tools.timing.lease - tools.timing.send
    with claim.held(work.claim) as item:
        refused = record.mark_sending(tools, item)
        tools.checkpoint("marking")
    if refused:
        return refused
    tools.checkpoint("marked")
    claim.stop_if_late(deadline)
    verdict = _exchange(tools, work, client)
    tools.checkpoint("answered")
    if verdict.seen is Seen.PERMISSION and tools.reaches(work.claim.clinic_id, work.payload):
        return record.entry_by_entry(tools, work, verdict)
    outcome = record.verdict(tools, work, verdict)
    tools.checkpoint("recorded" if verdict.seen is Seen.SENT else "doubted")
    if verdict.seen is not Seen.SENT:
        return outcome
    return _verify(tools, work, client, verdict)


def _exchange(tools: Tools, work: Work, client: RecordClient) -> Verdict:
    try:
        answer = client.transaction(work.body)
    except EhrError as error:
        return trouble.of_send(error)
    verdict = classify(answer, work.payload, tools.clock())
    return trouble.why_no_token(client) if verdict is NO_CREDENTIAL else verdict


def _verify(tools: Tools, work: Work, client: RecordClient, verdict: Verdict) -> Outcome:
    """The server said yes: see for ourselves, at once."""
    try:
        sight = look(client, work.payload, verdict.landed)
    except EhrError as error:
        return record.unchecked(tools, work, trouble.of_look(error))
    tools.checkpoint("looked")
    return _settle(tools, work, sight, conclude(sight, verdict.landed), fresh=True)


def _check(tools: Tools, work: Work, client: RecordClient) -> Outcome:
    """What we sent may be there: look, but not before the server has had its bound (bar 67)."""
    left = still_to_wait(tools, work)
    if left > 0:
        return record.wait(tools, work, timedelta(seconds=left))
    try:
        sight = look(client, work.payload, work.past.landed)
    except EhrError as error:
        return record.unchecked(tools, work, trouble.of_look(error))
    tools.checkpoint("sought")
    return _settle(tools, work, sight, conclude(sight, work.past.landed, split=work.past.split), fresh=False)


def _settle(tools: Tools, work: Work, sight: Sight, found: Conclusion, *, fresh: bool) -> Outcome:
    if work.past.alerted and not fresh:
        found = Conclusion(None, work.past.alerted)
    older = earlier.still_stands(sight, work.before)
    if older and not (trouble_in(sight) or work.past.alerted):
        return record.answered_before(tools, work, older if fresh or work.past.sending_at else None)
    if found.arrived is None:
        return record.undecided(tools, work, sight, found)
    if found.arrived:
        return record.confirm(tools, work, sight)
    return record.not_there(tools, work, sight, fresh=fresh)


def still_to_wait(tools: Tools, work: Work) -> float:
    """Seconds until a look proves something: the bound since the last exchange ended, or since it must have ended."""
    past, timing = work.past, tools.timing
    if past.sending_at is None or past.ended in CERTAIN_ENDS:
        return 0
    if past.ended is Kind.IN_DOUBT and past.ended_at:
        return timing.bound - uptime.since(past.ended_up, past.ended_at, tools.mark(), tools.clock())
    return timing.lease + timing.bound - uptime.since(past.sending_up, past.sending_at, tools.mark(), tools.clock())
