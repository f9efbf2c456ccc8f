"""The doors: session to Actor, one kind of visitor per room, deny by default, CSRF, and nothing typed lost at a time-out."""

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_wtf.csrf import CSRFProtect, generate_csrf
from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, bytes_to_int

from portal import db
from portal.actors import Actor, Role, Scope
from portal.clock import now
from portal.errors import NotAllowed, OtherSubject, SignInNeeded

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT_BYTES = 200_000


class Live(Protocol):
    """A session that stands: who acts, in which clinic, until when."""

    @property
    def actor(self) -> Actor: ...
    @property
    def clinic(self) -> Any: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def proved_at(self) -> datetime: ...
    @property
    def confined(self) -> bool: ...
    @property
    def kept(self) -> bool: ...


@dataclass
class Doors:
    """What the guard asks of the floors above; passed in by create_app."""

    resume: Callable[[str], Live | str | None]
    """cookie token → live session, or the account id of one that ran out of time, or None"""
    keep: Callable[[str, str, list[list[str]]], None]
    denied: Callable[[Actor, str], None]
    sign_in_endpoint: str
    choose_endpoint: str = ""
    """where somebody who answers for several says for whom"""
    owner: Callable[[Actor, Mapping[str, Any]], str | None] = lambda actor, named: None
    """the patient whose page an address is, by the things it names; None when it is nobody's in particular"""
    rooms: dict[str, frozenset[Role]] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    """room → what somebody must be allowed who answers for a patient there; a room that is not here is shut to them"""
    prove_endpoint: str = ""
    """where a person proves again that it is them, and how fresh that has to be for the doors named in `fresh`"""
    proof_lasts: timedelta = timedelta(minutes=10)
    set_up_endpoint: str = ""
    """the only page, with those of `confined_to`, of somebody who first has to set up a second factor"""
    confined_to: frozenset[str] = frozenset()
    fresh: dict[str, str | None] = field(default_factory=dict)
    """endpoints that want a fresh proof → the page to come back to; None: the one that was asked for"""


class Viewer(UserMixin):  # type: ignore[misc]
    """Flask-Login's user: the live session behind the cookie, known to the browser only by its opaque token."""

    def __init__(self, token: str, live: Live) -> None:
        self.token = token
        self.live = live

    def get_id(self) -> str:
        return self.token


def install(app: Flask, doors: Doors) -> None:
    """Put the guard at every door of `app`."""
    app.extensions["doors"] = doors
    CSRFProtect(app)
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.context_processor(lambda: {"csrf_token": csrf_token})
    login = LoginManager(app)
    login.session_protection = None  # the session lives on the server and has its own time-outs
    login.user_loader(_load)
    app.before_request(_door)
    app.teardown_appcontext(lambda _error: db.within(None))


def open_room(app: Flask, room: Blueprint, *roles: Role, proxy: Scope | None = None) -> None:
    """Register a room and say who may enter it; a room that is not opened answers 403.

    `proxy` lets in who answers for a patient too, as far as they are allowed just that.
    """
    doors = _doors(app)
    doors.rooms[room.name] = frozenset(roles) | ({Role.PROXY} if proxy else set())
    if proxy:
        doors.scopes[room.name] = proxy
    app.register_blueprint(room)


def actor() -> Actor:
    """Who acts in this request; SignInNeeded when nobody is signed in."""
    live = viewer()
    if live is None:
        raise SignInNeeded
    return live.actor


def open_to_all() -> bool:
    """Whether this page is for anybody, signed in or not."""
    return Role.ANYONE in _doors(current_app).rooms.get(request.blueprint or "", frozenset())


def viewer() -> Live | None:
    """The live session of this request, looked up once."""
    if "viewer" not in g:
        g.viewer = current_user.live if current_user.is_authenticated else None
    found: Live | None = g.viewer
    return found


def enter(token: str) -> None:
    """The browser is now signed in with this session token; everything the cookie held before is gone.

    Only the CSRF token stays for a person who signs in again after a time-out, so that their other tabs can still be sent,
    and the word by which this browser is known while somebody is on their way to the clinic's own sign-in and back.
    """
    live = _doors(current_app).resume(token)
    assert live is not None and not isinstance(live, str)
    csrf = session.get("csrf_token") if g.get("lapsed") == live.actor.account_id else None
    stays = {"csrf_token": csrf, "launch": session.get("launch")}
    session.clear()
    session.update({name: value for name, value in stays.items() if value})
    login_user(Viewer(token, live))
    g.viewer = live


def go_on(token: str) -> None:
    """The same person goes on in the same session, which has a new token after they proved who they are."""
    live = _doors(current_app).resume(token)
    assert live is not None and not isinstance(live, str)
    login_user(Viewer(token, live))
    g.viewer = live


def leave() -> None:
    session.clear()
    g.viewer = None


def something_kept() -> bool:
    """Whether what somebody typed too late, on this page or another, waits for whoever acts."""
    live = viewer()
    return live is not None and live.kept


def shown_at() -> datetime | None:
    """When the page that is posted was given out: its token, which has been proved true by now, says it to the second."""
    parts = request.form.get("csrf_token", "").rsplit(".", 2)  # what is signed may begin with a dot of its own
    try:
        told = base64_decode(parts[-2])
        return datetime.fromtimestamp(bytes_to_int(told), UTC) if told else None
    except (IndexError, ValueError, OverflowError, OSError, BadData, struct.error):
        return None


def next_path(default: str) -> str:
    """Where to go after signing in: a path of ours, never another address."""
    wanted = request.args.get("next", "")
    parts = urlsplit(wanted)
    harmless = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable() and "\\" not in wanted
    )
    return wanted if harmless and not parts.scheme and not parts.netloc else default


