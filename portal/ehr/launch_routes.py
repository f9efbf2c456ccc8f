"""The pages of signing in at the clinic's own system: from its sign-in page, from inside the EHR, and "connect my record"."""

import secrets
from urllib.parse import quote, urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal import guard
from portal.accounts import service as accounts
from portal.accounts import sessions
from portal.ehr import claiming, launching
from portal.ehr.authorize import WayOut
from portal.ehr.launch_models import CONNECT, FROM_EHR
from portal.ehr.launching import Visitor
from portal.errors import NotFound, Unreadable
from portal.pages import HEADERS

launch = Blueprint("launch", __name__)
claim = Blueprint("claim", __name__, url_prefix="/launch/claim")
connect = Blueprint("connect", __name__, url_prefix="/connect")

BROWSER = "launch"
POLICY = "Content-Security-Policy"


@launch.get("/launch")
@launch.get("/at/<slug>/launch")
def from_ehr(slug: str | None = None) -> ResponseReturnValue:
    """Opened inside an EHR (`iss` and `launch`): straight on to its sign-in, when an administrator knows it."""
    if any(len(request.args.getlist(name)) > 1 for name in ("iss", "launch")):
        raise Unreadable
    iss, launched = request.args.get("iss", ""), request.args.get("launch", "")
    if not iss:
        raise Unreadable
    clinic_id = _clinic_id(slug) if slug else None
    return redirect(launching.from_ehr(iss, launched, _visitor(), clinic_id).url)


@launch.post("/launch/sign-in/<connection_id>")
def sign_in(connection_id: str) -> ResponseReturnValue:
    """A patient wants to sign in at the clinic's system: a page that says so, with the way there."""
    name = _speak_for(connection_id)
    return _away(launching.sign_in(connection_id, _visitor()), name, connecting=False)


@launch.get("/launch/callback/<connection_id>")
def callback(connection_id: str) -> ResponseReturnValue:
    _speak_for(connection_id)
    live = guard.viewer()
    query = request.args.to_dict(flat=False)
    landed = launching.land(connection_id, query, session.get(BROWSER), live.actor if live else None)
    if landed.claim:
        return redirect(url_for("claim.ask", launch_id=landed.claim), 303)
    if landed.kind == CONNECT:
        return redirect(url_for("connect.home", connected=1), 303)
    if landed.session_token:
        if live is not None:
            sessions.end(live.actor, "replaced")
        guard.enter(landed.session_token)
    return redirect(_desk(landed.patient_id, landed.context) if landed.kind == FROM_EHR else "/visits", 303)


@claim.get("/<launch_id>")
def ask(launch_id: str) -> ResponseReturnValue:
    found = claiming.claim(guard.actor(), launch_id, session.get(BROWSER))
    return render_template("ehr/claim.html", claim=found)


@claim.post("/<launch_id>")
def answer(launch_id: str) -> ResponseReturnValue:
    patient_id = claiming.answer_claim(guard.actor(), launch_id, session.get(BROWSER))
    return redirect(_desk(patient_id), 303)


@connect.get("")
def home() -> ResponseReturnValue:
    """What a patient can connect, and how it stands."""
    return render_template(
        "ehr/connect.html",
        found=launching.standing(guard.actor()),
        connected="connected" in request.args,
        ended=request.args.get("ended", ""),
    )


@connect.post("/<connection_id>")
def begin(connection_id: str) -> ResponseReturnValue:
    way = launching.connect(guard.actor(), connection_id, _visitor())
    return _away(way, _speak_for(connection_id), connecting=True)


@connect.post("/<connection_id>/end")
def end(connection_id: str) -> ResponseReturnValue:
    told = launching.disconnect(guard.actor(), connection_id)
    return redirect(url_for(".home", ended="yes" if told else "here"), 303)


def _away(way: WayOut, name: str, *, connecting: bool) -> Response:
    """Our policy lets no form of ours lead anywhere else, redirects included: so the way out is a link, or this page's own form."""
    page = make_response(render_template("ehr/away.html", way=way, name=name, connecting=connecting))
    if way.by_post:
        there = urlsplit(way.address)
        page.headers[POLICY] = HEADERS[POLICY].replace(
            "form-action 'self'", f"form-action 'self' https: {there.scheme}://{there.netloc}"
        )
    return page


def _speak_for(connection_id: str) -> str:
    """The system's name; the page is its clinic's."""
    found = launching.place_of(connection_id)
    if found is None:
        raise NotFound
    clinic = accounts.clinic(found[1])
    g.clinic_name, g.clinic_phone, g.zone = clinic.name, clinic.phone, clinic.timezone
    return found[0]


def _visitor() -> Visitor:
    """This browser: a random word in its session cookie ties what goes out to what comes back."""
    if BROWSER not in session:
        session[BROWSER] = secrets.token_urlsafe(24)
    return Visitor(session[BROWSER], request.remote_addr or "", current_app.config["SETTINGS"].base_url)


def _clinic_id(slug: str) -> str:
    found = next((each.id for each in accounts.clinics() if each.slug == slug), None)
    if found is None:
        raise NotFound
    return found


def _desk(patient_id: str | None, context: tuple[str, ...] = ()) -> str:
    """The queue of the patient who was open; with `about`, the very answers where those were open in the record."""
    answers = next((each for each in context if each.startswith("QuestionnaireResponse/")), None)
    about = f"&about={quote(answers, safe='')}" if patient_id and answers else ""
    return f"/desk?show=all&patient={patient_id or 'nobody'}{about}"
