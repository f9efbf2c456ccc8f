"""The portal as a WSGI application: settings, database, guard, pages, then one line opening each room to its visitors."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import attention, conversations, db, errors, guard, pages, settings
from portal.accounts import answering, naming, security_routes, sessions, staffing_routes, way_in_routes
from portal.accounts import proxy_routes as proxies
from portal.accounts import routes as accounts
from portal.accounts import service as accounts_service
from portal.actors import PATIENTS, STAFF, Actor, Permission, Role, Scope, who_may
from portal.audit import routes as audit
from portal.audit import service as audit_service
from portal.audit.events import Event, Outcome
from portal.consent import routes as consent
from portal.consent import service as consent_service
from portal.delivery import routes as delivery
from portal.ehr import launch_routes, launching
from portal.ehr import routes as ehr
from portal.emergency import routes as emergency
from portal.emergency import service as emergencies
from portal.intake import asking_routes, card_routes, changing_routes, signing_routes, visits
from portal.intake import routes as intake
from portal.labs import desk_routes as labs_desk
from portal.labs import routes as labs
from portal.measures import routes as measures
from portal.notices import routes as notices
from portal.publishing import preview_routes
from portal.publishing import routes as publishing
from portal.review import proxy_routes as proxy_desk
from portal.review import routes as review
from portal.review import tie_routes
from portal.settings import Settings

MOST_TYPED = 4 * 1024 * 1024
"""Bytes that may be typed in one form; the rest of a request is files."""
DESK, PUBLISHERS = who_may(Permission.SEE_QUEUE), who_may(Permission.SEE_FORMS)


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
    db.connect(config.database, config.keys, walled=True)
    pages.install(app, config)
    guard.install(app, _doors(config))
    if config.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxy_hops, x_proto=config.proxy_hops)  # type: ignore[method-assign]
    _open_rooms(app, config)
    _check_rooms(app)
    return app


def _open_rooms(app: Flask, config: Settings) -> None:
    guard.open_room(app, pages.pulse, Role.ANYONE)
    guard.open_room(app, accounts.door, Role.ANYONE)
    guard.open_room(app, way_in_routes.bp, Role.ANYONE)
    guard.open_room(app, accounts.me, *PATIENTS, *STAFF)
    guard.open_room(app, security_routes.bp, *PATIENTS, *STAFF)
    guard.open_room(app, staffing_routes.bp, *who_may(Permission.MANAGE_STAFF))
    guard.open_room(app, staffing_routes.help_bp, *who_may(Permission.INVITE))
    guard.open_room(app, proxies.whom_room, *PATIENTS)
    guard.open_room(app, proxies.helpers, Role.PATIENT)
    guard.open_room(app, proxies.helping, Role.ANYONE)
    guard.open_room(app, audit.looked, Role.PATIENT, proxy=Scope.CONSENTS)
    guard.open_room(app, audit.trail, *who_may(Permission.SEE_AUDIT))
    audit.install(
        app,
        audit.Lookups(naming.patients, naming.find, naming.one, accounts_service.take_kept, accounts_service.drop_kept),
    )
    guard.open_room(app, intake.bp, Role.PATIENT, proxy=Scope.FORMS)
    guard.open_room(app, changing_routes.bp, Role.PATIENT, proxy=Scope.FORMS)
    guard.open_room(app, card_routes.bp, Role.PATIENT, proxy=Scope.FORMS)
    guard.open_room(app, signing_routes.bp, Role.PATIENT, proxy=Scope.CONSENTS)
    guard.open_room(app, consent.bp, Role.PATIENT, proxy=Scope.CONSENTS)
    consent.install(app, visits.visit)
    guard.open_room(app, labs.bp, Role.PATIENT, proxy=Scope.RESULTS)
    guard.open_room(app, labs_desk.bp, *DESK)
    guard.open_room(app, labs_desk.quality, *who_may(Permission.SEE_QUALITY))
    guard.open_room(app, measures.bp, *who_may(Permission.SEE_MEASURES))
    guard.open_room(app, review.bp, *DESK)
    guard.open_room(app, tie_routes.bp, *who_may(Permission.MATCH))
    guard.open_room(app, tie_routes.corrected, *(STAFF - {Role.AUDITOR}))
    guard.open_room(app, proxy_desk.bp, *who_may(Permission.INVITE))
    guard.open_room(app, notices.bp, *DESK)
    guard.open_room(app, notices.stopping, Role.ANYONE)
    guard.open_room(app, notices.mine, Role.PATIENT)
    notices.install(app)
    if config.demo and config.mail == "folder":
        guard.open_room(app, notices.mailbox, Role.ANYONE)
    guard.open_room(app, emergency.bp, *who_may(Permission.BREAK_GLASS))
    guard.open_room(app, emergency.checked, *who_may(Permission.SEE_EMERGENCIES))
    emergency.install(app)
    guard.open_room(app, delivery.bp, *DESK)
    guard.open_room(app, ehr.bp, *who_may(Permission.MANAGE_CONNECTIONS))
    guard.open_room(app, publishing.bp, *PUBLISHERS)
    guard.open_room(app, asking_routes.bp, *PUBLISHERS)
    guard.open_room(app, preview_routes.bp, *PUBLISHERS)
    guard.open_room(app, ehr.well_known, Role.ANYONE)
    guard.open_room(app, launch_routes.launch, Role.ANYONE)
    guard.open_room(app, launch_routes.claim, *STAFF)
    guard.open_room(app, launch_routes.connect, Role.PATIENT)
    app.jinja_env.globals["clinic_sign_ins"] = launching.offers


def _doors(config: Settings) -> guard.Doors:
    limits = sessions.Limits.of(config)

    def resume(token: str) -> guard.Live | str | None:
        found = sessions.resume(token, limits)
        if found is None or isinstance(found, sessions.Lapsed):
            return found.account_id if found else None
        acting = emergencies.acting(found.actor)
        return replace(found, actor=answering.acting(acting) if found.answers else acting)

    return guard.Doors(
        resume,
        accounts_service.keep,
        _denied,
        "door.sign_in",
        "answering.whom",
        _owner,
        prove_endpoint="security.prove",
        proof_lasts=timedelta(minutes=config.proof_minutes),
        set_up_endpoint="security.set_up",
        confined_to=CONFINED_TO,
        fresh=FRESH,
    )


CONFINED_TO = frozenset(
    {
        "me.sign_out",
        "me.still_here",
        "security.prove",
        "security.proved",
        "security.ask_proof",
        "security.proved_by_passkey",
    }
    | {
        f"security.{each}"
        for each in ("set_up", "begin_app", "app", "confirm_app", "passkey", "ask_passkey", "add_passkey")
    }
)
"""All that a member of staff finds who has no second factor yet."""

FRESH: dict[str, str | None] = {
    "security.password": None,
    "security.change_password": "security.password",
    "security.begin_app": "security.home",
    "security.app": None,
    "security.confirm_app": "security.app",
    "security.passkey": None,
    "security.ask_passkey": "security.passkey",
    "security.add_passkey": "security.passkey",
    "security.remove": "security.home",
    "security.new_codes": "security.home",
    "staffing.hire": "staffing.listed",
    "staffing.way_back": "staffing.one",
    "staffing.give_role": "staffing.one",
    "staffing.suspend": "staffing.one",
    "staffing.restore": "staffing.one",
    "help.offer": "help.one_patient",
    "helpers.new": None,
    "helpers.offer": "helpers.new",
    "proxies.offer": "proxies.listed",
    "emergency.begin": "emergency.asked",
    "labs.downloaded": None,
    "trail.exported": None,
    "ehr.new": None,
    "ehr.register": "ehr.new",
    "ehr.pause": "ehr.connection",
    "ehr.resume": "ehr.connection",
    "ehr.rotate": "ehr.connection",
    "ehr.confirm": "ehr.connection",
    "ehr.set_signing": "ehr.signing",
    "ehr.tie": "ehr.signing",
    "ehr.untie": "ehr.connections",
}
"""What wants a fresh proof that it is still the same person → the page to go on from; None: the page that was asked for.
To take a consent back is not among them: it must be as easy as giving it."""


OWNERS = {"visit_id": visits.owner, "question_id": conversations.owner, "version_id": consent_service.owner}
"""What an address may name that is one patient's, and how it is known whose."""


def _owner(actor: Actor, named: Mapping[str, Any]) -> str | None:
    return next((OWNERS[each](actor, str(named[each])) for each in named if each in OWNERS), None)


def _denied(actor: Actor, endpoint: str) -> None:
    with db.transaction():
        audit_service.record(actor, Event.ACCESS_DENIED, subject=f"page:{endpoint}"[:80], outcome=Outcome.MINOR)


def _check_rooms(app: Flask) -> None:
    """Every way in stands in a room that was opened to somebody, else nothing starts: Misconfigured names those that do not."""
    opened = app.extensions["doors"].rooms
    bare = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.rpartition(".")[0] not in opened}
    if bare:
        raise errors.Misconfigured(
            f"Nobody said who may enter: {', '.join(sorted(bare))}. Open their room in portal/app.py."
        )
