"""What each finding becomes on the item: the event, the date of the next try, the receipt, the audit row; one transaction each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.audit.events import Outcome as Audited
from portal.db import session, transaction
from portal.delivery import breaker, ledger
from portal.delivery.claim import Claim, held, release, renew
from portal.delivery.classify import Landed, Seen, Verdict
from portal.delivery.look import Conclusion, Found, Sight
from portal.delivery.models import OutboxItem, Receipt
from portal.delivery.states import SEND_AFTER, Kind, Reason
from portal.delivery.timing import backoff
from portal.delivery.tools import Outcome, Tools, Work
from portal.delivery.trouble import Trouble

FAILING = frozenset({Reason.NO_REPLY, Reason.CUT_OFF, Reason.SERVER_FAULT, Reason.NOT_FHIR})
"""Reasons that speak against the server as a whole; a few of them in a row, from whatever items, and it is left alone."""


def mark_sending(tools: Tools, item: OutboxItem, entry: int | None = None) -> Outcome | None:
    """Ask the gate once more and write "sending" down (of the whole, or of one entry); an Outcome when the patient's choice
    forbids it."""
    at = tools.clock()
    passage = tools.gate(item)
    if not passage.permitted:
        return _withhold(tools, item, at, passage.reason)
    _event(tools, item, Kind.SENDING, at, detail={"why": passage.reason, "entry": entry})
    renew(item, at, tools.timing)
    item.next_at = at + tools.timing.settled
    _audit(item, Event.DELIVERY_ATTEMPTED)
    return None


def _withhold(tools: Tools, item: OutboxItem, at: datetime, why: str) -> Outcome:
    _event(tools, item, Kind.WITHHELD, at, Reason.CONSENT, {"why": why})
    release(item, at)
    _audit(item, Event.DELIVERY_WITHHELD, Audited.MINOR, why=why)
    return Outcome(item.id, Kind.WITHHELD, Reason.CONSENT)


def verdict(tools: Tools, work: Work, seen: Verdict) -> Outcome:
    """Write an answer's class down."""
    with held(work.claim) as item:
        return AFTER[seen.seen](tools, work, item, seen)


def _not_sent(tools: Tools, work: Work, item: OutboxItem, seen: Verdict) -> Outcome:
    breaker.silent(item.clinic_id, tools.clock(), tools.timing, tools.chance(), certain=True)
    return _again(tools, work, item, Kind.NOT_SENT, seen.reason, _known(work, seen), timedelta())


def _busy(tools: Tools, work: Work, item: OutboxItem, seen: Verdict) -> Outcome:
    """The server's own date counts; without one, a gateway may have said it while the server still works."""
    at = tools.clock()
    breaker.silent(item.clinic_id, at, tools.timing, tools.chance(), certain=False, asked_for=seen.retry_after)
    wait = timedelta(seconds=seen.retry_after or tools.timing.bound)
    return _again(
        tools, work, item, Kind.BUSY, seen.reason, _known(work, seen), wait, exactly=seen.retry_after is not None
    )


def _in_doubt(tools: Tools, work: Work, item: OutboxItem, seen: Verdict) -> Outcome:
    if seen.reason in FAILING:
        breaker.silent(item.clinic_id, tools.clock(), tools.timing, tools.chance(), certain=False)
    else:
        breaker.spoke(item.clinic_id)
    if seen.alert:
        _audit(item, Event.WRONG_PATIENT, Audited.SERIOUS, reason=seen.reason.value)
    bound = timedelta(seconds=tools.timing.bound)
    return _again(tools, work, item, Kind.IN_DOUBT, seen.reason, {**_known(work, seen), "alert": seen.alert}, bound)


def _conflicted(tools: Tools, work: Work, item: OutboxItem, seen: Verdict) -> Outcome:
    breaker.spoke(item.clinic_id)
    whole = not work.progress  # entry by entry there is no "nothing of it was taken" to stop a loop at once
    return _again(tools, work, item, Kind.CONFLICTED, seen.reason, _known(work, seen), timedelta(), exactly=whole)


def _refused(tools: Tools, work: Work, item: OutboxItem, seen: Verdict) -> Outcome:
    breaker.spoke(item.clinic_id)
    return hold(tools, item, seen.reason, _known(work, seen))


def _answered(tools: Tools, work: Work, item: OutboxItem, seen: Verdict) -> Outcome:
    at = tools.clock()
    breaker.spoke(item.clinic_id)
    landed = [[one.index, one.reference, one.version] for one in seen.landed]
    _event(tools, item, Kind.ANSWERED, at, detail={"landed": landed})
    renew(item, at, tools.timing)
    item.next_at = at
    return Outcome(item.id, Kind.ANSWERED)


