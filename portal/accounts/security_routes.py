"""Signing in and security: where I am signed in, my second steps, my password; and the proof that it is still me."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.accounts import factors, notes, overview, passwords, proving, qr, recovery_codes, renewing, sessions, totp
from portal.accounts import service as accounts
from portal.accounts.factors import Added
from portal.accounts.way_in_routes import answer_of_passkey, arrival, remember, site
from portal.actors import Actor
from portal.errors import Issue
from portal.settings import Settings

bp = Blueprint("security", __name__, url_prefix="/security")


@bp.get("")
def home() -> ResponseReturnValue:
    actor = guard.actor()
    now, before = overview.visits(actor, sessions.Limits.of(_settings()))
    return render_template(
        "security/home.html",
        now=now,
        before=before,
        factors=factors.of(str(actor.account_id)),
        codes=recovery_codes.left(str(actor.account_id)),
        told=notes.every(actor),
        passkeys=site().offered,
        kept=_last_stays(actor),
        done=request.args.get("done", ""),
    )


@bp.get("/set-up")
def set_up() -> ResponseReturnValue:
    """For who needs one; others choose on their own page whether they want a second step."""
    live = guard.viewer()
    if not guard.actor().is_staff and not (live and live.confined):
        return redirect(url_for(".home"), 303)
    return render_template("security/set_up.html", passkeys=site().offered)


@bp.get("/news")
def news() -> ResponseReturnValue:
    return render_template("security/news.html", told=notes.unread(guard.actor()), next=guard.next_path("/"))


@bp.post("/news")
def read_news() -> ResponseReturnValue:
    notes.read(guard.actor())
    return redirect(guard.next_path("/"), 303)


@bp.post("/sessions/end")
def end_one() -> ResponseReturnValue:
    overview.end_one(guard.actor(), request.form.get("session", ""))
    return redirect(url_for(".home", done="ended"), 303)


@bp.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    overview.end_others(guard.actor())
    return redirect(url_for(".home", done="ended"), 303)


@bp.get("/password")
def password() -> ResponseReturnValue:
    return _password_page([])


@bp.post("/password")
def change_password() -> ResponseReturnValue:
    actor, typed = guard.actor(), request.form.get("password", "")[:512]
    issues = renewing.change(actor, typed, staff_need_two=_settings().staff_need_two)
    if issues:
        return _password_page(issues), 422
    return redirect(url_for(".home", done="password"), 303)


@bp.post("/app/begin")
def begin_app() -> ResponseReturnValue:
    factors.begin_app(guard.actor())
    return redirect(url_for(".app"), 303)


@bp.get("/app")
def app() -> ResponseReturnValue:
    return _app_page([])


@bp.post("/app")
def confirm_app() -> ResponseReturnValue:
    added = factors.confirm_app(guard.actor(), request.form.get("code", ""))
    if added is None:
        return _app_page([Issue("code", "wrong", WRONG_FIRST_CODE)], 422)
    return _now_counts(added)


@bp.get("/passkey")
def passkey() -> ResponseReturnValue:
    return render_template("security/passkey.html", issues=[], offered=site().offered, name="")


@bp.post("/passkey/ask")
def ask_passkey() -> ResponseReturnValue:
    return remember(factors.ask_for_passkey(guard.actor(), site()))


@bp.post("/passkey")
def add_passkey() -> ResponseReturnValue:
    question, answer = answer_of_passkey()
    name = request.form.get("name", "")
    added = factors.add_passkey(guard.actor(), question, answer, name, site())
    if added is None:
        issues = [Issue("name", "wrong", NOT_MADE)]
        return render_template("security/passkey.html", issues=issues, offered=site().offered, name=name), 422
    return _now_counts(added)


@bp.post("/factors/remove")
def remove() -> ResponseReturnValue:
    actor = guard.actor()
    gone = factors.remove(actor, request.form.get("factor", ""), last_stays=_last_stays(actor))
    return redirect(url_for(".home", done="removed" if gone else "last"), 303)


@bp.post("/recovery-codes")
def new_codes() -> ResponseReturnValue:
    return render_template("security/codes.html", codes=factors.new_codes(guard.actor()))


@bp.get("/prove")
def prove() -> ResponseReturnValue:
    return _prove_page([])


@bp.post("/prove")
def proved() -> ResponseReturnValue:
    typed = (request.form.get("password", "")[:512], request.form.get("code", ""))
    token = proving.by_password(guard.actor(), *typed, arrival())
    return _go_on(token)


@bp.post("/prove/passkey/ask")
def ask_proof() -> ResponseReturnValue:
    return remember(proving.ask_passkey(guard.actor(), site()))


@bp.post("/prove/passkey")
def proved_by_passkey() -> ResponseReturnValue:
    return _go_on(proving.by_passkey(guard.actor(), *answer_of_passkey(), site()))


WRONG_FIRST_CODE = (
    "That is not the code the app shows now. Check that your phone’s time is right, and try the next code."
)
NOT_MADE = "The passkey could not be made. Try again, or use an authenticator app."
NOT_YOU = "That is not right. Check what you typed and try again."


def _go_on(token: str | None) -> ResponseReturnValue:
    if token is None:
        return _prove_page([Issue("password", "wrong", NOT_YOU)]), 422
    guard.go_on(token)
    return redirect(guard.next_path(url_for(".home")), 303)


def _now_counts(added: Added) -> ResponseReturnValue:
    guard.go_on(added.token)
    if added.codes:
        return render_template("security/codes.html", codes=added.codes)
    return redirect(url_for(".home", done="added"), 303)


def _prove_page(issues: list[Issue]) -> str:
    kinds = factors.kinds(str(guard.actor().account_id))
    wanted = guard.next_path(url_for(".home"))
    return render_template("security/prove.html", issues=issues, kinds=kinds, next=wanted, passkeys=site().offered)


def _password_page(issues: list[Issue]) -> str:
    shortest = passwords.shortest(guard.actor().role, staff_need_two=_settings().staff_need_two)
    return render_template("security/password.html", issues=issues, shortest=shortest)


def _app_page(issues: list[Issue], status: int = 200) -> ResponseReturnValue:
    actor = guard.actor()
    waiting = totp.pending(str(actor.account_id))
    if waiting is None:
        return redirect(url_for(".home"), 303)
    account = factors.account_of(actor)
    address = totp.address(waiting, account.profile["email"], f"Previsit {accounts.clinic(actor.clinic_id).name}")
    secret = waiting.held["secret"]
    spaced = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    page = render_template("security/app.html", issues=issues, picture=qr.picture(address), secret=spaced)
    return page, status


def _last_stays(actor: Actor) -> bool:
    return _settings().staff_need_two if actor.is_staff else _settings().patients_need_two


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found
