"""The verbs of the desk: deciding, finishing, two reviewers, and what the patient's choices hide."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from portal import db
from portal.actors import Role
from portal.audit.models import AuditRow
from portal.consent import service as consent
from portal.db import session, transaction
from portal.delivery.models import OutboxItem
from portal.errors import Conflict, NotAllowed, NotFound
from portal.fhir import exact
from portal.intake.models import Status, Submission
from portal.review import finishing, service
from portal.review.models import Decision, Verdict
from portal.review.service import Asked, Choice, Opened
from tests import make
from tests.review.builders import ASTHMA, METFORMIN, PATIENT, PENICILLIN, fact, new, phone
from tests.review.conftest import DESK, World

ORDINARY = (
    phone("changed", "555 0199"),
    fact("medication", METFORMIN, "same", "Metformin 500 mg tablet"),
    fact("condition", ASTHMA, "stopped", "Asthma"),
    new("allergy", "Latex", "itching"),
)


def opened(world: World, submission: str, role: Role = Role.CLINICIAN) -> Opened:
    return service.open_submission(world.actor(role), submission, DESK)


def choose(view: Opened, verdict: Verdict = Verdict.ACCEPT, reason: str = "", only: str | None = None) -> list[Choice]:
    return [
        Choice(item.proposal.key, verdict, reason, item.seen)
        for item in view.items
        if item.may_decide and (only is None or item.proposal.title == only)
    ]


def decide(world: World, submission: str, role: Role = Role.CLINICIAN, **said: object) -> service.Decided:
    view = opened(world, submission, role)
    return service.decide(world.actor(role), submission, choose(view, **said), DESK)  # type: ignore[arg-type]


def payload() -> dict[str, object]:
    row = session().scalars(select(OutboxItem)).one()
    found: dict[str, object] = exact.loads(row.payload)
    return found


def test_an_open_submission_shows_what_is_to_decide_and_what_was_confirmed(world: World) -> None:
    view = opened(world, world.submit(*ORDINARY))
    assert [item.proposal.title for item in view.items] == ["Asthma", "Latex", "Mobile phone"]
    assert [each.title for each in view.confirmed] == ["Metformin 500 mg tablet"]
    assert view.forms[0].sections[0].rows[0].question == "Do you smoke?"
    assert view.reviewable


def test_opening_is_audited_for_the_patient_to_see(world: World) -> None:
    submission = world.submit(*ORDINARY)
    opened(world, submission)
    session().rollback()
    subjects = session().scalars(select(AuditRow.subject).where(AuditRow.patient_id == world.patient.id)).all()
    assert f"submissions:{submission}" in subjects


def test_another_clinics_submission_is_not_there(world: World) -> None:
    submission = world.submit(*ORDINARY)
    other = make.clinic("hill", "Hill Clinic")
    stranger = make.staff_actor(make.staff(other, email="lee@hill.example"))
    for look in (service.open_submission, service.finish):
        with pytest.raises(NotFound):
            look(stranger, submission, DESK)


def test_finishing_needs_every_proposal_decided(world: World) -> None:
    submission = world.submit(*ORDINARY)
    assert decide(world, submission, only="Latex").saved == 1
    finished = service.finish(world.actor(), submission, DESK)
    assert [issue.params["what"] for issue in finished.issues] == ["Asthma", "Mobile phone"]
    assert session().scalars(select(OutboxItem)).all() == []


def test_what_was_accepted_is_queued_for_the_record_once(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    assert service.finish(world.actor(), submission, DESK).to is Status.ACCEPTED
    entries = payload()["entry"]
    kinds = [entry["resource"]["resourceType"] for entry in entries]  # type: ignore[attr-defined]
    assert kinds[:2] == ["Consent", "QuestionnaireResponse"]
    assert {"Patient", "Condition", "AllergyIntolerance"} <= set(kinds)
    with pytest.raises(Conflict):
        service.finish(world.actor(), submission, DESK)
    assert len(session().scalars(select(OutboxItem)).all()) == 1


def test_what_was_rejected_is_left_out_and_its_reason_kept_for_the_patient(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    decide(world, submission, verdict=Verdict.REJECT, reason="This was ruled out last year.", only="Latex")
    service.finish(world.actor(), submission, DESK)
    kinds = [entry["resource"]["resourceType"] for entry in payload()["entry"]]  # type: ignore[attr-defined]
    assert "AllergyIntolerance" not in kinds
    last = session().get_one(Submission, submission).history[-1]
    assert last.why["rejected"] == [
        {"key": "new-allergy-1", "title": "Latex", "reason": "This was ruled out last year."}
    ]


def test_a_question_sends_it_back_and_nothing_goes_to_the_record(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    decide(world, submission, verdict=Verdict.ASK, reason="Which gloves?", only="Latex")
    assert service.finish(world.actor(), submission, DESK).to is Status.RETURNED
    last = session().get_one(Submission, submission).history[-1]
    assert last.why["questions"] == [{"key": "new-allergy-1", "title": "Latex", "question": "Which gloves?"}]
    assert session().scalars(select(OutboxItem)).all() == []


def test_after_an_answer_only_what_changed_is_decided_again(world: World) -> None:
    first = world.submit(*ORDINARY)
    decide(world, first)
    decide(world, first, verdict=Verdict.ASK, reason="Which gloves?", only="Latex")
    service.finish(world.actor(), first, DESK)
    second = world.submit(*ORDINARY[:-1], new("allergy", "Latex", "itching from surgical gloves"))
    view = opened(world, second)
    assert [item.proposal.title for item in view.undecided] == ["Latex"]
    decide(world, second, only="Latex")
    assert service.finish(world.actor(), second, DESK).to is Status.ACCEPTED


def test_a_question_answered_with_the_same_words_is_decided_again(world: World) -> None:
    first = world.submit(*ORDINARY)
    decide(world, first)
    decide(world, first, verdict=Verdict.ASK, reason="Sure?", only="Latex")
    service.finish(world.actor(), first, DESK)
    assert [item.proposal.title for item in opened(world, world.submit(*ORDINARY)).undecided] == ["Latex"]


def test_a_rejection_and_a_question_need_words(world: World) -> None:
    submission = world.submit(*ORDINARY)
    for verdict in (Verdict.REJECT, Verdict.ASK):
        decided = decide(world, submission, verdict=verdict, reason="  ")
        assert len(decided.issues) == 3
        assert decided.saved == 0
    assert session().scalars(select(Decision)).all() == []


def test_the_front_desk_decides_about_contact_only(world: World) -> None:
    submission = world.submit(*ORDINARY)
    view = opened(world, submission, Role.FRONT_DESK)
    assert [item.proposal.title for item in view.items if item.may_decide] == ["Mobile phone"]
    latex = next(item for item in view.items if item.proposal.title == "Latex")
    crafted = [Choice(latex.proposal.key, Verdict.ACCEPT, "", latex.seen)]
    with pytest.raises(NotAllowed):
        service.decide(world.actor(Role.FRONT_DESK), submission, crafted, DESK)


def test_an_administrator_looks_but_does_not_decide(world: World) -> None:
    submission = world.submit(*ORDINARY)
    assert not any(item.may_decide for item in opened(world, submission, Role.ADMINISTRATOR).items)
    for act in (
        lambda actor: service.decide(actor, submission, [], DESK),
        lambda actor: service.finish(actor, submission, DESK),
    ):
        with pytest.raises(NotAllowed):
            act(world.actor(Role.ADMINISTRATOR))


def test_the_second_reviewer_is_told_who_was_faster_and_when(world: World) -> None:
    submission = world.submit(*ORDINARY)
    seen = opened(world, submission)
    decide(world, submission, only="Latex")
    late = service.decide(
        make.staff_actor(make.staff(world.clinic, Role.CLINICIAN, "Dr Ruiz", "ruiz@example.org")),
        submission,
        choose(seen, Verdict.REJECT, "No.", only="Latex"),
        DESK,
    )
    assert [(lost.title, lost.by, lost.verdict) for lost in late.lost] == [("Latex", "Dr Lee", Verdict.ACCEPT)]
    assert late.lost[0].at is not None
    assert [row.verdict for row in session().scalars(select(Decision))] == [Verdict.ACCEPT]


def test_the_same_choice_twice_is_one_decision(world: World) -> None:
    submission = world.submit(*ORDINARY)
    seen = opened(world, submission)
    for _ in range(2):
        decided = service.decide(world.actor(), submission, choose(seen), DESK)
        assert decided.lost == []
    assert len(session().scalars(select(Decision)).all()) == 3


def test_twenty_reviewers_at_once_make_one_decision_and_one_delivery(world: World) -> None:
    submission = world.submit(*ORDINARY)
    seen, actor = opened(world, submission), world.actor()
    start, told = Barrier(20, timeout=30), list[object]()

    def act() -> None:
        start.wait()
        try:
            service.decide(actor, submission, choose(seen), DESK)
            told.append(service.finish(actor, submission, DESK).to)
        except Conflict as lost:
            told.append(lost.status)
        finally:
            db.close()

    threads = [Thread(target=act, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    session().rollback()
    assert told.count(Status.ACCEPTED) == 1
    assert len(told) == 20
    assert len(session().scalars(select(OutboxItem)).all()) == 1
    assert len(session().scalars(select(Decision)).all()) == 3


def test_a_decision_is_taken_back(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    decide(world, submission, verdict=Verdict.REOPEN, only="Latex")
    assert [item.proposal.title for item in opened(world, submission).undecided] == ["Latex"]
    assert len(session().scalars(select(Decision)).all()) == 4


def test_a_record_changed_after_the_decision_is_decided_again(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    world.record(condition=({**ASTHMA, "meta": {"versionId": "10"}, "code": {"text": "COPD"}},))
    finished = service.finish(world.actor(), submission, DESK)
    assert [issue.code for issue in finished.issues] == ["undecided"]
    assert "changed" in finished.issues[0].message
    (outdated,) = opened(world, submission).undecided
    assert outdated.standing is not None
    assert outdated.standing.outdated


def test_a_choice_about_something_that_looks_different_now_is_not_saved(world: World) -> None:
    submission = world.submit(*ORDINARY)
    seen = opened(world, submission)
    world.record(condition=({**ASTHMA, "meta": {"versionId": "10"}, "code": {"text": "COPD"}},))
    decided = service.decide(world.actor(), submission, choose(seen, only="Asthma"), DESK)
    assert [(lost.title, lost.by) for lost in decided.lost] == [("Asthma", "")]


def test_a_new_version_that_says_the_same_needs_no_new_decision_and_is_the_one_updated(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    world.record(condition=({**ASTHMA, "meta": {"versionId": "10"}},))
    assert service.finish(world.actor(), submission, DESK).to is Status.ACCEPTED
    puts = {entry["request"]["url"]: entry["request"].get("ifMatch") for entry in payload()["entry"]}  # type: ignore[attr-defined]
    assert puts["Condition/c1"] == 'W/"10"'


def test_what_is_unremarkable_is_accepted_together_and_nothing_else(world: World) -> None:
    more = new("medication", "Ibuprofen"), {**new("contact", "555 0777 123"), "label": "Home phone"}
    submission = world.submit(*ORDINARY, *more)
    view = opened(world, submission)
    assert [item.proposal.title for item in view.bulk] == ["Mobile phone", "Home phone"]
    listed = [(item.proposal.key, item.seen) for item in view.items]
    decided = service.accept_unremarkable(world.actor(), submission, listed, DESK)
    assert decided.saved == 2
    left = ["Asthma", "Latex", "Ibuprofen"]
    assert sorted(lost.title for lost in decided.lost) == sorted(left)
    assert [item.proposal.title for item in opened(world, submission).undecided] == left


FAULTS = ["delivery.enqueue", "audit.record", "intake.move", "_bundle"]


@pytest.mark.parametrize("step", FAULTS)
def test_a_fault_at_any_step_of_finishing_leaves_nothing_behind(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    before = len(session().scalars(select(AuditRow)).all())
    room, _, name = step.rpartition(".")
    holder = getattr(finishing, room) if room else finishing
    real = getattr(holder, name)

    def fail(*args: object, **more: object) -> None:
        real(*args, **more)
        raise RuntimeError("the machine stopped here")

    session().rollback()
    monkeypatch.setattr(holder, name, fail)
    with pytest.raises(RuntimeError, match="stopped here"):
        service.finish(world.actor(), submission, DESK)
    monkeypatch.undo()
    session().rollback()
    assert session().get_one(Submission, submission).status == Status.IN_REVIEW
    assert session().scalars(select(OutboxItem)).all() == []
    events = [row.event for row in session().scalars(select(AuditRow).order_by(AuditRow.seq))][before:]
    assert "submission-accepted" not in events
    assert "delivery-queued" not in events
    assert service.finish(world.actor(), submission, DESK).to is Status.ACCEPTED


def test_nothing_is_decided_or_finished_for_somebody_not_tied_to_one_record(world: World) -> None:
    stranger = make.patient(world.clinic, "Maria Garcia")
    visit = make.visit(stranger)
    submission = world.submit(new("allergy", "Latex"), patient=stranger, visit=visit)
    view = opened(world, submission)
    assert view.subject is None
    assert not view.reviewable
    finished = service.finish(world.actor(), submission, DESK)
    assert [issue.code for issue in finished.issues] == ["not-tied"]
    with pytest.raises(Conflict):
        service.decide(world.actor(), submission, choose(view), DESK)


def test_what_the_patient_does_not_share_is_not_shown_and_not_sent(world: World) -> None:
    submission = world.submit(*ORDINARY)
    consent.withdraw(make.patient_actor(world.patient, "a" * 16), language="en")
    view = opened(world, submission)
    assert view.items == []
    assert view.confirmed == []
    assert view.forms == []


def test_the_queue_tells_what_needs_a_person_and_why(world: World) -> None:
    submission = world.submit(*ORDINARY, fact("allergy", PENICILLIN, "stopped", "Penicillin"))
    found = service.queue(world.actor())
    (row,) = found.rows
    assert (row.name, row.to_decide, row.tied) == ("Adaeze Okafor", 4, True)
    assert [why.words for why in row.why][:2] == ["An allergy changed", "A new allergy"]
    assert found.counts == {"review": 1, "patient": 0, "sending": 0, "done": 0, "all": 1}
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    assert service.queue(world.actor()).counts["sending"] == 1
    (row,) = service.queue(world.actor(), Asked("sending")).rows
    assert row.delivery is not None
    assert row.delivery.state.value == "waiting"


def test_a_visit_appears_once_in_the_queue_by_its_latest_round(world: World) -> None:
    first = world.submit(*ORDINARY)
    decide(world, first)
    decide(world, first, verdict=Verdict.ASK, reason="Sure?", only="Latex")
    service.finish(world.actor(), first, DESK)
    assert service.queue(world.actor()).counts["patient"] == 1
    second = world.submit(*ORDINARY)
    rows = service.queue(world.actor(), Asked("all")).rows
    assert [row.submission.id for row in rows] == [second]
    assert rows[0].why[0].words == "Answered your questions"


def test_the_privacy_officer_does_not_see_the_queue(world: World) -> None:
    officer = make.staff_actor(make.staff(world.clinic, Role.PRIVACY_OFFICER, "Pat Roe"))
    with pytest.raises(NotAllowed):
        service.queue(officer)


def test_the_story_tells_every_step_in_order(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    told = [moment.what for moment in opened(world, submission).story]
    assert told[0] == "Sent by the patient"
    assert told.count("Accepted: %(title)s") == 3
    assert sorted(told[-2:]) == ["On its way to the record", "Review finished"]


COPIED = (
    "clinic_id",
    "patient_id",
    "visit_id",
    "submission_id",
    "proposal_key",
    "round",
    "verdict",
    "at",
    "account_id",
)


def test_a_finished_submission_shows_what_was_decided_whatever_the_record_says_later(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    service.finish(world.actor(), submission, DESK)
    before = [(item.proposal.title, item.proposal.told) for item in opened(world, submission).items]
    assert len(before) == 3
    world.record(condition=(), contact=({**PATIENT, "telecom": [{"system": "phone", "value": "555 0199"}]},))
    after = opened(world, submission)
    assert [(item.proposal.title, item.proposal.told) for item in after.items] == before
    assert all(item.standing and not item.standing.outdated for item in after.items)
    assert not any(each.stale for each in after.confirmed)


def test_decisions_cannot_be_repeated_in_the_database(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission, only="Latex")
    row = session().scalars(select(Decision)).one()
    twin = Decision(**{name: getattr(row, name) for name in COPIED}, detail=row.detail)
    with pytest.raises(Exception, match=r"UNIQUE|unique"), transaction() as current:
        current.add(twin)
