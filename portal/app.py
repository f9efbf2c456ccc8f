"""The portal as a WSGI application: settings, database, guard, pages, then one line opening each room to its visitors."""

from dataclasses import replace
from datetime import timedelta

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import attention, db, guard, pages, settings
from portal.accounts import routes as accounts
from portal.accounts import service as accounts_service
from portal.accounts import sessions
from portal.actors import STAFF, Actor, Role
from portal.audit import routes as audit
from portal.audit import service as audit_service
from portal.audit.events import Event, Outcome
from portal.consent import routes as consent
from portal.delivery import routes as delivery
from portal.emergency import routes as emergency
from portal.emergency import service as emergencies
from portal.ehr import launch_routes, launching
from portal.ehr import routes as ehr
from portal.intake import routes as intake
from portal.intake import signing_routes, visits
from portal.labs import desk_routes as labs_desk
from portal.labs import routes as labs
from portal.publishing import preview_routes
from portal.publishing import routes as publishing
from portal.review import routes as review
from portal.settings import Settings

MOST_TYPED = 4 * 1024 * 1024
"""Bytes that may be typed in one form; the rest of a request is files."""
DESK = (Role.FRONT_DESK, Role.CLINICIAN, Role.ADMINISTRATOR)
PUBLISHERS = (Role.CLINICIAN, Role.ADMINISTRATOR)


def create_app(config: Settings | None = None) -> Flask:
    """The portal as a WSGI application; raises Misconfigured with a sentence when it cannot run safely."""
    config = config or settings.read()
    app = Flask("portal", static_folder=None, template_folder=str(pages.TEMPLATES))
    app.config.update(
        SECRET_KEY=config.keys.derived("cookies"),
        SESSION_COOKIE_NAME="__Host-previsit" if config.secure else "previsit",
        SESSION_COOKIE_SECURE=config.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=config.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=min(config.max_request_bytes, MOST_TYPED),
        MAX_FORM_PARTS=5_000,
        TRUSTED_HOSTS=list(config.trusted_hosts),
        WTF_CSRF_TIME_LIMIT=None,
        SETTINGS=config,
    )
    attention.check(config.attention)
    db.connect(config.database, config.keys)
    pages.install(app, config)
    guard.install(app, _doors(config))
    if config.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxy_hops, x_proto=config.proxy_hops)  # type: ignore[method-assign]
    _open_rooms(app)
    return app


def _open_rooms(app: Flask) -> None:
    guard.open_room(app, pages.pulse, Role.ANYONE)
    guard.open_room(app, accounts.door, Role.ANYONE)
    guard.open_room(app, accounts.me, Role.PATIENT, *STAFF)
    guard.open_room(app, audit.looked, Role.PATIENT)
    guard.open_room(app, audit.trail, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
    guard.open_room(app, intake.bp, Role.PATIENT)
    guard.open_room(app, signing_routes.bp, Role.PATIENT)
    guard.open_room(app, consent.bp, Role.PATIENT)
    consent.install(app, visits.visit)
    guard.open_room(app, labs.bp, Role.PATIENT)
    guard.open_room(app, labs_desk.bp, *DESK)
    guard.open_room(app, labs_desk.quality, Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.CLINICIAN)
    guard.open_room(app, review.bp, *DESK)
    guard.open_room(app, emergency.bp, Role.CLINICIAN)
    guard.open_room(app, emergency.checked, Role.PRIVACY_OFFICER)
    emergency.install(app)
    guard.open_room(app, delivery.bp, *DESK)
    guard.open_room(app, ehr.bp, Role.ADMINISTRATOR)
    guard.open_room(app, publishing.bp, *PUBLISHERS)
    guard.open_room(app, preview_routes.bp, *PUBLISHERS)
    guard.open_room(app, ehr.well_known, Role.ANYONE)
    guard.open_room(app, launch_routes.launch, Role.ANYONE)
    guard.open_room(app, launch_routes.claim, *STAFF)
    guard.open_room(app, launch_routes.connect, Role.PATIENT)
    app.jinja_env.globals["clinic_sign_ins"] = launching.offers


def _doors(config: Settings) -> guard.Doors:
    limits = sessions.Limits(
        staff_idle=timedelta(minutes=config.staff_idle_minutes),
        patient_idle=timedelta(minutes=config.patient_idle_minutes),
        absolute=timedelta(hours=config.absolute_hours),
    )

    def resume(token: str) -> guard.Live | str | None:
        found = sessions.resume(token, limits)
        if found is None or isinstance(found, sessions.Lapsed):
            return found.account_id if found else None
        return replace(found, actor=emergencies.acting(found.actor))

    return guard.Doors(resume, accounts_service.keep, _denied, "door.sign_in")


def _denied(actor: Actor, endpoint: str) -> None:
    with db.transaction():
        audit_service.record(actor, Event.ACCESS_DENIED, subject=f"page:{endpoint}"[:80], outcome=Outcome.MINOR)
