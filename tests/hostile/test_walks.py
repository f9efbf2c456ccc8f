"""A patient, a clinician and the front desk at once, over HTTP, in any order (bar 10): what was sent and decided only moves as it may."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from portal import db
from portal.audit.models import AuditRow
from portal.db import session
from portal.delivery.models import OutboxItem
from portal.fhir import exact
from portal.intake.models import MOVES, Status, Submission, SubmissionStatus
from tests.hostile.clinic import CLINICIAN, DESK, PATIENT, Browser, complete, opened
from tests.house.world import World

WHOLE = bool(os.environ.get("PREVISIT_HOSTILE_WHOLE"))
PLACES = st.integers(0, 10_000)
CHANCES = st.integers(0, 2**32)


class Walk(RuleBasedStateMachine):
    """Three people, each with a browser; a step is a page, a form of a page, or a form that was on the screen before."""

    world: ClassVar[World]
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world.restore()
        self.patient, self.clinician, self.desk = (
            Browser(self.world, who, Random(0)) for who in (PATIENT, CLINICIAN, DESK)
        )
        self.visit = self.world.things["ana"]["visit"]
        self.histories: dict[str, list[str]] = {}
        self.documents: dict[str, str] = {}
        self.noted = 0

    @initialize(stage=st.integers(0, 3), chance=CHANCES)
    def so_far(self, stage: int, chance: int) -> None:
        """Nothing yet, sent, decided on in some way, or accepted."""
        if stage:
            complete(self.patient, self.visit)
            self.everything_moves_only_as_it_may()
        if stage > 1:
            self._decide(self.clinician, chance, 0, ideal=stage == 3)

    @rule()
    def the_patient_answers_everything_and_sends(self) -> None:
        complete(self.patient, self.visit)

    @rule(chance=CHANCES)
    def the_patient_tries_this_and_that(self, chance: int) -> None:
        self._try(
            self.patient,
            (f"/visits/{self.visit}", "/confirm", "/forms/short", "/consent", "/check", "/receipt"),
            chance,
        )

    @rule()
    def the_patient_sends_without_more_ado(self) -> None:
        self.patient.post(f"/visits/{self.visit}/check", [])

    @rule(chance=CHANCES, place=PLACES)
    def the_clinician_decides(self, chance: int, place: int) -> None:
        self._decide(self.clinician, chance, place, ideal=False)

    @rule(place=PLACES)
    def the_clinician_accepts_everything(self, place: int) -> None:
        self._decide(self.clinician, 0, place, ideal=True)

    @rule(chance=CHANCES, place=PLACES)
    def the_front_desk_decides(self, chance: int, place: int) -> None:
        self._decide(self.desk, chance, place, ideal=False)

    @rule(place=PLACES)
    def the_clinician_opens_it_again(self, place: int) -> None:
        if submissions := self._submissions():
            self.clinician.post(f"/desk/submissions/{submissions[place % len(submissions)]}/again", [])

    @rule(place=PLACES, who=st.integers(0, 2))
    def something_is_sent_twice(self, place: int, who: int) -> None:
        browser = (self.patient, self.clinician, self.desk)[who]
        if browser.sent:
            browser.post(*browser.sent[place % len(browser.sent)])

    @rule(place=PLACES, chance=CHANCES, who=st.integers(0, 2))
    def a_page_of_long_ago_is_sent(self, place: int, chance: int, who: int) -> None:
        browser = (self.patient, self.clinician, self.desk)[who]
        if browser.sheets:
            browser.chance = Random(chance)
            browser.submit(*browser.sheets[place % len(browser.sheets)], ideal=False)

    @rule(place=PLACES, who=st.integers(0, 1))
    def somebody_sends_what_is_anothers_to_send(self, place: int, who: int) -> None:
        """The clinician what only a patient may, the patient what only staff may."""
        one, other = ((self.patient, self.clinician), (self.clinician, self.patient))[who]
        if other.sent:
            assert one.post(*other.sent[place % len(other.sent)]) in {302, 303, 403, 404}
            one.sent.pop()

    def _try(self, browser: Browser, places: tuple[str, ...], chance: int) -> None:
        browser.chance = Random(chance)
        place = browser.chance.choice(places)
        here, page = browser.look(place if place.startswith("/visits") else f"/visits/{self.visit}{place}")
        if forms := page.posts():
            form = browser.chance.choice(forms)
            if (form.action or here) != "/sign-out":
                browser.submit(form.action or here, form, ideal=False)

    def _decide(self, browser: Browser, chance: int, place: int, ideal: bool) -> None:
        submissions = self._submissions()
        if not submissions:
            return
        browser.chance = Random(chance)
        here, page = browser.look(f"/desk/submissions/{submissions[place % len(submissions)]}")
        for form in [
            each for each in page.posts() if (each.action or here).startswith("/desk/submissions/") and each.buttons
        ][:1]:
            browser.submit(form.action or here, form, ideal=ideal, button="finish" if ideal else "")

    def _submissions(self) -> list[str]:
        db.close()
        return list(session().scalars(select(Submission.id).order_by(Submission.round)))

    @invariant()
    def everything_moves_only_as_it_may(self) -> None:
        db.close()
        for made in session().scalars(select(Submission).order_by(Submission.round)).unique():
            steps = list(
                session().scalars(
                    select(SubmissionStatus)
                    .where(SubmissionStatus.submission_id == made.id)
                    .order_by(SubmissionStatus.step)
                )
            )
            history = [each.status for each in steps]
            before = self.histories.get(made.id, [])
            assert history[: len(before)] == before, "what happened stays"
            assert history[0] == Status.SUBMITTED and made.status == history[-1]
            assert all(Status(after) in MOVES[Status(now)] for now, after in pairwise(history)), history
            assert [each.step for each in steps] == list(range(1, len(steps) + 1))
            digest = hashlib.sha256(exact.dumps(made.document).encode()).hexdigest()
            assert self.documents.setdefault(made.id, digest) == digest, "what was sent is frozen"
            self.histories[made.id] = history
            self.seen.update(history[len(before) :])

    @invariant()
    def rounds_follow_one_another(self) -> None:
        rounds = list(session().execute(select(Submission.round, Submission.status).order_by(Submission.round)))
        assert [each.round for each in rounds] == list(range(1, len(rounds) + 1))
        assert all(each.status in {Status.RETURNED, Status.WITHDRAWN} for each in rounds[:-1])

    @invariant()
    def only_what_was_accepted_is_delivered_and_only_once(self) -> None:
        items = Counter(session().scalars(select(OutboxItem.submission_id)))
        for submission_id, many in items.items():
            accepted = self.histories[submission_id].count(Status.ACCEPTED)
            assert accepted, "nothing is sent that nobody accepted"
            assert many <= accepted * 2, (
                "at most the answers and the record's changes, each once for each time it was accepted"
            )

    @invariant()
    def every_step_is_in_the_trail(self) -> None:
        steps = session().scalar(select(func.count()).select_from(SubmissionStatus)) or 0
        rows = session().scalar(select(func.count()).select_from(AuditRow)) or 0
        assert rows >= steps and rows >= self.noted
        self.noted = rows

    @invariant()
    def nobody_met_a_breakdown(self) -> None:
        for browser in (self.patient, self.clinician, self.desk):
            assert max(browser.statuses, default=0) < 500
            browser.statuses.clear()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None) -> Iterator[World]:
    yield opened(tmp_path_factory.mktemp("clinic"))
    db.dispose()


def test_any_order_of_steps_keeps_the_rules(clinic: World, capsys: pytest.CaptureFixture[str]) -> None:
    Walk.world = clinic
    Walk.seen.clear()
    many = 500 if WHOLE else 8
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=many,
            stateful_step_count=12,
            deadline=None,
            derandomize=not WHOLE,
            database=None,
            suppress_health_check=slow,
        ),
    )
    with capsys.disabled():
        print(f"\n{many} walks of up to 12 steps: {dict(Walk.seen)}")
    assert Walk.seen[Status.SUBMITTED] and Walk.seen[Status.ACCEPTED]
