"""What staff decided about proposals, for the measures: verdicts, never what was proposed."""

from collections.abc import Collection

from sqlalchemy import select

from portal.accounts.counting import Line
from portal.db import session
from portal.review.models import Decision, Verdict
from portal.sealing import SealBroken

TAKEN = {"accept": "untouched", "edit": "edited"}
"""What reached the record as the patient wrote it, and in other words."""


def lines(clinic_id: str, finished: Collection[str], arrived: Collection[str]) -> list[Line]:
    """The verdicts that stood when these submissions were `finished`, and what went into the record with those that `arrived`."""
    found: list[Line] = []
    for row in _standing(clinic_id, {*finished, *arrived}):
        try:
            writes = bool(row.detail["shown"].get("changes"))
        except SealBroken:
            found.append(("unread", "decisions", "", row.submission_id))
            continue
        if row.submission_id in finished:
            found.append(("decisions", "", row.verdict, row.submission_id))
        if row.submission_id in arrived and row.verdict in TAKEN and writes:
            found.append(("taken", "", TAKEN[row.verdict], row.submission_id))
    return found


def _standing(clinic_id: str, submission_ids: Collection[str]) -> list[Decision]:
    """The last decision on each proposal of these submissions, without those that were taken back."""
    rows = session().scalars(
        select(Decision)
        .where(Decision.clinic_id == clinic_id, Decision.submission_id.in_(submission_ids))
        .order_by(Decision.round)
    )
    last = {(row.submission_id, row.proposal_key): row for row in rows}
    return [row for row in last.values() if row.verdict != Verdict.REOPEN]
