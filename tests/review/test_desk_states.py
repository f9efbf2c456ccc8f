"""Two reviewers, two tabs, a slow clinic, an answer that is lost: whatever comes in whatever order, what was decided holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from portal.actors import Actor, Role
from portal.db import session
from portal.delivery.models import OutboxItem
from portal.errors import Conflict, PortalError
from portal.fhir import exact
from portal.intake.models import Status, Submission
from portal.review import decisions, finishing, service
from portal.review.models import ACCEPTED, Decision, Verdict
from portal.review.service import Choice
from tests import make
from tests.review.builders import ASTHMA, fact, new, phone
from tests.review.conftest import DESK, World

FACTS = (phone("changed", "555 0199"), fact("condition", ASTHMA, "stopped", "Asthma"), new("allergy", "Latex"))
WROTE = {"Mobile phone": "555 0199", "Asthma": "inactive", "Latex": "Latex"}
"""What is in a delivery once the thing was accepted, and only then."""
REVIEWERS = (Role.FRONT_DESK, Role.CLINICIAN)
VERDICTS = (Verdict.ACCEPT, Verdict.EDIT, Verdict.REJECT, Verdict.ASK, Verdict.REOPEN)


SELDOM = st.sampled_from([False, False, True])


class Lost(RuntimeError):
    """The machine stopped, or the answer was lost, in the middle of a step."""


class Desk(RuleBasedStateMachine):
    """Tabs hold what was on screen when they were opened; what they post is judged by what has become of it since."""

    world: World
    submission: str

    @initialize()
    def begin(self) -> None:
        self.submission = self.world.submit(*FACTS, visit=make.visit(self.world.patient))
        self.tabs: dict[tuple[int, int], dict[str, str]] = {}
        self.said: list[tuple[Any, ...]] = []
        for who in (0, 1):
            self.open(who, 0)

    def actor(self, who: int) -> Actor:
        return self.world.actor(REVIEWERS[who])

    @rule(who=st.integers(0, 1), tab=st.integers(0, 1))
    def open(self, who: int, tab: int) -> None:
        view = service.open_submission(self.actor(who), self.submission, DESK)
        self.tabs[who, tab] = {item.proposal.key: item.seen for item in view.items if item.may_decide}

    @precondition(lambda self: self.tabs)
    @rule(data=st.data(), verdict=st.sampled_from(VERDICTS), over=st.booleans(), lost=SELDOM)
    def decide(self, data: st.DataObject, verdict: Verdict, over: bool, lost: bool) -> None:
        who, tab = data.draw(st.sampled_from(sorted(self.tabs)))
        shown = self.tabs[who, tab]
        if not shown:
            return
        keys = data.draw(st.lists(st.sampled_from(sorted(shown)), min_size=1, unique=True))
        edit = {"text": "555 0188", "more": ""} if verdict is Verdict.EDIT else {}
        reason = "Because" if verdict in (Verdict.REJECT, Verdict.ASK) else ""
        choices = [Choice(key, verdict, reason, shown[key], edit) for key in keys]
        self.step(lambda: service.decide(self.actor(who), self.submission, choices, DESK, over=over), "decide", lost)

    @rule(
        tab=st.integers(0, 1),
        verdicts=st.lists(st.sampled_from(VERDICTS[:3]), min_size=len(FACTS), max_size=len(FACTS)),
        finish=st.booleans(),
    )
    def work_through(self, tab: int, verdicts: list[Verdict], finish: bool) -> None:
        """The clinician looks, and decides what is left, in their own tab."""
        self.open(1, tab)
        keys = self.tabs[1, tab].items()
        edit, why = {"text": "555 0188", "more": ""}, {Verdict.REJECT: "Because"}
        choices = [
            Choice(key, verdict, why.get(verdict, ""), seen, edit if verdict is Verdict.EDIT else {})
            for (key, seen), verdict in zip(keys, verdicts, strict=False)
        ]
        for some in (choices[::2], choices[1::2]):  # an edit that has no words to change is refused with its neighbours
            self.step(lambda some=some: service.decide(self.actor(1), self.submission, some, DESK, over=True))
        if finish:
            self.step(lambda: service.finish(self.actor(1), self.submission, DESK))

    @rule(who=st.integers(0, 1), act=st.sampled_from(["take", "over", "let go", "again"]))
    def lay_hands_on(self, who: int, act: str) -> None:
        actor = self.actor(who)
        acts: dict[str, Callable[[], object]] = {
            "take": lambda: service.take(actor, self.submission),
            "over": lambda: service.take(actor, self.submission, over=True),
            "let go": lambda: service.let_go(actor, self.submission),
            "again": lambda: service.review_again(actor, self.submission),
        }
        self.step(acts[act])

    @rule(who=st.integers(0, 1), lost=SELDOM)
    def finish(self, who: int, lost: bool) -> None:
        self.step(lambda: service.finish(self.actor(who), self.submission, DESK), "finish", lost)

    def step(self, act: Callable[[], object], name: str = "", lost: bool = False) -> None:
        """What is refused with a sentence is refused; a fault in the middle leaves nothing, a lost answer everything."""
        holder, patched = {"decide": (decisions, "_tell"), "finish": (finishing.intake, "move")}.get(name, (None, ""))
        real = getattr(holder, patched) if holder and lost else None

        def fail(*args: Any, **more: Any) -> None:
            if real:
                real(*args, **more)
            raise Lost

        before = self.rows()
        try:
            if real:
                setattr(holder, patched, fail)
            act()
        except (PortalError, Conflict):
            session().rollback()
        except Lost:
            session().rollback()
            assert self.rows() == before, "half a step stays"
        finally:
            if real:
                setattr(holder, patched, real)
        self.holds()

    def rows(self) -> list[tuple[Any, ...]]:
        session().expire_all()
        wanted = session().query(Decision).filter_by(submission_id=self.submission)
        return sorted((each.proposal_key, each.round, each.verdict, each.account_id) for each in wanted)

    def holds(self) -> None:
        rows = self.rows()
        assert set(self.said) <= set(rows), "history only grows"
        self.said = rows
        assert all(account in self.world.accounts.values() for *_, account in rows), "each decision is one person's"
        numbers: dict[str, list[int]] = {}
        for key, number, *_ in rows:
            numbers.setdefault(key, []).append(number)
        assert all(each == list(range(1, len(each) + 1)) for each in numbers.values()), "each beside the one before"
        self.sent()

    def sent(self) -> None:
        """Nothing that was accepted is lost, nothing that was not is sent."""
        status = Status(session().get_one(Submission, self.submission).status)
        items = session().query(OutboxItem).filter_by(submission_id=self.submission).all()
        live = [each for each in items if each.state != "closed"]
        assert (status is Status.ACCEPTED) == bool(live), "accepted as a whole, or not at all"
        assert len(live) <= 1
        if not live:
            return
        last: dict[str, str] = {}
        titles: dict[str, str] = {}
        for row in sorted(
            session().query(Decision).filter_by(submission_id=self.submission), key=lambda each: each.round
        ):
            last[row.proposal_key], titles[row.proposal_key] = row.verdict, row.detail["title"]
        assert len(last) == len(FACTS), "finished only when everything is decided"
        changes = [each["resource"] for each in exact.loads(live[0].payload)["entry"]]
        text = exact.dumps(
            [each for each in changes if each["resourceType"] in ("Patient", "Condition", "AllergyIntolerance")]
        )
        for key, verdict in last.items():
            wrote = "555 0188" if verdict == Verdict.EDIT else WROTE[titles[key]]
            assert (wrote in text) is (verdict in ACCEPTED), (titles[key], verdict)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whatever_two_people_do_at_the_desk_in_whatever_order(world: World) -> None:
    machine = type("AtTheDesk", (Desk,), {"world": world})
    bounded = settings(
        max_examples=12,
        stateful_step_count=7,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=bounded)