def partial(tools: Tools, work: Work, landed: Landed) -> None:
    """One more entry is said to be there; the rest is still to be sent."""
    with held(work.claim) as item:
        at = tools.clock()
        breaker.spoke(item.clinic_id)
        _event(tools, item, Kind.PARTIAL, at, detail={"landed": [[landed.index, landed.reference, landed.version]]})
        renew(item, at, tools.timing)
        item.next_at = at


AFTER: dict[Seen, Callable[[Tools, Work, OutboxItem, Verdict], Outcome]] = {
    Seen.NOT_SENT: _not_sent,
    Seen.BUSY: _busy,
    Seen.IN_DOUBT: _in_doubt,
    Seen.CONFLICT: _conflicted,
    Seen.DUPLICATES: _conflicted,
    Seen.CREDENTIAL: _refused,
    Seen.PERMISSION: _refused,
    Seen.REJECTED: _refused,
    Seen.MISCONFIGURED: _refused,
    Seen.SENT: _answered,
}


def unchecked(tools: Tools, work: Work, met: Trouble) -> Outcome:
    """We could not look: nothing is known that was not known before."""
    with held(work.claim) as item:
        if met.silent:
            breaker.silent(item.clinic_id, tools.clock(), tools.timing, tools.chance(), certain=False)
        unfit = met.reason is Reason.NOT_FHIR and work.past.unfit_checks + 1 >= tools.timing.unfit_checks_to_hold
        if met.hold or unfit:
            return hold(tools, item, met.reason, {"unsure": work.past.kind not in SEND_AFTER})
        return _again(tools, work, item, Kind.UNCHECKED, met.reason, {}, timedelta())


def not_there(tools: Tools, work: Work, sight: Sight, *, fresh: bool) -> Outcome:
    """Nothing of ours is at the server. Right after a yes that is only "not visible yet"; after its bound it is certain."""
    with held(work.claim) as item:
        breaker.spoke(item.clinic_id)
        if fresh:
            bound = timedelta(seconds=tools.timing.bound)
            return _again(tools, work, item, Kind.IN_DOUBT, Reason.NOT_VISIBLE_YET, {}, bound)
        if work.past.landed:
            return hold(tools, item, Reason.NOT_VISIBLE_YET, {"entries": entries(sight)})
        at = tools.clock()
        again = (
            backoff(work.past.tries, tools.chance(), tools.timing) if work.past.kind is Kind.CONFLICTED else timedelta()
        )
        _event(tools, item, Kind.ABSENT, at, work.past.reason)
        release(item, at + again)
    tools.checkpoint("absent")
    return Outcome(work.claim.item_id, Kind.ABSENT, work.past.reason)


def undecided(tools: Tools, work: Work, sight: Sight, found: Conclusion) -> Outcome:
    """What is at the server needs a person."""
    with held(work.claim) as item:
        breaker.spoke(item.clinic_id)
        if found.alert:
            _audit(item, Event.WRONG_PATIENT, Audited.SERIOUS, reason=found.reason.value)
        return hold(tools, item, found.reason, {"entries": entries(sight)})


def confirm(tools: Tools, work: Work, sight: Sight) -> Outcome:
    """It is there, once, and we have read it back: the receipt, and only now the word "confirmed"."""
    with held(work.claim) as item:
        at = tools.clock()
        breaker.spoke(item.clinic_id)
        changed = sum(len(one.differences) for one in sight.found)
        session().add(
            Receipt(
                clinic_id=item.clinic_id,
                patient_id=item.patient_id,
                item_id=item.id,
                checked_at=at,
                changed=changed,
                entries=entries(sight),
            )
        )
        _event(tools, item, Kind.CONFIRMED, at)
        release(item, at)
        _audit(item, Event.DELIVERY_CONFIRMED, changed=changed)
        tools.checkpoint("confirming")
    tools.checkpoint("confirmed")
    return Outcome(work.claim.item_id, Kind.CONFIRMED)


def out_of_use(tools: Tools, work: Work) -> Outcome:
    """The patient's record is not what it was: whose it is now is for a person to say."""
    with held(work.claim) as item:
        breaker.spoke(item.clinic_id)
        return hold(tools, item, Reason.RECORD_MERGED, {"entries": list(work.progress)} if work.progress else None)


def answered_before(tools: Tools, work: Work, sight: Sight | None = None) -> Outcome:
    """What we would create is there from an earlier delivery and says something else. `sight`: what there is of this one,
    once it was sent; without one nothing has left."""
    with held(work.claim) as item:
        breaker.spoke(item.clinic_id)
        seen = entries(sight) if sight else []
        unsure = bool(seen) and not any(each["references"] for each in seen if each["method"] == "POST")
        return hold(tools, item, Reason.EARLIER_ANSWER, {"entries": seen, "unsure": unsure})