def _doors(app: Flask) -> Doors:
    doors: Doors = app.extensions["doors"]
    return doors


def _load(token: str) -> Viewer | None:
    """Who this is, looked for in every clinic; from then on the database shows this request only their own."""
    before = db.clinic_within()
    db.within(db.EVERY_CLINIC)
    found = _doors(current_app).resume(token)
    own = None if found is None or isinstance(found, str) else found.actor.clinic_id
    db.within(before if before == db.EVERY_CLINIC else own)
    if isinstance(found, str):
        g.lapsed = found
        return None
    return Viewer(token, found) if found is not None else None


def _door() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    doors = _doors(current_app)
    admitted = doors.rooms.get(request.blueprint or "", frozenset())
    if Role.ANYONE in admitted:
        db.within(db.EVERY_CLINIC)
        return None
    live = viewer()
    if live is None:
        if not admitted:
            raise NotAllowed
        return _to_sign_in(doors)
    scope = doors.scopes.get(request.blueprint or "")
    if scope is not None:
        elsewhere = _for_somebody(doors, live, scope, admitted)
        if elsewhere is not None:
            return elsewhere
    elif live.actor.role not in admitted:
        raise NotAllowed
    return _certain(doors, live)


def _certain(doors: Doors, live: Live) -> ResponseReturnValue | None:
    """Elsewhere first: whoever has to set up a second factor, or to prove again for this door that it is them."""
    if live.confined and request.endpoint not in doors.confined_to:
        return redirect(url_for(doors.set_up_endpoint), 303)
    if request.endpoint in doors.fresh and not proved_lately():
        return redirect(url_for(doors.prove_endpoint, next=_back(doors)), 303)
    return None


def proved_lately() -> bool:
    """Whether whoever acts has proved who they are within the last minutes (step-up)."""
    live = viewer()
    return live is not None and now() - live.proved_at < _doors(current_app).proof_lasts


def _back(doors: Doors) -> str:
    """The page to go on from after the proof: what was posted is not kept, it may hold a secret."""
    page = doors.fresh[request.endpoint or ""]
    if page is None:
        return request.full_path.rstrip("?")
    wanted = {rule.endpoint: rule.arguments for rule in current_app.url_map.iter_rules(page)}[page]
    return url_for(page, **{name: value for name, value in (request.view_args or {}).items() if name in wanted})


def _for_somebody(doors: Doors, live: Live, scope: Scope, admitted: frozenset[Role]) -> ResponseReturnValue | None:
    """Into a patient's pages, as the patient or for them. The one place where it is checked who may do what for whom.

    A page whose address names something of a patient's is that patient's, whomever the session answers for: two tabs for two
    children never meet. Any other post must come from a page that was made for the same patient.
    """
    actor = live.actor
    owner = doors.owner(actor, request.view_args or {}) if len(actor.subjects) > 1 else None
    whose = next((each for each in actor.subjects if each.patient_id == owner), None)
    if whose is not None and owner != actor.patient_id:
        actor = actor.answering_for(whose)
        g.viewer = replace(live, actor=actor)  # type: ignore[type-var]
    if actor.role is Role.PROXY and actor.behalf is None:
        if actor.subjects and request.method in SAFE:
            return redirect(url_for(doors.choose_endpoint, next=request.full_path.rstrip("?")), 303)
        raise NotAllowed("You do not answer for anybody here now. The time is over, or it was taken back.")
    if actor.role not in admitted:
        raise NotAllowed
    if not actor.allows(scope):
        raise NotAllowed("You may answer for this person, but not do this for them. Your clinic can tell you more.")
    _made_for(actor, of_the_address=whose is not None)
    return None


def _made_for(actor: Actor, *, of_the_address: bool) -> None:
    """Raises OtherSubject when what is posted was typed on a page for another patient than the one it would be saved for."""
    if request.method in SAFE:
        return
    said = request.form.get("subject")
    certain = of_the_address or len(actor.subjects) < 2
    if said != actor.patient_id and not (said is None and certain):
        raise OtherSubject


@contextmanager
def gaps(token: str, subject: str) -> Iterator[None]:
    """Pages that are drawn meanwhile carry these instead of anybody's CSRF token and mark, to be filled in for each person."""
    g.gaps = (token, subject)
    try:
        yield
    finally:
        del g.gaps


def csrf_token() -> str:
    """What each form of ours carries, so that no other site can send it."""
    return g.gaps[0] if "gaps" in g else str(generate_csrf())


def subject_mark() -> str:
    """What each form of a patient's page carries, so that it is never sent for somebody else; "" on other pages."""
    if "gaps" in g:
        return str(g.gaps[1])
    live = viewer()
    return (live.actor.patient_id or "") if live else ""


def note_refusal() -> None:
    """Write down that somebody who is signed in was not let in, here or by a service (bar 100)."""
    live = viewer()
    if live is not None:
        _doors(current_app).denied(live.actor, request.endpoint or "")


def _to_sign_in(doors: Doors) -> ResponseReturnValue:
    path = request.full_path.rstrip("?") if request.method in SAFE else request.path
    lapsed = g.get("lapsed")
    if request.method not in SAFE and lapsed:
        db.within(db.EVERY_CLINIC)
        typed = [[name, value] for name, value in request.form.items(multi=True) if name != "csrf_token"]
        if sum(len(name) + len(value) for name, value in typed) <= _KEPT_BYTES:
            doors.keep(lapsed, path, typed)
    return redirect(url_for(doors.sign_in_endpoint, next=path, ended="1" if lapsed else None), 303)


def time_left() -> timedelta | None:
    """How long this session lasts if nothing more happens."""
    live = viewer()
    return live.ends_at - now() if live else None
