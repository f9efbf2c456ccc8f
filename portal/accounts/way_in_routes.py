"""Pages of the way in beyond the password: the second step, passkeys, a link back in from the clinic."""

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal import guard
from portal.accounts import entering, notes, renewing
from portal.accounts import service as accounts
from portal.accounts.devices import Arrival
from portal.accounts.entering import Entered
from portal.accounts.forms import BirthDateForm
from portal.accounts.models import Clinic
from portal.accounts.passkeys import Asked, Site
from portal.accounts.renewing import Asks
from portal.errors import Gone, Issue, NotFound

bp = Blueprint("way_in", __name__)

WAITS, PASSKEY, KNOWN = "waits", "passkey", "known"
YEAR = 365 * 24 * 3600


def arrival() -> Arrival:
    """Who is at the door, as far as their browser tells."""
    known = request.cookies.get(_known_name())
    return Arrival(request.remote_addr or "", request.headers.get("User-Agent", "")[:300], known)


def site() -> Site:
    return Site(current_app.config["SETTINGS"].base_url)


def let_in(entered: Entered) -> Response:
    """Signed in, on to where they wanted to go; first of all they are told what changed about their account without them."""
    where = guard.next_path("/")
    guard.enter(entered.token)
    if notes.unread(guard.actor()):
        where = url_for("security.news", next=where)
    answer: Response = redirect(where, 303)  # type: ignore[assignment]
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    answer.set_cookie(_known_name(), entered.known, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
    return answer


def wait(entered: Entered) -> ResponseReturnValue:
    """The password was right; the second step is asked on a page of its own."""
    session[WAITS] = entered.waits
    return redirect(url_for("way_in.code", next=guard.next_path("") or None), 303)


def remember(asked: Asked) -> ResponseReturnValue:
    """What a passkey is asked, for the script; the session remembers which question it was."""
    session[PASSKEY] = asked.id
    return Response(asked.options, mimetype="application/json")


def answer_of_passkey() -> tuple[str, str]:
    """(which question, the answer): a question is asked once."""
    return session.pop(PASSKEY, ""), request.form.get("credential", "")


@bp.get("/sign-in/code")
def code() -> ResponseReturnValue:
    try:
        return _code_page([])
    except Gone:
        return redirect(url_for("door.sign_in"), 303)


@bp.post("/sign-in/code")
def give_code() -> ResponseReturnValue:
    entered = entering.by_code(session.get(WAITS), request.form.get("code", ""), arrival())
    if entered is None:
        return _code_page([Issue("code", "wrong", WRONG_CODE)]), 422
    return let_in(entered)


@bp.post("/at/<slug>/sign-in/passkey/ask")
def ask_passkey(slug: str) -> ResponseReturnValue:
    return remember(entering.ask_passkey(_clinic(slug).id, site(), arrival()))


@bp.post("/at/<slug>/sign-in/passkey")
def by_passkey(slug: str) -> ResponseReturnValue:
    question, answer = answer_of_passkey()
    entered = entering.by_passkey(_clinic(slug).id, question, answer, site(), arrival())
    if entered is None:
        said = _("That passkey did not open anything here. Try again, or sign in with your password.")
        return render_template("accounts/passkey_failed.html", sentence=said, slug=slug), 422
    return let_in(entered)


@bp.get("/back-in/<token>")
def back_in(token: str) -> ResponseReturnValue:
    return _back_in_page(_asks(token), [])


@bp.post("/back-in/<token>")
def renew(token: str) -> ResponseReturnValue:
    asks, born = _asks(token), BirthDateForm()
    issues = renewing.renew(
        token,
        request.form.get("code", ""),
        born.iso() if asks.birth_date else None,
        request.form.get("password", "")[:512],
        staff_need_two=_need_two(),
        arrival=arrival(),
    )
    if issues:
        renewing.asks(token, staff_need_two=_need_two())
        return _back_in_page(asks, issues), 422
    slug = accounts.clinic(asks.clinic_id).slug
    return redirect(url_for("door.sign_in", slug=slug, renewed=1), 303)


WRONG_CODE = "That code is not right, or it was used already. Wait for the next one and try again."


def _code_page(issues: list[Issue]) -> str:
    kinds = entering.second_step(session.get(WAITS))
    clinic = _speak_for(accounts.clinic(entering.clinic_of(session.get(WAITS))))
    return render_template("accounts/code.html", kinds=kinds, issues=issues, slug=clinic.slug, passkeys=site().offered)


def _back_in_page(asks: Asks, issues: list[Issue]) -> str:
    return render_template("accounts/back_in.html", asks=asks, issues=issues, typed=request.form)


def _asks(token: str) -> Asks:
    asks = renewing.asks(token, staff_need_two=_need_two())
    _speak_for(accounts.clinic(asks.clinic_id))
    return asks


def _clinic(slug: str) -> Clinic:
    found = next((each for each in accounts.clinics() if each.slug == slug), None)
    if found is None:
        raise NotFound
    return _speak_for(found)


def _speak_for(clinic: Clinic) -> Clinic:
    g.clinic_name, g.clinic_phone, g.zone = clinic.name, clinic.phone, clinic.timezone
    return clinic


def _need_two() -> bool:
    return bool(current_app.config["SETTINGS"].staff_need_two)


def _known_name() -> str:
    return f"__Host-{KNOWN}" if current_app.config["SESSION_COOKIE_SECURE"] else KNOWN
