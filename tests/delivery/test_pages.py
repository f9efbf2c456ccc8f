"""The held desk as pages: the reason in words, the buttons, the mistakes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import guard
from portal.actors import Role, system
from portal.clock import now
from portal.db import close, new_id, transaction
from portal.delivery import crew, ledger, service
from portal.delivery.models import OutboxItem, WorkerSeen
from portal.delivery.routes import bp
from portal.delivery.states import Kind, Reason
from tests import make
from tests.conftest import csrf

from .make import bundle, lifted


@pytest.fixture
def desk(app: Flask) -> Flask:
    if "delivery" not in app.blueprints:
        guard.open_room(app, bp, Role.FRONT_DESK, Role.CLINICIAN, Role.ADMINISTRATOR)
    return app


@pytest.fixture
def item(desk: Flask) -> OutboxItem:
    clinic = make.clinic()
    make.staff(clinic, Role.FRONT_DESK, "Sam Clerk", "sam@example.org")
    patient = make.patient(clinic, connection_id=new_id(), fhir_id="pat-1")
    return queued(clinic.id, patient.id, Reason.REFUSED, said=["invalid · <b>no such code</b>"])


def queued(clinic_id: str, patient_id: str, reason: Reason, **detail: object) -> OutboxItem:
    actor = system(clinic_id)
    made = service.enqueue(actor, clinic_id=clinic_id, patient_id=patient_id, submission_id=new_id(), bundle=bundle())
    with transaction():
        ledger.append(lifted(made), Kind.HELD, at=now(), by=actor, reason=reason, detail=detail)
    return made


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_a_clerk_reads_what_happened_what_is_certain_and_what_to_do(
    item: OutboxItem, sign_in: Callable[..., FlaskClient]
) -> None:
    item_id = item.id
    clerk = sign_in("sam@example.org")
    listed = text(clerk, "/desk/held")
    assert "Ana Morales" in listed and "refused the content" in listed
    page = text(clerk, f"/desk/held/{item_id}")
    assert "Nothing of this was added to the record." in page
    assert "Whose turn: Reviewer" in page
    assert "&lt;b&gt;no such code" in page and "<b>no such code" not in page
    assert "Not in the record" in page


def test_sending_again_puts_it_back_and_a_second_click_is_told_so(
    item: OutboxItem, sign_in: Callable[..., FlaskClient]
) -> None:
    item_id = item.id
    clerk = sign_in("sam@example.org")
    token = csrf(clerk, f"/desk/held/{item_id}")
    answer = clerk.post(f"/desk/held/{item_id}/send-again", data={"csrf_token": token})
    assert answer.status_code == 303
    assert "do not re-enter" in text(clerk, f"/desk/held/{item_id}")
    again = clerk.post(f"/desk/held/{item_id}/send-again", data={"csrf_token": token})
    assert again.status_code == 409
    assert "no longer on hold" in again.get_data(as_text=True)


def test_closing_without_a_reason_keeps_the_page_and_says_what_is_missing(
    item: OutboxItem, sign_in: Callable[..., FlaskClient]
) -> None:
    item_id = item.id
    clerk = sign_in("sam@example.org")
    token = csrf(clerk, f"/desk/held/{item_id}")
    answer = clerk.post(f"/desk/held/{item_id}/close", data={"csrf_token": token, "reason": " "})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "There is a problem" in page and 'href="#reason"' in page
    answer = clerk.post(f"/desk/held/{item_id}/close", data={"csrf_token": token, "reason": "entered by hand"})
    assert answer.status_code == 303
    assert "entered by hand" in text(clerk, f"/desk/held/{item_id}")
    assert "Nothing is held" in text(clerk, "/desk/held")


def test_everything_with_one_reason_goes_back_with_one_button(
    item: OutboxItem, sign_in: Callable[..., FlaskClient]
) -> None:
    clinic_id, patient_id = item.clinic_id, item.patient_id
    queued(clinic_id, patient_id, Reason.REFUSED)
    close()
    clerk = sign_in("sam@example.org")
    assert "Check and send these 2 again" in text(clerk, "/desk/held")
    token = csrf(clerk, "/desk/held")
    assert clerk.post("/desk/held", data={"csrf_token": token, "reason": "nonsense"}).status_code == 303
    assert len(service.held(_clerk(clinic_id))) == 2
    assert clerk.post("/desk/held", data={"csrf_token": token, "reason": "refused"}).status_code == 303
    assert "Nothing is held" in text(clerk, "/desk/held")


def _clerk(clinic_id: str) -> guard.Actor:
    return guard.Actor(Role.FRONT_DESK, clinic_id)


@pytest.mark.parametrize("path", ["/desk/held", "/desk/held/0000000000000000"])
def test_a_patient_and_a_stranger_do_not_come_in(
    path: str, item: OutboxItem, desk: Flask, sign_in: Callable[..., FlaskClient]
) -> None:
    assert desk.test_client().get(path).status_code == 303
    clerk = sign_in("sam@example.org")
    assert clerk.get("/desk/held/0000000000000000").status_code == 404


@pytest.mark.parametrize(
    ("reason", "first", "second"),
    [
        (Reason.REFUSED, "Review it again", "Check and send again"),
        (Reason.CHANGED_MEANWHILE, "Review it again", "Check and send again"),
        (Reason.RECONNECT, "Check and send again", "Review it again"),
        (Reason.NOT_REACHED, "Check and send again", "Review it again"),
    ],
)
def test_the_first_button_is_the_step_that_the_words_name(
    item: OutboxItem, sign_in: Callable[..., FlaskClient], reason: Reason, first: str, second: str
) -> None:
    item_id = queued(item.clinic_id, item.patient_id, reason).id
    page = text(sign_in("sam@example.org"), f"/desk/held/{item_id}")
    assert 0 < page.index(first) < page.index(second)
    assert "Where in the record" not in page, "nothing of it is anywhere"


def test_the_desk_says_who_sends_and_when_nobody_does(item: OutboxItem, sign_in: Callable[..., FlaskClient]) -> None:
    clerk, worker = sign_in("sam@example.org"), crew.member()
    nobody = text(clerk, "/desk/held")
    assert "Nothing is being sent" in nobody and "the worker has to be started" in nobody
    worker.beat()
    close()
    page = text(clerk, "/desk/held")
    assert "Nothing is being sent" not in page and worker.name in page and "At work" in page
    with transaction() as current:
        current.query(WorkerSeen).one().seen_at = now() - timedelta(minutes=5)
    close()
    page = text(clerk, "/desk/held")
    assert "Nothing is being sent" in page and "No sign of life" in page
