"""The administrator's pages about the clinic's server, and the public address of our keys."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from werkzeug.exceptions import NotFound

from portal import guard
from portal.ehr import keys, registering, registration, service, users
from portal.ehr.forms import ConnectionForm, ReasonForm, ServiceForm, SigningForm, TieForm
from portal.errors import Issue
from portal.fhir import exact

bp = Blueprint("ehr", __name__, url_prefix="/admin/connections")
well_known = Blueprint("keys", __name__, url_prefix="/.well-known")

TEST = service.Limits(connect=3, read=8, total=10)


@well_known.get("/jwks.json")
def every_key() -> ResponseReturnValue:
    """Our public keys for all servers (SMART 2.2: readable without sign-in, cacheable)."""
    return _key_set(service.jwks())


@well_known.get("/jwks/<connection_id>.json")
def keys_of(connection_id: str) -> ResponseReturnValue:
    """The keys that one server needs, and no others: some servers fail on a set that mixes kinds."""
    found = service.jwks(connection_id)
    if not found["keys"]:
        raise NotFound
    return _key_set(found)


def _key_set(found: dict[str, object]) -> ResponseReturnValue:
    answer = Response(exact.dumps(found), mimetype="application/json")
    answer.headers["Cache-Control"] = f"public, max-age={keys.CACHE_SECONDS}"
    return answer


@bp.get("")
def connections() -> ResponseReturnValue:
    return render_template("ehr/connections.html", found=service.overviews(guard.actor()))


@bp.get("/new")
def new() -> ResponseReturnValue:
    return render_template("ehr/register.html", form=ConnectionForm(), issues=[])


@bp.post("/new")
def register() -> ResponseReturnValue:
    form = ConnectionForm()
    form.validate()
    issues = form.issues()
    if issues:
        return render_template("ehr/register.html", form=form, issues=issues), 422
    made = service.register(
        guard.actor(),
        name=form.text("name"),
        base_url=form.text("base_url"),
        client_id=form.text("client_id"),
        auth_origins=form.origins(),
    )
    return redirect(url_for(".connection", connection_id=made.id), 303)


@bp.get("/<connection_id>")
def connection(connection_id: str) -> ResponseReturnValue:
    return _page(connection_id, None)


@bp.post("/<connection_id>/test")
def test(connection_id: str) -> ResponseReturnValue:
    """Asks the server now and shows what came of it; asking again does no harm."""
    return _page(connection_id, service.test(guard.actor(), connection_id, TEST))


@bp.post("/<connection_id>/pause")
def pause(connection_id: str) -> ResponseReturnValue:
    service.pause(guard.actor(), connection_id, ReasonForm().text())
    return _back(connection_id)


@bp.post("/<connection_id>/resume")
def resume(connection_id: str) -> ResponseReturnValue:
    service.resume(guard.actor(), connection_id, ReasonForm().text())
    return _back(connection_id)


@bp.post("/<connection_id>/rotate")
def rotate(connection_id: str) -> ResponseReturnValue:
    service.rotate_keys(guard.actor(), connection_id)
    return _back(connection_id)


@bp.post("/<connection_id>/service")
def make_service(connection_id: str) -> ResponseReturnValue:
    """The system now knows Previsit as a service too, not only for people who sign in."""
    issues = service.make_service(guard.actor(), connection_id, ServiceForm().client_id.data or "")
    return (_page(connection_id, None, issues), 422) if issues else _back(connection_id)


@bp.post("/<connection_id>/confirm")
def confirm(connection_id: str) -> ResponseReturnValue:
    registering.confirm_as_it_is(guard.actor(), connection_id)
    return _back(connection_id)


@bp.get("/<connection_id>/sign-in")
def signing(connection_id: str) -> ResponseReturnValue:
    """How people sign in at this system, and who of the staff is who there."""
    return _signing(connection_id, [])


@bp.post("/<connection_id>/sign-in")
def set_signing(connection_id: str) -> ResponseReturnValue:
    form, known = SigningForm(), service.overview(guard.actor(), connection_id).signing
    issues = form.issues(has_secret=known is not None and known.secret_sealed is not None)
    if issues:
        return _signing(connection_id, issues, form), 422
    registration.register(
        guard.actor(),
        connection_id,
        client_id=form.client_id.data,
        method=form.method.data,
        secret=form.secret.data or "",
        for_patients="patients" in form.who.data,
        for_staff="staff" in form.who.data,
    )
    return redirect(url_for(".signing", connection_id=connection_id, saved=1), 303)


@bp.post("/<connection_id>/people")
def tie(connection_id: str) -> ResponseReturnValue:
    form = TieForm()
    issues = users.tie_by_hand(guard.actor(), connection_id, form.email.data or "", form.user.data or "")
    if issues:
        return _signing(connection_id, issues, tie=form), 422
    return redirect(url_for(".signing", connection_id=connection_id, saved=1), 303)


@bp.post("/<connection_id>/people/<tie_id>/end")
def untie(connection_id: str, tie_id: str) -> ResponseReturnValue:
    users.end(guard.actor(), connection_id, tie_id)
    return redirect(url_for(".signing", connection_id=connection_id, saved=1), 303)


def _signing(
    connection_id: str, issues: list[Issue], form: SigningForm | None = None, tie: TieForm | None = None
) -> str:
    actor = guard.actor()
    shown = service.overview(actor, connection_id)
    return render_template(
        "ehr/signing.html",
        shown=shown,
        ties=users.every(actor, connection_id),
        typed=_typed(shown, form),
        tie={"email": tie.email.data or "", "user": tie.user.data or ""} if tie else {"email": "", "user": ""},
        issues=issues,
        site=current_app.config["SETTINGS"].base_url,
        saved="saved" in request.args,
    )


def _typed(shown: service.Overview, form: SigningForm | None) -> dict[str, object]:
    """What stands in the form: what was typed, else what is kept. The secret is never shown again."""
    if form is not None:
        return {"client_id": form.client_id.data or "", "method": form.method.data or "", "who": form.who.data or []}
    kept = shown.signing
    if kept is None:
        return {"client_id": shown.client_id, "method": "private_key_jwt", "who": []}
    who = [name for name, may in (("patients", kept.for_patients), ("staff", kept.for_staff)) if may]
    return {"client_id": kept.client_id, "method": kept.method, "who": who}


def _page(connection_id: str, tested: service.Tested | None, issues: list[Issue] | None = None) -> str:
    shown = service.overview(guard.actor(), connection_id)
    said = service.for_staff(tested)
    return render_template("ehr/connection.html", shown=shown, tested=tested, said=said, issues=issues or [])


def _back(connection_id: str) -> ResponseReturnValue:
    return redirect(url_for(".connection", connection_id=connection_id), 303)
