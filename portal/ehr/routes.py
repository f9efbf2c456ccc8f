"""The administrator's pages about the clinic's server, and the public address of our keys."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from werkzeug.exceptions import NotFound

from portal import guard
from portal.ehr import keys, service
from portal.ehr.forms import ConnectionForm, ReasonForm
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


def _page(connection_id: str, tested: service.Tested | None) -> ResponseReturnValue:
    shown = service.overview(guard.actor(), connection_id)
    return render_template("ehr/connection.html", shown=shown, tested=tested, said=service.for_staff(tested))


def _back(connection_id: str) -> ResponseReturnValue:
    return redirect(url_for(".connection", connection_id=connection_id), 303)