def entry_by_entry(tools: Tools, work: Work, seen: Verdict) -> Outcome:
    """Refused as a transaction, though each entry is within what we were granted: from now on this item goes in pieces."""
    with held(work.claim) as item:
        at = tools.clock()
        breaker.spoke(item.clinic_id)
        _event(tools, item, Kind.NOT_SENT, at, seen.reason, {**_known(work, seen), "piecewise": True})
        release(item, at)
    return Outcome(work.claim.item_id, Kind.NOT_SENT, seen.reason)


def stuck(tools: Tools, work: Work) -> Outcome:
    """Entries that point at each other in a circle cannot be sent one by one."""
    with held(work.claim) as item:
        return hold(tools, item, Reason.OWN_FAULT, {"entries": list(work.progress)})


def wait(tools: Tools, work: Work, left: timedelta) -> Outcome:
    """Too early to look; not an event."""
    with held(work.claim) as item:
        release(item, tools.clock() + left)
    return Outcome(work.claim.item_id, None)


def stumbled(tools: Tools, claimed: Claim) -> Outcome:
    """Our own fault: leave the state as the last event says, count it, try later."""
    with transaction() as current:
        item = current.get(OutboxItem, claimed.item_id, with_for_update=True, populate_existing=True)
        if item is not None and item.fence == claimed.fence:
            item.leased_until = None
            item.next_at = max(item.next_at, tools.clock()) + backoff(item.crashes, tools.chance(), tools.timing)
    return Outcome(claimed.item_id, None, Reason.OWN_FAULT)


def hold(tools: Tools, item: OutboxItem, reason: Reason, detail: dict[str, Any] | None = None) -> Outcome:
    """A person must act; in the caller's transaction."""
    at = tools.clock()
    _event(tools, item, Kind.HELD, at, reason, detail)
    release(item, at)
    _audit(item, Event.DELIVERY_HELD, Audited.SERIOUS, reason=reason.value)
    return Outcome(item.id, Kind.HELD, reason)


def _again(
    tools: Tools,
    work: Work,
    item: OutboxItem,
    kind: Kind,
    reason: Reason,
    detail: dict[str, Any],
    least: timedelta,
    *,
    exactly: bool = False,
) -> Outcome:
    """One more failure: the next try after `least` and the backoff (or `exactly` after `least`), held after three days of them."""
    at = tools.clock()
    if work.begun and kind in (Kind.NOT_SENT, Kind.BUSY):
        kind = Kind.PARTIAL  # part of it is in the record: "not in the record" would be false
    _event(tools, item, kind, at, reason, detail)
    if work.past.began and at - work.past.began >= timedelta(seconds=tools.timing.give_up):
        return hold(tools, item, Reason.NOT_REACHED if kind is Kind.NOT_SENT else Reason.TRIED_TOO_LONG, detail)
    pause = backoff(work.past.tries + 1, tools.chance(), tools.timing)
    release(item, at + (least if exactly else max(least, pause)))
    return Outcome(item.id, kind, reason)


def _event(
    tools: Tools,
    item: OutboxItem,
    kind: Kind,
    at: datetime,
    reason: Reason = Reason.NONE,
    detail: dict[str, Any] | None = None,
) -> None:
    actor = system(item.clinic_id)
    ledger.append(item, kind, at=at, by=actor, reason=reason, detail={"up": tools.mark(), **(detail or {})})


def _audit(item: OutboxItem, event: Event, outcome: Audited = Audited.OK, **detail: object) -> None:
    audit.record(
        system(item.clinic_id),
        event,
        subject=f"outbox_items:{item.id}",
        patient_id=item.patient_id,
        detail={"submission": item.submission_id, **detail},
        outcome=outcome,
    )


def _known(work: Work, seen: Verdict) -> dict[str, Any]:
    """What the server said, and which entries are known to be there."""
    said = {"said": list(seen.said)} if seen.said else {}
    return said | ({"entries": list(work.progress)} if work.progress else {})


def entries(sight: Sight) -> list[dict[str, Any]]:
    """What did and did not arrive, entry by entry, as kept with an event or a receipt."""
    return [_entry(one) for one in sight.found]


def _entry(one: Found) -> dict[str, Any]:
    return {
        "index": one.entry.index,
        "method": one.entry.method,
        "type": one.entry.type,
        "references": list(one.references),
        "version": one.version,
        "checked": one.checked,
        "differences": [change.as_json() for change in one.differences],
    }
