"""The front door (sign in, use an invitation) and what a signed-in person does with their own account."""

from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal import guard
from portal.accounts import answering, entering, service, sessions
from portal.accounts.forms import JoinForm, ProveForm, SignInForm
from portal.accounts.models import Clinic
from portal.accounts.way_in_routes import arrival, let_in, site, wait
from portal.actors import Role
from portal.errors import Gone, Issue, NotFound
from portal.pages import remember_language

door = Blueprint("door", __name__)
me = Blueprint("me", __name__)

HOMES = {
    Role.PATIENT: "/visits",
    Role.PROXY: "/visits",
    Role.FRONT_DESK: "/desk",
    Role.CLINICIAN: "/desk",
    Role.ADMINISTRATOR: "/desk",
    Role.PRIVACY_OFFICER: "/audit",
    Role.AUDITOR: "/audit",
}


ALL_BUT_ONE = 4
"""Wrong tries after which one more ends an invitation, which its page then says."""
WRONG_PROOF = "The code or the date of birth is not right. Check both and try again."
WRONG_AGAIN = (
    "The code or the date of birth is still not right. One more wrong try ends this link: better call your clinic."
)


@door.get("/")
def home() -> ResponseReturnValue:
    live = guard.viewer()
    if live and answering.undecided(live.actor):
        return redirect(url_for("answering.whom"))
    return redirect(HOMES[live.actor.role] if live else url_for("door.sign_in"))


@door.route("/sign-in", methods=["GET", "POST"])
@door.route("/at/<slug>/sign-in", methods=["GET", "POST"])
def sign_in(slug: str | None = None) -> ResponseReturnValue:
    clinic = _clinic(slug)
    if clinic is None:
        return render_template("accounts/clinics.html", clinics=service.clinics())
    form, problem = SignInForm(), None
    if form.validate_on_submit():
        settings = current_app.config["SETTINGS"]
        need = {"staff_need_two": settings.staff_need_two, "patients_need_two": settings.patients_need_two}
        entered = entering.by_password(clinic.id, form.email.data, form.password.data, arrival(), **need)
        if entered:
            return let_in(entered) if entered.token else wait(entered)
        problem = Issue("email", "wrong", _("The e-mail address or the password is not right."))
    return render_template(
        "accounts/sign_in.html", form=form, problem=problem, clinic=clinic, passkeys=site().offered, told=_told()
    ), 422 if form.is_submitted() else 200


@door.route("/join/<token>", methods=["GET", "POST"])
def join(token: str) -> ResponseReturnValue:
    _clinic_of(token)
    form, issues = ProveForm(), list[Issue]()
    if form.validate_on_submit():
        birth_date, code = form.iso(), form.code.data or ""
        if not code.strip():
            issues.append(Issue("code", "required", "Enter the code that the clinic gave you."))
        if not birth_date:
            issues.append(
                Issue("day", "wrong", "Enter your date of birth with day, month and year, for example 27 3 1985.")
            )
        elif not issues:
            proof = service.prove(token, code, birth_date, arrival())
            if proof:
                session["proof"] = proof
                return redirect(url_for("door.join_account", token=token), 303)
            once_more = service.invitation(token).failures < ALL_BUT_ONE
            issues.append(Issue("code", "wrong", WRONG_PROOF if once_more else WRONG_AGAIN))
    return render_template("accounts/join.html", form=form, issues=issues), 422 if form.is_submitted() else 200


@door.route("/join/<token>/account", methods=["GET", "POST"])
def join_account(token: str) -> ResponseReturnValue:
    _clinic_of(token)
    proof = session.get("proof")
    if not service.proved(token, proof):
        return redirect(url_for("door.join", token=token), 303)
    form, issues = JoinForm(), list[Issue]()
    if form.validate_on_submit():
        two = current_app.config["SETTINGS"].patients_need_two
        typed = form.email.data, form.password.data, _language(), _not_chosen()
        joined = service.join(token, proof, *typed, need_two=two)
        if joined.token:
            sessions.seen_from(joined.token, arrival().device)
            guard.enter(joined.token)
            return redirect("/visits", 303)
        issues = joined.issues
    return render_template("accounts/join_account.html", form=form, issues=issues), 422 if form.is_submitted() else 200


ABOUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "accessibility": (
        "Accessibility",
        (
            "You can use every page here with a keyboard, with a screen reader, enlarged to 400 per cent and without JavaScript.",
            "We test each page against the Web Content Accessibility Guidelines (WCAG) 2.2, level AA.",
            "If something does not work for you, call your clinic: they can take your answers on the phone.",
        ),
    ),
    "privacy": (
        "Privacy",
        (
            "What you write is kept by your clinic on its own system, encrypted. Nothing is sent to anybody else by this site.",
            "It reaches your medical record only after a person at your clinic has read and accepted it.",
            "You can see at any time who opened your information, and take back a consent as easily as you gave it.",
            "This site sets one cookie, to keep you signed in, and one more if you choose a language.",
        ),
    ),
}


@door.get("/<any(accessibility, privacy):topic>")
def about(topic: str) -> ResponseReturnValue:
    _clinic(None)
    title, paragraphs = ABOUT[topic]
    return render_template("accounts/about.html", title=title, paragraphs=paragraphs)


@door.post("/language")
def language() -> ResponseReturnValue:
    """The language of the pages from now on, in this browser."""
    chosen = request.form.get("language", "")
    answer: Response = redirect(guard.next_path("/"), 303)
    return remember_language(answer, chosen) if chosen in current_app.config["SETTINGS"].languages else answer


@me.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    sessions.end(guard.actor())
    guard.leave()
    answer: Response = redirect(url_for("door.sign_in"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@me.post("/still-here")
def still_here() -> ResponseReturnValue:
    """The person pressed "Stay signed in"; being heard is enough (the guard has noted it)."""
    left = guard.time_left()
    return "", 204, {"X-Session-Left": str(int(left.total_seconds())) if left else "0"}


def _told() -> str:
    """Why somebody is here: ended, renewed, or for no other reason than to sign in."""
    return next((each for each in ("ended", "renewed") if each in request.args), "")


def _clinic(slug: str | None) -> Clinic | None:
    known = service.clinics()
    found = next((each for each in known if each.slug == slug), None) if slug else known[0] if len(known) == 1 else None
    if slug and found is None:
        raise NotFound
    if found:
        _speak_for(found)
    return found


def _clinic_of(token: str) -> None:
    try:
        _speak_for(service.clinic(service.invitation(token).clinic_id))
    except Gone:
        _clinic(None)
        raise


def _speak_for(clinic: Clinic) -> None:
    g.clinic_name, g.clinic_phone, g.zone = clinic.name, clinic.phone, clinic.timezone


def _language() -> str:
    return str(get_locale() or "en")


def _not_chosen() -> tuple[str, ...]:
    """The languages to choose from for somebody; none for who has chosen one in this browser."""
    offered: tuple[str, ...] = current_app.config["SETTINGS"].languages
    return () if request.cookies.get("language") in offered else offered
