"""What a patient's answer about their insurance would change. Pure.

A corrected member number or plan is corrected in place. Another insurer is another insurance: R4's Coverage has no
verificationStatus, so what a patient tells of one is a new entry with status `draft`, that the front desk puts into force once it has
been checked; the old entry stays until the patient, or the desk, says that it is over. One they no longer have is `cancelled`.
"""

from portal.fhir.resources import Json, objects_at, text_at, type_of
from portal.review.alike import plain
from portal.review.proposal import Answer, Risk
from portal.review.ruling import (
    ALREADY,
    CLINICAL,
    GONE,
    NO_LONGER,
    SIMILAR,
    Case,
    Rules,
    Ruling,
    create,
    nothing,
    partial_date,
    same,
    unsure,
    update,
)
from portal.review.words import insurance, insurer, is_plan
from portal.review.words import plan as plan_of

CORRECTS = "Corrects the plan or the member number in the record's entry."
ADDS = "Adds insurance as told by the patient: a draft, to be checked with the insurer."
CANCELS = "Marks this insurance as cancelled. It stays in the record."
OTHER_INSURER = "The patient names another insurer. The old entry stays; end it too if it is over."
BILLS = "Bills go by this. Check with the card or the insurer."


def changed(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    payor, plan, member = (case.also.get(name, "") for name in ("insurer", "plan", "member"))
    said = insurance(payor, plan, member)
    if payor and plain(payor) not in {plain(insurer(case.now)), plain(case.label)}:
        return Ruling(ADDS, create(_draft(case, payor, plan, member)), said, Risk.LOOK, (OTHER_INSURER,))
    elements: dict[str, object] = (
        {"subscriberId": member or None} if member != text_at(case.now, "subscriberId") else {}
    )
    if plan and plan != plan_of(case.now):
        others = [each for each in objects_at(case.now, "class") if not is_plan(each)]
        elements["class"] = [*others, _class(plan)]
    if not elements:
        return Ruling(said=said, reasons=(ALREADY,))
    return Ruling(CORRECTS, update(case.now, **elements), said, Risk.LOOK, (BILLS,))


def stopped(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    said = {"Status": NO_LONGER}
    if case.now.get("status") in ("cancelled", "entered-in-error"):
        return Ruling(said=said, reasons=(ALREADY,))
    end = partial_date(case.also.get("when", "")) or text_at(case.now, "period", "end")
    period = {**case.now.get("period", {}), **({"end": end} if end else {})}
    return Ruling(CANCELS, update(case.now, status="cancelled", period=period or None), said, Risk.LOOK, (BILLS,))


def added(case: Case) -> Ruling:
    plan, member = case.also.get("plan", ""), case.also.get("member", "")
    said = insurance(case.text, plan, member)
    alike = [each for each in case.listed if type_of(each) == "Coverage" and plain(insurer(each)) == plain(case.text)]
    if any(not member or plain(text_at(each, "subscriberId")) == plain(member) for each in alike):
        return Ruling(said=said, reasons=(ALREADY,))
    change = create(_draft(case, case.text, plan, member))
    return Ruling(ADDS, change, said, Risk.LOOK, (SIMILAR,) if alike else ())


def _draft(case: Case, payor: str, plan: str, member: str) -> Json:
    """The payor by name: which organisation of the record it is, if any, the desk says."""
    return {
        "resourceType": "Coverage",
        "status": "draft",
        **({"subscriberId": member} if member else {}),
        "beneficiary": {"reference": case.subject},
        "payor": [{"display": payor}],
        **({"class": [_class(plan)]} if plan else {}),
    }


def _class(plan: str) -> Json:
    return {"type": {"coding": [{"system": CLINICAL + "coverage-class", "code": "plan"}]}, "value": plan, "name": plan}


RULES: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: stopped,
    Answer.CHANGED: changed,
    Answer.ADDED: added,
}
