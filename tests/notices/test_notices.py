"""Who is written to and when, what a message says and never says, what becomes of it, and how it is stopped."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal import sealing
from portal.accounts import service as accounts
from portal.accounts.models import Clinic, Patient
from portal.actors import Role, system
from portal.audit.models import AuditRow
from portal.db import session, transaction
from portal.errors import Misconfigured, NotAllowed, NotFound
from portal.intake import service as intake
from portal.intake.models import Visit
from portal.notices import mail, planning, sending, service
from portal.notices.models import Kind, NoReminders, Notice, State
from portal.notices.planning import Quiet
from portal.settings import Settings, read
from tests import make
from tests.accounts import proxying
from tests.conftest import csrf
from tests.house.settling import send
from tests.notices.postman import certificate, mail_server
from tests.ports import dead_port
from tests.review.conftest import World
from tests.review.conftest import world as world  # the fixture

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Box:
    """A way out that keeps what it gets, or raises what it is told to."""

    got: list[EmailMessage] = field(default_factory=list)
    fault: Exception | None = None

    def send(self, message: EmailMessage) -> None:
        if self.fault:
            raise self.fault
        self.got.append(message)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def clinic(app: Flask) -> Clinic:
    return make.clinic()


def run(config: Settings, box: mail.Post) -> int:
    return service.run(replace(config, mail_from="visits@example.org"), box)


def kinds(*states: State) -> list[str]:
    rows = session().query(Notice).order_by(Notice.made_at)
    return [row.kind for row in rows if not states or row.state in states]


def person(clinic: Clinic, name: str = "Ana Morales", **more: str | None) -> Patient:
    return make.patient(clinic, name, **{"email": f"{name.split()[0].lower()}@example.org", **more})


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


# -- who and when ------------------------------------------------------------------------------------------------------


def test_from_the_invitation_to_the_reminders_nobody_is_told_twice(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        ana = person(clinic)
        make.visit(ana, in_days=20)
        assert run(config, box) == 0, "too early"
        clock.shift(timedelta(days=7))
        assert run(config, box) == 1
        clock.shift(timedelta(days=1))
        assert run(config, box) == 0
        make.patient_account(ana)
        clock.shift(timedelta(days=5, hours=1))  # 7 days before
        assert run(config, box) == 1
        assert run(config, box) == 0
        clock.shift(timedelta(days=5))  # 2 days before
        assert run(config, box) == 1
        clock.shift(timedelta(days=1))
        assert run(config, box) == 0
    assert kinds() == ["invitation", "reminder", "reminder"]
    assert [message["To"] for message in box.got] == ["ana@example.org"] * 3


def test_several_visits_in_a_week_ask_once(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = person(clinic)
        for days in (8, 9, 10):
            make.visit(ana, in_days=days, appointment_id=str(days))
        assert run(config, box) == 1


def test_somebody_with_an_account_is_asked_to_prepare_a_new_visit(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = person(clinic, email=None)
        make.patient_account(ana, "own@example.org")
        make.visit(ana, in_days=10)
        assert run(config, box) == 1
    assert kinds() == ["asked"]
    assert box.got[0]["To"] == "own@example.org"
    assert "http://localhost/visits\n" in text(box.got[0])


def test_who_answers_for_a_child_is_asked_instead_of_the_child_until_their_time_is_over(
    config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        noah = make.patient(clinic, "Noah Bennett", birthDate="2018-05-14", email="family@example.org")
        proxying.proxy(noah, email="father@example.org", relation="parent", scope=("forms",), until="2026-12-20")
        make.visit(noah, in_days=10)
        assert run(config, box) == 1
        clock.shift(timedelta(days=20))
        make.visit(noah, in_days=10, appointment_id="later")
        assert run(config, box) == 1
        clock.shift(timedelta(days=10))
        make.visit(noah, in_days=10, appointment_id="after")
        run(config, box)
    assert [str(message["To"])[:6] for message in box.got] == ["father", "father", "family"]


@pytest.mark.parametrize("state", ["cancelled", "over", "soon", "far"])
def test_nobody_is_asked_about_a_visit_that_needs_nothing_now(
    state: str, config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False):
        visit = make.visit(person(clinic), in_days={"over": -1.0, "soon": 0.1, "far": 15.0}.get(state, 3.0))
        if state == "cancelled":
            with transaction():
                session().get_one(Visit, visit.id).state = "cancelled"
        assert run(config, box) == 0


def test_who_has_sent_is_not_reminded_and_who_is_asked_something_is_told_once(
    world: World, config: Settings, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False):
        make.patient_account(world.patient)
        submission = world.submit()
        assert run(config, box) == 0
        move(world, submission, "in-review")
        move(world, submission, "returned")
        assert run(config, box) == 1
        assert run(config, box) == 0
    assert kinds() == ["returned"]


def move(world: World, submission_id: str, to: str) -> None:
    actor = world.actor()
    with transaction():
        intake.move(actor, intake.submission(actor, submission_id), intake.Status(to), {"by": "Dr Lee"})


def test_what_happened_long_ago_is_no_news_when_messages_are_switched_on(
    world: World, config: Settings, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make.patient_account(world.patient)
        submission = world.submit()
        move(world, submission, "in-review")
        move(world, submission, "returned")
        clock.shift(planning.FRESH + timedelta(hours=1))
        run(config, box)
    assert "returned" not in kinds()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23T20:59", "2026-11-23T20:59"),
        ("2026-11-23T21:00", "2026-11-24T08:00"),
        ("2026-11-24T02:00", "2026-11-24T08:00"),
        ("2026-11-24T07:59", "2026-11-24T08:00"),
        ("2026-11-24T08:00", "2026-11-24T08:00"),
        ("2026-03-28T23:30", "2026-03-29T08:00"),  # the clock changes in this night
    ],
)
def test_at_night_nothing_is_sent_that_can_wait(at: str, expected: str) -> None:
    zone = ZoneInfo("Europe/London")
    local, wanted = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (at, expected))
    assert Quiet(21, 8).after(local.astimezone(UTC), zone) == wanted


def test_quiet_hours_by_day_and_none_at_all() -> None:
    noon = NOON
    assert Quiet(0, 0).after(noon, ZoneInfo("UTC")) == noon
    assert Quiet(11, 14).after(noon, ZoneInfo("UTC")).hour == 14


def test_a_message_planned_at_night_goes_in_the_morning(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON.replace(hour=23), tick=False) as clock:
        make.visit(person(clinic), in_days=10)
        assert run(config, box) == 0
        clock.shift(timedelta(hours=9, minutes=1))
        assert run(config, box) == 1


@pytest.mark.parametrize("after", ["joined", "cancelled", "stopped", "sent"])
def test_what_is_no_longer_needed_is_dropped_before_it_is_sent(
    after: str, config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON.replace(hour=23), tick=False) as clock:
        ana = person(clinic)
        if after in {"stopped", "sent"}:
            make.patient_account(ana)
        visit = make.visit(ana, in_days=10)
        run(config, box)
        if after == "joined":
            make.patient_account(ana)
        elif after == "stopped":
            service.stop(service.stop_token(ana.id))
        elif after == "cancelled":
            with transaction():
                session().get_one(Visit, visit.id).state = "cancelled"
        else:
            send(visit, ana, "mark", "0" * 16)
        clock.shift(timedelta(hours=10))
        planned = session().query(Notice).one()
        sending.send_due(office(box))
        assert planned.state == State.DROPPED
    assert not box.got


def office(box: mail.Post) -> sending.Office:
    return sending.Office(box, "visits@example.org", "http://localhost", 14, service.stop_token)


# -- what it says --------------------------------------------------------------------------------------------------


CANARIES = ("Kestrelina", "Morales-Osprey", "1985-03-27", "Lapwing surgery", "Dr Heron", "kestrel-answer", "metformin")


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_message_never_says_who_or_what(
    kind: Kind, language: str, config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = make.patient(clinic, "Kestrelina Morales-Osprey", email="k@example.org", language=language)
        visit = make.visit(ana, in_days=5)
        with transaction() as current:
            session().get_one(Visit, visit.id).detail = {"what": "Lapwing surgery", "with": "Dr Heron", "where": None}
            current.add(planning._notice(system(clinic.id), kind, "x:y", visit.id, ana.id))
        letter = sending._letter(
            office(box), system(clinic.id), session().query(Notice).one(), sending.Reach("k@example.org", language, False)
        )
    made = mail.written(letter)
    whole = made.as_string() + "".join(str(part.get_content()) for part in made.walk() if not part.is_multipart())
    for canary in CANARIES:
        assert canary.lower() not in whole.lower()
        assert base64.b64encode(canary.encode()).decode()[:-4] not in whole
    assert ana.id not in re.sub(r"/messages/stop/\S+", "", whole)
    assert visit.id not in whole
    assert made["Content-Language"] == (language if language != "fr" else "en")


def test_only_what_can_be_stopped_says_how(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        ana = person(clinic)
        make.patient_account(ana)
        make.visit(ana, in_days=10)
        make.visit(person(clinic, "Ben Adu"), in_days=10, appointment_id="b")
        run(config, box)
    asked, invited = sorted(box.got, key=lambda each: str(each["To"]))
    assert asked["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(asked["List-Unsubscribe"]).startswith("<http://localhost/messages/stop/")
    assert invited["List-Unsubscribe"] is None


def test_an_odd_name_of_a_clinic_or_address_adds_no_header(config: Settings, app: Flask, box: Box) -> None:
    odd = make.clinic("odd", "Bad\r\nBcc: everybody@example.org <b>&")
    with time_machine.travel(NOON, tick=False):
        make.visit(person(odd, email="x@example.org\r\nBcc: y@example.org"), in_days=10)
        make.visit(person(odd, "Ben Adu", email="not an address"), in_days=10, appointment_id="b")
        make.visit(person(odd, "Cai Dee", email="c@example.org"), in_days=10, appointment_id="c")
        run(config, box)
    assert all(message["Bcc"] is None for message in box.got)
    assert kinds(State.FAILED).count("invitation") >= 2
    for message in box.got:
        html = message.get_body(("html",))
        assert html is not None
        assert "<b>" not in str(html.get_content())


# -- what becomes of it ------------------------------------------------------------------------------------------------


def test_no_address_and_a_refused_one_are_told_to_staff(
    config: Settings, clinic: Clinic, box: Box, sign_in: Callable[..., FlaskClient]
) -> None:
    with time_machine.travel(NOON, tick=False):
        make.visit(person(clinic, email=None), in_days=10)
        run(config, box)
        box.fault = mail.NotTaken()
        make.visit(person(clinic, "Ben Adu"), in_days=10, appointment_id="b")
        run(config, box)
    rows = service.listed(make.staff_actor(make.staff(clinic, Role.FRONT_DESK, "Sam")))
    assert {(row.name, row.why) for row in rows} == {
        ("Ana Morales", sending.NO_ADDRESS),
        ("Ben Adu", sending.NOT_TAKEN),
    }
    make.staff(clinic, Role.FRONT_DESK, "Jo", "jo@example.org")
    page = sign_in("jo@example.org").get("/desk/messages").text
    assert sending.NOT_TAKEN in page
    assert "ben@example.org" in page


def test_a_server_that_is_away_is_tried_again_for_two_days(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make.visit(person(clinic), in_days=13)
        box.fault = mail.NotNow()
        run(config, box)
        tries = 0
        notice = session().query(Notice).one()
        while notice.state == State.WAITING:
            clock.shift(timedelta(minutes=61))
            run(config, box)
            tries += 1
            assert tries < 100
        assert (notice.state, notice.detail["why"]) == (State.FAILED, sending.TOO_LONG)
        assert 40 < notice.tries < 60


def test_a_worker_that_died_with_a_message_in_hand_leaves_it_to_the_next_with_the_same_id(
    config: Settings, clinic: Clinic, box: Box
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make.visit(person(clinic), in_days=10)
        box.fault = KeyboardInterrupt()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            run(config, box)
        box.fault = None
        assert run(config, box) == 0, "another worker may still have it in hand"
        clock.shift(sending.STUCK + timedelta(seconds=1))
        assert run(config, box) == 1
        assert box.got[0]["Message-ID"] == f"<{session().query(Notice).one().id}@localhost>"


def test_what_was_sent_is_written_down_where_the_patient_reads_it(config: Settings, clinic: Clinic, box: Box) -> None:
    with time_machine.travel(NOON, tick=False):
        make.visit(person(clinic), in_days=10)
        run(config, box)
    rows = session().query(AuditRow).filter_by(event="message-sent").all()
    assert [row.patient_id for row in rows] == [session().query(Patient).one().id]


# -- by hand, stopped ------------------------------------------------------------------------------------------------


def test_the_front_desk_sends_an_invitation_by_hand_at_any_hour_and_its_link_works(
    config: Settings, clinic: Clinic, box: Box, sign_in: Callable[..., FlaskClient]
) -> None:
    ana = person(clinic)
    visit, ana_id = make.visit(ana, in_days=40).id, ana.id
    make.staff(clinic, Role.FRONT_DESK, "Jo", "jo@example.org")
    client = sign_in("jo@example.org")
    form = {"csrf_token": csrf(client, "/desk/messages")}
    for _ in range(2):
        assert client.post(f"/desk/messages/invite/{visit}", data=form).status_code == 303
    assert client.post(f"/desk/messages/invite/{'0' * 16}", data=form).status_code == 404
    assert run(config, box) in {1, 2}  # two when the minute changed in between
    link = re.search(r"http://localhost/join/(\S+)", text(box.got[0]))
    assert link
    assert accounts.invitation(link[1]).patient_id == ana_id
    with pytest.raises(NotAllowed):
        service.invite(make.staff_actor(make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")), visit)


def test_reminders_are_stopped_with_the_link_alone_and_wanted_again_by_the_person(
    config: Settings, clinic: Clinic, client: FlaskClient, sign_in: Callable[..., FlaskClient]
) -> None:
    ana = person(clinic)
    make.patient_account(ana)
    path = f"/messages/stop/{service.stop_token(ana.id)}"
    for _ in range(3):
        assert client.get(path).status_code == 200
    assert session().get(NoReminders, ana.id) is None, "looking stopped them"
    for _ in range(2):
        assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    session().expire_all()
    assert session().get(NoReminders, ana.id) is not None
    mine = sign_in("ana@example.org")
    page = mine.get("/messages").text
    assert "You get no reminders." in page
    form = {"csrf_token": csrf(mine, "/messages"), "wanted": "yes"}
    assert mine.post("/messages/reminders", data=form).status_code == 303
    assert "You get no reminders." not in mine.get("/messages").text


@pytest.mark.parametrize("token", ["x", "a.b", "%00", "InBhdGllbnQi.forged", "é"])
def test_a_link_that_is_not_ours_stops_nothing(token: str, clinic: Clinic, client: FlaskClient) -> None:
    assert client.get(f"/messages/stop/{quote(token)}").status_code == 404
    assert client.post(f"/messages/stop/{quote(token)}").status_code == 404


def test_a_token_for_stopping_is_no_key_to_anything_else(clinic: Clinic) -> None:
    token = service.stop_token(person(clinic).id)
    with pytest.raises(NotFound):
        service.check(token + "x")


# -- the ways out ------------------------------------------------------------------------------------------------------


def settings_with(tmp_path: Path, **environ: str) -> Settings:
    if not (tmp_path / "keys.json").exists():
        sealing.create(tmp_path / "keys.json")
    given = {
        "PREVISIT_INSTANCE": str(tmp_path),
        "PREVISIT_BASE_URL": "https://intake.example.org",
        "PREVISIT_CONSENT_DEFAULT": "deny",
        "PREVISIT_MAIL_FROM": "visits@example.org",
    }
    return read({**given, **environ})


@pytest.mark.parametrize(
    "address",
    ["smtp://mail.example.org", "http://mail.example.org", "smtps://", "mail.example.org:25", "smtp://10.0.0.1"],
)
def test_mail_without_encryption_to_another_machine_is_refused_at_start(address: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_MAIL "):
        settings_with(tmp_path, PREVISIT_MAIL=address)


@pytest.mark.parametrize("hours", ["21", "21-24", "a-b", "21-8-9", "-1-8", "²-8"])
def test_quiet_hours_that_are_none_are_refused_at_start(hours: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_QUIET_HOURS"):
        settings_with(tmp_path, PREVISIT_QUIET_HOURS=hours)


def test_a_mail_server_needs_a_sender(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PREVISIT_MAIL_FROM"):
        settings_with(tmp_path, PREVISIT_MAIL="smtps://mail.example.org", PREVISIT_MAIL_FROM="")


def test_without_a_mail_server_nothing_is_sent(tmp_path: Path) -> None:
    assert mail.post(settings_with(tmp_path)) is None


LETTER = mail.Letter(
    "abc",
    Kind.REMINDER,
    "ana@example.org",
    "es",
    "Riverside",
    "020",
    "https://x.example/visits",
    "https://x.example/s",
    "v@example.org",
)


def test_over_an_encrypted_line_with_a_name_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mail_server(context) as server:
        way = mail.post(settings_with(tmp_path, PREVISIT_MAIL=f"smtp+starttls://clinic:p%40ss@127.0.0.1:{server.port}"))
        assert way is not None
        way.send(mail.written(LETTER))
    assert [message["Subject"] for message in server.got] == ["Se acerca su cita en Riverside"]
    assert server.encrypted == [True]
    assert base64.b64decode(server.logins[0].split()[-1]) == b"\0clinic\0p@ss"


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with mail_server(context) as server, pytest.raises(mail.NotNow):
        mail.SmtpPost("127.0.0.1", server.port, "", "", "starttls").send(mail.written(LETTER))
    assert not server.got


def test_a_server_that_offers_no_encryption_gets_nothing(tmp_path: Path) -> None:
    with mail_server() as server, pytest.raises(mail.NotTaken):
        mail.SmtpPost("127.0.0.1", server.port, "", "", "starttls").send(mail.written(LETTER))
    assert not server.got


@pytest.mark.parametrize(
    ("command", "answer", "meaning"),
    [
        ("RCPT", "550 no such person", mail.NotTaken),
        ("RCPT", "450 full", mail.NotNow),
        ("MAIL", "451 busy", mail.NotNow),
        ("EHLO", "421 closing", mail.NotNow),
        (".", "554 no", mail.NotTaken),
        (".", "452 later", mail.NotNow),
        ("DATA", "451 later", mail.NotNow),
    ],
)
def test_what_a_server_answers_is_understood(command: str, answer: str, meaning: type[Exception]) -> None:
    with mail_server() as server:
        server.replies = {command: answer}
        if command == "EHLO":
            server.replies["HELO"] = answer
        with pytest.raises(meaning):
            mail.SmtpPost("127.0.0.1", server.port, "", "", "").send(mail.written(LETTER))


def test_a_line_that_breaks_or_nobody_at_the_other_end_is_tried_again() -> None:
    with mail_server() as server, pytest.raises(mail.NotNow):
        server.breaks = True
        mail.SmtpPost("127.0.0.1", server.port, "", "", "").send(mail.written(LETTER))
    with pytest.raises(mail.NotNow):
        mail.SmtpPost("127.0.0.1", dead_port(), "", "", "").send(mail.written(LETTER))


def test_the_demo_keeps_messages_in_a_folder_and_shows_them(tmp_path: Path) -> None:
    way = mail.FolderPost(tmp_path / "mail")
    way.send(mail.written(LETTER))
    way.send(mail.written(replace(LETTER, id="def")))
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 2
    assert not list((tmp_path / "mail").glob("*.part"))


def test_the_mailbox_page_is_the_demos_only(client: FlaskClient, clinic: Clinic) -> None:
    assert client.get("/mailbox").status_code == 404
