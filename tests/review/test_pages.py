"""The desk's pages through the front door: what they show, what they keep, what they refuse."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.actors import Role
from portal.db import session
from portal.intake.models import Status, Submission
from portal.review import service
from tests import make
from tests.conftest import csrf
from tests.review.builders import ASTHMA, METFORMIN, PENICILLIN, fact, new, phone
from tests.review.conftest import DESK, World
from tests.review.test_service import ORDINARY


def path(submission: str) -> str:
    return f"/desk/submissions/{submission}"


def text(client: FlaskClient, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def read(page: str) -> str:
    """What somebody who looks at the page reads: without markup, and without what is only said aloud."""
    return re.sub(r"<[^>]+>", "", re.sub(r'<span class="nhsuk-u-visually-hidden">[^<]*</span>', "", page))


def seen(page: str) -> dict[str, str]:
    """proposal key → what is on screen of it"""
    return dict(re.findall(r'name="seen-(p[0-9a-f]{15})" value="([^"]+)"', page))


def typed(page: str, verdict: str, reason: str = "", question: str = "") -> dict[str, Any]:
    form: dict[str, Any] = {}
    for key, token in seen(page).items():
        form |= {
            f"seen-{key}": token,
            f"verdict-{key}": verdict,
            f"reason-{key}": reason,
            f"question-{key}": question,
        }
    return form


def post(client: FlaskClient, where: str, **form: Any) -> Any:
    return client.post(where, data={"csrf_token": csrf(client, where), **form})


def test_the_queue_lists_who_waits_and_why(world: World) -> None:
    submission = world.submit(*ORDINARY, fact("allergy", PENICILLIN, "stopped", "Penicillin"))
    page = text(world.signed_in(), "/desk")
    assert "Adaeze Okafor" in page
    assert "An allergy changed" in page
    assert path(submission) in page


@pytest.mark.parametrize("view", ["review", "patient", "sending", "done", "all", "nonsense"])
def test_every_view_of_the_queue_opens_empty_or_not(world: World, view: str) -> None:
    client = world.signed_in()
    assert text(client, f"/desk?show={view}")
    world.submit(*ORDINARY)
    assert text(client, f"/desk?show={view}")


def test_a_submission_shows_the_record_beside_the_patient(world: World) -> None:
    page = read(text(world.signed_in(), path(world.submit(*ORDINARY))))
    for words in ("555 0100", "555 0199", "Latex", "itching", "Do you smoke?", "Yes", "3 things to decide"):
        assert words in page
    assert "Metformin 500 mg tablet" in page


def test_every_role_of_the_desk_opens_it_and_only_clinicians_get_clinical_buttons(world: World) -> None:
    submission = world.submit(*ORDINARY)
    counts = {role: len(seen(text(world.signed_in(role), path(submission)))) for role in world.accounts}
    assert counts == {Role.FRONT_DESK: 1, Role.CLINICIAN: 3, Role.ADMINISTRATOR: 0}


def test_patients_do_not_open_the_desk(world: World) -> None:
    make.patient_account(world.patient, "ada@example.org")
    client = world.enter("ada@example.org")
    for where in ("/desk", path(world.submit(*ORDINARY)), "/desk/visits"):
        assert client.get(where).status_code == 403


def test_an_ordinary_intake_is_done_in_one_post(world: World) -> None:
    submission = world.submit(*ORDINARY)
    client = world.signed_in()
    form = typed(text(client, path(submission)), "accept")
    answer = post(client, path(submission), step="finish", **form)
    assert answer.status_code == 303
    page = text(client, path(submission))
    assert "Accepted, not in the record yet" in page
    assert session().get_one(Submission, submission).status == Status.ACCEPTED


def test_accepting_the_unremarkable_takes_one_button(world: World) -> None:
    submission = world.submit(*ORDINARY, new("contact", "555 0777 123"))
    client = world.signed_in()
    page = text(client, path(submission))
    listed = re.findall(r'name="bulk" value="([^"]+)"', page)
    assert len(listed) == 2
    assert post(client, path(submission), step="bulk", bulk=listed, **typed(page, "")).status_code == 303
    assert "2 things to decide" in text(client, path(submission))


def test_what_is_missing_comes_back_with_everything_that_was_typed(world: World) -> None:
    submission = world.submit(*ORDINARY)
    client = world.signed_in()
    form = typed(text(client, path(submission)), "reject", reason="", question="kept question")
    answer = post(client, path(submission), step="save", **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert page.count("Say why you reject this") >= 3
    assert page.count("kept question") == 3
    for where in re.findall(r'href="#(p[0-9a-f]{15}-reason)"', page):
        assert f'id="{where}"' in page


def test_the_loser_of_two_reviewers_reads_who_was_faster_and_keeps_their_words(world: World) -> None:
    submission = world.submit(*ORDINARY)
    make.staff(world.clinic, Role.CLINICIAN, "Dr Ruiz", "ruiz@example.org")
    late = world.enter("ruiz@example.org")
    form = typed(text(late, path(submission)), "reject", reason="I think not <b>")
    first = world.signed_in()
    post(first, path(submission), step="save", **typed(text(first, path(submission)), "accept"))
    answer = post(late, path(submission), step="save", **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Dr Lee decided this at" in page
    assert page.count("I think not &lt;b&gt;") == 3
    assert not service.open_submission(world.actor(), submission, DESK).undecided


def test_finishing_too_early_names_what_is_left(world: World) -> None:
    submission = world.submit(*ORDINARY)
    client = world.signed_in()
    answer = post(client, path(submission), step="finish", **typed(text(client, path(submission)), ""))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Decide about: Latex" in page
    for where in re.findall(r'class="nhsuk-error-summary__.*?href="#(p[0-9a-f]{15})"', page, re.S):
        assert f'id="{where}"' in page


def test_a_stale_base_is_marked_beside_what_it_was(world: World) -> None:
    submission = world.submit(*ORDINARY)
    world.record(condition=({**ASTHMA, "meta": {"versionId": "10"}, "code": {"text": "COPD"}},))
    page = text(world.signed_in(), path(submission))
    assert "The record was changed after the patient was asked." in page
    assert "When the patient was asked: Asthma" in page


def test_a_question_sends_it_back_and_the_page_shows_it(world: World) -> None:
    submission = world.submit(*ORDINARY)
    client = world.signed_in()
    form = typed(text(client, path(submission)), "ask", question="Which one?")
    assert post(client, path(submission), step="finish", **form).status_code == 303
    page = text(client, path(submission))
    assert "With the patient" in page
    assert "Which one?" in page


def test_words_typed_when_the_session_ended_come_back(world: World) -> None:
    from portal.accounts import service as accounts

    submission = world.submit(*ORDINARY)
    client = world.signed_in()
    form = typed(text(client, path(submission)), "reject", reason="typed before the end")
    accounts.keep(world.accounts[Role.CLINICIAN], path(submission), [[name, value] for name, value in form.items()])
    page = text(client, path(submission))
    assert "Your words are back" in page
    assert page.count("typed before the end") == 3


def test_an_unknown_submission_is_not_there(world: World) -> None:
    client = world.signed_in()
    for where in (path("0" * 16), f"{path('0' * 16)}/match"):
        assert client.get(where).status_code == 404


def test_unknown_verdicts_and_keys_change_nothing(world: World) -> None:
    submission = world.submit(*ORDINARY)
    client = world.signed_in()
    key = next(iter(seen(text(client, path(submission)))))
    answer = post(client, path(submission), step="save", **{f"seen-{key}": "0.x", f"verdict-{key}": "maybe"})
    assert answer.status_code == 303
    answer = post(
        client, path(submission), step="save", **{"seen-pffffffffffffff0": "0.x", "verdict-pffffffffffffff0": "accept"}
    )
    assert answer.status_code == 404
    assert len(service.open_submission(world.actor(), submission, DESK).undecided) == 3


def test_somebody_not_tied_is_held_with_a_way_to_the_candidates(world: World) -> None:
    stranger = make.patient(world.clinic, "Maria Garcia")
    submission = world.submit(new("allergy", "Latex"), patient=stranger, visit=make.visit(stranger))
    client = world.signed_in()
    page = text(client, path(submission))
    assert "Held: it is not certain whose record this is" in page
    assert seen(page) == {}
    answer = client.get(f"{path(submission)}/match")
    assert answer.status_code == 200
    assert "The clinic's system could not be asked" in answer.get_data(as_text=True)


def test_nobody_says_none_of_these_without_having_looked(world: World) -> None:
    stranger = make.patient(world.clinic, "Maria Garcia")
    submission = world.submit(new("allergy", "Latex"), patient=stranger, visit=make.visit(stranger))
    client, where = world.signed_in(Role.FRONT_DESK), f"{path(submission)}/match"
    assert post(client, where, step="none", reason="Called; new in town.").status_code == 422
    assert post(client, where, step="link", reason="x", record="Patient/7").status_code == 404


def test_visits_show_how_far_everybody_is(world: World) -> None:
    client = world.signed_in(Role.FRONT_DESK)
    assert "No account yet" in text(client, "/desk/visits")
    world.submit(*ORDINARY)
    assert "Sent" in text(client, "/desk/visits")


def test_a_link_is_made_and_shown_once(world: World) -> None:
    client = world.signed_in(Role.FRONT_DESK)
    answer = client.post(f"/desk/visits/{world.visit.id}/invite", data={"csrf_token": csrf(client, "/desk/visits")})
    page = answer.get_data(as_text=True)
    (link,) = re.findall(r"http://localhost(/join/[\w-]+)", page)
    assert world.app.test_client().get(link).status_code == 200
    assert "/join/" not in text(client, "/desk/visits")


def test_clinicians_see_visits_but_do_not_invite(world: World) -> None:
    client = world.signed_in(Role.CLINICIAN)
    assert "Make a link" not in text(client, "/desk/visits")
    token = csrf(client, path(world.submit(*ORDINARY)))
    assert client.post(f"/desk/visits/{world.visit.id}/invite", data={"csrf_token": token}).status_code == 403
    assert client.post("/desk/visits", data={"csrf_token": token}).status_code == 403


def test_a_foreign_visit_gets_no_link(world: World) -> None:
    other = make.visit(make.patient(make.clinic("hill", "Hill Clinic"))).id
    client = world.signed_in(Role.FRONT_DESK)
    token = csrf(client, "/desk/visits")
    assert client.post(f"/desk/visits/{other}/invite", data={"csrf_token": token}).status_code == 404


PERSON = {
    "name": "Lin Wu",
    "birth_date": "1970-01-31",
    "email": "lin@example.org",
    "phone": "",
    "day": "2030-03-27",
    "time": "14:30",
    "what": "New patient",
}


def test_somebody_not_in_the_list_is_invited_with_their_visit(world: World) -> None:
    client = world.signed_in(Role.FRONT_DESK)
    answer = post(client, "/desk/visits", **PERSON)
    assert answer.status_code == 200
    assert "/join/" in answer.get_data(as_text=True)


WRONG = {
    "name": "  ",
    "birth_date": "31.1.1970",
    "email": "lin",
    "day": "2030-02-31",
    "time": "25:00",
}


@pytest.mark.parametrize("where", WRONG, ids=str)
def test_what_is_mistyped_is_named_and_the_rest_kept(world: World, where: str) -> None:
    client = world.signed_in(Role.FRONT_DESK)
    answer = post(client, "/desk/visits", **{**PERSON, where: WRONG[where]})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{where}"' in page
    assert f'id="{where}"' in page
    assert page.count('value="New patient"') == 1


def test_pages_never_run_what_people_typed(world: World) -> None:
    nasty = '"><script>alert(1)</script>'
    submission = world.submit(
        phone("changed", nasty), new("allergy", nasty, nasty), fact("medication", METFORMIN, "changed", nasty, nasty)
    )
    client = world.signed_in()
    for where in ("/desk", path(submission)):
        assert "<script>alert" not in text(client, where)
